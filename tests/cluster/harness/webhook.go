package harness

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
)

// webhook is the registration that is installed in clusters, coreWebhook what the component for core objects adds to it.
func (c *Cluster) webhook() string { return filepath.Join(c.root, "manifests", "base", "webhook.yaml") }

func (c *Cluster) coreWebhook() string {
	return filepath.Join(c.root, "manifests", "components", "core", "webhook.yaml")
}

// Register registers the webhook as manifests/ has it, except that it is called by url and not by its Service, which
// nothing here would route. It returns once the API server asks it. The extra rules make one more webhook of the
// configuration, as its last comment tells an operator to do for status.
func (c *Cluster) Register(url string, caBundle []byte, extra ...admissionv1.RuleWithOperations) error {
	config, err := c.registration(c.webhook())
	if err != nil {
		return err
	}
	if len(extra) > 0 {
		added := *config.Webhooks[0].DeepCopy()
		added.Name = "extra.meshwrit.dev"
		added.Rules = extra
		config.Webhooks = append(config.Webhooks, added)
	}
	return c.register(config, url, caBundle)
}

// RegisterCore does so with the component for core objects. Its entry is to fail when it cannot be answered, so that a
// test sees it.
func (c *Cluster) RegisterCore(url string, caBundle []byte) error {
	config, err := c.registration(c.webhook())
	if err != nil {
		return err
	}
	core, err := c.registration(c.coreWebhook())
	if err != nil {
		return err
	}
	config.Webhooks = append(config.Webhooks, core.Webhooks...)
	for i := range config.Webhooks {
		config.Webhooks[i].FailurePolicy = ptr.To(admissionv1.Fail)
	}
	return c.register(config, url, caBundle)
}

func (c *Cluster) register(config *admissionv1.ValidatingWebhookConfiguration, url string, caBundle []byte) error {
	for i := range config.Webhooks {
		service := config.Webhooks[i].ClientConfig.Service
		if service == nil {
			return fmt.Errorf("%s: webhook %s has no clientConfig.service", c.webhook(), config.Webhooks[i].Name)
		}
		config.Webhooks[i].ClientConfig = admissionv1.WebhookClientConfig{
			URL:      ptr.To(url + ptr.Deref(service.Path, "")),
			CABundle: caBundle,
		}
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(config)
	if err != nil {
		return err
	}
	object := &unstructured.Unstructured{Object: fields}

	// The server takes a registration up from a watch, a moment after it has stored it, and an earlier one of the same
	// name would answer the probe meanwhile.
	if err := c.Unregister(); err != nil {
		return err
	}
	if err := c.Create(object).Err; err != nil {
		return err
	}
	return Poll(20*time.Second, func() error {
		answer := c.Create(probe, DryRun)
		if !answer.Reviewed {
			return fmt.Errorf("the webhook is not asked yet: %s", answer)
		}
		return nil
	})
}

// Unregister removes the registration and returns once the API server asks no more.
func (c *Cluster) Unregister() error {
	config, err := c.registration(c.webhook())
	if err != nil {
		return err
	}
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(admissionv1.SchemeGroupVersion.WithKind("ValidatingWebhookConfiguration"))
	object.SetName(config.Name)
	if err := c.Delete(object).Err; err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	return Poll(20*time.Second, func() error { return c.Create(probe, DryRun).Err })
}

// Covers reports whether the registration of manifests/ has a rule for the resource, e.g. "virtualservices/status".
func (c *Cluster) Covers(group, resource string) (bool, error) {
	config, err := c.registration(c.webhook())
	if err != nil {
		return false, err
	}
	for _, hook := range config.Webhooks {
		for _, rule := range hook.Rules {
			if slices.Contains(rule.APIGroups, group) && slices.Contains(rule.Resources, resource) {
				return true, nil
			}
		}
	}
	return false, nil
}

// probe is in no repository of the tests, and valid.
var probe = MustDecode(`
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: registration-probe, namespace: default}
spec:
  hosts: [probe.example]
  http: [{route: [{destination: {host: probe.example}}]}]
`)

func (c *Cluster) registration(path string) (*admissionv1.ValidatingWebhookConfiguration, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	objects, err := Decode(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(objects) != 1 || objects[0].GetKind() != "ValidatingWebhookConfiguration" {
		return nil, fmt.Errorf("%s: not exactly one ValidatingWebhookConfiguration", path)
	}
	asJSON, err := objects[0].MarshalJSON()
	if err != nil {
		return nil, err
	}
	config := &admissionv1.ValidatingWebhookConfiguration{}
	if err := json.Unmarshal(asJSON, config); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(config.Webhooks) == 0 {
		return nil, errors.New(path + ": no webhooks")
	}
	return config, nil
}
