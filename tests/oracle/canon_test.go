package oracle

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sort"
)

// The normal form once more, from the text of its rules alone (docs/normal-form.md).

// Canonical bytes (N25) of what Go's JSON decoder made.
func encode(out []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(out, 'N')
	case bool:
		if v {
			return append(out, 'T')
		}
		return append(out, 'F')
	case int64:
		return binary.BigEndian.AppendUint64(append(out, 'I'), uint64(v))
	case float64:
		return encodeFloat(out, v)
	case string:
		out = binary.BigEndian.AppendUint32(append(out, 'S'), uint32(len(v)))
		return append(out, v...)
	case []any:
		out = binary.BigEndian.AppendUint32(append(out, 'L'), uint32(len(v)))
		for _, item := range v {
			out = encode(out, item)
		}
		return out
	case map[string]any:
		return encodeMap(out, v)
	}
	panic(fmt.Sprintf("%T is not from JSON", v))
}

// N8: an integral double below 2^53 is an integer, and there is no -0.
func encodeFloat(out []byte, d float64) []byte {
	if math.Trunc(d) == d && math.Abs(d) < 1<<53 {
		return encode(out, int64(d))
	}
	return binary.BigEndian.AppendUint64(append(out, 'D'), math.Float64bits(d))
}

// N22: keys in bytewise order, which is how Go compares strings.
func encodeMap(out []byte, m map[string]any) []byte {
	out = binary.BigEndian.AppendUint32(append(out, 'M'), uint32(len(m)))
	for _, key := range sortedKeys(m) {
		out = encode(encode(out, key), m[key])
	}
	return out
}

type identity struct{ group, kind, namespace, name string }

type digest [sha256.Size]byte

func (d digest) in(list []digest) bool {
	for _, other := range list {
		if d == other {
			return true
		}
	}
	return false
}

// Each once, in order.
func digestSet(list []digest) []digest {
	sort.Slice(list, func(i, j int) bool { return bytes.Compare(list[i][:], list[j][:]) < 0 })
	out := list[:0]
	for i, d := range list {
		if i == 0 || d != list[i-1] {
			out = append(out, d)
		}
	}
	return out
}

// N18.
var droppedMetadata = map[string]bool{
	"uid": true, "resourceVersion": true, "generation": true, "creationTimestamp": true, "deletionTimestamp": true,
	"deletionGracePeriodSeconds": true, "selfLink": true, "managedFields": true, "generateName": true, "finalizers": true,
}

// N19, N36.
var ignoredAnnotations = map[string]bool{
	"kubectl.kubernetes.io/last-applied-configuration": true,
	"meta.helm.sh/release-name":                        true,
	"meta.helm.sh/release-namespace":                   true,
	"argocd.argoproj.io/tracking-id":                   true,
	"argocd.argoproj.io/installation-id":               true,
	"kustomize.toolkit.fluxcd.io/checksum":             true,
	"fluxcd.io/sync-checksum":                          true,
	"config.k8s.io/owning-inventory":                   true,
	"config.kubernetes.io/origin":                      true,
	"objectset.rio.cattle.io/applied":                  true,
	"objectset.rio.cattle.io/id":                       true,
	"objectset.rio.cattle.io/owner-gvk":                true,
	"objectset.rio.cattle.io/owner-name":               true,
	"objectset.rio.cattle.io/owner-namespace":          true,
	"kapp.k14s.io/identity":                            true,
	"kapp.k14s.io/original":                            true,
	"kapp.k14s.io/original-diff":                       true,
	"kapp.k14s.io/original-diff-full":                  true,
	"kapp.k14s.io/nonce":                               true,
	breakGlass:                                         true,
}

const breakGlass = "meshwrit.dev/break-glass"

// The metadata that counts. Name and namespace are in the identity.
func normalMetadata(metadata map[string]any) (map[string]any, error) {
	out := map[string]any{}
	for key, value := range metadata {
		switch {
		case key == "name" || key == "namespace":
			if _, ok := value.(string); !ok {
				return nil, errors.New("name or namespace is not text")
			}
		case key == "labels" || key == "annotations":
			tags, err := normalTags(value, key == "annotations")
			if err != nil {
				return nil, err
			}
			if len(tags) > 0 { // N21
				out[key] = tags
			}
		case !droppedMetadata[key]:
			out[key] = value
		}
	}
	return out, nil
}

func normalTags(value any, annotations bool) (map[string]any, error) {
	if value == nil {
		return nil, nil
	}
	tags, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("labels or annotations are not a map")
	}
	out := map[string]any{}
	for key, tag := range tags {
		if _, text := tag.(string); annotations && key == breakGlass && !text {
			return nil, errors.New("the break-glass annotation is not text")
		}
		if !annotations || !ignoredAnnotations[key] {
			out[key] = tag
		}
	}
	return out, nil
}

// The digest of an object (N15, N17 to N22, N25). `k` says what is known of its kind; nil: nothing.
func normalDigest(object map[string]any, id identity, k *kind, version string, dropStatus bool) (digest, error) {
	metadata := map[string]any{}
	rest := map[string]any{}
	for key, value := range object {
		switch {
		case key == "apiVersion" || key == "kind":
			if _, ok := value.(string); !ok {
				return digest{}, errors.New("apiVersion or kind is not text")
			}
		case key == "metadata":
			given, ok := value.(map[string]any)
			if !ok {
				return digest{}, errors.New("metadata is not a map")
			}
			var err error
			if metadata, err = normalMetadata(given); err != nil {
				return digest{}, err
			}
		case key == "status" && (dropStatus || k.dropsStatus(version)):
		default:
			rest[key] = value
		}
	}
	if k != nil {
		rest, _ = dropNulls(rest, k.places()).(map[string]any)
	}
	head := []byte("meshnorm/1\x00")
	if k != nil && k.conversion {
		head = encode([]byte("meshnorm/1v\x00"), version)
	}
	for _, name := range []string{id.group, id.kind, id.namespace, id.name} {
		head = encode(head, name)
	}
	return sha256.Sum256(encode(head, map[string]any{"m": metadata, "o": rest})), nil
}
