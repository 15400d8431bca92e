package supervisor

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/Snider/go-p2p/crypto/datadir"
)

// The dedup set survives a graceful restart in a file of its own: a header, then key and entry of every unexpired
// message, then a CRC-32. It is read once and removed: a set that is older than the last run proves nothing.
const dedupMagic = "p2pseen1"

// dedupHeader stands at the file's beginning, little-endian.
type dedupHeader struct {
	Magic  [8]byte
	Saved  int64 // Unix nanoseconds
	Window int64 // nanoseconds, that ages are parts of
	Seed   uint64
	// A crash before the last run still makes messages stale, which the next run has to know.
	StaleBefore int64 // Unix nanoseconds
	StaleFor    int64 // nanoseconds from Saved; 0 or less: not any more
	Count       uint64
}

// save writes the set to a file, whole or not at all.
func (d *MessageDeduplicator) save(path string, now, wall time.Time) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".seen-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	sum := crc32.NewIEEE()
	buffered := bufio.NewWriter(f)
	w := io.MultiWriter(buffered, sum)
	entries := d.unexpired(d.ticks(now))
	header := dedupHeader{Saved: wall.UnixNano(), Window: int64(d.window), Seed: d.seed, Count: uint64(len(entries) / 2)}
	if now.Before(d.staleUntil) {
		header.StaleBefore, header.StaleFor = d.staleBefore.UnixNano(), int64(d.staleUntil.Sub(now))
	}
	copy(header.Magic[:], dedupMagic)
	for _, part := range []any{header, entries} {
		if err = binary.Write(w, binary.LittleEndian, part); err != nil {
			return err
		}
	}
	if err = binary.Write(buffered, binary.LittleEndian, sum.Sum32()); err != nil {
		return err
	}
	if err = errors.Join(buffered.Flush(), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// unexpired returns keys and entries in turn, the stamps replaced by ages.
func (d *MessageDeduplicator) unexpired(now uint16) []uint64 {
	entries := make([]uint64, 0, 2*d.Len())
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		for _, generation := range []dedupTable{s.previous, s.current, s.next} {
			for _, r := range generation.all(0) {
				if age := r.entry.age(now); age <= ticksPerWindow {
					entries = append(entries, r.key, uint64(r.entry)&^0xffff|uint64(uint16(age)))
				}
			}
		}
		s.mu.Unlock()
	}
	return entries
}

// maxSeenFile is the longest file of a set, in bytes: two generations of the most ids that any limit allows.
const maxSeenFile = 2*16*dedupUnlimited + 4096

// errSeenFile is wrapped by errors of the file system about the file of seen ids; its content is not to blame.
var errSeenFile = errors.New("the file of seen message ids cannot be read")

func seenFault(path string, err error) error {
	remedy, known := datadir.Remedy(err)
	if !known {
		return err
	}
	return fmt.Errorf("%w: %s: %w: %s", errSeenFile, path, err, remedy)
}

// load takes over the set that the last run saved, and removes the file. It reports whether there was one. An error that
// wraps errSeenFile leaves the file as it is.
func (d *MessageDeduplicator) load(path string, now, wall time.Time) (found bool, err error) {
	data, err := datadir.ReadFile(path, maxSeenFile)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, seenFault(path, err)
	}
	if err := os.Remove(path); err != nil {
		return false, seenFault(path, err)
	}
	var header dedupHeader
	size := binary.Size(header)
	if len(data) < size+4 || crc32.ChecksumIEEE(data[:len(data)-4]) != binary.LittleEndian.Uint32(data[len(data)-4:]) {
		return false, fmt.Errorf("%s is damaged and was removed", path)
	}
	if _, err := binary.Decode(data, binary.LittleEndian, &header); err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	entries := data[size : len(data)-4]
	if string(header.Magic[:]) != dedupMagic || uint64(len(entries)) != 16*header.Count {
		return false, fmt.Errorf("%s is damaged and was removed", path)
	}
	d.seed = header.Seed
	since := max(wall.Sub(time.Unix(0, header.Saved)), 0)
	if left := time.Duration(header.StaleFor) - since; left > 0 {
		d.staleBefore, d.staleUntil = time.Unix(0, header.StaleBefore), now.Add(left)
	}
	d.begin(now)
	d.restore(entries, time.Duration(header.Window), since, d.ticks(now))
	return true, nil
}

// begin has the first generation begin at a time.
func (d *MessageDeduplicator) begin(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rotated = now
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		s.begun = now.Sub(d.epoch)
		s.mu.Unlock()
	}
}

// restore puts entries back whose ages are in ticks of another window and have grown by the time between. They are all of
// the generation before, but for those that are stamped ahead: they take no room for longer than they would have anyway.
func (d *MessageDeduplicator) restore(entries []byte, window, since time.Duration, now uint16) {
	for ; len(entries) >= 16; entries = entries[16:] {
		key := binary.LittleEndian.Uint64(entries)
		entry := binary.LittleEndian.Uint64(entries[8:])
		age := max(time.Duration(int16(entry))*window/ticksPerWindow+since, -d.window)
		if age > d.window || d.count.Load() >= d.limit {
			continue
		}
		ticks := now - uint16(int64(age)*ticksPerWindow/int64(d.window))
		generation := &d.shards[key%dedupShards].previous
		if age < 0 {
			generation = &d.shards[key%dedupShards].current
		}
		if generation.put(key, dedupEntry(entry&^0xffff|uint64(ticks))) {
			d.count.Add(1)
		}
	}
}
