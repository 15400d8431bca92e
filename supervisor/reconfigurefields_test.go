package supervisor

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/Snider/go-p2p/tests/memnet"
)

// fieldRow holds the effect of a change of one field of TransportConfig on a node, seen from outside. Fields that other
// fields depend on change too.
type fieldRow struct {
	base    func(*TransportConfig) // settings that the observation needs beside fieldBase; nil: none
	change  func(*TransportConfig)
	restart bool
	observe func(w *fieldWorld) any
}

// fieldWorld is one node under observation, at 10.0.0.1.
type fieldWorld struct {
	t    *testing.T
	net  *memnet.Network
	node *testNode
}

// fieldBase returns the configuration before the change.
func fieldBase(row fieldRow) TransportConfig {
	c := DefaultTransportConfig()
	c.MaxConns, c.MaxConnsPerAddress = 8, 4
	c.MaxClockSkew = 2 * c.DedupTTL
	if row.base != nil {
		row.base(&c)
	}
	return c
}

// run starts a node with cfg, reconfigures it to next unless that is nil, and returns the observation.
func (row fieldRow) run(
	t *testing.T, cfg TransportConfig, next *TransportConfig,
) (seen any, changed, restart []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &fieldWorld{t: t, net: memnet.New(1)}
		w.node = startNode(t, w.net, 1, func(s *nodeSetup) { s.cfg = cfg })
		if next != nil {
			var err error
			if changed, restart, err = w.node.Reconfigure(context.Background(), *next); err != nil {
				t.Fatal(err)
			}
		}
		seen = row.observe(w)
	})
	return seen, changed, restart
}

// differing returns the names of the fields in which two configurations differ.
func differing(a, b TransportConfig) (names []string) {
	from, to := reflect.ValueOf(a.withDefaults()), reflect.ValueOf(b.withDefaults())
	for i := range from.NumField() {
		if !reflect.DeepEqual(from.Field(i).Interface(), to.Field(i).Interface()) {
			names = append(names, from.Type().Field(i).Name)
		}
	}
	return names
}

// A node that applies a field behaves like one that was started with the new value. A node that reports the field as
// needing a restart behaves as before. A field of TransportConfig without a row fails the test.
func TestReconfigureAppliesEachFieldOrReportsIt(t *testing.T) {
	rows := fieldRows(t)
	fields := reflect.TypeFor[TransportConfig]()
	for i := range fields.NumField() {
		name := fields.Field(i).Name
		row, known := rows[name]
		delete(rows, name)
		if !known {
			t.Errorf("%s: add a row that shows what Reconfigure makes of it", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			before := fieldBase(row)
			after := fieldBase(row)
			row.change(&after)
			want := differing(before, after)
			if !slices.Contains(want, name) {
				t.Fatalf("the row changes %v", want)
			}
			old, _, _ := row.run(t, before, nil)
			started, _, _ := row.run(t, after, nil)
			got, changed, restart := row.run(t, before, &after)
			expected, reported, other := started, changed, restart
			if row.restart {
				expected, reported, other = old, restart, changed
			}
			if !slices.Equal(reported, want) || len(other) > 0 {
				t.Errorf("reported as changed %v, as needing a restart %v; want %v in one", changed, restart, want)
			}
			if reflect.DeepEqual(old, started) {
				t.Errorf("the observation does not depend on the field: %+v", old)
			}
			if !reflect.DeepEqual(got, expected) {
				t.Errorf("after the change %+v, want %+v", got, expected)
			}
		})
	}
	for name := range rows {
		t.Errorf("%s: no such field", name)
	}
}
