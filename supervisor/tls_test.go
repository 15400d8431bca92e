package supervisor

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/tests/memnet"
)

// certFiles holds a certificate for every test address, its key, and the same certificate as the trusted root.
type certFiles struct{ cert, key string }

// write creates a new pair with the given name and modification time.
func (f certFiles) write(t *testing.T, name string, at time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(at.Unix()), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * time.Hour),
		IPAddresses: []net.IP{net.ParseIP("10.0.0.1"), net.ParseIP("10.0.0.2")},
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, f.cert, "CERTIFICATE", der, at)
	writePEM(t, f.key, "PRIVATE KEY", private, at)
}

func writePEM(t *testing.T, path, kind string, der []byte, at time.Time) {
	t.Helper()
	err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
	if err == nil {
		err = os.Chtimes(path, at, at)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func newCertFiles(t *testing.T) certFiles {
	dir := t.TempDir()
	return certFiles{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
}

// shown returns the name of the certificate that a handshake would get now.
func shown(t *testing.T, c *certificate) string {
	t.Helper()
	pair, err := c.get(nil)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return leaf.Subject.CommonName
}

func TestCertificateIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		files := newCertFiles(t)
		at := time.Now()
		files.write(t, "first", at)
		c, err := loadCertificate(files.cert, files.key, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		steps := []struct {
			do   func()
			want string
		}{
			{func() {}, "first"},
			{func() { files.write(t, "second", at.Add(time.Second)) }, "second"},
			{func() { writePEM(t, files.key, "PRIVATE KEY", []byte("damaged"), at.Add(2*time.Second)) }, "second"},
			{func() { _ = os.Remove(files.cert) }, "second"},
			{func() { files.write(t, "third", at.Add(3*time.Second)) }, "third"},
			{func() { files.write(t, "older", at.Add(-time.Hour)) }, "older"}, // a restored copy with its old time
		}
		for _, step := range steps {
			time.Sleep(time.Second)
			step.do()
			if got := shown(t, c); got != step.want {
				t.Errorf("shown %q, want %q", got, step.want)
			}
		}
		files.write(t, "hasty", at.Add(time.Hour))
		if got := shown(t, c); got != "older" {
			t.Errorf("looked at the files twice in a second: %q", got)
		}
	})
}

func TestMissingCertificateFailsStart(t *testing.T) {
	files := newCertFiles(t)
	if _, err := loadCertificate(files.cert, files.key, slog.New(slog.DiscardHandler)); !containsText(err, files.cert) {
		t.Errorf("got %v, want an error that names the file", err)
	}
	if _, err := dialTLS(files.cert); !containsText(err, files.cert) {
		t.Errorf("no file of roots: %v", err)
	}
	if err := os.WriteFile(files.cert, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := dialTLS(files.cert); !containsText(err, files.cert) {
		t.Errorf("a file of roots without any: %v", err)
	}
}

// Two nodes under TLS, and clients that offer less than the protocol requires.
func TestTLSFollowsProtocolLimits(t *testing.T) {
	files := newCertFiles(t)
	synctest.Test(t, func(t *testing.T) {
		files.write(t, "node", time.Now())
		n := memnet.New(1)
		server := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.TLSCertPath, s.cfg.TLSKeyPath = files.cert, files.key })
		client := startNode(t, n, 2, func(s *nodeSetup) { s.cfg.TLSCAPath = files.cert })
		if _, err := client.Connect(&Peer{Address: "wss://" + server.addr, ID: server.id()}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := client.Send(server.id(), client.to(server.id(), "stats", nil)); err != nil ||
			len(server.got("stats")) != 1 {
			t.Errorf("%v, %d arrived", err, len(server.got("stats")))
		}
		if server.URL() != "wss://10.0.0.1:9091/ws" {
			t.Errorf("URL %s", server.URL())
		}
		stranger := startNode(t, n, 3)
		if _, err := stranger.Connect(&Peer{Address: "wss://" + server.addr}); err == nil {
			t.Error("connected to a certificate that nobody trusts")
		}
		for name, c := range map[string]struct {
			config *tls.Config
			ok     bool
		}{
			"TLS 1.3": {&tls.Config{}, true},
			"TLS 1.2": {&tls.Config{MaxVersion: tls.VersionTLS12}, true},
			"TLS 1.1": {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
			"CBC": {&tls.Config{
				MaxVersion:   tls.VersionTLS12,
				CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA},
			}, false},
			"P-384 only":  {&tls.Config{CurvePreferences: []tls.CurveID{tls.CurveP384}}, false},
			"X25519 only": {&tls.Config{CurvePreferences: []tls.CurveID{tls.X25519}}, true},
			"ChaCha, 1.2": {&tls.Config{
				MaxVersion:   tls.VersionTLS12,
				CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256},
			}, true},
			"static RSA": {&tls.Config{
				MaxVersion:   tls.VersionTLS12,
				CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256},
			}, false},
			"HTTP/2 alone": {&tls.Config{NextProtos: []string{"h2"}}, false},
		} {
			raw, err := client.host.DialContext(t.Context(), "tcp", server.addr)
			if err != nil {
				t.Fatal(err)
			}
			c.config.InsecureSkipVerify = true // this test does not check the certificate
			secured := tls.Client(raw, c.config)
			if err := secured.HandshakeContext(t.Context()); (err == nil) != c.ok {
				t.Errorf("%s: %v, want success %v", name, err, c.ok)
			}
			raw.Close()
		}
	})
}
