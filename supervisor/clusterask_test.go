package supervisor

import (
	"context"
	"testing"
)

// Questions of other members arrive until the cluster has been left, which is after the end of all goroutines.
func TestStoppedMemberAnswersNoQuestion(t *testing.T) {
	transport := newTransport(t, NewPeerRegistry())
	asked := 0
	transport.OnAsk(func(context.Context, []byte) ([]byte, error) {
		asked++
		return []byte("answer"), nil
	})
	if err := transport.Start(); err != nil {
		t.Fatal(err)
	}
	if err := transport.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, question := range []string{"question", resolveQuestion + "bob"} {
		answered := make(chan error, 1)
		clusterLocal{transport}.Answer([]byte(question), func(_ []byte, err error) { answered <- err })
		if err := <-answered; err == nil {
			t.Errorf("%s: answered after Stop", question)
		}
	}
	if asked != 0 {
		t.Errorf("the program was asked %d times", asked)
	}
}
