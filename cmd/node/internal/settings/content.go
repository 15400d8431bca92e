package settings

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/Snider/go-p2p/crypto/datadir"
	"go.yaml.in/yaml/v3"
)

var (
	errNoText    = errors.New("the settings file is no text in UTF-8: save it as that")
	errDocuments = errors.New("the settings file has more than one YAML document: put all settings into the first, " +
		"and take out what begins at the next ---")
)

// maxFile is the longest settings file, in bytes.
const maxFile = 1 << 20

// content is the settings file, a provider for koanf.
type content []byte

// readContent reads the settings file and refuses what the parser would pass over without a word.
func readContent(path string) (content, error) {
	text, err := datadir.ReadFile(path, maxFile)
	switch {
	case err != nil:
		return nil, err
	case !utf8.Valid(text):
		return nil, errNoText
	case secondDocument(text):
		return nil, errDocuments
	}
	return text, nil
}

// ReadBytes implements koanf.Provider.
func (c content) ReadBytes() ([]byte, error) { return c, nil }

// Read implements koanf.Provider; it is for providers that need no parser.
func (c content) Read() (map[string]any, error) { return nil, errors.ErrUnsupported }

// secondDocument reports whether a YAML stream goes on after its first document. An empty one is none.
func secondDocument(text []byte) bool {
	stream := yaml.NewDecoder(bytes.NewReader(text))
	var first, next yaml.Node
	if stream.Decode(&first) != nil {
		return false // the parser says why
	}
	err := stream.Decode(&next)
	if err == nil {
		return len(next.Content) > 0 && next.Content[0].Tag != "!!null"
	}
	return !errors.Is(err, io.EOF)
}
