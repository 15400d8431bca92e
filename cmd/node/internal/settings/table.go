package settings

import (
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
)

// definition is one row of the table of settings: names, checks and field of a setting.
type definition struct {
	name  string // of the flag, and the key in the file
	env   string
	kind  string // shown in the help
	usage string
	scope Scope

	values []string // all values, for completion; nil: too many to list

	// emptyCounts: an empty environment variable is a value. Otherwise it is ignored.
	emptyCounts bool

	set  func(s *Settings, text string) error // the error names the allowed values
	show func(s *Settings) string
}

// definitions returns all settings in the order of the documentation.
func definitions() []definition {
	all := clientSettings()
	all = append(all, identitySettings()...)
	all = append(all, networkSettings()...)
	all = append(all, sessionSettings()...)
	all = append(all, agentSetting())
	all = append(all, limitSettings()...)
	all = append(all, timingSettings()...)
	all = append(all, processSettings()...)
	all = append(all, accessSettings()...)
	return append(all, clusterSettings()...)
}

func clientSettings() []definition {
	return []definition{
		{
			name: "data-dir", env: "NODE_DATA_DIR", kind: "dir", usage: "identity, peer book and control socket",
			set: func(s *Settings, text string) (err error) {
				if text == "" {
					return mustBe("a directory")
				}
				s.DataDir, err = filepath.Abs(text)
				return err
			}, show: func(s *Settings) string { return s.DataDir },
		},
		{
			name: "config", env: "NODE_CONFIG", kind: "file", usage: "settings file",
			set:  func(*Settings, string) error { return nil }, // see readLayers
			show: func(s *Settings) string { return s.File },
		},
		{
			name: "output", env: "NODE_OUTPUT", kind: "format", usage: "text or json",
			values: []string{OutputText, OutputJSON},
			set: func(s *Settings, text string) error {
				return oneOf(&s.Output, text, OutputText, OutputJSON)
			}, show: func(s *Settings) string { return s.Output },
		},
	}
}

func identitySettings() []definition {
	return []definition{
		identityFile(),
		{
			name: "name", env: "NODE_NAME", kind: "text", scope: ScopeIdentity,
			usage: "name of this node, used when the identity is created",
			set: func(s *Settings, text string) error {
				s.Name = text
				return checkName(text)
			}, show: func(s *Settings) string { return s.Name },
		},
		{
			name: "role", env: "NODE_ROLE", kind: "role", scope: ScopeIdentity,
			values: []string{"controller", "worker", "dual"},
			usage:  "controller, worker or dual, used when the identity is created",
			set: func(s *Settings, text string) (err error) {
				if s.Role, err = crypto.ParseRole(text); err != nil {
					return mustBe("controller, worker or dual")
				}
				return nil
			}, show: func(s *Settings) string { return string(s.Role) },
		},
	}
}

func networkSettings() []definition {
	return []definition{
		{
			name: "listen", env: "NODE_LISTEN", kind: "host:port", scope: ScopeNode, emptyCounts: true,
			usage: "where to accept peers; port 0 takes a free one, empty accepts no peers",
			set: func(s *Settings, text string) error {
				s.Transport.ListenAddr = text
				return checkListen(text)
			}, show: func(s *Settings) string { return s.Transport.ListenAddr },
		},
		{
			name: "ws-path", env: "NODE_WS_PATH", kind: "path", scope: ScopeNode, usage: "path of the WebSocket",
			set: func(s *Settings, text string) error {
				s.Transport.WSPath = text
				return checkPath(text)
			}, show: func(s *Settings) string { return s.Transport.WSPath },
		},
		{
			name: "peer", env: "NODE_PEERS", kind: "address", scope: ScopeNode, emptyCounts: true,
			usage: "host:port, ws://… or wss://…: a peer to keep connected, with #ID to accept only that node ID; " +
				"repeatable",
			set: func(s *Settings, text string) (err error) {
				s.Transport.Peers, err = parseAddresses(text)
				return err
			}, show: func(s *Settings) string { return strings.Join(s.Transport.Peers, ",") },
		},
		{
			name: "auth", env: "NODE_AUTH", kind: "mode", scope: ScopeNode,
			values: []string{"open", "allowlist"},
			usage:  "open or allowlist; if unset, the mode set with 'node auth'",
			set: func(s *Settings, text string) (err error) {
				if s.Auth, err = supervisor.ParseAuthMode(text); err != nil {
					return mustBe("open or allowlist")
				}
				return nil
			}, show: func(s *Settings) string { return s.Auth.String() },
		},
		{
			name: "trusted-proxy", env: "NODE_TRUSTED_PROXY", kind: "cidr", scope: ScopeNode, emptyCounts: true,
			usage: "address prefix of a proxy that sends a PROXY protocol header with the real address; repeatable",
			set: func(s *Settings, text string) (err error) {
				s.Transport.TrustedProxies, err = parsePrefixes(text)
				return err
			}, show: func(s *Settings) string { return showPrefixes(s.Transport.TrustedProxies) },
		},
	}
}

func limitSettings() []definition {
	return []definition{
		count("max-conns", "NODE_MAX_CONNS", "connections at most, pending and outbound ones included", 1,
			func(s *Settings) *int { return &s.Transport.MaxConns }),
		count("max-conns-per-address", "NODE_MAX_CONNS_PER_ADDRESS", "inbound connections at most from one address "+
			"(IPv4, or IPv6 /64); 0 is a quarter of --max-conns, -1 no limit", -1,
			func(s *Settings) *int { return &s.Transport.MaxConnsPerAddress }),
		count("reserved-conns", "NODE_RESERVED_CONNS", "connections of --max-conns kept free for peers on the allowlist", 0,
			func(s *Settings) *int { return &s.Transport.ReservedConns }),
		count("known-peers", "NODE_KNOWN_PEERS", "peers that the peer book holds at most; about 1 KB of disk for each", 1,
			func(s *Settings) *int { return &s.KnownPeers }),
		{
			name: "max-message-size", env: "NODE_MAX_MESSAGE_SIZE", kind: "bytes", scope: ScopeNode,
			usage: "largest WebSocket message, in bytes or with a unit",
			set: func(s *Settings, text string) (err error) {
				s.Transport.MaxMessageSize, err = parseBytes(text)
				return err
			}, show: func(s *Settings) string { return FormatBytes(s.Transport.MaxMessageSize) },
		},
	}
}

func timingSettings() []definition {
	return []definition{
		span("ping-interval", "NODE_PING_INTERVAL", "time between two pings of a connection",
			func(s *Settings) *time.Duration { return &s.Transport.PingInterval }),
		span("pong-timeout", "NODE_PONG_TIMEOUT", "silence beyond the ping interval that ends a connection",
			func(s *Settings) *time.Duration { return &s.Transport.PongTimeout }),
		span("handshake-timeout", "NODE_HANDSHAKE_TIMEOUT", "time for a handshake",
			func(s *Settings) *time.Duration { return &s.Transport.HandshakeTimeout }),
		span("write-timeout", "NODE_WRITE_TIMEOUT", "time for one write to a peer",
			func(s *Settings) *time.Duration { return &s.Transport.WriteTimeout }),
		number("rate-burst", "NODE_RATE_BURST", "messages that a peer may send at once (tokens of the bucket)", 1,
			func(s *Settings) *float64 { return &s.Transport.RateBurst }),
		number("rate-refill", "NODE_RATE_REFILL", "messages that a peer may send a second; 0 turns the limit off", 0,
			func(s *Settings) *float64 { return &s.Transport.RateRefill }),
		{
			name: "pace", env: "NODE_PACE", kind: "mode", scope: ScopeNode, values: []string{"on", "off"},
			usage: "on: sending waits for the rate limit that the receiver announces; " +
				"off: sends at once and counts messagesOverPeerRate",
			set: func(s *Settings, text string) (err error) {
				if s.Transport.Pacing, err = supervisor.ParsePacingMode(text); err != nil {
					return mustBe("on or off")
				}
				return nil
			}, show: func(s *Settings) string { return s.Transport.Pacing.String() },
		},
		span("dedup-ttl", "NODE_DEDUP_TTL", "how long a message's id is remembered",
			func(s *Settings) *time.Duration { return &s.Transport.DedupTTL }),
		span("max-clock-skew", "NODE_MAX_CLOCK_SKEW",
			"largest difference of a message's timestamp from now (default: the dedup TTL)",
			func(s *Settings) *time.Duration { return &s.Transport.MaxClockSkew }),
		span("shutdown-timeout", "NODE_SHUTDOWN_TIMEOUT",
			"time for a graceful shutdown; with --cluster 1m by default",
			func(s *Settings) *time.Duration { return &s.Transport.ShutdownTimeout }),
	}
}

func processSettings() []definition {
	return []definition{
		fileName("tls-cert", "NODE_TLS_CERT", "certificate (PEM), with --tls-key: accept wss://",
			func(s *Settings) *string { return &s.Transport.TLSCertPath }),
		fileName("tls-key", "NODE_TLS_KEY", "private key (PEM) of --tls-cert",
			func(s *Settings) *string { return &s.Transport.TLSKeyPath }),
		fileName("tls-ca", "NODE_TLS_CA", "certificates (PEM) trusted when dialling wss:// (default: the system's)",
			func(s *Settings) *string { return &s.Transport.TLSCAPath }),
		{
			name: "events", env: "NODE_EVENTS", kind: "mode", scope: ScopeNode,
			values: []string{EventsAll, EventsNoPayloads, EventsNone},
			usage:  "what to print: all, no-payloads (messages without their payloads) or none",
			set: func(s *Settings, text string) error {
				return oneOf(&s.Events, text, EventsAll, EventsNoPayloads, EventsNone)
			}, show: func(s *Settings) string { return s.Events },
		},
		{
			name: "admin", env: "NODE_ADMIN", kind: "host:port", scope: ScopeNode, emptyCounts: true,
			usage: "dashboard, metrics and health over HTTP (read-only); empty turns it off",
			set: func(s *Settings, text string) error {
				s.Admin = text
				return checkListen(text)
			}, show: func(s *Settings) string { return s.Admin },
		},
		{
			name: "metrics-per-peer", env: "NODE_METRICS_PER_PEER", kind: "bool", scope: ScopeNode, values: bools(),
			usage: "series of each verified peer in /metrics, of 200 peers at most",
			set: func(s *Settings, text string) (err error) {
				s.MetricsPerPeer, err = parseBool(text)
				return err
			}, show: func(s *Settings) string { return strconv.FormatBool(s.MetricsPerPeer) },
		},
		{
			name: "log-level", env: "NODE_LOG_LEVEL", kind: "level", scope: ScopeNode, usage: "debug, info, warn or error",
			values: []string{"debug", "info", "warn", "error"},
			set:    setLogLevel, show: func(s *Settings) string { return strings.ToLower(s.LogLevel.String()) },
		},
		{
			name: "log-format", env: "NODE_LOG_FORMAT", kind: "format", scope: ScopeNode, usage: "text or json",
			values: []string{"text", "json"},
			set: func(s *Settings, text string) error {
				return oneOf(&s.LogFormat, text, "text", "json")
			}, show: func(s *Settings) string { return s.LogFormat },
		},
	}
}

// count defines a setting with a whole number of least or more.
func count(name, env, usage string, least int, field func(*Settings) *int) definition {
	return definition{
		name: name, env: env, kind: "int", scope: ScopeNode, usage: usage,
		set: func(s *Settings, text string) (err error) {
			*field(s), err = ParseCount(text, least, maxCount)
			return err
		}, show: func(s *Settings) string { return strconv.Itoa(*field(s)) },
	}
}

// number defines a setting with a decimal number of least or more.
func number(name, env, usage string, least float64, field func(*Settings) *float64) definition {
	return definition{
		name: name, env: env, kind: "number", scope: ScopeNode, usage: usage,
		set: func(s *Settings, text string) (err error) {
			*field(s), err = ParseNumber(text, least)
			return err
		}, show: func(s *Settings) string { return strconv.FormatFloat(*field(s), 'f', -1, 64) },
	}
}

// span defines a setting with a duration above 0.
func span(name, env, usage string, field func(*Settings) *time.Duration) definition {
	return definition{
		name: name, env: env, kind: "duration", scope: ScopeNode, usage: usage,
		set: func(s *Settings, text string) (err error) {
			*field(s), err = ParseDuration(text)
			return err
		}, show: func(s *Settings) string { return FormatDuration(*field(s)) },
	}
}

// fileName defines a setting with the name of a file; empty means none.
func fileName(name, env, usage string, field func(*Settings) *string) definition {
	return definition{
		name: name, env: env, kind: "file", scope: ScopeNode, usage: usage, emptyCounts: true,
		set: func(s *Settings, text string) error {
			*field(s) = text
			return nil
		}, show: func(s *Settings) string { return *field(s) },
	}
}
