package measure

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	borg "github.com/Snider/Borg/pkg/smsg"
	"github.com/google/uuid"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/crypto/smsg"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/bench/process"
	"github.com/Snider/go-p2p/tests/bench/systems"
	"github.com/Snider/go-p2p/wire"
)

// cost repeats do for at least half of the given seconds and returns the seconds and the allocations per run.
func cost(seconds float64, do func() error) (each, allocations float64, err error) {
	var before, after runtime.MemStats
	for runs := 16; ; runs *= 2 {
		runtime.ReadMemStats(&before)
		began := time.Now()
		for range runs {
			if err := do(); err != nil {
				return 0, 0, err
			}
		}
		took := time.Since(began).Seconds()
		if runtime.ReadMemStats(&after); took >= seconds/2 {
			return took / float64(runs), float64(after.Mallocs-before.Mallocs) / float64(runs), nil
		}
	}
}

// turns is the number of times that each operation runs in turn, so that other load on the machine affects all alike.
const turns = 9

// codecCosts measures sealing and opening one message of a.Size bytes of JSON, ours and the published library's. Both
// begin with the message and end with it; with the library encoding/json writes and reads the JSON, as in deployed
// nodes.
func codecCosts(a args) (figures, error) {
	var secret crypto.SharedSecret
	key, err := smsg.NewKey(secret)
	if err != nil {
		return nil, err
	}
	sealer, err := key.NewSealer(nil)
	if err != nil {
		return nil, err
	}
	msg, err := messageOf(a.Size)
	if err != nil {
		return nil, err
	}
	opener := key.NewOpener(wire.CheckContainerHeader)
	password := base64.StdEncoding.EncodeToString(secret[:])
	end := wire.NewSealedEnd(nil)
	buffer := make([]byte, 0, 4*a.Size+1024)
	seal := func() ([]byte, error) {
		plaintext, err := wire.AppendSealedBody(buffer[:smsg.Headroom], msg, time.Now())
		if err != nil {
			return nil, err
		}
		plaintext = append(plaintext, end...)
		return sealer.Seal(plaintext[:0], plaintext[smsg.Headroom:]), nil
	}
	frame, err := seal()
	if err != nil {
		return nil, err
	}
	frame = bytes.Clone(frame)
	opened := make([]byte, 0, 2*len(frame))

	operations := map[string]func() error{
		"seal " + systems.Ours: func() error { _, err := seal(); return err },
		"open " + systems.Ours: func() error {
			plaintext, err := opener.Open(append(opened, frame...))
			if err == nil {
				_, _, err = wire.DecodeSealedBody(plaintext, nil)
			}
			return err
		},
		"seal " + systems.Reference: func() error {
			text, err := json.Marshal(msg)
			if err == nil {
				_, err = borg.Encrypt(borg.NewMessage(string(text)), password)
			}
			return err
		},
		"open " + systems.Reference: func() error {
			inside, err := borg.Decrypt(frame, password)
			if err != nil {
				return err
			}
			var into wire.Message
			return json.Unmarshal([]byte(inside.Body), &into)
		},
	}
	samples := make(map[string][]float64)
	for range turns {
		for name, do := range operations {
			each, allocations, err := cost(a.Seconds/turns, do)
			if err != nil {
				return nil, err
			}
			samples[name] = append(samples[name], each)
			samples[name+" allocations"] = append(samples[name+" allocations"], allocations)
		}
	}
	result := figures{}
	for name, values := range samples {
		slices.Sort(values)
		result[name] = values[len(values)/2]
	}
	return result, nil
}

// messageOf returns a message whose JSON text has size bytes, or as few as possible.
func messageOf(size int) (*wire.Message, error) {
	msg, err := wire.NewMessage(wire.MsgChat, strings.Repeat("a", 32), strings.Repeat("b", 32), "")
	if err != nil {
		return nil, err
	}
	text, err := msg.AppendJSON(nil)
	if err != nil {
		return nil, err
	}
	return msg, msg.Renew(strings.Repeat("x", max(0, size-len(text))))
}

// makingCosts measures the allocations of making one message. The program makes it, not the system, so they are
// subtracted from the sender's.
func makingCosts(a args) (figures, error) {
	var payload any = strings.Repeat("x", a.Size)
	msg, err := wire.NewMessage(wire.MsgChat, "from", "to", payload)
	if err != nil {
		return nil, err
	}
	_, allocations, err := cost(0.05, func() error { return msg.Renew(payload) })
	return figures{"allocations": allocations}, err
}

// dedupCosts measures the dedup set of one system with a.N live IDs: the wall time per new ID with two goroutines, and
// the memory per ID.
func dedupCosts(a args) (figures, error) {
	const more = 200_000 // new IDs per goroutine
	settled := func() float64 {
		process.Settle()
		usage, err := process.Measure()
		if err != nil {
			panic(err) // Linux always has /proc
		}
		return usage.Heap
	}
	fresh := [2][]wire.Message{}
	for lane := range fresh {
		fresh[lane] = make([]wire.Message, more)
		for i := range fresh[lane] {
			fresh[lane][i] = wire.Message{ID: uuid.NewString(), Type: wire.MsgChat, From: "peer", Timestamp: time.Now()}
		}
	}
	empty := settled()
	seen, err := dedupOf(a.System)
	if err != nil {
		return nil, err
	}
	message := []wire.Message{{Type: wire.MsgChat, From: "peer", Timestamp: time.Now()}}
	for range a.N {
		message[0].ID = uuid.NewString()
		seen(0, message)
	}
	full := settled()

	began := time.Now()
	var wg sync.WaitGroup
	for lane := range fresh {
		wg.Go(func() {
			for group := range slices.Chunk(fresh[lane], decodedTogether) {
				seen(lane, group)
			}
		})
	}
	wg.Wait()
	took := time.Since(began).Seconds()
	runtime.KeepAlive(seen)
	return figures{"seconds": took / float64(len(fresh)*more), "bytes": (full - empty) / float64(a.N)}, nil
}

const (
	decodedTogether = 16 // messages of a record that a connection decodes together
	together        = 32 // messages with one timestamp: those of one system call, as on a busy connection
)

// dedupOf returns the dedup set of a system, used as by the connections of two peers.
func dedupOf(system string) (func(lane int, group []wire.Message), error) {
	if system == systems.Reference {
		set := systems.NewMutexDedup()
		return func(_ int, group []wire.Message) {
			for i := range group {
				set.Seen(group[i].ID)
			}
		}, nil
	}
	const room = 8 << 20
	set, err := supervisor.NewMessageDeduplicator(5*time.Minute, room, room, time.Now(), rand.Reader)
	if err != nil {
		return nil, err
	}
	type account struct {
		actors.Deduplicator
		now   time.Time
		asked int
		_     [64]byte // keeps the accounts in different cache lines
	}
	accounts := [2]account{{Deduplicator: set.For("first")}, {Deduplicator: set.For("second")}}
	return func(lane int, group []wire.Message) {
		a := &accounts[lane]
		if a.asked%together == 0 {
			a.now = time.Now()
		}
		a.asked += len(group)
		var keys [decodedTogether]uint64
		a.ExpectKeys(group, keys[:len(group)])
		a.SeenTogether(group, keys[:len(group)], a.now)
	}, nil
}
