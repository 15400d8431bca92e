// Package report makes the tables, the plots and the page of the results.
package report

import (
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/Snider/go-p2p/tests/bench/measure"
	"github.com/Snider/go-p2p/tests/bench/systems"
)

// Results holds everything that one run measured.
type Results struct {
	Machine Machine       `json:"machine"`
	Quick   bool          `json:"quick"`
	Seconds float64       `json:"seconds"`          // duration of the run
	Before  string        `json:"before,omitempty"` // the earlier commit that was also measured
	Rows    []measure.Row `json:"rows"`
}

// Machine describes the machine, the time and the versions of a measurement.
type Machine struct {
	CPU     string            `json:"cpu"`
	Cores   int               `json:"cores"`
	Kernel  string            `json:"kernel"`
	Go      string            `json:"go"`
	Date    string            `json:"date"`
	Commit  string            `json:"commit,omitempty"`
	Modules map[string]string `json:"modules"`
}

// modules are the modules whose versions the page names.
var modules = []string{
	"github.com/Snider/Borg", "github.com/asynkron/protoactor-go", "github.com/coder/websocket",
	"github.com/gorilla/websocket", "github.com/libp2p/go-libp2p", "golang.org/x/crypto",
}

// ThisMachine describes the present machine. Unknown fields are empty.
func ThisMachine() Machine {
	m := Machine{
		Cores: runtime.NumCPU(), Go: runtime.Version(), Date: time.Now().UTC().Format(time.DateOnly),
		Modules: map[string]string{},
	}
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(release))
	}
	if commit, err := exec.Command("git", "describe", "--always", "--dirty").Output(); err == nil {
		m.Commit = strings.TrimSpace(string(commit))
	}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range build.Deps {
			if slices.Contains(modules, dep.Path) {
				m.Modules[dep.Path] = dep.Version
			}
		}
	}
	return m
}

// value returns one figure of one system in one repeat.
func (r *Results) value(name, system string, at float64, repeat int, figure string) (float64, bool) {
	for _, row := range r.Rows {
		if row.Measure == name && row.System == system && row.At == at && row.Repeat == repeat {
			v, ok := row.Values[figure]
			return v, ok
		}
	}
	return 0, false
}

// repeats returns the number of repeats.
func (r *Results) repeats() int {
	most := 0
	for _, row := range r.Rows {
		most = max(most, row.Repeat+1)
	}
	return most
}

// spread is the median of n values, with the smallest and the largest.
type spread struct {
	median, least, most float64
	n                   int
}

func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	values = slices.Sorted(slices.Values(values))
	middle := values[len(values)/2]
	if len(values)%2 == 0 {
		middle = (values[len(values)/2-1] + middle) / 2
	}
	return spread{median: middle, least: values[0], most: values[len(values)-1], n: len(values)}
}

// over collects the results of f in each repeat.
func (r *Results) over(f func(repeat int) (float64, bool)) spread {
	var values []float64
	for repeat := range r.repeats() {
		if v, ok := f(repeat); ok {
			values = append(values, v)
		}
	}
	return spreadOf(values)
}

// figure returns the spread of one figure of one system over the repeats.
func (r *Results) figure(name, system string, at float64, figure string) spread {
	return r.over(func(repeat int) (float64, bool) { return r.value(name, system, at, repeat, figure) })
}

// points returns the points at which a measure was taken, in ascending order.
func (r *Results) points(name string) []float64 {
	var at []float64
	for _, row := range r.Rows {
		if row.Measure == name && !slices.Contains(at, row.At) {
			at = append(at, row.At)
		}
	}
	slices.Sort(at)
	return at
}

// order is the order of the systems in tables and plots.
var order = []string{
	systems.Ours, systems.OursSMSG, measure.Portable, measure.Before, systems.Reference, systems.LibP2P, systems.Coder,
	systems.Coalesced, systems.Remote,
}

// systems returns the systems that have a measure.
func (r *Results) systems(name string) []string {
	return slices.DeleteFunc(slices.Clone(order), func(system string) bool {
		return !slices.ContainsFunc(r.Rows, func(row measure.Row) bool { return row.Measure == name && row.System == system })
	})
}
