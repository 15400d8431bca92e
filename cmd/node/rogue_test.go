package main

import (
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
)

// TestTextsOfOtherMembersAreEscaped fills each text of the answers of other members with an escape sequence. The tables
// of the commands show none.
func TestTextsOfOtherMembersAreEscaped(t *testing.T) {
	const hostile = "a\x1b]8;;http://evil\x07\u202eb\nc"
	var status output.Status
	peers, members := make([]output.Peer, 1), make([]output.Member, 1)
	for _, into := range []any{&status, &peers, &members} {
		fill(reflect.ValueOf(into).Elem(), hostile)
	}
	peers[0].Connections[0].Connection++ // a further one
	for name, write := range map[string]func(io.Writer){
		"status":  func(w io.Writer) { writeStatus(w, status) },
		"peers":   func(w io.Writer) { writePeers(w, peers, time.Now()) },
		"members": func(w io.Writer) { writeMembers(w, members, time.Now()) },
	} {
		var out strings.Builder
		write(&out)
		for line := range strings.Lines(out.String()) {
			if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%s: %q", name, line)
			}
		}
	}
}

// fill sets all texts of a value, with one entry in each list and map that is empty.
func fill(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), text)
			}
		}
	case reflect.Slice:
		if v.Len() == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		for i := range v.Len() {
			fill(v.Index(i), text)
		}
	case reflect.Map:
		key := reflect.New(v.Type().Key()).Elem()
		fill(key, text)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, reflect.Zero(v.Type().Elem()))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint64:
		v.SetUint(1)
	default: // numbers are printed as such
	}
}
