package blackbox

import (
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/sockettest"
)

// clusterMember is one entry of `node members`.
type clusterMember struct {
	Name, Address, State string
	Self                 bool
	Connections, Max     int
	LastHeard            time.Time
}

// sharedNode is a node of several processes.
type sharedNode struct {
	t        *testing.T
	identity string // file
	first    string // address of the first member for others
	members  map[string]*node
}

// newShared makes the identity of a shared node.
func newShared(t *testing.T) *sharedNode {
	t.Helper()
	home := nodetest.NewHome(t)
	s := &sharedNode{t: t, identity: filepath.Join(home, "shared.json"), members: make(map[string]*node)}
	in(t, home, "id", "--identity", s.identity, "--name", "shared").want(t, 0)
	return s
}

// flags returns the flags of a member on free ports.
func (s *sharedNode) flags(name string) []string {
	flags := []string{"--identity", s.identity, "--cluster", "127.0.0.1:0", "--cluster-name", name}
	if s.first != "" {
		flags = append(flags, "--cluster-join", s.first)
	}
	return flags
}

// start starts members one after another.
func (s *sharedNode) start(names ...string) {
	s.t.Helper()
	for _, name := range names {
		s.startAt(name, sockettest.FreeAddress(s.t))
	}
}

// startAt starts a member that listens for peers at an address.
func (s *sharedNode) startAt(name, listen string) {
	s.t.Helper()
	s.members[name] = start(s.t, append(s.flags(name), "--listen", listen)...)
	if s.first == "" {
		s.first = s.list(name)[0].Address
	}
}

// list returns the output of `node members` of a member.
func (s *sharedNode) list(name string) (members []clusterMember) {
	s.t.Helper()
	s.members[name].json(&members, "members")
	return members
}

// awaitStates waits until every member that runs lists these, as "name state".
func (s *sharedNode) awaitStates(want ...string) {
	s.t.Helper()
	for name := range s.members {
		var got []string
		for end := time.Now().Add(patience); !slices.Equal(got, want); {
			if time.Now().After(end) {
				s.t.Fatalf("%s lists %q, want %q", name, got, want)
			}
			got = nil
			for _, m := range s.list(name) {
				got = append(got, m.Name+" "+m.State)
			}
		}
	}
}

// home waits until exactly one member has a peer, and returns its name.
func (s *sharedNode) home(peer string) string {
	s.t.Helper()
	for end := time.Now().Add(patience); ; {
		var homes []string
		for name, n := range s.members {
			var peers []struct {
				ID        string
				Connected bool
			}
			n.json(&peers, "peers", "--member", name)
			for _, p := range peers {
				if p.ID == peer && p.Connected {
					homes = append(homes, name)
				}
			}
		}
		if len(homes) == 1 {
			return homes[0]
		}
		if time.Now().After(end) {
			s.t.Fatalf("the members with the peer are %q", homes)
		}
	}
}

// TestMembersAreOneNode starts three members, and a peer that knows the addresses of two: the first one has its
// connection, and after kill -9 the other one.
func TestMembersAreOneNode(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	s.start("a", "c")
	second := sockettest.FreeAddress(t) // of b, which starts when the peer is connected to a
	peer := start(t, "--peer", s.members["a"].Address(), "--peer", second)
	if home := s.home(peer.ID()); home != "a" {
		t.Fatalf("the home of the peer is %s", home)
	}
	s.startAt("b", second)
	s.awaitStates("a alive", "b alive", "c alive")
	s.checkLists()
	id := peer.ok("send", s.members["a"].ID(), "hello")
	s.members["a"].Await("message", "message.id", id)
	id = s.members["c"].ok("send", peer.ID(), "from another member")
	peer.Await("message", "message.id", id)

	s.members["a"].Kill()
	delete(s.members, "a")
	b := s.members["b"]
	b.Await("peer_verified", "peer", peer.ID())
	id = b.ok("send", peer.ID(), "back")
	peer.Await("message", "message.id", id)
	s.awaitStates("a lost", "b alive", "c alive")
	s.members["c"].Stop() // leaves
	delete(s.members, "c")
	s.awaitStates("a lost", "b alive")
	if home := s.home(peer.ID()); home != "b" {
		t.Errorf("the home of the peer is %s", home)
	}
	r := b.run("drain")
	if r.want(t, 1); !strings.Contains(r.stderr, "no other member is alive") {
		t.Errorf("drain of the last member prints %s", r.stderr)
	}
}

// TestMembersDrain moves a peer by `node drain`, and back by SIGTERM.
func TestMembersDrain(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	s.start("a", "b")
	a, b := s.members["a"], s.members["b"]
	peer := start(t, "--peer", a.Address())
	a.Await("peer_verified", "peer", peer.ID())
	peer.run("connect", b.Address()) // the address is kept; the connection is a duplicate
	var drained struct {
		Member      string
		Done        bool
		Connections int
	}
	a.json(&drained, "drain", "--wait")
	if drained.Member != "a" || !drained.Done {
		t.Errorf("drain prints %+v", drained)
	}
	if e := peer.Await("peer_down", "peer", a.ID()); e.Num("code") != 1001 || e.Fields["remote"] != true {
		t.Errorf("the peer is told %s, want code 1001", e.Line)
	}
	b.Await("peer_verified", "peer", peer.ID())
	s.awaitStates("a draining", "b alive")
	if text := a.run("status").stdout; !strings.Contains(text, "draining: its peers move to other members") {
		t.Errorf("status prints:\n%s", text)
	}
	var status struct {
		State   string
		Members []struct{ State string }
	}
	if b.json(&status, "status"); status.State != "alive" || status.Members[0].State != "draining" {
		t.Errorf("status %+v", status)
	}

	mark := peer.Mark()
	listen := a.Address()
	a.Stop()
	delete(s.members, "a")
	s.first = s.list("b")[0].Address
	s.startAt("a", listen)
	s.awaitStates("a alive", "b alive")
	b.Signal(syscall.SIGTERM)
	if code := b.Wait(); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
	delete(s.members, "b")
	if e := peer.AwaitAfter(mark, "peer_down", "peer", a.ID()); e.Num("code") != 1001 {
		t.Errorf("the peer is told %s, want code 1001", e.Line)
	}
	s.members["a"].Await("peer_verified", "peer", peer.ID())
	s.awaitStates("a alive")
}

// checkLists checks the list of each of three members.
func (s *sharedNode) checkLists() {
	s.t.Helper()
	for name := range s.members {
		for _, m := range s.list(name) {
			if m.Self != (m.Name == name) || m.Max != 100 || time.Since(m.LastHeard).Abs() > patience ||
				!strings.HasPrefix(m.Address, "127.0.0.1:") {
				s.t.Errorf("%s lists %+v", name, m)
			}
		}
		table := s.members[name].ok("members")
		if !strings.Contains(table, name+" (this one)") || strings.Count(table, "alive") != 3 {
			s.t.Errorf("%s prints:\n%s", name, table)
		}
	}
}

// TestMembersRefuse starts processes that must not become members.
func TestMembersRefuse(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	s.start("a")
	refused := func(code int, want string, args ...string) {
		t.Helper()
		home := nodetest.NewHome(t)
		r := in(t, home, append([]string{"run", "--listen", "127.0.0.1:0", "--admin", ""}, args...)...)
		if r.want(t, code); !strings.Contains(r.stderr, want) {
			t.Errorf("%q prints %s", args, r.stderr)
		}
	}
	refused(1, "another member has this name: give each member its own with --cluster-name", s.flags("a")...)
	flags := s.flags("b")
	flags[slices.Index(flags, "127.0.0.1:0")] = s.first
	refused(1, "choose another address, or stop the program that uses this one", flags...)
	flags = s.flags("b")
	flags[slices.Index(flags, "127.0.0.1:0")] = ":0"
	refused(2, "permit this one with --cluster-public", flags...)
	flags = s.flags("b")
	flags[slices.Index(flags, s.identity)] = s.identity + ".missing"
	refused(2, "holds no identity: copy that of another member", flags...)

	// Another key: no route, and a warning on each side.
	foreign := start(t, "--cluster", "127.0.0.1:0", "--cluster-name", "x", "--cluster-join", s.first)
	const warning = "was refused: it is no member"
	foreign.AwaitStderr("a warning", func(text string) bool { return strings.Contains(text, warning) })
	s.members["a"].AwaitStderr("a warning", func(text string) bool { return strings.Contains(text, warning) })
	s.awaitStates("a alive")
	var alone []clusterMember
	if foreign.json(&alone, "members"); len(alone) != 1 || alone[0].Name != "x" {
		t.Errorf("the foreign member lists %+v", alone)
	}
	for _, n := range []*node{foreign, s.members["a"]} {
		if lines := strings.Count(n.Stderr(), warning); lines != 1 {
			t.Errorf("%d warnings, want 1:\n%s", lines, n.Stderr())
		}
	}
}

// TestNodeAloneIsNoMember: without the flags nothing of a cluster runs.
func TestNodeAloneIsNoMember(t *testing.T) {
	t.Parallel()
	n := start(t)
	r := n.run("members")
	if r.want(t, 1); !strings.Contains(r.stderr, "runs without other members: start it with --cluster") {
		t.Errorf("it prints %s", r.stderr)
	}
}

// TestMembersRunAloneWithoutNATS: a NATS server that does not answer delays neither the start nor a peer.
func TestMembersRunAloneWithoutNATS(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	n := start(t, "--identity", s.identity, "--cluster-nats", "nats://"+sockettest.FreeAddress(t), "--cluster-name", "a")
	n.AwaitStderr("a warning", func(text string) bool { return strings.Contains(text, "runs without the others") })
	peer := start(t, "--peer", n.Address())
	n.Await("peer_verified", "peer", peer.ID())
	s.members["a"] = n
	s.awaitStates("a alive")
}
