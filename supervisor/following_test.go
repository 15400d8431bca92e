package supervisor

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
)

// TestFollowingKeepsOrder checks which messages wait for broadcasts, and when they go on. A step is a message, by its
// first letter, or the number of the last finished broadcast. The result lists the messages processed by then.
func TestFollowingKeepsOrder(t *testing.T) {
	for _, c := range []struct{ steps, want string }{
		{"S", "S"},
		{"B", "B"},
		{"BB", "BB"},              // broadcasts do not wait for broadcasts
		{"BS", "B"},               // a Send waits
		{"BQ", "BQ"},              // a question does not
		{"BS1", "BS"},             //
		{"BBS1", "BB"},            // for all broadcasts before it
		{"BBS12", "BBS"},          //
		{"BSB", "B"},              // a later broadcast waits for the Send
		{"BSB1", "BSB"},           // which waits for the first only
		{"BSBS1", "BSB"},          // the second Send waits for the second broadcast
		{"BSBS12", "BSBS"},        //
		{"BSBBSD1", "BSBB"},       //
		{"BSBBSD123", "BSBBSD"},   //
		{"BSQ1S", "BQSS"},         // nothing waits any more
		{"BSSB1SQB2S", "BSSBQSB"}, // the last Send waits for the third broadcast
	} {
		f, got := following{}, ""
		process := func(message any) {
			switch message.(type) {
			case *Broadcast:
				f.accepted++
				got += "B"
			case *Send:
				got += "S"
			case *Disconnect:
				got += "D"
			default:
				got += "Q"
			}
		}
		for _, step := range c.steps {
			var message any
			switch step {
			case 'B':
				message = &Broadcast{}
			case 'S':
				message = &Send{}
			case 'D':
				message = &Disconnect{}
			case 'Q':
				message = &getCounts{}
			default:
				f.finished = uint64(step - '0')
			}
			for next, found := f.next(); found; next, found = f.next() {
				process(next.message)
			}
			if message != nil && !f.keep(message, nil) {
				process(message)
			}
		}
		if got != c.want {
			t.Errorf("%s: processed %s, want %s", c.steps, got, c.want)
		}
	}
}

// TestRouteTableAgreesWithMap compares the route table with a map over random changes, and requires a snapshot to keep
// the routes of its moment.
func TestRouteTableAgreesWithMap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	table, model := newRouteTable(), make(map[string]*PeerConnection)
	var snapshot routes
	var want map[string]*PeerConnection
	check := func(step int, conns []*PeerConnection, model map[string]*PeerConnection) {
		found := make(map[string]*PeerConnection)
		for _, c := range conns {
			found[c.peer.ID] = c
		}
		if len(conns) != len(model) || !maps.Equal(found, model) {
			t.Fatalf("step %d: %d routes, want %d", step, len(conns), len(model))
		}
	}
	for step := range 5000 {
		id := fmt.Sprint(random.IntN(20))
		switch random.IntN(4) {
		case 0, 1:
			model[id] = &PeerConnection{peer: Peer{ID: id}}
			table.set(id, model[id], nil)
		case 2:
			delete(model, id)
			if random.IntN(2) == 0 {
				table.remove(id)
			} else {
				table.setUnverified(id, false)
			}
		default:
			check(step, snapshot.conns, want)
			snapshot, want = table.snapshot(), maps.Clone(model)
		}
		check(step, table.conns, model)
		if table.get(id) != model[id] || table.len() != len(model) {
			t.Fatalf("step %d: route %v, want %v", step, table.get(id), model[id])
		}
	}
}
