package oracle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/yaml"
)

// (b) YAML: what source/yaml accepts, kubectl and kustomize read as the same.

type yamlCase struct{ text []byte }

// --- the readers of the delivery tools ---

// As kubectl (and Argo CD, and the API server itself) reads a file: split at `---` lines, each document with
// sigs.k8s.io/yaml, its JSON with the API server's decoder. Documents that are null are passed over.
func readKubectl(text []byte) ([]any, error) {
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	var out []any
	for {
		var raw runtime.RawExtension
		err := decoder.Decode(&raw)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		raw.Raw = bytes.TrimSpace(raw.Raw)
		if len(raw.Raw) == 0 || bytes.Equal(raw.Raw, []byte("null")) {
			continue
		}
		v, err := decode(raw.Raw)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
}

// kustomize (and Flux) looks into metadata while it reads; what it says of that is not about YAML.
var errMetadata = errors.New("kustomize wants other metadata")

// As kustomize reads a resource, and kubectl or Flux then what kustomize writes.
func readKustomize(text []byte) ([]any, error) {
	reader := kio.ByteReader{
		Reader: bytes.NewReader(text), OmitReaderAnnotations: true, AnchorsAweigh: true, DisableUnwrapping: true,
	}
	nodes, err := reader.Read()
	if err != nil {
		if strings.Contains(err.Error(), "]: ") && !strings.Contains(err.Error(), "MalformedYAML") {
			return nil, fmt.Errorf("%w: %v", errMetadata, err)
		}
		return nil, err
	}
	var out []any
	for _, node := range nodes {
		text, err := node.MarshalJSON()
		if err != nil {
			return nil, err
		}
		if text, err = yaml.JSONToYAML(text); err != nil {
			return nil, err
		}
		again, err := readKubectl(text)
		if err != nil {
			return nil, err
		}
		out = append(out, again...)
	}
	return out, nil
}

// --- judging ---

func (c yamlCase) ask() []request { return []request{ask('Y', c.text)} }

func (c yamlCase) judge(answers []answer) (string, error) {
	if !answers[0].ok {
		return "refused", nil
	}
	documents := answers[0].fields
	want, err := readKubectl(c.text)
	if err := compareDocuments("kubectl", documents, want, err); err != nil {
		return "different", err
	}
	for _, v := range want {
		if _, isMap := v.(map[string]any); !isMap {
			return "accepted, no resource", nil // kustomize takes maps only
		}
	}
	want, err = readKustomize(c.text)
	if errors.Is(err, errMetadata) {
		return "accepted, metadata", nil
	}
	if err := compareDocuments("kustomize", documents, want, err); err != nil {
		return "different", err
	}
	return "accepted", nil
}

func compareDocuments(who string, got [][]byte, want []any, err error) error {
	if err != nil {
		return fmt.Errorf("%s refuses it: %v", who, err)
	}
	if len(got) != len(want) {
		return fmt.Errorf("%d documents, to %s %d", len(got), who, len(want))
	}
	for i := range got {
		if w := encode(nil, []any{want[i]}); !bytes.Equal(got[i], w) {
			return fmt.Errorf("document %d: %s reads %s\nC %s", i, who, canonicalText(w), canonicalText(got[i]))
		}
	}
	return nil
}

func smallerYAML(c yamlCase) []yamlCase {
	var out []yamlCase
	for _, text := range smallerTexts(c.text) {
		out = append(out, yamlCase{text})
	}
	return out
}

func (c yamlCase) show() string { return showText(c.text) }

// --- the corpus ---

var corpusFiles = func() (files [][]byte) {
	filepath.WalkDir(*corpus, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".yaml") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			panic(err)
		}
		files = append(files, text)
		return nil
	})
	return files
}

// Whole files, as they are.
func TestCorpus(t *testing.T) {
	files := corpusFiles()
	if len(files) == 0 {
		t.Skipf("there is no corpus in %s", *corpus)
	}
	d, err := startDriver()
	if err != nil {
		t.Fatal(err)
	}
	tally := map[string]int{}
	for _, text := range files {
		c := yamlCase{text}
		answers, err := d.ask(c.ask())
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		what, err := c.judge(answers)
		if err != nil {
			t.Errorf("%v\n%s", err, text)
		}
		tally[what]++
	}
	if err := d.stop(); err != nil {
		t.Error(err)
	}
	t.Logf("%d files: %v", len(files), tally)
	if tally["accepted"] < len(files)/2 {
		t.Error("most files are refused: this says little")
	}
}

func TestYAML(t *testing.T) {
	maker := newYAMLMaker(corpusFiles())
	oracle[yamlCase]{
		world:   noWorld,
		make:    func(r *rand.Rand, _ *world) yamlCase { return yamlCase{maker.text(r)} },
		ask:     yamlCase.ask,
		judge:   yamlCase.judge,
		smaller: smallerYAML,
		show:    yamlCase.show,
		least:   map[string]float64{"accepted": 0.35, "refused": 0.1},
	}.run(t)
}
