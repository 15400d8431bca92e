package clusterlab

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/sockettest"
)

const patience = nodetest.Patience

// cluster is a node of several processes.
type cluster struct {
	t        testing.TB
	identity string            // file
	id       string            // of the node
	listen   map[string]string // addresses for peers, by member
	joins    map[string]string // addresses for members, by member; empty: an external NATS
	nats     string            // URL
	homes    map[string]string
	under    map[string][]string // command that executes the member
	binary   map[string]string
	env      map[string][]string
	flags    []string // of every member
	names    []string
	members  map[string]*nodetest.Process // that run
}

// newCluster makes a node with these members. None runs.
func newCluster(t testing.TB, names ...string) *cluster {
	t.Helper()
	home := nodetest.NewHome(t)
	c := &cluster{
		t: t, identity: filepath.Join(home, "shared.json"), names: names,
		listen: map[string]string{}, joins: map[string]string{}, homes: map[string]string{},
		under: map[string][]string{}, binary: map[string]string{}, env: map[string][]string{},
		members: map[string]*nodetest.Process{},
	}
	o := nodetest.ProcessOptions{Home: home}
	r := nodetest.RunCommand(t, o, "id", "--identity", c.identity, "--name", "shared", "--data-dir", home)
	if r.Code != 0 {
		t.Fatalf("node id: %s", r.Stderr)
	}
	for _, name := range names {
		c.listen[name], c.joins[name] = sockettest.FreeAddress(t), sockettest.FreeAddress(t)
		c.homes[name] = nodetest.NewHome(t)
	}
	return c
}

// start starts members, one after another.
func (c *cluster) start(names ...string) {
	c.t.Helper()
	for _, name := range names {
		flags := append(c.memberFlags(name), "--stdin")
		o := nodetest.ProcessOptions{Home: c.homes[name], Under: c.under[name], Binary: c.binary[name], Env: c.env[name]}
		c.members[name] = nodetest.StartProcess(c.t, o, flags...)
		c.id = c.members[name].ID()
	}
}

// memberFlags returns the flags of a member.
func (c *cluster) memberFlags(name string) []string {
	flags := slices.Concat([]string{
		"--identity", c.identity, "--cluster-name", name, "--listen", c.listen[name],
	}, c.flags)
	if c.nats != "" {
		return append(flags, "--cluster-nats", c.nats)
	}
	flags = append(flags, "--cluster", c.joins[name])
	for _, other := range c.names {
		if other != name {
			flags = append(flags, "--cluster-join", c.joins[other])
		}
	}
	return flags
}

// kill ends a member with signal 9.
func (c *cluster) kill(name string) {
	c.members[name].Kill()
	delete(c.members, name)
}

// running returns the names of the members that run.
func (c *cluster) running() []string { return slices.Sorted(maps.Keys(c.members)) }

// ask runs a command against a member and decodes its output.
func (c *cluster) ask(name string, into any, args ...string) {
	c.t.Helper()
	r := c.members[name].Run(append(args, "--output", "json")...)
	if err := json.Unmarshal([]byte(r.Stdout), into); err != nil {
		c.t.Fatalf("%s: %q: %v: %s%s", name, args, err, r.Stdout, r.Stderr)
	}
}

// states returns the members that a member lists, as "name state".
func (c *cluster) states(name string) (list []string) {
	c.t.Helper()
	var members []struct{ Name, State string }
	c.ask(name, &members, "members")
	for _, m := range members {
		list = append(list, m.Name+" "+m.State)
	}
	return list
}

// awaitStates waits until a member lists these.
func (c *cluster) awaitStates(name string, want ...string) (took time.Duration) {
	c.t.Helper()
	return c.await(fmt.Sprintf("%s to list %q", name, want), func() string {
		if got := c.states(name); !slices.Equal(got, want) {
			return fmt.Sprintf("%q", got)
		}
		return ""
	})
}

// awaitAll waits until every member that runs lists all of them as alive.
func (c *cluster) awaitAll() (took time.Duration) {
	c.t.Helper()
	var want []string
	for _, name := range c.running() {
		want = append(want, name+" alive")
	}
	return c.await(fmt.Sprintf("all to list %q", want), func() string {
		for _, name := range c.running() {
			got := slices.DeleteFunc(c.states(name), func(s string) bool { return strings.HasSuffix(s, " lost") })
			if !slices.Equal(got, want) {
				return fmt.Sprintf("%s lists %q", name, got)
			}
		}
		return ""
	})
}

// await asks until nothing is missing, and returns the time that it took.
func (c *cluster) await(what string, missing func() string) (took time.Duration) {
	c.t.Helper()
	for began := time.Now(); ; {
		text := missing()
		if took = time.Since(began); text == "" {
			return took
		}
		if took > patience {
			c.t.Fatalf("waited %v for %s; last: %s", took.Round(time.Millisecond), what, text)
		}
	}
}

// owned returns the peers that are connected to a member.
func (c *cluster) owned(name string) (ids []string) {
	c.t.Helper()
	var peers []struct {
		ID        string
		Connected bool
	}
	c.ask(name, &peers, "peers", "--member", name, "--connected")
	for _, p := range peers {
		ids = append(ids, p.ID)
	}
	return ids
}

// homesOf returns the members to which each peer is connected, asked one by one.
func (c *cluster) homesOf() map[string][]string {
	c.t.Helper()
	homes := make(map[string][]string)
	for _, name := range c.running() {
		for _, id := range c.owned(name) {
			homes[id] = append(homes[id], name)
		}
	}
	return homes
}

// awaitHomes waits until each of these peers is connected to exactly one member, all members that run name it as
// the peer's, and returns it by peer.
func (c *cluster) awaitHomes(ids ...string) (found map[string]string, took time.Duration) {
	c.t.Helper()
	took = c.await("one home of each peer", func() string {
		found = make(map[string]string)
		homes := c.homesOf()
		for _, id := range ids {
			if len(homes[id]) != 1 {
				return fmt.Sprintf("%s is connected to %q", id, homes[id])
			}
			found[id] = homes[id][0]
		}
		return c.disagreement(found)
	})
	return found, took
}

// disagreement compares the homes with those that each member shows.
func (c *cluster) disagreement(homes map[string]string) string {
	c.t.Helper()
	for _, name := range c.running() {
		var peers []struct {
			ID, Member string
			Connected  bool
		}
		c.ask(name, &peers, "peers", "--connected")
		for _, p := range peers {
			if home, ok := homes[p.ID]; ok && p.Member != home {
				return fmt.Sprintf("%s names %q as the home of %s, not %q", name, p.Member, p.ID, home)
			}
		}
	}
	return ""
}

// beacons are messages that members send to a peer until it has received one of each. They show when the peer is
// reachable from each of them.
type beacons struct {
	c    *cluster
	peer *nodetest.Process
	mark int
	stop chan struct{}
	wait sync.WaitGroup
	kind string
}

// beacon starts them for the members that run. kind must be new.
func (c *cluster) beacon(peer *nodetest.Process, kind string) *beacons {
	b := &beacons{c: c, peer: peer, mark: peer.Mark(), stop: make(chan struct{}), kind: kind}
	for _, name := range c.running() {
		m, line := c.members[name], fmt.Sprintf(`{"to":%q,"type":%q,"payload":{}}`, peer.ID(), kind+"-"+name)
		b.wait.Go(func() {
			for tick := time.NewTicker(100 * time.Millisecond); ; {
				select {
				case <-b.stop:
					tick.Stop()
					return
				case <-tick.C:
					m.WriteLines(line)
				}
			}
		})
	}
	return b
}

// await waits until the peer has a message of each member, and ends the messages.
func (b *beacons) await() {
	b.c.t.Helper()
	defer b.wait.Wait()
	defer close(b.stop)
	for _, name := range b.c.running() {
		b.peer.AwaitAfter(b.mark, "message", "message.type", b.kind+"-"+name)
	}
}

// spread formats minimum, median and maximum.
func spread(all []time.Duration) string {
	sorted := slices.Sorted(slices.Values(all))
	round := func(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }
	return fmt.Sprintf("min %v, median %v, max %v of %d",
		round(sorted[0]), round(sorted[len(sorted)/2]), round(sorted[len(sorted)-1]), len(sorted))
}

// lastLine returns the last line of a text.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
