package oracle

import (
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
)

// Where a null means absent (N15): a path that some served version has as a property, if in no version that counts a
// null there may mean something: it has a default, it is a key of additionalProperties, or an unknown key is kept.

// Where one version is while all go down together.
type place struct {
	schema *structural.Structural // nil: the version knows nothing here
	open   bool                   // unknown keys stay
	served bool
	root   bool
}

func (k *kind) places() []place {
	var out []place
	for i := range k.versions {
		if v := &k.versions[i]; v.served || v.storage {
			out = append(out, place{v.schema, v.schema.XPreserveUnknownFields, v.served, true})
		}
	}
	return out
}

type route int

const (
	gone       route = iota // the version prunes the key
	kept                    // it keeps the key, not knowing it
	additional              // the key is one of additionalProperties
	property
)

func isMeta(key string) bool { return key == "apiVersion" || key == "kind" || key == "metadata" }

func (p place) key(key string) (place, route) {
	if p.schema == nil {
		if p.open {
			return place{open: true, served: p.served}, kept
		}
		return place{served: p.served}, gone
	}
	meta := isMeta(key) && (p.root || p.schema.XEmbeddedResource)
	if child, ok := p.schema.Properties[key]; ok {
		return place{&child, meta || child.XPreserveUnknownFields, p.served, false}, property
	}
	if meta {
		return place{open: true, served: p.served}, kept
	}
	if more := p.schema.AdditionalProperties; more != nil {
		open := more.Structural != nil && more.Structural.XPreserveUnknownFields
		return place{more.Structural, open, p.served, false}, additional
	}
	if p.open {
		return place{open: true, served: p.served}, kept
	}
	return place{served: p.served}, gone
}

func (p place) item() place {
	if p.schema == nil {
		return p
	}
	open := p.open || (p.schema.Items != nil && p.schema.Items.XPreserveUnknownFields)
	return place{p.schema.Items, open, p.served, false}
}

// A copy without the nulls that mean nothing.
func dropNulls(v any, at []place) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			below, droppable := stepDown(at, key)
			if value != nil || !droppable {
				out[key] = dropNulls(value, below)
			}
		}
		return out
	case []any:
		below := make([]place, len(at))
		for i := range at {
			below[i] = at[i].item()
		}
		out := make([]any, len(v))
		for i := range v {
			out[i] = dropNulls(v[i], below)
		}
		return out
	}
	return v
}

func stepDown(at []place, key string) (below []place, droppable bool) {
	means := false
	for _, p := range at {
		child, how := p.key(key)
		below = append(below, child)
		switch how {
		case property:
			droppable = droppable || p.served
			means = means || child.schema.Default.Object != nil
		case kept, additional:
			means = true
		}
	}
	return below, droppable && !means
}
