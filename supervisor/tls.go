package supervisor

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// baseTLS returns the limits of protocol section 6. The suites of TLS 1.3 are AEAD suites and not configurable.
func baseTLS() *tls.Config {
	return &tls.Config{
		MinVersion:       tls.VersionTLS12,
		CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256},
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		NextProtos: []string{"http/1.1"}, // required by the WebSocket upgrade
	}
}

// certificate is a pair of files that is read again when one of them has changed. A pair that does not match is logged,
// and the previous one stays in use: the two files are rarely replaced at the same moment.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	loaded  *tls.Certificate
	stamp   [2]time.Time
	checked time.Time
}

func loadCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	stamp, err := c.modified()
	if err == nil {
		err = c.read(stamp)
	}
	if err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return c, nil
}

// get implements tls.Config.GetCertificate. It checks the files at most once per second.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.checked) >= time.Second {
		c.checked = now
		stamp, err := c.modified()
		if err == nil && stamp != c.stamp {
			err = c.read(stamp)
		}
		if err != nil {
			c.log.Warn("the TLS certificate cannot be read again; the old one stays in use", "error", err)
		}
	}
	return c.loaded, nil
}

func (c *certificate) modified() (stamp [2]time.Time, err error) {
	for i, name := range [2]string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return stamp, err
		}
		stamp[i] = info.ModTime()
	}
	return stamp, nil
}

func (c *certificate) read(stamp [2]time.Time) error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	c.loaded, c.stamp = &pair, stamp
	return nil
}

// dialTLS returns the configuration of one dial. It reads the trusted roots each time, because dials are rare.
func dialTLS(caFile string) (*tls.Config, error) {
	config := baseTLS()
	if caFile == "" {
		return config, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("TLS: %s holds no certificate in PEM form", caFile)
	}
	return config, nil
}
