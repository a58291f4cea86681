package harness

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Repo is a Git repository with a work tree, on the branch main.
type Repo struct{ Dir string }

// NewRepo makes an empty repository.
func NewRepo(dir string) (*Repo, error) {
	r := &Repo{Dir: dir}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	_, err := r.git("init", "--quiet", "--initial-branch=main")
	return r, err
}

// URL is what a source of meshwrit names.
func (r *Repo) URL() string { return "file://" + r.Dir }

// Write puts a file into the work tree; empty content removes it.
func (r *Repo) Write(path, content string) error {
	full := filepath.Join(r.Dir, path)
	if content == "" {
		return os.Remove(full)
	}
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		return err
	}
	return os.WriteFile(full, []byte(content), 0o644)
}

// Commit commits the work tree as it is and returns the commit's id.
func (r *Repo) Commit(message string) (string, error) {
	if _, err := r.git("add", "--all"); err != nil {
		return "", err
	}
	if _, err := r.git("commit", "--quiet", "--allow-empty", "--message", message); err != nil {
		return "", err
	}
	return r.git("rev-parse", "HEAD")
}

// git runs one git command, deaf to the configuration of the machine and of the user.
func (r *Repo) git(arguments ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"-C", r.Dir}, arguments...)...)
	cmd.Env = append(os.Environ(),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=test", "GIT_AUTHOR_EMAIL=test@example.com",
		"GIT_COMMITTER_NAME=test", "GIT_COMMITTER_EMAIL=test@example.com")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(arguments, " "), err, &stderr)
	}
	return strings.TrimSpace(string(out)), nil
}
