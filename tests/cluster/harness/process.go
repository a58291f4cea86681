package harness

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// process is a program that runs beside the tests, with its output in a file.
type process struct {
	name    string
	cmd     *exec.Cmd
	logPath string
	ending  os.Signal     // asks it to end
	exited  chan struct{} // closed once the process has been waited for
}

// spawner hands commands to one thread that lives as long as the test binary: the parent-death signal below is tied
// to the thread that started the child, and the Go runtime ends threads when it likes.
var spawner = func() chan<- func() {
	jobs := make(chan func())
	go func() {
		runtime.LockOSThread()
		for job := range jobs {
			job()
		}
	}()
	return jobs
}()

// startProcess starts cmd and appends what it writes to DIR/NAME.log.
func startProcess(name, dir string, cmd *exec.Cmd) (*process, error) {
	logPath := filepath.Join(dir, name+".log")
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()

	cmd.Stdout, cmd.Stderr = log, log
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	// A test binary that is killed or panics leaves nothing behind.
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL

	started := make(chan error)
	spawner <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p := &process{name: name, cmd: cmd, logPath: logPath, ending: syscall.SIGTERM, exited: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is in ProcessState
		close(p.exited)
	}()
	return p, nil
}

// stop ends the process, politely at first. It returns how the process ended if that was not by our doing or not clean.
func (p *process) stop() error {
	if p == nil {
		return nil
	}
	select {
	case <-p.exited:
		return fmt.Errorf("%s had ended by itself: %s", p.name, p.cmd.ProcessState)
	default:
	}
	_ = p.cmd.Process.Signal(p.ending)
	select {
	case <-p.exited:
		return nil
	case <-time.After(15 * time.Second):
	}
	_ = p.cmd.Process.Kill()
	<-p.exited
	return fmt.Errorf("%s did not end within 15 s of %s and was killed", p.name, p.ending)
}

// alive reports whether the process still runs.
func (p *process) alive() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// await polls check until it returns nil, and fails early when the process ends.
func (p *process) await(limit time.Duration, check func() error) error {
	err := Poll(limit, func() error {
		if !p.alive() {
			return stopPolling{fmt.Errorf("%s ended: %s", p.name, p.cmd.ProcessState)}
		}
		return check()
	})
	if err != nil {
		return fmt.Errorf("%w\n%s", err, p.tail(30))
	}
	return nil
}

// log returns all that the process has written.
func (p *process) log() string {
	b, err := os.ReadFile(p.logPath)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// tail returns the last lines of the log under a heading.
func (p *process) tail(lines int) string {
	if p == nil {
		return ""
	}
	all := strings.Split(strings.TrimRight(p.log(), "\n"), "\n")
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	for i, line := range all {
		const widest = 1000
		if len(line) > widest {
			all[i] = line[:widest] + "…"
		}
	}
	return fmt.Sprintf("--- end of the log of %s ---\n%s\n", p.name, strings.Join(all, "\n"))
}

// stopPolling wraps an error that no further attempt can cure.
type stopPolling struct{ error }

func (s stopPolling) Unwrap() error { return s.error }

// Poll calls check until it returns nil or the limit has passed, and returns its last error.
func Poll(limit time.Duration, check func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := check()
		var final stopPolling
		switch {
		case err == nil:
			return nil
		case errors.As(err, &final):
			return final.error
		case time.Now().After(deadline):
			return fmt.Errorf("not within %s: %w", limit, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
