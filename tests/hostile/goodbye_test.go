package hostile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
	"github.com/Snider/go-p2p/wire"
)

// TestGoodbyeToAFlooder: a peer floods at full speed, and for two seconds after the node has said goodbye to it reads
// nothing. It still gets what was queued for it, and the goodbye, which a reset of the connection would take away. It runs
// before the parallel tests, some of which count what happens in a time.
func TestGoodbyeToAFlooder(t *testing.T) {
	for name, secure := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := nodetest.Start(t, nodetest.Options{Config: func(c *supervisor.TransportConfig) {
				if secure {
					c.TLSCertPath, c.TLSKeyPath = certificate(t)
				}
			}})
			h := join(n, refpeer.Options{Stall: true, RecvBuffer: 64 << 10, TLS: &tls.Config{InsecureSkipVerify: true}})
			h.say("hello", nil)
			var load sync.WaitGroup
			load.Go(func() { flood(h.Conn) })
			const queued = 100
			for range queued { // more than the peer's own buffer takes, so the goodbye waits on the node's side
				msg, err := wire.NewMessage("news", n.ID(), h.self.ID, strings.Repeat("x", 4000))
				must(t, err)
				must(t, n.Send(h.self.ID, msg))
			}
			must(t, n.Disconnect(withTimeout(t), h.self.ID, false))
			if down := n.AwaitDown(h.self.ID); down.Code != wire.DisconnectNormal || down.Remote {
				t.Errorf("the node says %+v", down)
			}
			time.Sleep(2 * time.Second) // what the peer does not do is the point
			h.Resume()
			for range queued {
				h.next("news")
			}
			var payload struct{ Code int }
			if e := h.next(refpeer.TypeDisconnect); json.Unmarshal(e.Payload, &payload) != nil || payload.Code != 1000 {
				t.Errorf("the goodbye is %s, want code 1000", e.Payload)
			}
			h.awaitEnd()
			load.Wait()
			n.AwaitConnections(0, 0)
		})
	}
}

// TestFlooderHoldsNoSlot: who goes on sending after the goodbye and never closes has its slot for a few seconds more.
func TestFlooderHoldsNoSlot(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, nodetest.Options{})
	h := join(n, refpeer.Options{Stall: true})
	h.say("hello", nil)
	var load sync.WaitGroup
	load.Go(func() {
		for h.SendRaw([]byte("no frame")) == nil {
			time.Sleep(50 * time.Millisecond)
		}
	})
	must(t, n.Disconnect(withTimeout(t), h.self.ID, false))
	n.AwaitDown(h.self.ID)
	began := time.Now()
	n.AwaitConnections(0, 0)
	if took := time.Since(began); took < 4*time.Second || took > 7*time.Second {
		t.Errorf("the slot is free after %v, want the 5 s of the goodbye", took)
	}
	load.Wait()
}

// certificate makes a self-signed certificate and returns the paths of it and its key.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	pair, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &pair.PublicKey, pair)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(pair)
	must(t, err)
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	must(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}), 0o600))
	must(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	return cert, key
}
