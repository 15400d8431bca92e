package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/Snider/go-p2p/tests/bench/measure"
	"github.com/Snider/go-p2p/tests/bench/systems"
)

// Table returns the comparisons with the goals as Markdown.
func Table(r *Results) string {
	before := r.Before
	if before == "" {
		before = "an earlier commit"
	}
	return "### Sessions\n\n" + r.goalTable(sessionGoals()) +
		"\n### SMSG, over the same at " + before + "\n\n" + r.goalTable(beforeGoals()) +
		"\n### SMSG, over the reference\n\n" + r.goalTable(smsgGoals())
}

func (r *Results) goalTable(goals []goal) string {
	rows := [][]string{{"measure", "goal", "floor", "measured", "lowest – highest", ""}}
	for _, g := range goals {
		s := r.over(func(repeat int) (float64, bool) { return g.of(r, repeat) })
		row := []string{g.name, g.format(g.goal), "–", "", "", g.verdict(s)}
		if !math.IsNaN(g.floor) {
			row[2] = g.format(g.floor)
		}
		if s.n > 0 {
			row[3], row[4] = g.format(s.median), g.format(s.least)+" – "+g.format(s.most)
		}
		rows = append(rows, row)
	}
	return markdown(rows)
}

// short returns a number with about three significant digits.
func short(v float64) string {
	switch a := math.Abs(v); {
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
	default:
		text := strings.TrimRight(fmt.Sprintf("%.3f", v), "0")
		return strings.TrimSuffix(text, ".")
	}
}

// scaled returns a number in units of k or M.
func scaled(v float64) string {
	switch {
	case v >= 1e6:
		return short(math.Round(v/1e4)/100) + " M"
	case v >= 1e3:
		return short(math.Round(v/100)/10) + " k"
	default:
		return short(v)
	}
}

func micros(v float64) string    { return short(math.Round(v*1e8)/100) + " µs" }
func kilobytes(v float64) string { return short(math.Round(v/100)/10) + " kB" }
func plainly(v float64) string   { return short(math.Round(v*100) / 100) }

// markdown returns rows as a Markdown table. The first row is its head.
func markdown(rows [][]string) string {
	var text strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&text, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			text.WriteString("|" + strings.Repeat(" --- |", len(row)) + "\n")
		}
	}
	return text.String()
}

// column is one figure of each system in a table.
type column struct {
	title  string
	at     float64
	figure string
	format func(float64) string
}

// table returns a row for each system that has the measure: the median, and the range of several repeats.
func (r *Results) table(name string, columns []column) string {
	head := []string{""}
	for _, c := range columns {
		head = append(head, c.title)
	}
	rows := [][]string{head}
	for _, system := range r.systems(name) {
		row := []string{system}
		for _, c := range columns {
			s := r.figure(name, system, c.at, c.figure)
			switch {
			case s.n == 0:
				row = append(row, "–")
			case s.n == 1:
				row = append(row, c.format(s.median))
			default:
				row = append(row, fmt.Sprintf("%s (%s – %s)", c.format(s.median), c.format(s.least), c.format(s.most)))
			}
		}
		rows = append(rows, row)
	}
	return markdown(rows)
}

// columnsOver returns one column per point of a measure.
func (r *Results) columnsOver(name, figure string, title, format func(float64) string) []column {
	var columns []column
	for _, at := range r.points(name) {
		columns = append(columns, column{title(at), at, figure, format})
	}
	return columns
}

// codecTable returns the figures of both libraries, which are measured in one process.
func (r *Results) codecTable() string {
	rows := [][]string{{"256 B", "seal", "open", "allocations, seal", "allocations, open"}}
	for _, build := range r.systems(measure.Codec) {
		for _, library := range []string{systems.Ours, systems.Reference} {
			label := library
			if build == measure.Portable {
				if library == systems.Reference {
					continue // the same as in the other build
				}
				label = build
			}
			row := []string{label}
			for _, c := range []column{
				{figure: "seal " + library, format: micros},
				{figure: "open " + library, format: micros},
				{figure: "seal " + library + " allocations", format: plainly},
				{figure: "open " + library + " allocations", format: plainly},
			} {
				row = append(row, c.format(r.figure(measure.Codec, build, 256, c.figure).median))
			}
			rows = append(rows, row)
		}
	}
	return markdown(rows)
}
