package harness

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Document is one object of a YAML file.
type Document struct {
	File   string // relative to the folder that was read
	Object *unstructured.Unstructured
}

// Name returns "Kind.group/namespace/name".
func Name(object *unstructured.Unstructured) string {
	gvk := object.GroupVersionKind()
	return fmt.Sprintf("%s.%s/%s/%s", gvk.Kind, gvk.Group, object.GetNamespace(), object.GetName())
}

// Decode reads the objects of a YAML stream as kubectl does.
func Decode(stream []byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(stream)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		asJSON, err := yaml.YAMLToJSON(document)
		if err != nil {
			return nil, err
		}
		var head struct{ Kind string }
		if err := json.Unmarshal(asJSON, &head); err != nil {
			return nil, err
		}
		if head.Kind == "" {
			continue // only comments, or a kustomization that leaves its kind out
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(asJSON); err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
}

// MustDecode reads one object that a test holds as text.
func MustDecode(text string) *unstructured.Unstructured {
	objects, err := Decode([]byte(text))
	if err != nil || len(objects) != 1 {
		panic(fmt.Sprintf("%d objects, %v, in:\n%s", len(objects), err, text))
	}
	return objects[0]
}

// ReadFolder reads the objects of every .yaml file under dir, in the order of the paths.
func ReadFolder(dir string) ([]Document, error) {
	var documents []Document
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		objects, err := Decode(content)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		file, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		for _, object := range objects {
			documents = append(documents, Document{File: file, Object: object})
		}
		return nil
	})
	return documents, err
}

// Encode writes objects as one YAML stream.
func Encode(objects ...*unstructured.Unstructured) (string, error) {
	var out strings.Builder
	for _, object := range objects {
		document, err := yaml.Marshal(object.Object)
		if err != nil {
			return "", err
		}
		out.WriteString("---\n")
		out.Write(document)
	}
	return out.String(), nil
}
