package settings

import (
	"slices"
	"testing"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
)

// otherValues returns a value other than the default for each setting of the transport.
var otherValues = map[string]string{
	"listen": "127.0.0.1:1", "ws-path": "/other", "peer": "[10.255.255.1:1]", "trusted-proxy": "[10.0.0.0/8]",
	"max-conns": "50", "max-conns-per-address": "5", "reserved-conns": "3", "max-message-size": "2MiB",
	"ping-interval": "1m", "pong-timeout": "1m", "handshake-timeout": "1m", "write-timeout": "1m",
	"shutdown-timeout": "1m", "rate-burst": "200", "rate-refill": "70", "pace": "off", "dedup-ttl": "1h",
	"session": "require", "session-pq": "true", "announce-agent": "false",
	"max-clock-skew": "1h",
	"tls-cert":       "cert.pem\ntls-key: key.pem", "tls-key": "key.pem\ntls-cert: cert.pem",
}

// The transport accepts exactly the changes that Take reports as changed.
func TestTakeAgreesWithTheTransport(t *testing.T) {
	keys, err := crypto.NewEphemeralNodeManager("node", crypto.RoleDual)
	if err != nil {
		t.Fatal(err)
	}
	s, err := load(t, ScopeNode, nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	cfg := s.Transport
	cfg.ListenAddr = "127.0.0.1:0"
	node, err := supervisor.NewTransport(keys, supervisor.NewPeerRegistry(), cfg)
	if err == nil {
		err = node.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Stop() })
	for name, text := range otherValues {
		_, changed, restart := take(t, "", name+": "+text)
		next, err := load(t, ScopeNode, nil, nil, name+": "+text)
		if err != nil {
			t.Fatal(err)
		}
		if name != "listen" {
			next.Transport.ListenAddr = cfg.ListenAddr
		}
		live, kept, err := node.Reconfigure(t.Context(), next.Transport)
		if err != nil || (len(live) > 0) != (changed != "") || (len(kept) > 0) != (restart != "") ||
			len(live)+len(kept) == 0 {
			t.Errorf("%s: Take reports changed %q, restart %q; the transport %v, %v, %v",
				name, changed, restart, live, kept, err)
		}
		if _, _, err := node.Reconfigure(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
	}
	for _, def := range definitions() { // otherValues must contain each setting of the transport
		other := slices.Contains([]string{
			"data-dir", "config", "output", "name", "role", "auth", "admin", "metrics-per-peer", "events", "log-level",
			"log-format", "admin-pprof", "control-group", "known-peers", "identity", "cluster", "cluster-join", "cluster-name",
			"cluster-secret", "cluster-nats", "cluster-nats-creds", "cluster-public", "cluster-max-conns", "cluster-isolated",
		}, def.name)
		_, known := otherValues[def.name]
		if def.name != "tls-ca" && other == known { // tls-ca needs an existing file
			t.Errorf("%s: give it a value", def.name)
		}
	}
}
