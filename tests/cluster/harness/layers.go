package harness

import "slices"

// Layer is a set of documents of which no two speak of the same object.
type Layer []Document

// Layers spreads documents so that whole files stay together and no layer has two documents of one identity. A document
// that names no namespace lives in the layer's own, so it only meets its like.
func Layers(documents []Document) []Layer {
	var files []string
	byFile := make(map[string][]Document)
	for _, document := range documents {
		if !slices.Contains(files, document.File) {
			files = append(files, document.File)
		}
		byFile[document.File] = append(byFile[document.File], document)
	}
	var layers []Layer
	var taken []map[string]bool
	for _, file := range files {
		i := slices.IndexFunc(taken, func(names map[string]bool) bool {
			return !slices.ContainsFunc(byFile[file], func(d Document) bool { return names[identity(d)] })
		})
		if i < 0 {
			layers = append(layers, nil)
			taken = append(taken, make(map[string]bool))
			i = len(layers) - 1
		}
		layers[i] = append(layers[i], byFile[file]...)
		for _, document := range byFile[file] {
			taken[i][identity(document)] = true
		}
	}
	return layers
}

// identity leaves the version out: two versions of one object are one object.
func identity(d Document) string {
	gvk := d.Object.GroupVersionKind()
	return gvk.Group + "/" + gvk.Kind + "/" + d.Object.GetNamespace() + "/" + d.Object.GetName()
}
