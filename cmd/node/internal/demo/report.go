package demo

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/Snider/go-p2p/wire"
)

// outcome is the result of a step, a line of --output json.
type outcome struct {
	Number   int               `json:"number"`
	Step     string            `json:"step"`
	About    string            `json:"about"`
	OK       bool              `json:"ok"`
	Seen     []string          `json:"seen"`
	Counters map[string]uint64 `json:"counters"` // growth, by "node counter"
	Ms       float64           `json:"ms"`
	Error    string            `json:"error,omitempty"`
}

// report writes each step, as text while it runs or as a line of JSON at its end.
type report struct {
	out   io.Writer
	json  bool
	color bool
	err   error // first error of out
}

// SGR codes of terminals.
const (
	bold  = "1"
	faint = "2"
	red   = "31"
	green = "32"
)

func (r *report) paint(code, text string) string {
	if !r.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (r *report) print(format string, args ...any) {
	if r.json || r.err != nil {
		return
	}
	_, r.err = fmt.Fprintf(r.out, format+"\n", args...)
}

func (r *report) title() {
	r.print("Three nodes in one process, real sockets on 127.0.0.1. Every line below was observed.")
}

func (r *report) begin(o outcome) {
	r.print("\n%s  %s", r.paint(bold, fmt.Sprintf("%2d %s", o.Number, o.Step)), o.About)
}

func (r *report) tell(lines []string) {
	for _, line := range lines {
		r.print("     %s", line)
	}
}

func (r *report) check(seen string) { r.print("   %s %s", r.paint(green, "✓"), seen) }

// finish reports the end of a step. It returns the first error of the output.
func (r *report) finish(o outcome) error {
	if r.json {
		if o.Seen == nil {
			o.Seen = []string{}
		}
		line, err := wire.MarshalJSON(o)
		if err == nil {
			_, err = fmt.Fprintf(r.out, "%s\n", line)
		}
		return err
	}
	var grown []string
	for _, name := range slices.Sorted(maps.Keys(o.Counters)) {
		if strings.Contains(name, "bytes") || strings.Contains(name, "messagesSent") ||
			strings.Contains(name, "messagesReceived") {
			continue // these grow in every step
		}
		grown = append(grown, fmt.Sprintf("%s +%d", name, o.Counters[name]))
	}
	if len(grown) > 0 {
		r.print("     %s", r.paint(faint, "counters: "+strings.Join(grown, ", ")))
	}
	if !o.OK {
		r.print("   %s %s", r.paint(red, "✗"), o.Error)
	}
	return r.err
}

func (r *report) end(steps int) {
	r.print("\n%s", r.paint(green, fmt.Sprintf("All %d steps succeeded.", steps)))
}
