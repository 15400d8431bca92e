package accept

import "container/list"

// Waiting is a set of waiting keys, ordered by the time of Add and counted per group. It has no lock and no clock. The
// group "" is limited in total only.
type Waiting[K comparable] struct {
	order  *list.List // of waiter[K], oldest first
	find   map[K]*list.Element
	groups map[string]int
}

type waiter[K comparable] struct {
	key   K
	group string
}

// NewWaiting returns an empty set.
func NewWaiting[K comparable]() *Waiting[K] {
	return &Waiting[K]{order: list.New(), find: make(map[K]*list.Element), groups: make(map[string]int)}
}

// Add adds key as the newest. A key that is in the set already becomes the newest.
func (w *Waiting[K]) Add(key K, group string) {
	w.Remove(key)
	w.find[key] = w.order.PushBack(waiter[K]{key, group})
	w.groups[group]++
}

// Remove removes key. It returns false if key is not in the set.
func (w *Waiting[K]) Remove(key K) bool {
	at, known := w.find[key]
	if !known {
		return false
	}
	group := w.order.Remove(at).(waiter[K]).group
	delete(w.find, key)
	if w.groups[group]--; w.groups[group] == 0 {
		delete(w.groups, group)
	}
	return true
}

// Len returns the number of keys.
func (w *Waiting[K]) Len() int { return w.order.Len() }

// Evict removes and returns the oldest key of group if the group has more than each (each < 0: no limit), or else the
// oldest key of all if the set has more than total. Call it once after each Add.
func (w *Waiting[K]) Evict(group string, each, total int) (key K, evicted bool) {
	var victim *list.Element
	switch {
	case group != "" && each >= 0 && w.groups[group] > each:
		for victim = w.order.Front(); victim.Value.(waiter[K]).group != group; victim = victim.Next() {
		}
	case w.order.Len() > total:
		victim = w.order.Front()
	default:
		return key, false
	}
	key = victim.Value.(waiter[K]).key
	w.Remove(key)
	return key, true
}
