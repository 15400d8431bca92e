package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/Snider/go-p2p/tests/bench/measure"
	"github.com/Snider/go-p2p/tests/bench/systems"
)

// notesFile is beside the page, written by hand, and goes into it as it is.
const notesFile = "performance-notes.md"

// Write makes the page and its plots in the folder of the documentation. how are the flags of the run.
func Write(r *Results, folder, how string) error {
	if err := r.draw(filepath.Join(folder, "images")); err != nil {
		return err
	}
	notes, err := os.ReadFile(filepath.Join(folder, notesFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	page := strings.Join([]string{r.head(how), r.goalsPart(), r.tables(), r.curves(), method(), string(notes)}, "\n")
	return os.WriteFile(filepath.Join(folder, "performance.md"), []byte(strings.TrimRight(page, "\n")+"\n"), 0o644)
}

func (r *Results) head(how string) string {
	var text strings.Builder
	text.WriteString("# Performance\n\n<!-- Written by `make bench`; only performance-notes.md is written by hand. -->\n\n")
	m := r.Machine
	rows := [][]string{
		{"", ""},
		{"date", m.Date},
		{"machine", fmt.Sprintf("%s, %d cores, Linux %s", m.CPU, m.Cores, m.Kernel)},
		{"Go", m.Go},
		{"this project", m.Commit},
	}
	for _, module := range slices.Sorted(mapKeys(m.Modules)) {
		rows = append(rows, []string{module, m.Modules[module]})
	}
	kind := "full"
	if r.Quick {
		kind = "quick: these figures are rough"
	}
	rows = append(rows, []string{"run", fmt.Sprintf("%s, %d repeats, %.0f s, flags `%s`", kind, r.repeats(), r.Seconds, how)})
	text.WriteString(markdown(rows))
	return text.String()
}

func mapKeys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func (r *Results) goalsPart() string {
	return "## Against the goals\n\n" +
		"× is our figure over the reference path's (where it says so, go-libp2p's) of the same repeat; the median of the\n" +
		"repeats, between the least and the most. For times, memory and CPU smaller is better.\n\n" + Table(r)
}

func (r *Results) tables() string {
	perSecond := func(v float64) string { return scaled(v) }
	flying := func(v float64) string {
		return map[bool]string{true: "one in flight", false: fmt.Sprintf("%.0f in flight", v)}[v == 1]
	}
	known := func(v float64) string { return fmt.Sprintf("%.0f known", v) }
	var text strings.Builder
	part := func(title, body string) { fmt.Fprintf(&text, "### %s\n\n%s\n", title, body) }

	text.WriteString("## What was measured\n\nMedians of the repeats (least – most).\n\n")
	part("One way over one connection, messages a second", r.table(measure.OneWay, r.columnsOver(measure.OneWay, "rate", sizeName, perSecond)))
	part("The same, CPU a message, both ends", r.table(measure.OneWay, r.columnsOver(measure.OneWay, "cpu", sizeName, micros)))
	part("The same, allocations a message in the whole process", r.table(measure.OneWay, []column{
		{"256 B, sender", 256, "allocations sent", plainly},
		{"of these, making the message", 256, "allocations of making", plainly},
		{"256 B, receiver", 256, "allocations received", plainly},
	}))
	part("Round trip, 256 B, both processes on one core", r.table(measure.RoundTrip, []column{
		{"p50", 256, "p50", micros}, {"p99", 256, "p99", micros},
	}))
	peers := r.figure(measure.Broadcast, systems.Ours, 1, "peers").median
	part(fmt.Sprintf("Broadcast of 256 B to %.0f peers, deliveries a second and server CPU a delivery", peers), r.table(measure.Broadcast, slices.Concat(
		r.columnsOver(measure.Broadcast, "rate", flying, perSecond), r.columnsOver(measure.Broadcast, "server cpu", flying, micros))))
	part("An idle connection", r.table(measure.Idle, slices.Concat(
		r.columnsOver(measure.Idle, "resident", func(v float64) string { return fmt.Sprintf("resident, %.0f of them", v) }, kilobytes),
		r.columnsOver(measure.Idle, "goroutines", func(float64) string { return "goroutines" }, plainly))))
	part("New connections a second, book included", r.table(measure.Connect, slices.Concat(
		r.columnsOver(measure.Connect, "rate", known, perSecond),
		r.columnsOver(measure.Connect, "server cpu", func(v float64) string { return known(v) + ", server CPU each" }, micros))))
	part("Sealing and opening", r.codecTable())
	part("Dedup, wall time of one more id with two goroutines at it", r.table(measure.Dedup, slices.Concat(
		r.columnsOver(measure.Dedup, "seconds", func(v float64) string { return scaled(v) + " live ids" }, micros),
		r.columnsOver(measure.Dedup, "bytes", func(float64) string { return "bytes an id" }, plainly))))
	return text.String()
}

func (r *Results) curves() string {
	var text strings.Builder
	text.WriteString("## Curves\n\n")
	for _, c := range charts() {
		if len(r.points(c.measure)) > 0 {
			fmt.Fprintf(&text, "![%s: %s over %s](images/perf-%s.svg)\n\n", c.title, c.y, c.x, c.file)
		}
	}
	return text.String()
}

// method says how it was measured. What depends on the code is taken from there.
func method() string {
	return fmt.Sprintf(`## How it is measured

%[1]s`, strings.Join([]string{
		"- Two processes over loopback, started anew for each system and measure; a third one only tells them what to do. Within a repeat every system has its turn once.",
		"- Every measure checks that exactly as many messages arrived as were sent, or it fails.",
		fmt.Sprintf("- Our node has its default settings but for `MaxConns`, `RateRefill: 0` (the limiter lets all through) and `DedupTTL: %v`: at these rates five minutes of ids are more than the dedup set takes. Every other limit, deadline, counter and the supervision are on; the book is on disk.", systems.DedupTTL),
		fmt.Sprintf("- %s is a node as they are deployed, written with public libraries (`tests/bench/systems/ref*.go`): Borg's codec for each message, gorilla/websocket with a write a message, two goroutines a connection, maps behind locks; its index of known peers is made anew for each newcomer.", systems.Reference),
		"- \"portable\" is our node with the key stream in plain Go and all else as it is, what AVX-512 does for JSON and the dedup set included. (The tag purego would take the assembly out of Go's own libraries too.)",
		"- One way: a program's messages of JSON text, each with a fresh id, from the first call to the arrival of the last one at the handler. One goroutine sends. Ours makes one message anew each time (`wire.Message.Renew`), posts it, and waits for every last one of a window; the others write each. Bare systems send bytes without an envelope. CPU is user and system time of both processes.",
		"- Round trip: an application's question and its handler's answer of the same size, both processes on one core.",
		"- Broadcast and idle connections: the peers are the same cheap ones for each system; they prove who they are and count frames without opening them. One goroutine sends; a broadcast is in flight until all peers have it.",
		"- Resident memory is taken after a garbage collection that gives back what is free, for each system alike.",
		"- New connections: 32 peers at a time connect and prove themselves with a first message; counted until all are connected and in the book.",
		"- Allocations count everything in the process. Outbound, what making the message anew takes is taken off.",
		"- Dedup: fresh ids only, from two peers. Ours has one time for 32 of them, as a busy connection has for what a system call brings; the reference asks for the time at each mark, as deployed nodes do. Nothing is fetched ahead here, as a connection does it.",
	}, "\n")) + "\n"
}
