package blackbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// certificate makes a certificate for 127.0.0.1, its own authority, and returns the files and the pool that trusts it.
func certificate(t *testing.T) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "node under test"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := nodetest.NewHome(t)
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(parsed)
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", secret), roots
}

// TestUnusableTLSFilesEndTheStart names files that cannot be used: the start names the setting, even if it would not
// use the file yet.
func TestUnusableTLSFilesEndTheStart(t *testing.T) {
	t.Parallel()
	cert, key, _ := certificate(t)
	_, otherKey, _ := certificate(t)
	gone, noPEM := filepath.Join(nodetest.NewHome(t), "gone.pem"), filepath.Join(nodetest.NewHome(t), "no.pem")
	if err := os.WriteFile(noPEM, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		says []string
	}{
		{[]string{"--tls-ca", gone}, []string{"--tls-ca " + gone + ": no such file", "give a PEM file"}},
		{[]string{"--tls-ca", noPEM}, []string{"--tls-ca " + noPEM + ": it holds no certificate", "give a PEM file"}},
		{
			[]string{"--tls-cert", gone, "--tls-key", key},
			[]string{"--tls-cert " + gone + ": no such file", "give a PEM file"},
		},
		{
			[]string{"--tls-cert", cert, "--tls-key", gone},
			[]string{"--tls-key " + gone + ": no such file", "give the PEM file"},
		},
		{[]string{"--tls-cert", noPEM, "--tls-key", key}, []string{"--tls-cert " + noPEM + ": it holds no certificate"}},
		{[]string{"--tls-cert", cert, "--tls-key", noPEM}, []string{"--tls-key " + noPEM}},
		{
			[]string{"--tls-cert", cert, "--tls-key", otherKey},
			[]string{"--tls-key " + otherKey, "private key does not match"},
		},
	} {
		r := in(t, nodetest.NewHome(t), append([]string{"run", "--listen", "", "--admin", ""}, tt.args...)...)
		r.want(t, 2)
		for _, text := range tt.says {
			r.says(t, text)
		}
	}
}

func TestTLSConnects(t *testing.T) {
	t.Parallel()
	cert, key, roots := certificate(t)
	a := start(t, "--tls-cert", cert, "--tls-key", key)
	if want := "wss://" + a.Address() + "/ws"; a.URL() != want {
		t.Errorf("url %q, want %q", a.URL(), want)
	}

	t.Run("deployed peer", func(t *testing.T) {
		r := dialed(a, refpeer.Options{TLS: &tls.Config{RootCAs: roots}})
		r.prove()
	})
	t.Run("node to node", func(t *testing.T) {
		b := start(t, "--peer", a.URL(), "--tls-ca", cert)
		meet(a, b)
		id := b.ok("send", a.ID(), "over TLS")
		a.Await("message", "message.id", id, "peer", b.ID())
	})
	t.Run("unknown authority", func(t *testing.T) {
		b := start(t, "--peer", a.URL())
		b.Await("dial_failed")
		r := b.run("connect", a.URL())
		r.want(t, 4)
		r.says(t, "--tls-ca")
	})
	t.Run("without TLS", func(t *testing.T) {
		b := start(t)
		r := b.run("connect", a.Address())
		r.want(t, 4)
		r.says(t, "the peer may speak TLS: try wss://")
		r = a.run("connect", "wss://"+b.Address())
		r.want(t, 4)
		r.says(t, "the peer speaks no TLS: try ws://")
	})
	t.Run("what is negotiated", func(t *testing.T) {
		for name, tt := range map[string]struct {
			config  *tls.Config
			allowed bool
		}{
			"TLS 1.3": {&tls.Config{MinVersion: tls.VersionTLS13}, true},
			"TLS 1.2": {&tls.Config{MaxVersion: tls.VersionTLS12}, true},
			"TLS 1.1": {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
			"P-256":   {&tls.Config{CurvePreferences: []tls.CurveID{tls.CurveP256}}, true},
			"X25519":  {&tls.Config{CurvePreferences: []tls.CurveID{tls.X25519}}, true},
			"P-384":   {&tls.Config{CurvePreferences: []tls.CurveID{tls.CurveP384}}, false},
			"AES-GCM under 1.2": {&tls.Config{
				MaxVersion:   tls.VersionTLS12,
				CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
			}, true},
			"CBC mode, under 1.2": {&tls.Config{
				MaxVersion:   tls.VersionTLS12,
				CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA},
			}, false},
		} {
			tt.config.RootCAs = roots
			conn, err := tls.Dial("tcp", a.Address(), tt.config)
			if err == nil {
				conn.Close()
			}
			if (err == nil) != tt.allowed {
				t.Errorf("%s: %v, want allowed %v", name, err, tt.allowed)
			}
		}
	})
}
