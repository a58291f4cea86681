package harness

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Child returns the process of a role ("server" or "source") among the descendants of the supervisor. The title of a
// child says its role: "meshwrit: server" as its command line, "mw-server" as its name.
func (m *Meshwrit) Child(role string) (int, error) {
	var seen []string
	parents := []int{m.PID()}
	for depth := 0; depth < 3 && len(parents) > 0; depth++ {
		children, err := childrenOf(parents)
		if err != nil {
			return 0, err
		}
		for _, pid := range children {
			name, title := readProc(pid, "comm"), readProc(pid, "cmdline")
			if name == "mw-"+role || strings.HasPrefix(title, "meshwrit: "+role) {
				return pid, nil
			}
			seen = append(seen, fmt.Sprintf("%d %q %q", pid, name, title))
		}
		parents = children
	}
	return 0, fmt.Errorf("no child with the role %s among %v", role, seen)
}

// Kill ends a child without giving it a chance.
func (m *Meshwrit) Kill(role string) (int, error) {
	pid, err := m.Child(role)
	if err != nil {
		return 0, err
	}
	return pid, syscall.Kill(pid, syscall.SIGKILL)
}

// childrenOf returns the live processes whose parent is one of parents.
func childrenOf(parents []int) ([]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	var children []int
	for _, path := range stats {
		content, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		// "PID (NAME) STATE PARENT …", and the name may hold anything.
		fields := bytes.Fields(content[bytes.LastIndexByte(content, ')')+1:])
		if len(fields) < 2 || string(fields[0]) == "Z" {
			continue
		}
		parent, err := strconv.Atoi(string(fields[1]))
		if err != nil {
			return nil, err
		}
		for _, p := range parents {
			if parent == p {
				pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
				if err != nil {
					return nil, err
				}
				children = append(children, pid)
			}
		}
	}
	return children, nil
}

func readProc(pid int, file string) string {
	content, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), file))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(strings.ReplaceAll(string(content), "\x00", " "))
}
