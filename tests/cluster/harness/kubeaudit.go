package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// auditLog reads the API server's own audit log: it says, from the asking side, what the webhook answered to exactly
// one request, which neither an error text nor meshwrit's own log can.
type auditLog struct {
	path string

	mu     sync.Mutex
	offset int64
	events map[string]auditEvent
	order  []string
}

// auditEvent holds the parts of an audit.k8s.io/v1 Event that the tests look at.
type auditEvent struct {
	AuditID   string            `json:"auditID"`
	Stage     string            `json:"stage"`
	UserAgent string            `json:"userAgent"`
	Ref       auditRef          `json:"objectRef"`
	Notes     map[string]string `json:"annotations"`
}

type auditRef struct {
	Resource  string `json:"resource"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// read takes in what has been written since the last time. The caller holds the lock.
func (a *auditLog) read() error {
	file, err := os.Open(a.path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	fresh := make([]byte, info.Size()-a.offset)
	if _, err := file.ReadAt(fresh, a.offset); err != nil && len(fresh) > 0 {
		return err
	}
	end := bytes.LastIndexByte(fresh, '\n') + 1 // the last line may be half written
	a.offset += int64(end)
	if a.events == nil {
		a.events = make(map[string]auditEvent)
	}
	for line := range bytes.Lines(fresh[:end]) {
		var event auditEvent
		if err := json.Unmarshal(line, &event); err != nil {
			return fmt.Errorf("%s: %w", a.path, err)
		}
		if event.Stage == "ResponseComplete" {
			a.events[event.AuditID] = event
			a.order = append(a.order, event.AuditID)
		}
	}
	return nil
}

// find returns the event of one request; it is written just after the response has been sent.
func (a *auditLog) find(id string) (auditEvent, error) {
	var event auditEvent
	err := Poll(5*time.Second, func() error {
		a.mu.Lock()
		defer a.mu.Unlock()
		if err := a.read(); err != nil {
			return err
		}
		found, ok := a.events[id]
		if !ok {
			return fmt.Errorf("no event %s in the API server's audit log", id)
		}
		event = found
		return nil
	})
	return event, err
}

// writesBy returns what a client whose user agent begins with agent wrote, oldest first.
func (a *auditLog) writesBy(agent string) ([]auditEvent, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.read(); err != nil {
		return nil, err
	}
	var events []auditEvent
	for _, id := range a.order {
		if event := a.events[id]; strings.HasPrefix(event.UserAgent, agent) {
			events = append(events, event)
		}
	}
	return events, nil
}

// note returns the annotation that a webhook of ours made under key; every one of them carries our domain.
func (e auditEvent) note(key string) string {
	for name, value := range e.Notes {
		hook, rest, ok := strings.Cut(name, "/")
		if ok && rest == key && strings.HasSuffix(hook, "meshwrit.dev") {
			return value
		}
	}
	return ""
}
