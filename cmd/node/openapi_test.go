package main

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/Snider/go-p2p/cmd/node/internal/apidoc"
	"github.com/Snider/go-p2p/cmd/node/internal/control"
)

var updateOpenAPI = flag.Bool("update", false, "write the OpenAPI description again")

// streamed returns an event of each name that the streams have.
func streamed() (events []apidoc.Event) {
	for _, e := range []event{
		peerUp{},
		peerVerified{},
		peerMoved{},
		peerDown{},
		peerRefused{},
		dropped{},
		identityConflict{},
		downgradeRefused{},
		message{},
		dialFailed{},
		lost{},
		stopped{},
	} {
		events = append(events, apidoc.Event{Name: e.name(), Value: e})
	}
	return events
}

// The description that the node serves, and its copy in docs, are made from the operations and types of the handlers.
// `make openapi` writes them.
func TestOpenAPIIsCurrent(t *testing.T) {
	comments := make(apidoc.Comments)
	for folder, name := range map[string]string{
		".": "node", "internal/control": "control", "internal/output": "output", "internal/settings": "settings",
		"../../crypto": "crypto", "../../wire": "wire",
	} {
		if err := comments.Read(folder, name); err != nil {
			t.Fatal(err)
		}
	}
	want, err := apidoc.Build(new(control.Handler).Operations(), streamed(), comments)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"internal/control/openapi.json", "../../docs/openapi.json"} {
		if *updateOpenAPI {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not current (%v): run `make openapi`", file, err)
		}
	}
}

func TestOpenAPIHasTheEventsOfStreams(t *testing.T) {
	var names []string
	for _, e := range streamed() {
		names = append(names, e.Name)
	}
	if want := control.EventNames(); !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
}
