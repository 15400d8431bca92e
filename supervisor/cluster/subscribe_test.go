package cluster

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
)

// A Leave that runs while Join subscribes leaves no subscription.
func TestLeaveDuringJoinEndsAllSubscriptions(t *testing.T) {
	for at := 1; at <= 8; at++ { // the subscription during which Leave runs
		synctest.Test(t, func(t *testing.T) {
			bus := &leavingBus{at: at}
			e := New(bus, Options{Name: "self", NodeID: "node", Boot: 9, Log: slog.New(slog.DiscardHandler)})
			defer e.opts.System.Shutdown()
			bus.leave = e.Leave
			if err := e.Join(context.Background(), &recordingLocal{}); !errors.Is(err, ErrLeft) {
				t.Errorf("Leave during subscription %d: Join returns %v", at, err)
			}
			if bus.begun != at || bus.open != 0 {
				t.Errorf("Leave during subscription %d: %d were begun, %d are left", at, bus.begun, bus.open)
			}
		})
	}
}

// leavingBus counts the subscriptions, and calls leave during one of them.
type leavingBus struct {
	recordingBus
	at          int
	leave       func()
	begun, open int
}

func (b *leavingBus) Subscribe(string, func(Delivery)) (cancel func(), err error) {
	b.begun++
	b.open++
	if b.begun == b.at {
		b.leave()
	}
	return func() { b.open-- }, nil
}
