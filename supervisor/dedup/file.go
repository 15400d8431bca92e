package dedup

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/Snider/go-p2p/crypto/datadir"
)

// The set survives a graceful restart in a file. A new process always has a new secret, so the entries of the last run
// stay apart, read-only and under the secret that they were made with, until they have expired:
//
//	run 1          run 2                 run 3
//	own, key 1 ──→ inherited, key 1 ──→ inherited, key 1
//	               own, key 2       ──→ inherited, key 2
//	                                    own, key 3
//
// The file is read once and removed: it proves nothing about messages of later runs. All numbers are little-endian:
//
//	header | section (secret, count, entries) … | CRC-32 of all before
//
// The file contains secrets of runs that have ended. It has mode 0600, as the private key beside it.
const (
	fileMagic    = "p2pseen2"
	earlierMagic = "p2pseen1" // keys of that version could be recovered by a peer
	entrySize    = 24
	// maxInherited is the number of earlier runs whose entries are kept: each costs every message a look-up. When a node
	// is restarted more often within a window, messages stamped before the end of the forgotten run are stale.
	maxInherited = 4
	// maxFileSize in bytes: two generations of 8 Mi entries, the most that the node's configuration allows.
	maxFileSize = 2*entrySize*(8<<20) + 4096
)

// ErrFile is wrapped by errors of the file system about the file of the set. They do not mean damage.
var ErrFile = errors.New("the file of seen message ids cannot be read")

// fileFault names the cause and the remedy of an error, if they are known.
func fileFault(path string, err error) error {
	remedy, known := datadir.Remedy(err)
	if !known {
		return err
	}
	return fmt.Errorf("%w: %s: %w: %s", ErrFile, path, err, remedy)
}

type fileHeader struct {
	Magic  [8]byte
	Saved  int64 // Unix nanoseconds
	Window int64 // nanoseconds; ages are parts of it
	// Messages stamped before StaleBefore (Unix nanoseconds) are stale until StaleFor nanoseconds after Saved.
	StaleBefore int64
	StaleFor    int64
	Sections    uint64
}

type fileSection struct {
	Secret [16]byte
	Ended  int64 // end of the section's run, Unix nanoseconds
	Count  uint64
}

// Save writes the set to a file, atomically. now and wall are the same moment on the clock of the set and on the wall
// clock. An error leaves no temporary file behind.
func (d *Set) Save(path string, now, wall time.Time) (err error) {
	data := d.encode(now, wall)
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
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// encode returns the contents of the file.
func (d *Set) encode(now, wall time.Time) []byte {
	header := fileHeader{Saved: wall.UnixNano(), Window: int64(d.window)}
	copy(header.Magic[:], fileMagic)
	if now.Before(d.staleUntil) {
		header.StaleBefore, header.StaleFor = d.staleBefore.UnixNano(), int64(d.staleUntil.Sub(now))
	}
	d.own.ended = wall
	stores := append([]*store{d.own}, d.earlier()...) // the youngest run first
	if len(stores) > maxInherited {
		forgotten := stores[maxInherited]
		header.StaleBefore = max(header.StaleBefore, forgotten.ended.UnixNano())
		header.StaleFor = int64(d.window)
		stores = stores[:maxInherited]
	}
	header.Sections = uint64(len(stores))
	var data bytes.Buffer
	_ = binary.Write(&data, binary.LittleEndian, header) // a buffer's writes never fail
	for _, s := range stores {
		entries := s.unexpired(d.ticks(now))
		section := fileSection{Secret: s.master, Ended: s.ended.UnixNano(), Count: uint64(len(entries) / entrySize)}
		_ = binary.Write(&data, binary.LittleEndian, section)
		data.Write(entries)
	}
	return binary.LittleEndian.AppendUint32(data.Bytes(), crc32.ChecksumIEEE(data.Bytes()))
}

// unexpired returns the entries as the file holds them: with an age in ticks in place of the stamp.
func (s *store) unexpired(now uint16) []byte {
	data := make([]byte, 0, entrySize*s.len())
	for i := range s.shards {
		data = s.shards[i].unexpired(data, now)
	}
	return data
}

// unexpired appends the entries of a shard.
func (s *shard) unexpired(data []byte, now uint16) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, generation := range []table{s.previous, s.current, s.next} {
		for _, r := range generation.all(0) {
			if age := r.age(now); age <= ticksPerWindow {
				data = binary.LittleEndian.AppendUint64(data, r.key)
				data = binary.LittleEndian.AppendUint64(data, r.content)
				data = binary.LittleEndian.AppendUint64(data, r.withStamp(uint16(age)).tagged)
			}
		}
	}
	return data
}

// Load takes over the set that the last run saved, and removes the file. It reports whether there was one. It must be
// called before the set is used; after an error the caller must Distrust earlier messages. An error that wraps ErrFile
// leaves the file as it is.
func (d *Set) Load(path string, now, wall time.Time) (found bool, err error) {
	data, err := datadir.ReadFile(path, maxFileSize)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fileFault(path, err)
	}
	if err := os.Remove(path); err != nil {
		return false, fileFault(path, err)
	}
	if bytes.HasPrefix(data, []byte(earlierMagic)) {
		return false, fmt.Errorf("%s was written by an earlier version and was removed", path)
	}
	if err := d.decode(data, now, wall); err != nil {
		return false, fmt.Errorf("%s is damaged and was removed: %w", path, err)
	}
	return true, nil
}

var (
	errChecksum = errors.New("wrong checksum")
	errFormat   = errors.New("not a set of seen messages")
)

// decode takes over the contents of a file, or nothing.
func (d *Set) decode(data []byte, now, wall time.Time) error {
	const sumSize = 4
	if len(data) < sumSize {
		return errChecksum
	}
	body, sum := data[:len(data)-sumSize], data[len(data)-sumSize:]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(sum) {
		return errChecksum
	}
	var header fileHeader
	n, err := binary.Decode(body, binary.LittleEndian, &header)
	if err != nil || string(header.Magic[:]) != fileMagic || header.Sections > maxInherited || header.Window <= 0 {
		return errFormat
	}
	since := max(wall.Sub(time.Unix(0, header.Saved)), 0)
	elapsed := aging{window: time.Duration(header.Window), since: since, now: now}
	stores, err := d.decodeSections(body[n:], header.Sections, elapsed)
	if err != nil {
		return err
	}
	if left := time.Duration(header.StaleFor) - since; left > 0 {
		d.staleBefore, d.staleUntil = time.Unix(0, header.StaleBefore), now.Add(left)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rotated = now
	d.own.begin(now.Sub(d.epoch))
	for _, s := range stores {
		d.count.Add(int64(s.len()))
	}
	d.inherit(d.own.adopt(stores))
	return nil
}

// adopt takes over the entries of the first store with the same secret: members of one node keep theirs. It returns the
// other stores. The store must be empty.
func (s *store) adopt(stores []*store) (others []*store) {
	same := slices.IndexFunc(stores, func(o *store) bool { return o.master == s.master })
	if same < 0 {
		return stores
	}
	for i := range s.shards {
		to, from := &s.shards[i], &stores[same].shards[i]
		to.current, to.previous = from.current, from.previous
	}
	return slices.Delete(stores, same, same+1)
}

// aging converts the ages in a file, which are parts of its window and have grown since, to stamps.
type aging struct {
	window, since time.Duration
	now           time.Time
}

func (d *Set) decodeSections(data []byte, sections uint64, a aging) (stores []*store, err error) {
	room := d.limit.Load()
	for range sections {
		var section fileSection
		n, err := binary.Decode(data, binary.LittleEndian, &section)
		if err != nil || section.Count > uint64(len(data)-n)/entrySize {
			return nil, errFormat
		}
		data = data[n:]
		size := int(section.Count) * entrySize
		s := &store{secret: expandSecret(section.Secret), ended: time.Unix(0, section.Ended)}
		room -= d.restore(s, data[:size], a, room)
		if data = data[size:]; s.len() > 0 {
			stores = append(stores, s)
		}
	}
	if len(data) > 0 {
		return nil, errFormat
	}
	return stores, nil
}

// restore puts up to room unexpired entries into a store, and returns their number. They belong to the previous
// generation, except those stamped ahead, and so take no room for longer than they would have without the restart.
func (d *Set) restore(s *store, entries []byte, a aging, room int64) (restored int64) {
	for ; len(entries) > 0 && restored < room; entries = entries[entrySize:] {
		key, e, age := d.aged(entries, a)
		if age > d.window {
			continue
		}
		generation := &s.shards[key%shardCount].previous
		if age < 0 {
			generation = &s.shards[key%shardCount].current
		}
		if generation.put(key, e) {
			restored++
		}
	}
	return restored
}

// aged returns the first of some encoded entries with its stamp, and its age, at least minus one window.
func (d *Set) aged(entries []byte, a aging) (key uint64, e entry, age time.Duration) {
	key = binary.LittleEndian.Uint64(entries)
	e = entry{binary.LittleEndian.Uint64(entries[8:]), binary.LittleEndian.Uint64(entries[16:])}
	age = max(time.Duration(int16(e.tagged))*a.window/ticksPerWindow+a.since, -d.window)
	return key, e.withStamp(d.ticks(a.now) - uint16(int64(age)*ticksPerWindow/int64(d.window))), age
}
