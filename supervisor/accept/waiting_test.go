package accept

import "testing"

func TestWaitingEvictsTheLongest(t *testing.T) {
	type add struct {
		key, group string
		evicted    string // "": none
	}
	for name, c := range map[string]struct {
		each, total int
		adds        []add
	}{
		"group": {2, 9, []add{
			{"a1", "a", ""},
			{"b1", "b", ""},
			{"a2", "a", ""},
			{"a3", "a", "a1"},
			{"a4", "a", "a2"},
			{"b2", "b", ""},
		}},
		"total": {9, 3, []add{
			{"a1", "a", ""},
			{"b1", "b", ""},
			{"c1", "c", ""},
			{"d1", "d", "a1"},
			{"e1", "", "b1"},
		}},
		"group before all": {1, 2, []add{{"a1", "a", ""}, {"b1", "b", ""}, {"b2", "b", "b1"}}},
		"exempt":           {1, 3, []add{{"1", "", ""}, {"2", "", ""}, {"3", "", ""}, {"4", "", "1"}}},
		"no group limit":   {-1, 3, []add{{"1", "a", ""}, {"2", "a", ""}, {"3", "a", ""}, {"4", "a", "1"}}},
	} {
		w := NewWaiting[string]()
		for _, a := range c.adds {
			w.Add(a.key, a.group)
			if got, _ := w.Evict(a.group, c.each, c.total); got != a.evicted {
				t.Errorf("%s: %s evicts %q, want %q", name, a.key, got, a.evicted)
			}
		}
	}
}

func TestWaitingRemovesKeys(t *testing.T) {
	w := NewWaiting[int]()
	w.Add(1, "a")
	w.Add(2, "a")
	w.Add(1, "a") // becomes the newest
	if got, ok := w.Evict("a", 1, 9); got != 2 || !ok {
		t.Errorf("evicts %d, want 2", got)
	}
	if !w.Remove(1) || w.Remove(1) || w.Len() != 0 || len(w.groups) != 0 || len(w.find) != 0 {
		t.Errorf("state is left: %+v", w)
	}
}

func TestShareBoundsDescriptors(t *testing.T) {
	for _, c := range []struct{ want, descriptors, parts, share int }{
		{1024, 0, 4, 1024}, {1024, 40, 4, 10}, {1024, 1 << 20, 4, 1024}, {1024, 8, 4, 4}, {2, 1 << 20, 4, 2},
	} {
		if got := Share(c.want, c.descriptors, c.parts); got != c.share {
			t.Errorf("Share(%d, %d, %d) = %d, want %d", c.want, c.descriptors, c.parts, got, c.share)
		}
	}
}
