package measure

import (
	"os"
	"slices"

	"github.com/Snider/go-p2p/tests/bench/process"
	"github.com/Snider/go-p2p/tests/bench/systems"
)

// Systems that run in another binary than this program.
const (
	Portable = "ours, SMSG, portable" // our node with sessions off and its key stream in plain Go
	Before   = "before"               // our node at an earlier commit, with its defaults
)

// binary returns the path of the program that runs the ends of a system, and the system's name in that program.
func (r *run) binary(system string) (path, name string, err error) {
	switch system {
	case Portable:
		return r.Plan.Portable, systems.OursSMSG, nil
	case Before:
		return r.Plan.Before, systems.Ours, nil
	}
	path, err = os.Executable()
	return path, system, err
}

// optional returns the systems of a list for which there is a binary.
func (r *run) optional(list ...string) []string {
	return slices.DeleteFunc(list, func(system string) bool {
		return system == Portable && r.Plan.Portable == "" || system == Before && r.Plan.Before == ""
	})
}

// alternating returns the list in reverse order in every other repeat, so that a machine that becomes slower or faster
// favours no system.
func alternating[T any](list []T, repeat int) []T {
	list = slices.Clone(list)
	if repeat%2 == 1 {
		slices.Reverse(list)
	}
	return list
}

// micro runs the measurements that need one process only.
func (r *run) micro(repeat int) error {
	for _, system := range r.optional(systems.Ours, Portable) {
		if err := r.alone(Codec, system, args{Size: 256, Seconds: r.Seconds / 4}, 256, repeat); err != nil {
			return err
		}
	}
	for _, system := range alternating([]string{systems.Ours, systems.Reference}, repeat) {
		if err := r.alone(Dedup, system, args{System: system, N: r.IDs}, float64(r.IDs), repeat); err != nil {
			return err
		}
	}
	return nil
}

// alone measures in one process, with the call that has the name of the measure.
func (r *run) alone(measure, system string, a args, at float64, repeat int) error {
	path, _, err := r.binary(system)
	if err != nil {
		return err
	}
	p, err := process.Start(path, -1)
	if err != nil {
		return err
	}
	defer p.Stop()
	var found figures
	if err := p.Call(measure, a, &found); err != nil {
		return err
	}
	r.note(measure, system, at, repeat, found)
	return nil
}
