package harness

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"time"

	admission "k8s.io/api/admission/v1"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
)

// Recorder is a webhook that allows everything and keeps what it was asked.
type Recorder struct {
	cluster *Cluster
	server  *httptest.Server

	mu     sync.Mutex
	bodies [][]byte
}

const recorderName = "recorder.example.com"

// Record registers a webhook that is asked about every write to these resources, subresources named one by one. It
// returns once the API server asks it about probe.
func (c *Cluster) Record(rules []admissionv1.RuleWithOperations, probe *unstructured.Unstructured) (*Recorder, error) {
	r := &Recorder{cluster: c}
	r.server = httptest.NewTLSServer(r)
	config := &admissionv1.ValidatingWebhookConfiguration{
		TypeMeta:   metav1.TypeMeta{APIVersion: "admissionregistration.k8s.io/v1", Kind: "ValidatingWebhookConfiguration"},
		ObjectMeta: metav1.ObjectMeta{Name: recorderName},
		Webhooks: []admissionv1.ValidatingWebhook{{
			Name:                    recorderName,
			Rules:                   rules,
			AdmissionReviewVersions: []string{"v1"},
			SideEffects:             ptr.To(admissionv1.SideEffectClassNoneOnDryRun),
			FailurePolicy:           ptr.To(admissionv1.Fail),
			ClientConfig: admissionv1.WebhookClientConfig{
				URL:      ptr.To(r.server.URL),
				CABundle: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.server.Certificate().Raw}),
			},
		}},
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(config)
	if err == nil {
		err = c.Create(&unstructured.Unstructured{Object: fields}).Err
	}
	if err == nil {
		err = Poll(20*time.Second, func() error {
			if err := c.Create(probe, DryRun).Err; err != nil {
				return err
			}
			if len(r.take()) == 0 {
				return fmt.Errorf("the recorder is not asked yet")
			}
			return nil
		})
	}
	if err != nil {
		_ = r.Stop()
		return nil, err
	}
	return r, nil
}

// Stop removes the registration.
func (r *Recorder) Stop() error {
	defer r.server.Close()
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(admissionv1.SchemeGroupVersion.WithKind("ValidatingWebhookConfiguration"))
	object.SetName(recorderName)
	if err := r.cluster.Delete(object).Err; err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	return nil
}

// Reviews returns what was asked about write, which does one thing and returns when it is done. Nothing else but the
// API server itself writes, and what that writes for itself is left out.
func (r *Recorder) Reviews(write func() error) ([][]byte, error) {
	// The API server orders managedFields by their times, which are whole seconds.
	time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
	r.take()
	if err := write(); err != nil {
		return nil, err
	}
	var reviews [][]byte
	for _, body := range r.take() {
		var review admission.AdmissionReview
		if err := json.Unmarshal(body, &review); err != nil {
			return nil, err
		}
		if review.Request.UserInfo.Username != "admin" {
			continue
		}
		reviews = append(reviews, steady(body))
	}
	return reviews, nil
}

func (r *Recorder) take() [][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	bodies := r.bodies
	r.bodies = nil
	return bodies
}

// ServeHTTP allows.
func (r *Recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, 16<<20))
	var review admission.AdmissionReview
	if err == nil {
		err = json.Unmarshal(body, &review)
	}
	if err != nil || review.Request == nil {
		http.Error(w, "not an AdmissionReview", http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	r.bodies = append(r.bodies, body)
	r.mu.Unlock()
	review.Response = &admission.AdmissionResponse{UID: review.Request.UID, Allowed: true}
	review.Request = nil
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(review)
}

var (
	uids      = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	times     = regexp.MustCompile(`"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z"`)
	versions  = regexp.MustCompile(`"resourceVersion":"[0-9]+"`)
	generated = regexp.MustCompile(`generated-[a-z0-9]{5}`)
)

// steady replaces what is another at each recording, and only that: all else, the order of the keys too, stays as the
// API server sent it.
func steady(body []byte) []byte {
	seen := make(map[string]int)
	body = uids.ReplaceAllFunc(body, func(uid []byte) []byte {
		if _, known := seen[string(uid)]; !known {
			seen[string(uid)] = len(seen) + 1
		}
		return fmt.Appendf(nil, "00000000-0000-4000-8000-%012d", seen[string(uid)])
	})
	body = times.ReplaceAll(body, []byte(`"2026-01-02T03:04:05Z"`))
	body = versions.ReplaceAll(body, []byte(`"resourceVersion":"1"`))
	body = generated.ReplaceAll(body, []byte(`generated-00000`))
	var out bytes.Buffer
	if err := json.Indent(&out, bytes.TrimSpace(body), "", " "); err != nil {
		return body // and the comparison with the recorded file says so
	}
	out.WriteByte('\n')
	return out.Bytes()
}
