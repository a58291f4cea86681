package harness

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// FieldManager is the name under which the tests apply on the server's side.
const FieldManager = "cluster-test"

// Answer is what came of one write: what the client saw, and what the API server noted of the webhook's answer.
type Answer struct {
	Err      error
	Warnings []string
	Object   *unstructured.Unstructured

	Reviewed bool // a webhook of ours annotated the request
	Reason   string
	Digest   string
	Root     string
	Commit   string
}

// Message is the error's text, or nothing.
func (a Answer) Message() string {
	if a.Err == nil {
		return ""
	}
	return a.Err.Error()
}

// Warned reports whether a warning contains text.
func (a Answer) Warned(text string) bool {
	for _, warning := range a.Warnings {
		if strings.Contains(warning, text) {
			return true
		}
	}
	return false
}

func (a Answer) String() string {
	verdict := "allowed"
	if a.Err != nil {
		verdict = "refused: " + a.Err.Error()
	}
	return fmt.Sprintf("%s; reason %q, warnings %q", verdict, a.Reason, a.Warnings)
}

// Client writes as the cluster's administrator and records what each write met.
type Client struct {
	dynamic dynamic.Interface
	mapper  meta.RESTMapper
	audit   *auditLog
}

func newClient(config *rest.Config, audit *auditLog) (*Client, error) {
	config = rest.CopyConfig(config)
	config.WarningHandler = rest.NoWarnings{} // the recorder has them
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return recorder{next} })

	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	c := &Client{dynamic: client, audit: audit}
	return c, c.rediscover(config)
}

// rediscover learns the resources that the server serves now.
func (c *Client) rediscover(config *rest.Config) error {
	d, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	groups, err := restmapper.GetAPIGroupResources(d)
	if err != nil {
		return err
	}
	c.mapper = restmapper.NewDiscoveryRESTMapper(groups)
	return nil
}

// Create posts the object.
func (c *Client) Create(object *unstructured.Unstructured, options ...string) Answer {
	return c.write(object, func(ctx context.Context, r dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		return r.Create(ctx, object, metav1.CreateOptions{
			FieldValidation: metav1.FieldValidationStrict, DryRun: dryRun(options), FieldManager: FieldManager})
	})
}

// Replace puts the object over the live one, whatever that holds.
func (c *Client) Replace(object *unstructured.Unstructured, options ...string) Answer {
	return c.write(object, func(ctx context.Context, r dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		live, err := r.Get(ctx, object.GetName(), metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		object := object.DeepCopy()
		object.SetResourceVersion(live.GetResourceVersion())
		return r.Update(ctx, object, metav1.UpdateOptions{
			FieldValidation: metav1.FieldValidationStrict, DryRun: dryRun(options), FieldManager: FieldManager})
	})
}

// Apply applies the object on the server's side and takes over what other managers hold.
func (c *Client) Apply(object *unstructured.Unstructured, options ...string) Answer {
	return c.write(object, func(ctx context.Context, r dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		return r.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{
			Force: true, DryRun: dryRun(options), FieldManager: FieldManager})
	})
}

// Patch sends a JSON merge patch, to a subresource if one is named.
func (c *Client) Patch(object *unstructured.Unstructured, patch string, subresource ...string) Answer {
	return c.write(object, func(ctx context.Context, r dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		return r.Patch(ctx, object.GetName(), types.MergePatchType, []byte(patch),
			metav1.PatchOptions{FieldManager: FieldManager}, subresource...)
	})
}

// PatchJSON sends a JSON patch (RFC 6902).
func (c *Client) PatchJSON(object *unstructured.Unstructured, patch string) Answer {
	return c.write(object, func(ctx context.Context, r dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		return r.Patch(ctx, object.GetName(), types.JSONPatchType, []byte(patch), metav1.PatchOptions{FieldManager: FieldManager})
	})
}

// Finalize puts the live Namespace without its spec.finalizers to the subresource, as the namespace controller does once
// a deleted one is empty, with the labels and annotations of object.
func (c *Client) Finalize(object *unstructured.Unstructured) Answer {
	return c.write(object, func(ctx context.Context, r dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		live, err := r.Get(ctx, object.GetName(), metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		live.SetLabels(object.GetLabels())
		live.SetAnnotations(object.GetAnnotations())
		unstructured.RemoveNestedField(live.Object, "spec", "finalizers")
		return r.Update(ctx, live, metav1.UpdateOptions{FieldManager: FieldManager}, "finalize")
	})
}

// Delete deletes the object.
func (c *Client) Delete(object *unstructured.Unstructured, options ...string) Answer {
	return c.write(object, func(ctx context.Context, r dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		return nil, r.Delete(ctx, object.GetName(), metav1.DeleteOptions{DryRun: dryRun(options)})
	})
}

// DeleteCollection deletes every object of the kind in its namespace by one request.
func (c *Client) DeleteCollection(object *unstructured.Unstructured) Answer {
	return c.write(object, func(ctx context.Context, r dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		return nil, r.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
	})
}

// Get reads the live object.
func (c *Client) Get(object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	r, err := c.resource(object)
	if err != nil {
		return nil, err
	}
	return r.Get(context.Background(), object.GetName(), metav1.GetOptions{})
}

// DryRun, given to a verb, has the API server do everything but store.
const DryRun = metav1.DryRunAll

func dryRun(options []string) []string {
	if len(options) == 0 {
		return nil
	}
	return options
}

// write runs one write and collects its answer.
func (c *Client) write(object *unstructured.Unstructured,
	verb func(context.Context, dynamic.ResourceInterface) (*unstructured.Unstructured, error)) Answer {

	r, err := c.resource(object)
	if err != nil {
		return Answer{Err: err}
	}
	seen := &recording{}
	stored, err := verb(context.WithValue(context.Background(), recordingKey{}, seen), r)
	answer := Answer{Err: err, Object: stored, Warnings: seen.warnings()}
	id := seen.lastWrite()
	if id == "" {
		return answer // no write was sent, and err says why
	}
	event, err := c.audit.find(id)
	if err != nil && answer.Err == nil {
		answer.Err = err
	}
	answer.Reason = event.note("reason")
	answer.Digest = event.note("digest")
	answer.Root = event.note("root")
	answer.Commit = event.note("commit")
	answer.Reviewed = answer.Reason != ""
	return answer
}

func (c *Client) resource(object *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	mapping, err := c.mapping(object)
	if err != nil {
		return nil, err
	}
	r := c.dynamic.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameRoot {
		return r, nil
	}
	if object.GetNamespace() == "" {
		return nil, fmt.Errorf("%s needs a namespace", Name(object))
	}
	return r.Namespace(object.GetNamespace()), nil
}

func (c *Client) mapping(object *unstructured.Unstructured) (*meta.RESTMapping, error) {
	gvk := object.GroupVersionKind()
	return c.mapper.RESTMapping(schema.GroupKind{Group: gvk.Group, Kind: gvk.Kind}, gvk.Version)
}

// Namespaced reports whether objects of this kind live in namespaces.
func (c *Client) Namespaced(object *unstructured.Unstructured) (bool, error) {
	mapping, err := c.mapping(object)
	if err != nil {
		return false, err
	}
	return mapping.Scope.Name() == meta.RESTScopeNameNamespace, nil
}

// recorder gives each request an audit ID of its own and notes it, with the warnings of the answer, in the recording
// that the request's context carries.
type recorder struct{ next http.RoundTripper }

type recordingKey struct{}

type recording struct {
	mu    sync.Mutex
	write string // the audit ID of the last write
	warn  []string
}

func (r *recording) lastWrite() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.write
}

func (r *recording) warnings() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.warn
}

func (r recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	seen, ok := req.Context().Value(recordingKey{}).(*recording)
	if !ok {
		return r.next.RoundTrip(req)
	}
	id := uuid.NewString()
	req = req.Clone(req.Context())
	req.Header.Set("Audit-ID", id)
	resp, err := r.next.RoundTrip(req)

	seen.mu.Lock()
	defer seen.mu.Unlock()
	if req.Method != http.MethodGet {
		seen.write = id
	}
	if err == nil {
		// `299 - "text"`, as the API server writes them.
		for _, warning := range resp.Header.Values("Warning") {
			_, text, _ := strings.Cut(warning, `"`)
			seen.warn = append(seen.warn, strings.TrimSuffix(text, `"`))
		}
	}
	return resp, err
}
