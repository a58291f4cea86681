package harness

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// etcd is the API server's store: a single member without disk barriers, since no test survives the machine.
type etcd struct {
	*process
	url    string
	client *clientv3.Client
}

func startEtcd(dir string) (*etcd, error) {
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	client, peer := "http://"+loopback(ports[0]), "http://"+loopback(ports[1])
	p, err := startProcess("etcd", dir, exec.Command("etcd",
		"--name=only",
		"--data-dir="+filepath.Join(dir, "etcd"),
		"--listen-client-urls="+client,
		"--advertise-client-urls="+client,
		"--listen-peer-urls="+peer,
		"--initial-advertise-peer-urls="+peer,
		"--initial-cluster=only="+peer,
		"--unsafe-no-fsync",
		"--logger=zap",
		"--log-level=warn",
	))
	if err != nil {
		return nil, err
	}
	e := &etcd{process: p, url: client}
	if err := p.await(30*time.Second, func() error { return getOK(client + "/health") }); err != nil {
		e.stop()
		return nil, err
	}
	e.client, err = clientv3.New(clientv3.Config{
		Endpoints:   []string{client},
		DialTimeout: 10 * time.Second,
		Logger:      zap.NewNop(),
	})
	if err != nil {
		e.stop()
		return nil, err
	}
	return e, nil
}

func (e *etcd) stop() {
	if e == nil {
		return
	}
	if e.client != nil {
		_ = e.client.Close()
	}
	_ = e.process.stop()
}

// forget removes keys behind the API server's back, where no admission webhook is asked. The key is matched exactly.
func (e *etcd) forget(ctx context.Context, key string) error {
	_, err := e.client.Delete(ctx, key)
	return err
}

// forgetAll does so for every key of a group, e.g. "networking.istio.io".
func (e *etcd) forgetAll(ctx context.Context, group string) error {
	prefix := "/registry/" + group + "/"
	if strings.Count(prefix, "/") != 3 {
		return fmt.Errorf("%q is not an API group", group)
	}
	_, err := e.client.Delete(ctx, prefix, clientv3.WithPrefix())
	return err
}

var plainHTTP = &http.Client{Timeout: 5 * time.Second}

func getOK(url string) error {
	resp, err := plainHTTP.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	return nil
}
