package peerbook

import (
	"encoding/json"
	"strings"
)

// TextList is a list of texts that can be compared with ==. In JSON it is an array of strings. The zero value is the
// empty list. Texts that are empty or contain a line break are left out.
type TextList struct{ lines string } // each entry with a line break before it

// NewTextList returns the list of these texts, in their order.
func NewTextList(texts ...string) TextList {
	var l TextList
	for _, text := range texts {
		if text != "" && !strings.Contains(text, "\n") {
			l.lines += "\n" + text
		}
	}
	return l
}

// All returns the texts; nil for the empty list.
func (l TextList) All() []string {
	if l.lines == "" {
		return nil
	}
	return strings.Split(l.lines[1:], "\n")
}

// first returns the first n texts that fit.
func (l TextList) first(n int, fits func(string) bool) TextList {
	var kept []string
	for _, text := range l.All() {
		if len(kept) < n && fits(text) {
			kept = append(kept, text)
		}
	}
	return NewTextList(kept...)
}

// IsZero reports whether the list is empty.
func (l TextList) IsZero() bool { return l.lines == "" }

// MarshalJSON implements json.Marshaler.
func (l TextList) MarshalJSON() ([]byte, error) {
	if l.IsZero() {
		return []byte("[]"), nil
	}
	return json.Marshal(l.All())
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *TextList) UnmarshalJSON(data []byte) error {
	var texts []string
	if err := json.Unmarshal(data, &texts); err != nil {
		return err
	}
	*l = NewTextList(texts...)
	return nil
}
