// Package lowest selects the lowest values of a set without an order, for pages of it.
package lowest

import (
	"cmp"
	"slices"
)

// Values collects the lowest values that it has seen, in memory for twice its limit. Not safe for concurrent use.
type Values[T any] struct {
	limit   int
	compare func(a, b T) int
	full    bool
	bound   T // full: higher values are not collected
	values  []T
}

// Of returns an empty collection of at most limit values. Values that compare as equal are collected once.
func Of[T any](limit int, compare func(a, b T) int) *Values[T] {
	return &Values[T]{limit: max(limit, 1), compare: compare}
}

// Add adds a value.
func (l *Values[T]) Add(value T) {
	if l.full && l.compare(value, l.bound) >= 0 {
		return
	}
	l.values = append(l.values, value)
	if len(l.values) >= 2*l.limit {
		l.compact()
	}
}

func (l *Values[T]) compact() {
	slices.SortFunc(l.values, l.compare)
	l.values = slices.CompactFunc(l.values, func(a, b T) bool { return l.compare(a, b) == 0 })
	if len(l.values) >= l.limit {
		clear(l.values[l.limit:])
		l.values = l.values[:l.limit]
		l.full, l.bound = true, l.values[l.limit-1]
	}
}

// Sorted returns the collected values, the lowest first.
func (l *Values[T]) Sorted() []T {
	l.compact()
	return l.values
}

// Keys collects the lowest texts behind a cursor.
type Keys struct {
	after string
	*Values[string]
}

// Behind returns an empty collection of at most limit texts greater than after.
func Behind(after string, limit int) Keys { return Keys{after, Of(limit, cmp.Compare[string])} }

// Add adds a text.
func (k Keys) Add(key string) {
	if key > k.after {
		k.Values.Add(key)
	}
}
