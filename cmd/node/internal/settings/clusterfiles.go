package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"github.com/Snider/go-p2p/crypto/datadir"
)

// Limits of the files of a cluster.
const (
	maxSecretFile = 4 << 10  // bytes
	minSecret     = 16       // bytes of a secret
	maxCreds      = 64 << 10 // bytes of the credentials for NATS
)

// Remedies for unusable files of a cluster.
const (
	secretFileHelp = "give the file with the secret that all members have; make one with openssl rand -hex 32"
	credsFileHelp  = "give the file with the credentials of a NATS user"
)

// ClusterSecrets reads the secrets of --cluster-secret: the first one in use, the second accepted too. It returns none
// if there is no file.
func (s *Settings) ClusterSecrets() ([][]byte, error) {
	if s.Cluster.SecretFile == "" {
		return nil, nil
	}
	text, err := s.readPrivate("cluster-secret", s.Cluster.SecretFile, maxSecretFile, secretFileHelp)
	if err != nil {
		return nil, err
	}
	secrets, err := parseSecrets(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.given("cluster-secret"), err)
	}
	return secrets, nil
}

// checkClusterFiles reads the secrets, and the credentials for NATS.
func (s *Settings) checkClusterFiles() error {
	if _, err := s.ClusterSecrets(); err != nil {
		return err
	}
	if s.Cluster.Credentials == "" {
		return nil
	}
	_, err := s.readPrivate("cluster-nats-creds", s.Cluster.Credentials, maxCreds, credsFileHelp)
	return err
}

// readPrivate reads the file of a setting, which only this user may access. help is the remedy for errors without one.
func (s *Settings) readPrivate(name, path string, limit int64, help string) ([]byte, error) {
	content, err := datadir.ReadPrivate(path, limit)
	var about *fs.PathError
	switch {
	case errors.As(err, &about): // the name of the setting shows the path
		err = fmt.Errorf("%w: %s", about.Err, help)
	case errors.Is(err, datadir.ErrNotRegular):
		err = fmt.Errorf("%w: %s", datadir.ErrNotRegular, help)
	case errors.Is(err, datadir.ErrTooLarge):
		err = fmt.Errorf("it is larger than %d bytes: %s", limit, help)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.given(name), err)
	}
	return content, nil
}

func parseSecrets(text []byte) (secrets [][]byte, err error) {
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0:
		case len(line) < minSecret:
			return nil, fmt.Errorf("a secret has fewer than %d bytes: make one with openssl rand -hex 32", minSecret)
		default:
			secrets = append(secrets, line)
		}
	}
	if len(secrets) < 1 || len(secrets) > 2 {
		return nil, errors.New("it must hold one secret in one line, or two while they change")
	}
	return secrets, nil
}
