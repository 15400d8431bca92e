package supervisor

import (
	"crypto/tls"
	"net"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor/accept"
)

// proxied wraps ln so that connections of trusted proxies have the address in their PROXY header.
func (l *listener) proxied(ln net.Listener, cfg *TransportConfig) net.Listener {
	if len(cfg.TrustedProxies) == 0 {
		return ln
	}
	return accept.NewProxied(ln, accept.ProxyConfig{
		Trusted: cfg.TrustedProxies,
		Now:     l.node.Running.Now,
		Limits: func() (time.Duration, int) {
			now := l.live.Load()
			_, total := waitingLimits(now, l.descriptors)
			return now.HandshakeTimeout, total
		},
		Refused: func(remote net.Addr, err error) {
			l.node.Counters.Inc(actors.ConnectionsRefused)
			l.node.LimitedLog.Warn("a connection of a trusted proxy has no valid PROXY header",
				"remote", remote.String(), "error", actors.Quote(err.Error()))
		},
	})
}

// acceptedAt returns the time of a connection's accept on the running clock: now, unless a PROXY header was read first.
func (l *listener) acceptedAt(conn net.Conn) time.Time {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	if proxied, ok := conn.(interface{ AcceptedAt() time.Time }); ok {
		return proxied.AcceptedAt()
	}
	return l.node.Running.Now()
}
