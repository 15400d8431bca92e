package admin

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
)

// fakeMembers are the members of a node, of which a shows the dashboard.
type fakeMembers struct {
	mu     sync.Mutex
	list   []output.Member
	homes  map[string]string
	asked  []string // "member cursor limit" of each question
	answer func(ctx context.Context, member, after string, limit int) (output.Overview, error)
}

func (f *fakeMembers) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeMembers) List() []output.Member {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.list)
}

func (f *fakeMembers) Home(peer string) string { return f.homes[peer] }

func (f *fakeMembers) Overview(ctx context.Context, member, after string, limit int) (output.Overview, error) {
	f.mu.Lock()
	f.asked = append(f.asked, fmt.Sprintf("%s %s %d", member, after, limit))
	answer := f.answer
	f.mu.Unlock()
	return answer(ctx, member, after, limit)
}

// takeAsked returns the questions since the last call, sorted.
func (f *fakeMembers) takeAsked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := f.asked
	f.asked = nil
	slices.Sort(asked)
	return asked
}
