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
	errNoText    = errors.New("the settings file is not UTF-8: save it as UTF-8")
	errDocuments = errors.New("the settings file has more than one YAML document: put all settings into the first, " +
		"and remove the lines from the next --- on")
)

// maxFile is the maximum size of the settings file in bytes.
const maxFile = 1 << 20

// content is the text of the settings file. It implements koanf.Provider.
type content []byte

// readContent reads the settings file. It refuses invalid UTF-8 and further documents, which the parser would ignore.
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

// Read implements koanf.Provider for providers without a parser.
func (c content) Read() (map[string]any, error) { return nil, errors.ErrUnsupported }

// secondDocument reports whether a YAML stream has a second document that is not empty.
func secondDocument(text []byte) bool {
	stream := yaml.NewDecoder(bytes.NewReader(text))
	var first, next yaml.Node
	if stream.Decode(&first) != nil {
		return false // the parser reports the error
	}
	err := stream.Decode(&next)
	if err == nil {
		return len(next.Content) > 0 && next.Content[0].Tag != "!!null"
	}
	return !errors.Is(err, io.EOF)
}
