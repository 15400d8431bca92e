package accept

import "container/list"

// Waiting is a set of things that wait, by group, longest waiting first. It holds no lock and no clock: the order of
// Add is the order of waiting. The group "" is bounded in total only.
type Waiting[K comparable] struct {
	order  *list.List // of waiter[K], longest waiting first
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

// Add enters key as the one that has waited shortest. If it is in the set already its wait begins anew.
func (w *Waiting[K]) Add(key K, group string) {
	w.Remove(key)
	w.find[key] = w.order.PushBack(waiter[K]{key, group})
	w.groups[group]++
}

// Remove takes key out, and reports whether it was there.
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

// Len returns the size of the set.
func (w *Waiting[K]) Len() int { return w.order.Len() }

// Evict takes out and returns the longest waiting of group if the group has more than each (each < 0: no limit), else
// the longest waiting of all if there are more than total. It is called once after each Add.
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
