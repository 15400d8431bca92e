package cluster_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// A member that has joined knows nothing of earlier homes and keepers. It asks the others, also when one of those that
// it has asked before leaves.
func TestJoinedMemberAsksAllEarlierHomesAndKeepers(t *testing.T) {
	for name, run := range map[string]func(*rejoin){
		"home before the join": func(j *rejoin) {
			j.deliverAtHome("c")
			j.restart("b")
			j.connect("b")
		},
		"home before the join, nowhere then, connected": func(j *rejoin) {
			j.deliverAtHome("c")
			j.release("c")
			j.restart("b")
			j.connect("b")
		},
		"home before two joins": func(j *rejoin) {
			j.deliverAtHome("c")
			j.restart("b")
			j.restart("a")
			j.connect("a")
		},
		"keeper before the join": func(j *rejoin) {
			j.deliverNowhere("a")
			j.restart("b")
			j.connect("b")
		},
		"keeper before two joins": func(j *rejoin) {
			j.deliverNowhere("a")
			j.add("d")
			j.add("e")
			j.connect("e")
		},
		"home before the join, a member leaves": func(j *rejoin) {
			j.deliverAtHome("c")
			j.moveThroughRestart()
			j.leave("a")
		},
		"home before the join, nowhere then": func(j *rejoin) {
			j.deliverAtHome("c")
			j.release("c")
			j.add("d")
			j.leave("a")
		},
		"home before the join, nowhere, other leave": func(j *rejoin) {
			j.deliverAtHome("c")
			j.release("c")
			j.add("d")
			j.leave("b")
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := &rejoin{world: newWorld(t, 1), authors: peerNames(30)}
				j.start("a", "b", "c")
				run(j)
				j.verify()
			})
		})
	}
}

// rejoin delivers a message of each of some authors, and then again at every member.
type rejoin struct {
	*world
	authors  []string
	messages map[string]*wire.Message
}

func (j *rejoin) deliverAtHome(home string) {
	j.connect(home)
	j.messages = j.receiveFromEach(home, j.authors)
}

func (j *rejoin) deliverNowhere(at string) { j.messages = j.receiveFromEach(at, j.authors) }

func (j *rejoin) connect(home string) {
	for _, author := range j.authors {
		j.members[home].connect(author)
	}
	settle()
}

func (j *rejoin) release(home string) {
	for _, author := range j.authors {
		j.members[home].disconnect(author)
	}
	settle()
}

func (j *rejoin) add(name string) {
	j.start(name)
	time.Sleep(time.Second)
}

func (j *rejoin) leave(name string) {
	j.members[name].engine.Leave()
	delete(j.members, name)
	time.Sleep(time.Second)
}

func (j *rejoin) restart(name string) {
	j.leave(name)
	j.add(name)
}

// moveThroughRestart moves the authors from c to b, restarts b, and connects them to b again.
func (j *rejoin) moveThroughRestart() {
	j.connect("b")
	j.restart("b")
	j.connect("b")
}

func (j *rejoin) verify() {
	for author, msg := range j.messages {
		for name := range j.members {
			j.expectReceived(author+" again", name, "relay", msg, actors.Duplicate)
		}
	}
}
