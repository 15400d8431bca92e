package report

import (
	_ "embed" // method.md
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/Snider/go-p2p/tests/bench/measure"
	"github.com/Snider/go-p2p/tests/bench/systems"
)

// introduction names the page in the same folder that is written by hand.
const introduction = "<!-- Written by `make bench`. -->\n\nHow to read the figures, and where the time goes: " +
	"[performance notes](performance-notes.md).\n\n"

// Write writes the page and its plots into the folder of the documentation. how holds the flags of the run.
func Write(r *Results, folder, how string) error {
	if err := r.draw(filepath.Join(folder, "images")); err != nil {
		return err
	}
	page := strings.Join([]string{r.head(how), r.goalsPart(), r.tables(), r.curves(), method()}, "\n")
	return os.WriteFile(filepath.Join(folder, "performance.md"), []byte(strings.TrimRight(page, "\n")+"\n"), 0o644)
}

func (r *Results) head(how string) string {
	var text strings.Builder
	text.WriteString("# Performance\n\n")
	text.WriteString(introduction)
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
	run := fmt.Sprintf("%s, %d repeats, %.0f s, flags `%s`", kind, r.repeats(), r.Seconds, how)
	rows = append(rows, []string{"run", run})
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
		"× is the figure of this project divided by that of the other system in the same repeat: " +
		"the median of the repeats,\n" +
		"with the lowest and the highest. For times, memory, CPU and allocations a smaller value is better.\n\n" + Table(r)
}

func (r *Results) tables() string {
	perSecond := func(v float64) string { return scaled(v) }
	flying := func(v float64) string {
		return map[bool]string{true: "one in flight", false: fmt.Sprintf("%.0f in flight", v)}[v == 1]
	}
	known := func(v float64) string { return fmt.Sprintf("%.0f known", v) }
	serverCPU := func(v float64) string { return known(v) + ", server CPU each" }
	resident := func(v float64) string { return fmt.Sprintf("resident, %.0f of them", v) }
	var text strings.Builder
	part := func(title, body string) { fmt.Fprintf(&text, "### %s\n\n%s\n", title, body) }

	text.WriteString("## Measurements\n\nMedians of the repeats (lowest – highest).\n\n")
	part("One way over one connection, messages per second", r.table(measure.OneWay,
		r.columnsOver(measure.OneWay, "rate", sizeName, perSecond)))
	part("The same, CPU per message, both ends", r.table(measure.OneWay,
		r.columnsOver(measure.OneWay, "cpu", sizeName, micros)))
	part("The same, allocations per message in the whole process", r.table(measure.OneWay, []column{
		{"256 B, sender", 256, "allocations sent", plainly},
		{"of these, creating the message", 256, "allocations of making", plainly},
		{"256 B, receiver", 256, "allocations received", plainly},
	}))
	part("Round trip, 256 B, both processes on one core", r.table(measure.RoundTrip, []column{
		{"p50", 256, "p50", micros}, {"p99", 256, "p99", micros},
	}))
	peers := r.figure(measure.Broadcast, systems.OursSMSG, 1, "peers").median
	title := fmt.Sprintf("Broadcast of 256 B to %.0f peers, deliveries per second and server CPU per delivery", peers)
	part(title, r.table(measure.Broadcast, slices.Concat(
		r.columnsOver(measure.Broadcast, "rate", flying, perSecond),
		r.columnsOver(measure.Broadcast, "server cpu", flying, micros))))
	part("An idle connection", r.table(measure.Idle, slices.Concat(
		r.columnsOver(measure.Idle, "resident", resident, kilobytes),
		r.columnsOver(measure.Idle, "heap", func(float64) string { return "of this, live heap" }, kilobytes),
		r.columnsOver(measure.Idle, "goroutines", func(float64) string { return "goroutines" }, plainly))))
	part("New connections per second, peer book included", r.table(measure.Connect, slices.Concat(
		r.columnsOver(measure.Connect, "rate", known, perSecond),
		r.columnsOver(measure.Connect, "server cpu", serverCPU, micros))))
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

// methodText describes the method of measurement. It names values of the code in braces.
//
//go:embed method.md
var methodText string

// method returns methodText with the values of the code inserted.
func method() string {
	return strings.NewReplacer(
		"{{.DedupTTL}}", systems.DedupTTL.String(),
		"{{.Reference}}", systems.Reference,
	).Replace(methodText)
}
