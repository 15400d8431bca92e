package report

import (
	"github.com/Snider/go-p2p/tests/bench/measure"
	"github.com/Snider/go-p2p/tests/bench/systems"
)

// sessionGoals returns the goals of sessions, against other systems and against our node with SMSG.
func sessionGoals() []goal {
	var rates, cpus []goal
	for _, g := range []struct{ size, rate, rateFloor, cpu, cpuFloor float64 }{
		{64, 11, 8, 0.25, 0.33}, {256, 8, 6, 0.28, 0.36}, {1 << 10, 5, 3.5, 0.33, 0.4}, {16 << 10, 1.1, 0.8, 0.55, 0.7},
	} {
		rates = append(rates, goal{
			name: "one way, " + sizeName(g.size) + ", rate over go-libp2p", goal: g.rate, floor: g.rateFloor, format: times,
			of: oneWay(g.size, "rate").over(systems.Ours, systems.LibP2P),
		})
		cpus = append(cpus, goal{
			name: "one way, " + sizeName(g.size) + ", CPU of both ends over SMSG", goal: g.cpu, floor: g.cpuFloor,
			less: true, format: times, of: oneWay(g.size, "cpu").over(systems.Ours, systems.OursSMSG),
		})
	}
	return append(append(rates, cpus...),
		goal{
			name: "one way, 256 B, rate over unencrypted corked WebSocket", goal: 0.8, floor: 0.55, format: times,
			of: oneWay(256, "rate").over(systems.Ours, systems.Coalesced),
		},
		goal{
			name: "allocations per message received, 256 B, batched", goal: 0.25, floor: 0.5, less: true, format: number,
			of: received.of(systems.Ours),
		},
		goal{
			name: "round trip p50, 256 B, one core, over go-libp2p", goal: 1, floor: 1.3, less: true, format: times,
			of: roundTrip.over(systems.Ours, systems.LibP2P),
		},
		goal{
			name: "broadcast, 16 in flight, server CPU per delivery over SMSG", goal: 0.6, floor: 0.8, less: true,
			format: times, of: delivery.over(systems.Ours, systems.OursSMSG),
		},
		goal{
			name: "resident memory of an idle connection, more than SMSG", goal: 0, floor: 300, less: true, format: more,
			of: resident.minus(systems.Ours, systems.OursSMSG),
		},
		goal{
			name: "server CPU of a new connection over SMSG", goal: 1.7, floor: 2.3, less: true, format: times,
			of: newCPU.over(systems.Ours, systems.OursSMSG),
		},
	)
}

// beforeGoals returns the goals of our node with SMSG against our node at an earlier commit.
func beforeGoals() []goal {
	var list []goal
	for _, size := range []float64{64, 256, 1 << 10, 16 << 10} {
		list = append(list,
			goal{
				name: "one way, " + sizeName(size) + ", rate", goal: 1, floor: 0.97, format: times,
				of: oneWay(size, "rate").over(systems.OursSMSG, measure.Before),
			},
			goal{
				name: "one way, " + sizeName(size) + ", CPU of both ends", goal: 1, floor: 1 / 0.97, less: true, format: times,
				of: oneWay(size, "cpu").over(systems.OursSMSG, measure.Before),
			})
	}
	for _, g := range []struct {
		name string
		at   point
	}{
		{"round trip p50, 256 B, one core", roundTrip},
		{"server CPU of a new connection", newCPU},
		{"resident memory of an idle connection", resident},
	} {
		list = append(list, goal{
			name: g.name, goal: 1, floor: 1 / 0.97, less: true, format: times,
			of: g.at.over(systems.OursSMSG, measure.Before),
		})
	}
	return list
}

// smsgGoals returns the goals of our node with SMSG against the reference.
func smsgGoals() []goal {
	list := []goal{}
	for _, g := range []struct{ size, goal, floor float64 }{
		{64, 6, 5}, {256, 9, 7}, {1 << 10, 9.5, 7.5}, {16 << 10, 11.5, 9},
	} {
		list = append(list,
			goal{
				name: "one way, " + sizeName(g.size), goal: g.goal, floor: g.floor, format: times,
				of: oneWay(g.size, "rate").over(systems.OursSMSG, systems.Reference),
			},
			goal{
				name: "one way, " + sizeName(g.size) + ", portable", goal: 4.5, floor: 4, format: times,
				of: oneWay(g.size, "rate").over(measure.Portable, systems.Reference),
			})
	}
	return append(append(list, smsgPathGoals()...), smsgPartGoals()...)
}

// smsgPathGoals are those of whole nodes except for one way.
func smsgPathGoals() []goal {
	ours, reference := systems.OursSMSG, systems.Reference
	return []goal{
		{
			name: "round trip p50, 256 B, one core", goal: 0.45, floor: 0.55, less: true, format: times,
			of: roundTrip.over(ours, reference),
		},
		{
			name: "CPU per message, 256 B, both ends", goal: 1. / 8, floor: 1 / 5.7, less: true, format: times,
			of: oneWay(256, "cpu").over(ours, reference),
		},
		{name: "broadcast, one in flight", goal: 3, floor: 2.5, format: times, of: oneFlying.over(ours, reference)},
		{name: "broadcast, pipelined", goal: 16, floor: 12, format: times, of: pipelined.over(ours, reference)},
		{
			name: "resident memory of an idle connection", goal: 0.85, floor: 1, less: true, format: times,
			of: resident.over(ours, reference),
		},
		{
			name: "goroutines of an idle connection (1.01 counts as one)", goal: 1.01, floor: none, less: true, format: number,
			of: point{measure.Idle, last(measure.Idle), "goroutines"}.of(ours),
		},
		{
			name: "new connections per second, many known peers", goal: 5, floor: 4, format: times,
			of: newKnown.over(ours, reference),
		},
		{
			name: "the same divided by the rate without known peers (0.9 counts as flat)", goal: 0.9, floor: none,
			format: times, of: ratio(newKnown.of(ours), newRate.of(ours)),
		},
	}
}

// smsgPartGoals are those of parts of a node.
func smsgPartGoals() []goal {
	return []goal{
		{name: "seal, 256 B", goal: 8, floor: 6, format: times, of: codecRatio("seal")},
		{name: "open, 256 B", goal: 10, floor: 8, format: times, of: codecRatio("open")},
		{
			name: "dedup, many live IDs, two goroutines", goal: 4, floor: 3, format: times,
			of: point{measure.Dedup, last(measure.Dedup), "seconds"}.over(systems.Reference, systems.Ours),
		},
		{
			name: "dedup, bytes per ID and generation", goal: 40, floor: none, less: true, format: number,
			of: point{measure.Dedup, last(measure.Dedup), "bytes"}.of(systems.Ours),
		},
		{
			name: "allocations per message, outbound (0.1 counts as none)", goal: 0.1, floor: none, less: true,
			format: number, of: outbound(systems.OursSMSG),
		},
		{
			name: "allocations per message, inbound", goal: 3, floor: 5, less: true, format: number,
			of: received.of(systems.OursSMSG),
		},
	}
}
