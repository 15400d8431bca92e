package natsbus

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// Labels of the derived keys.
const (
	labelCA   = "ca"   // seed of the Ed25519 key that signs the certificates of members
	labelSeal = "seal" // key of sealed bodies
	labelName = "name" // name of the NATS cluster
)

// memberName is the name in all certificates of members. The key makes a member, not a host name.
const memberName = "member"

// Certificates are valid at any time, because the clocks of members may be wrong: the key decides. A leaf exists only
// in the memory of its process, which also has the key.
var (
	validFrom = time.Unix(0, 0).UTC()
	validTo   = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) // RFC 5280: no expiration
)

// KeyFunc derives a key from the identity key of the node and a secret, nil for none, as
// crypto.NodeManager.ClusterKey.
type KeyFunc func(label string, secret []byte) ([32]byte, error)

// derive returns the keys with a label for each secret. Without secrets it is one key.
func derive(key KeyFunc, label string, secrets [][]byte) ([][32]byte, error) {
	if len(secrets) == 0 {
		secrets = [][]byte{nil}
	}
	keys := make([][32]byte, 0, len(secrets))
	for _, secret := range secrets {
		k, err := key(label, secret)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// tlsConfig returns the configuration for both sides of a route: a new leaf under the first key, and the certificates
// of all keys as the only authorities.
func tlsConfig(seeds [][32]byte) (*tls.Config, error) {
	pool := x509.NewCertPool()
	var leaf tls.Certificate
	for i, seed := range seeds {
		key := ed25519.NewKeyFromSeed(seed[:])
		ca, err := authority(key)
		if err != nil {
			return nil, err
		}
		pool.AddCert(ca)
		if i == 0 {
			if leaf, err = newLeaf(ca, key); err != nil {
				return nil, err
			}
		}
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{leaf}, ServerName: memberName,
		RootCAs: pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
	}, nil
}

// authority returns the certificate of a key that signs leaves: the same bytes in each process.
func authority(key ed25519.PrivateKey) (*x509.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "go-p2p cluster"},
		NotBefore: validFrom, NotAfter: validTo,
		KeyUsage: x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
	}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key) // Ed25519 needs no random bytes
	if err != nil {
		return nil, fmt.Errorf("make the certificate of a cluster: %w", err)
	}
	return x509.ParseCertificate(der)
}

// newLeaf returns a certificate of a new key, signed by an authority.
func newLeaf(ca *x509.Certificate, caKey ed25519.PrivateKey) (tls.Certificate, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("generate the key of a member: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(public[:16]), Subject: pkix.Name{CommonName: memberName},
		DNSNames: []string{memberName}, NotBefore: validFrom, NotAfter: validTo,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(nil, template, ca, public, caKey)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make the certificate of a member: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, nil
}
