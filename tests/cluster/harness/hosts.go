package harness

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// ServiceName is the name by which the API server knows meshwrit's Service and, as it sees /etc/hosts, a name for
// 127.0.0.1: it speaks HTTP/1.1 to a webhook whose URL is not plainly loopback.
const ServiceName = "meshwrit.meshwrit-system.svc"

const (
	hostsFile = "/etc/hosts"
	hostsLine = "127.0.0.1 " + ServiceName + " # added by the cluster tests of meshwrit, which remove it\n"

	// bindHosts puts its first argument over /etc/hosts and becomes the program that the others name.
	bindHosts = `mount --bind "$1" ` + hostsFile + ` && shift && exec "$@"`
)

// withServiceName returns a command that runs a program which can resolve ServiceName. It sees another /etc/hosts in a
// mount namespace of its own. Where that is not permitted, as in many containers, the machine's own file gets the line
// until undo is called.
func withServiceName(dir string, program ...string) (cmd *exec.Cmd, undo func(), err error) {
	hosts, err := os.ReadFile(hostsFile)
	if err != nil {
		return nil, nil, err
	}
	path := filepath.Join(dir, "hosts")
	if err := os.WriteFile(path, append(hosts, "\n"+hostsLine...), 0o644); err != nil {
		return nil, nil, err
	}
	if bound(path, "true").Run() == nil {
		return bound(path, program...), func() {}, nil
	}
	if !bytes.Contains(hosts, []byte(hostsLine)) {
		if err := appendTo(hostsFile, hostsLine); err != nil {
			return nil, nil, err
		}
	}
	return exec.Command(program[0], program[1:]...), removeHostsLine, nil
}

func bound(hosts string, program ...string) *exec.Cmd {
	cmd := exec.Command("sh", append([]string{"-c", bindHosts, "sh", hosts}, program...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	return cmd
}

func appendTo(path, text string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return err
}

// removeHostsLine writes the file in place: in a container it is a mount of its own and cannot be replaced.
func removeHostsLine() {
	if hosts, err := os.ReadFile(hostsFile); err == nil {
		_ = os.WriteFile(hostsFile, bytes.ReplaceAll(hosts, []byte(hostsLine), nil), 0o644)
	}
}
