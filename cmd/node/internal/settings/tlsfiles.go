package settings

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Remedies for unusable TLS files.
const (
	certFileHelp = "give a PEM file with the certificate and its intermediate certificates"
	keyFileHelp  = "give the PEM file of the private key that belongs to --tls-cert"
	caFileHelp   = "give a PEM file with the certificates of the authorities to trust"
)

var errNoCertificate = errors.New("it holds no certificate in PEM form")

// CheckFiles checks the files of TLS and of the cluster, so that an unusable file is reported at the start with its
// setting, and not at the first connection.
func (s *Settings) CheckFiles() error { return cmp.Or(s.checkTLSFiles(), s.checkClusterFiles()) }

// checkTLSFiles skips the check if a file is a pipe or a device, which can be read only once.
func (s *Settings) checkTLSFiles() error {
	t := s.Transport
	for _, path := range []string{t.TLSCAPath, t.TLSCertPath, t.TLSKeyPath} {
		if info, err := os.Stat(path); err == nil && info.Mode()&(os.ModeNamedPipe|os.ModeCharDevice) != 0 {
			return nil
		}
	}
	if t.TLSCAPath != "" {
		if _, err := readCertificates(t.TLSCAPath); err != nil {
			return fmt.Errorf("%s: %w: %s", s.given("tls-ca"), err, caFileHelp)
		}
	}
	if t.TLSCertPath == "" {
		return nil
	}
	chain, err := readCertificates(t.TLSCertPath)
	if err != nil {
		return fmt.Errorf("%s: %w: %s", s.given("tls-cert"), err, certFileHelp)
	}
	key, err := readPlain(t.TLSKeyPath)
	if err == nil {
		_, err = tls.X509KeyPair(chain, key)
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %s", s.given("tls-key"), err, keyFileHelp)
	}
	return nil
}

// readCertificates returns the content of a file that holds at least one certificate.
func readCertificates(path string) ([]byte, error) {
	content, err := readPlain(path)
	if err == nil && !x509.NewCertPool().AppendCertsFromPEM(content) {
		err = errNoCertificate
	}
	return content, err
}

// readPlain reads a file. Its error omits the path, which the name of the setting shows.
func readPlain(path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	var about *fs.PathError
	if errors.As(err, &about) {
		err = about.Err
	}
	return content, err
}
