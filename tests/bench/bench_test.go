package main

import (
	"os"
	"slices"
	"testing"

	"github.com/Snider/go-p2p/tests/bench/measure"
	"github.com/Snider/go-p2p/tests/bench/process"
	"github.com/Snider/go-p2p/tests/bench/report"
	"github.com/Snider/go-p2p/tests/bench/systems"
)

// TestMain runs the test binary as a worker when the environment asks for one, as main does.
func TestMain(m *testing.M) {
	if os.Getenv(process.Role) != "" {
		measure.Work()
		return
	}
	os.Exit(m.Run())
}

// TestSmokeFillsThePage runs every measure for every system and requires each on the page. Each measure fails by itself
// if a message is lost.
func TestSmokeFillsThePage(t *testing.T) {
	rows, err := measure.Run(measure.Smoke())
	if err != nil {
		t.Fatal(err)
	}
	ours := []string{systems.Ours, systems.OursSMSG}
	with := func(others ...string) []string { return slices.Concat(ours, others) }
	want := map[string][]string{
		measure.OneWay:    with(systems.Reference, systems.LibP2P, systems.Coder, systems.Coalesced),
		measure.RoundTrip: with(systems.Reference, systems.LibP2P, systems.Coder, systems.Remote),
		measure.Broadcast: with(systems.Reference, systems.Coder),
		measure.Idle:      with(systems.Reference, systems.Coder),
		measure.Connect:   with(systems.Reference),
		measure.Dedup:     {systems.Ours, systems.Reference},
		measure.Codec:     {systems.Ours},
		measure.OverConns: {systems.Ours, systems.Reference},
		measure.OverPeers: {systems.Ours, systems.Reference},
		measure.OverKnown: {systems.Ours, systems.Reference},
	}
	for name, list := range want {
		for _, system := range list {
			has := func(r measure.Row) bool { return r.Measure == name && r.System == system }
			if !slices.ContainsFunc(rows, has) {
				t.Errorf("%s was not measured for %s", name, system)
			}
		}
	}
	folder := t.TempDir()
	results := &report.Results{Rows: rows, Machine: report.ThisMachine()}
	if err := report.Write(results, folder, "smoke"); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(folder + "/performance.md")
	if err != nil || len(page) < 1000 {
		t.Errorf("the page has %d bytes, error %v", len(page), err)
	}
	images, err := os.ReadDir(folder + "/images")
	if err != nil || len(images) < 5 {
		t.Errorf("%d plots, error %v", len(images), err)
	}
}
