package clusterlab

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// meter measures the work of members and peers from its start on.
type meter struct {
	c        *cluster
	began    time.Time
	cpu      map[string]time.Duration // by member; "peers" for this process
	counters map[string]map[string]float64
}

func (c *cluster) meter() *meter {
	m := &meter{c: c, began: time.Now()}
	m.cpu, m.counters = m.read()
	return m
}

func (m *meter) read() (cpu map[string]time.Duration, counters map[string]map[string]float64) {
	cpu, counters = make(map[string]time.Duration), make(map[string]map[string]float64)
	for _, name := range m.c.running() {
		p := m.c.members[name]
		cpu[name], counters[name] = cpuTime(p.PID()), p.Status().Counters
	}
	cpu["peers"] = cpuTime(os.Getpid())
	return cpu, counters
}

// log writes the CPU time since the start, and the counters that have changed.
func (m *meter) log(what string) {
	m.c.t.Helper()
	cpu, counters := m.read()
	var text []string
	for _, name := range slices.Sorted(maps.Keys(cpu)) {
		text = append(text, fmt.Sprintf("%s %v", name, cpu[name]-m.cpu[name]))
	}
	m.c.t.Logf("%s: %v; CPU time: %s", what, time.Since(m.began).Round(time.Millisecond), strings.Join(text, ", "))
	for _, name := range slices.Sorted(maps.Keys(counters)) {
		var text []string
		for _, key := range slices.Sorted(maps.Keys(counters[name])) {
			if d := counters[name][key] - m.counters[name][key]; d != 0 {
				text = append(text, fmt.Sprintf("%s %v", key, d))
			}
		}
		m.c.t.Logf("%s: %s: %s", what, name, strings.Join(text, ", "))
	}
}
