package bench

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Write writes the result as text.
func (r Result) Write(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	where := r.Target
	if where == "" {
		where = "a pair in this process"
	}
	fmt.Fprintf(table, "target\t%s\n", where)
	fmt.Fprintf(table, "load\t%d bytes a message, connections: %d, %.1f s\n", r.Size, r.Connections, r.Seconds)
	fmt.Fprintf(table, "sent\t%d messages, %.0f/s, %.1f MB/s of payload\n",
		r.Sent, r.SentPerSecond, r.PayloadPerSecond/1e6)
	if r.Delivered != nil {
		fmt.Fprintf(table, "delivered\t%d messages\n", *r.Delivered)
	}
	fmt.Fprintf(table, "latency\t%s\n", r.latency())
	if r.ProbesUnanswered > 0 {
		fmt.Fprintf(table, "pings\t%d were not answered in time\n", r.ProbesUnanswered)
	}
	fmt.Fprintf(table, "drops\t%s\n", reasons(r.Drops, "not known: ask the node there with `node status`"))
	fmt.Fprintf(table, "not sent\t%s\n", reasons(r.SendErrors, "none"))
	fmt.Fprintf(table, "processor\t%.2f s, %.1f µs a message", r.CPUSeconds, r.CPUPerMessage)
	if r.Target == "" {
		fmt.Fprint(table, ", both sides together")
	}
	fmt.Fprintf(table, "\nmemory\t%.1f MiB of heap", float64(r.HeapBytes)/(1<<20))
	if r.MaxResidentBytes > 0 {
		fmt.Fprintf(table, ", %.1f MiB resident at most", float64(r.MaxResidentBytes)/(1<<20))
	}
	fmt.Fprintln(table)
	table.Flush()
}

// latency returns the line of latencies.
func (r Result) latency() string {
	l := r.Latency
	switch {
	case l != nil:
		return fmt.Sprintf("%s: p50 %.3f, p90 %.3f, p99 %.3f, p99.9 %.3f, max %.3f ms (%d samples)",
			r.LatencyKind, l.P50, l.P90, l.P99, l.P999, l.Max, l.Samples)
	case r.Target == "":
		return "not known: no message was delivered"
	default:
		return "not known: no ping was answered"
	}
}

// reasons lists the counts above 0. For a nil map it returns unknown.
func reasons(counts map[string]uint64, unknown string) string {
	if counts == nil {
		return unknown
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if counts[name] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[name], name))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
