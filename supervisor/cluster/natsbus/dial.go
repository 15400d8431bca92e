package natsbus

import (
	"log/slog"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/Snider/go-p2p/actors"
)

// ExternalOptions are the parameters of Dial. All but Secrets and Credentials are required.
type ExternalOptions struct {
	NodeID      string       // of the identity that the members share
	Key         KeyFunc      // derives keys from the identity key
	Secrets     [][]byte     // mixed into the keys; the first one seals, all are accepted
	URL         string       // nats://host:port or tls://host:port; several with commas
	Credentials string       // file with the credentials of a NATS user; empty: none
	Log         *slog.Logger // gets at most one line a minute of each kind
}

// Dial returns a bus over NATS servers elsewhere. Bodies are sealed; servers see subjects, sizes and times. They can
// drop and delay messages, and cannot replay one: a member accepts messages of another start of a member from when
// that has proven that it runs, which loses the first ones. If no server answers, the bus is without connection, and
// connects when one does. The only errors are of the options.
func Dial(o ExternalOptions) (*Bus, error) {
	keys, err := derive(o.Key, labelSeal, o.Secrets)
	if err != nil {
		return nil, err
	}
	seal, err := newSealer(keys)
	if err != nil {
		return nil, err
	}
	log := actors.NewLimitedLoggerEvery(o.Log, logEvery)
	options := nats.GetDefaultOptions()
	options.Servers = strings.Split(o.URL, ",")
	options.RetryOnFailedConnect = true
	if o.Credentials != "" {
		if err := nats.UserCredentials(o.Credentials)(&options); err != nil {
			return nil, err
		}
	}
	options.ReconnectErrCB = func(_ *nats.Conn, err error) {
		log.Warn("no NATS server answers: this member runs without the others and tries again", "error", err)
	}
	options.DisconnectedErrCB = func(_ *nats.Conn, err error) {
		log.Warn("the connection to NATS is lost: this member runs without the others until it is back", "error", err)
	}
	connected := func(c *nats.Conn) { o.Log.Info("connected to NATS", "server", c.ConnectedUrlRedacted()) }
	options.ConnectedCB, options.ReconnectedCB = connected, connected
	return connect(options, o.NodeID, seal, log)
}
