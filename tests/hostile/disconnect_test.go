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
	"sync/atomic"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors/runclock"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
	"github.com/Snider/go-p2p/wire"
)

// A flooder sends so many frames of this size after the disconnect while it reads nothing: more than the buffers of
// both sockets hold, so the node has to read and drop them.
const (
	floodAfterDisconnect = 1000
	floodSize            = 20_000
)

// TestDisconnectReachesAFlooder disconnects a peer that floods and reads nothing. The peer still gets its queued
// messages and the disconnect message, which a reset of the connection would discard. The node's running clock stands
// still, so that no timeout ends the connection before the peer has read.
func TestDisconnectReachesAFlooder(t *testing.T) {
	for name, secure := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := nodetest.Start(t, nodetest.Options{
				Config: func(c *supervisor.TransportConfig) {
					if secure {
						c.TLSCertPath, c.TLSKeyPath = certificate(t)
					}
				},
				Options: []supervisor.Option{supervisor.WithRunningClock(standingClock())},
			})
			h := join(n, refpeer.Options{
				Stall: true, RecvBuffer: 64 << 10, TLS: &tls.Config{InsecureSkipVerify: true},
			})
			h.say("hello", nil)
			var load sync.WaitGroup
			var flooded atomic.Int64
			load.Go(func() { flood(h.Conn, floodSize, &flooded, nil) })
			const queued = 100
			for range queued { // more bytes than the peer's receive buffer
				n.SendNew(h.self.ID, "news", strings.Repeat("x", 4000))
			}
			must(t, n.Disconnect(withTimeout(t), h.self.ID, false))
			if down := n.AwaitDown(h.self.ID); down.Code != wire.DisconnectNormal || down.Remote {
				t.Errorf("the node says %+v", down)
			}
			before := flooded.Load()
			n.Poll("the flood after the disconnect", func() bool { return flooded.Load() >= before+floodAfterDisconnect })
			h.Resume()
			for range queued {
				h.next("news")
			}
			var payload struct{ Code int }
			if e := h.next(refpeer.TypeDisconnect); json.Unmarshal(e.Payload, &payload) != nil || payload.Code != 1000 {
				t.Errorf("the disconnect is %s, want code 1000", e.Payload)
			}
			h.awaitEnd()
			load.Wait()
			n.AwaitConnections(0, 0)
		})
	}
}

// standingClock returns a running clock that stands still from 150 ms on: it has had its last pulse.
func standingClock() *runclock.Clock {
	clock := &runclock.Clock{}
	clock.Start()
	clock.Stop()
	return clock
}

// TestFlooderHoldsNoSlot disconnects a peer that goes on sending and never closes. Its slot is free 5 s later.
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
	began := time.Now()
	must(t, n.Disconnect(withTimeout(t), h.self.ID, false))
	n.AwaitDown(h.self.ID)
	n.AwaitConnections(0, 0)
	if took := time.Since(began); took < 4*time.Second {
		t.Errorf("the slot is free after %v, want 5 s", took)
	}
	load.Wait()
}

// certificate makes a self-signed certificate and returns the paths of the certificate and of its key.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	pair, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
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
