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

// notesFile is a page in the same folder, written by hand, that is appended unchanged.
const notesFile = "performance-notes.md"

// Write writes the page and its plots into the folder of the documentation. how holds the flags of the run.
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
		"× is the figure of this project divided by that of the reference (where stated, of go-libp2p) in the same repeat: the\n" +
		"median of the repeats, with the lowest and the highest. For times, memory and CPU a smaller value is better.\n\n" + Table(r)
}

func (r *Results) tables() string {
	perSecond := func(v float64) string { return scaled(v) }
	flying := func(v float64) string {
		return map[bool]string{true: "one in flight", false: fmt.Sprintf("%.0f in flight", v)}[v == 1]
	}
	known := func(v float64) string { return fmt.Sprintf("%.0f known", v) }
	var text strings.Builder
	part := func(title, body string) { fmt.Fprintf(&text, "### %s\n\n%s\n", title, body) }

	text.WriteString("## Measurements\n\nMedians of the repeats (lowest – highest).\n\n")
	part("One way over one connection, messages per second", r.table(measure.OneWay, r.columnsOver(measure.OneWay, "rate", sizeName, perSecond)))
	part("The same, CPU per message, both ends", r.table(measure.OneWay, r.columnsOver(measure.OneWay, "cpu", sizeName, micros)))
	part("The same, allocations per message in the whole process", r.table(measure.OneWay, []column{
		{"256 B, sender", 256, "allocations sent", plainly},
		{"of these, creating the message", 256, "allocations of making", plainly},
		{"256 B, receiver", 256, "allocations received", plainly},
	}))
	part("Round trip, 256 B, both processes on one core", r.table(measure.RoundTrip, []column{
		{"p50", 256, "p50", micros}, {"p99", 256, "p99", micros},
	}))
	peers := r.figure(measure.Broadcast, systems.Ours, 1, "peers").median
	part(fmt.Sprintf("Broadcast of 256 B to %.0f peers, deliveries per second and server CPU per delivery", peers), r.table(measure.Broadcast, slices.Concat(
		r.columnsOver(measure.Broadcast, "rate", flying, perSecond), r.columnsOver(measure.Broadcast, "server cpu", flying, micros))))
	part("An idle connection", r.table(measure.Idle, slices.Concat(
		r.columnsOver(measure.Idle, "resident", func(v float64) string { return fmt.Sprintf("resident, %.0f of them", v) }, kilobytes),
		r.columnsOver(measure.Idle, "goroutines", func(float64) string { return "goroutines" }, plainly))))
	part("New connections per second, peer book included", r.table(measure.Connect, slices.Concat(
		r.columnsOver(measure.Connect, "rate", known, perSecond),
		r.columnsOver(measure.Connect, "server cpu", func(v float64) string { return known(v) + ", server CPU each" }, micros))))
	part("Sealing and opening", r.codecTable())
	part("Dedup, wall time per new ID with two goroutines", r.table(measure.Dedup, slices.Concat(
		r.columnsOver(measure.Dedup, "seconds", func(v float64) string { return scaled(v) + " live IDs" }, micros),
		r.columnsOver(measure.Dedup, "bytes", func(float64) string { return "bytes per ID" }, plainly))))
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

// method describes the method of measurement, with the values that the code uses.
func method() string {
	return fmt.Sprintf(`## How it is measured

%[1]s`, strings.Join([]string{
		"- Two processes over loopback, restarted for each system and measure; a third process only controls them. Each repeat measures every system once.",
		"- Each measure fails unless the number of received messages equals the number of sent ones.",
		fmt.Sprintf("- This project's node has its default settings except `MaxConns`, `RateRefill: 0` (no rate limit) and `DedupTTL: %v`: at these rates the IDs of five minutes exceed the limit of the dedup set. All other limits, deadlines and counters and the supervision are on; the peer book is on disk.", systems.DedupTTL),
		fmt.Sprintf("- %s is a node like the deployed ones, built from public libraries (`tests/bench/systems/ref*.go`): Borg's codec for each message, gorilla/websocket with one write per message, two goroutines per connection, maps behind locks. It rebuilds its index of known peers for each new peer.", systems.Reference),
		"- \"portable\" is this project's node with the key stream in plain Go and everything else unchanged, including the AVX-512 code for JSON and the prefetch of the dedup set. (The build tag purego would also remove the assembly of Go's own libraries.)",
		"- One way: JSON text messages of a program, each with a new ID, from the first call until the handler has the last one. One goroutine sends. This project's sender renews one message (`wire.Message.Renew`), posts it, and waits for the last message of each window; the others write each message. Bare WebSocket systems send bytes without an envelope. CPU is user and system time of both processes.",
		"- Round trip: a request of an application and the handler's answer of the same size, both processes on one core.",
		"- Broadcast and idle connections: each system has the same lightweight peers, which prove their key and count frames without opening them. One goroutine sends; a broadcast is in flight until all peers have it.",
		"- Resident memory is measured after a garbage collection that returns free memory to the operating system, for each system.",
		"- New connections: 32 peers at a time connect and prove their key with a first message; the measure ends when all are connected and in the peer book.",
		"- Allocations are those of the whole process; the outbound figure excludes the creation of the message.",
		"- Dedup: new IDs only, from two peers. This project reads the clock once per 32 IDs, as a busy connection does once per system call; the reference reads it for each ID, as deployed nodes do. Neither prefetches, which a connection does.",
	}, "\n")) + "\n"
}
