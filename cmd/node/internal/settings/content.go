package settings

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/knadh/koanf/providers/file"
)

var (
	errNoText    = errors.New("the settings file is no text in UTF-8: save it as that")
	errDocuments = errors.New("the settings file has more than one YAML document: put all settings into the first, " +
		"and take out what begins at the next ---")
)

// content is the settings file, a provider for koanf.
type content []byte

// readContent reads the settings file and refuses what the parser would pass over without a word.
func readContent(path string) (content, error) {
	text, err := file.Provider(path).ReadBytes()
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

// secondDocument reports whether a YAML stream goes on after its first document. Its marks are marks wherever they begin a
// line, in texts of several lines too.
func secondDocument(text []byte) bool {
	begun, ended := false, false
	for line := range bytes.Lines(text) {
		words := strings.Fields(string(line))
		switch {
		case len(words) == 0 || words[0][0] == '#':
		case bytes.HasPrefix(line, []byte("---")) && words[0] == "---":
			if begun {
				return true
			}
			begun = true
		case bytes.HasPrefix(line, []byte("...")) && words[0] == "...":
			ended = begun
		case !begun && line[0] == '%': // a directive belongs to the document after it
		case ended:
			return true
		default:
			begun = true
		}
	}
	return false
}
