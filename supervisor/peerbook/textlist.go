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
	var lines strings.Builder
	size := 0
	for _, text := range texts {
		size += len("\n") + len(text)
	}
	lines.Grow(size)
	for _, text := range texts {
		if text != "" && !strings.Contains(text, "\n") {
			lines.WriteString("\n")
			lines.WriteString(text)
		}
	}
	return TextList{lines.String()}
}

// All returns the texts; nil for the empty list.
func (l TextList) All() []string {
	if l.lines == "" {
		return nil
	}
	return strings.Split(l.lines[1:], "\n")
}

// first returns the first n texts that fit, l itself if all of them do.
func (l TextList) first(n int, fits func(string) bool) TextList {
	count, whole := 0, true
	for text := range l.each {
		count++
		whole = whole && count <= n && fits(text)
	}
	if whole {
		return l
	}
	var kept []string
	for text := range l.each {
		if len(kept) < n && fits(text) {
			kept = append(kept, text)
		}
	}
	return NewTextList(kept...)
}

// each calls yield for each text until it returns false.
func (l TextList) each(yield func(text string) bool) {
	for rest, more := strings.CutPrefix(l.lines, "\n"); more; {
		var text string
		if text, rest, more = strings.Cut(rest, "\n"); !yield(text) {
			return
		}
	}
}

// Contains reports whether text is in the list.
func (l TextList) Contains(text string) bool {
	for each := range l.each {
		if each == text {
			return true
		}
	}
	return false
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
