package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Record is one decision in meshwrit's own log, as far as the tests look at it.
type Record struct {
	UID       string `json:"uid"`
	Operation string `json:"operation"`
	User      string `json:"user"`
	Group     string `json:"group"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Verdict   string `json:"verdict"`
	Reason    string `json:"reason"`
}

// Records reads the decisions that the server has recorded, oldest first within a file. Lines without a uid are not
// decisions.
func (m *Meshwrit) Records() ([]Record, error) {
	files, err := filepath.Glob(filepath.Join(m.AuditDir, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	var records []Record
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		end := bytes.LastIndexByte(content, '\n') + 1 // the last line may be half written
		for line := range bytes.Lines(content[:end]) {
			var record Record
			if err := json.Unmarshal(line, &record); err != nil {
				return nil, fmt.Errorf("%s: %w: %s", path, err, line)
			}
			if record.UID != "" {
				records = append(records, record)
			}
		}
	}
	return records, nil
}
