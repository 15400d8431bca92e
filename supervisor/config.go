package supervisor

import (
	"cmp"
	"fmt"
	"math"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// TransportConfig holds the settings of a transport. The zero value of a field selects its default, the value of
// DefaultTransportConfig, with two exceptions: without a ListenAddr the node does not listen, and a RateRefill of 0
// beside a RateBurst turns the rate limit off.
type TransportConfig struct {
	ListenAddr string // host:port; port 0 takes a free one; empty: do not listen
	WSPath     string // of the WebSocket, for listening and for addresses without a path

	// TrustedProxies are the addresses of proxies. Their connections must begin with a PROXY protocol header, version 1 or
	// 2, that holds the address of the peer. Headers on other connections are not read. Empty: no proxy.
	TrustedProxies []netip.Prefix

	MaxConns int // established and in handshake, inbound and outbound
	// MaxConnsPerAddress limits inbound connections from one IPv4 address or IPv6 /64, except loopback. Each of them may
	// be opened four times at once and then every 10 s on average (at least 100 at once and one per second). 0: a quarter
	// of MaxConns; negative: no limit.
	MaxConnsPerAddress int
	ReservedConns      int // of MaxConns, kept free for peers on the allowlist

	MaxMessageSize   int64         // bytes of one WebSocket message
	PingInterval     time.Duration // between pings
	PongTimeout      time.Duration // silence beyond PingInterval that ends a connection
	HandshakeTimeout time.Duration // from the TCP connection to the finished handshake
	WriteTimeout     time.Duration // of one write, which may time out a sixteenth earlier, and of one inbound message
	ShutdownTimeout  time.Duration // for the disconnect messages of Stop

	RateBurst    float64       // tokens of a peer's inbound bucket
	RateRefill   float64       // tokens per second; 0 turns the limit off, unless RateBurst is 0 too
	Pacing       PacingMode    // PacingOn delays messages to the rate limit that the peer announces; zero: PacingOn
	DedupTTL     time.Duration // how long message ids are remembered
	MaxClockSkew time.Duration // between a message's timestamp and the clock, in both directions; 0: DedupTTL

	QueueMessages int   // queued outbound messages for one peer
	QueueBytes    int64 // queued outbound bytes for one peer
	// QueueTotalBytes limits the queued outbound bytes for all peers. Half of it is divided among MaxConns connections; a
	// queue that is larger than its share takes the rest from the other half. An empty queue takes one message in any
	// case. 0: 256 MiB, or four times QueueBytes if that is more.
	QueueTotalBytes int64
	InboundBytes    int64 // queued inbound bytes of one connection

	Session   SessionMode // which peers get session/1 and which SMSG; zero: SessionPin
	SessionPQ bool        // add ML-KEM-768 to the session offers of this node

	// Agent is the software and its version, as in "example 1.2", that peers are told for display: printable ASCII of at
	// most 58 bytes. Empty: peers are told nothing.
	Agent string

	TLSCertPath string // with TLSKeyPath: listen with TLS; the files are read again when they change
	TLSKeyPath  string
	TLSCAPath   string // trusted roots for wss; empty: the system's

	// Peers are the addresses that are kept connected: host:port, ws://… or wss://…. With a pin, ADDR#ID, only the
	// peer of that node ID is accepted there, and it may connect in either direction, unless it is revoked.
	Peers []string
}

// defaultQueueTotal is the default of QueueTotalBytes.
const defaultQueueTotal = 256 << 20

// DefaultTransportConfig returns the defaults: the values of protocol section 6, listening on :9091.
func DefaultTransportConfig() TransportConfig {
	return TransportConfig{
		ListenAddr:       ":9091",
		WSPath:           "/ws",
		MaxConns:         100,
		MaxMessageSize:   1 << 20,
		PingInterval:     30 * time.Second,
		PongTimeout:      10 * time.Second,
		HandshakeTimeout: 10 * time.Second,
		WriteTimeout:     10 * time.Second,
		ShutdownTimeout:  5 * time.Second,
		RateBurst:        100,
		RateRefill:       50,
		DedupTTL:         5 * time.Minute,
		QueueMessages:    4096,
		QueueBytes:       8 << 20,
		InboundBytes:     2 << 20,
	}
}

// ConfigError names the invalid field of a TransportConfig.
type ConfigError struct {
	Field  string
	Reason string
}

func (e *ConfigError) Error() string { return fmt.Sprintf("config: %s: %s", e.Field, e.Reason) }

// Validate returns a *ConfigError for the first invalid field. It checks the default in place of a zero field.
func (c TransportConfig) Validate() error { return c.withDefaults().validate() }

// validate is Validate for a configuration with all defaults.
func (c TransportConfig) validate() error {
	for _, check := range c.checks() {
		if !check.ok {
			return &ConfigError{Field: check.field, Reason: check.reason}
		}
	}
	if c.ListenAddr != "" {
		if _, _, err := net.SplitHostPort(c.ListenAddr); err != nil {
			return &ConfigError{Field: "ListenAddr", Reason: "must be host:port: " + err.Error()}
		}
	}
	for _, prefix := range c.TrustedProxies {
		if !prefix.IsValid() {
			return &ConfigError{Field: "TrustedProxies", Reason: "must be address prefixes: 192.0.2.0/24"}
		}
	}
	return c.validatePeers()
}

// fieldCheck is a condition on one field, and the reason for which a value that breaks it is refused.
type fieldCheck struct {
	field  string
	ok     bool
	reason string
}

// checks returns the conditions on numbers and on short texts.
func (c *TransportConfig) checks() []fieldCheck {
	return []fieldCheck{
		{
			"WSPath", strings.HasPrefix(c.WSPath, "/") && !strings.ContainsAny(c.WSPath, "?# "),
			"must begin with / and hold no query, fragment or space",
		},
		{"MaxConns", c.MaxConns >= 1 && c.MaxConns <= 1<<20, "must be from 1 to 1048576"},
		{"ReservedConns", c.ReservedConns >= 0 && c.ReservedConns < max(c.MaxConns, 1), "must be from 0 to MaxConns-1"},
		{"MaxMessageSize", c.MaxMessageSize >= 1<<10 && c.MaxMessageSize <= 1<<30, "must be from 1 KiB to 1 GiB"},
		{"PingInterval", c.PingInterval > 0, "must be more than 0"},
		{"PongTimeout", c.PongTimeout > 0, "must be more than 0"},
		{"HandshakeTimeout", c.HandshakeTimeout > 0, "must be more than 0"},
		{"WriteTimeout", c.WriteTimeout > 0, "must be more than 0"},
		{"ShutdownTimeout", c.ShutdownTimeout > 0, "must be more than 0"},
		{"RateBurst", c.RateBurst >= 1 && !math.IsInf(c.RateBurst, 0), "must be 1 or more"},
		{"RateRefill", c.RateRefill >= 0 && !math.IsInf(c.RateRefill, 0), "must be 0 (off) or more"},
		{"Pacing", c.Pacing == PacingOn || c.Pacing == PacingOff, "must be PacingOn or PacingOff"},
		{"Session", c.Session.valid(), "must be SessionOff, SessionPrefer, SessionPin or SessionRequire"},
		{"Agent", wire.ValidAgent(c.Agent), "must be printable ASCII of at most 58 bytes"},
		{"DedupTTL", c.DedupTTL >= time.Millisecond, "must be 1ms or more"},
		{"MaxClockSkew", c.MaxClockSkew >= 0, "must be 0 (the dedup TTL) or more"},
		{"QueueMessages", c.QueueMessages >= 1, "must be 1 or more"},
		{"QueueBytes", c.QueueBytes >= 1 && c.QueueBytes <= math.MaxInt32, "must be from 1 byte to 2 GiB"},
		{"QueueTotalBytes", c.QueueTotalBytes >= c.QueueBytes, "must be QueueBytes or more"},
		{"InboundBytes", c.InboundBytes >= 1 && c.InboundBytes <= math.MaxInt32, "must be from 1 byte to 2 GiB"},
		{
			"TLSCertPath", (c.TLSCertPath == "") == (c.TLSKeyPath == ""),
			"TLSCertPath and TLSKeyPath go together: give both or neither",
		},
	}
}

// validatePeers requires that each address is valid and that none is pinned to two node IDs.
func (c *TransportConfig) validatePeers() error {
	pins := make(map[string]string) // node IDs by URL
	for _, address := range c.Peers {
		url, id, err := ParsePinnedAddress(address, c.WSPath)
		switch {
		case err != nil:
			return &ConfigError{Field: "Peers", Reason: err.Error()}
		case id != "" && pins[url] != "" && pins[url] != id:
			return &ConfigError{Field: "Peers", Reason: fmt.Sprintf("%s is pinned to two node IDs", unpinned(address))}
		case id != "":
			pins[url] = id
		}
	}
	return nil
}

// withDefaults returns c with the default in each zero field, and copies of its slices.
func (c TransportConfig) withDefaults() TransportConfig {
	c.Peers, c.TrustedProxies = slices.Clone(c.Peers), slices.Clone(c.TrustedProxies)
	d := DefaultTransportConfig()
	if c.RateBurst == 0 {
		c.RateBurst, c.RateRefill = d.RateBurst, cmp.Or(c.RateRefill, d.RateRefill)
	}
	c.WSPath = cmp.Or(c.WSPath, d.WSPath)
	c.MaxConns = cmp.Or(c.MaxConns, d.MaxConns)
	c.MaxMessageSize = cmp.Or(c.MaxMessageSize, d.MaxMessageSize)
	c.PingInterval = cmp.Or(c.PingInterval, d.PingInterval)
	c.PongTimeout = cmp.Or(c.PongTimeout, d.PongTimeout)
	c.HandshakeTimeout = cmp.Or(c.HandshakeTimeout, d.HandshakeTimeout)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, d.WriteTimeout)
	c.ShutdownTimeout = cmp.Or(c.ShutdownTimeout, d.ShutdownTimeout)
	c.DedupTTL = cmp.Or(c.DedupTTL, d.DedupTTL)
	c.QueueMessages = cmp.Or(c.QueueMessages, d.QueueMessages)
	c.QueueBytes = cmp.Or(c.QueueBytes, d.QueueBytes)
	if c.QueueTotalBytes == 0 {
		c.QueueTotalBytes = max(defaultQueueTotal, 4*c.QueueBytes)
	}
	c.InboundBytes = cmp.Or(c.InboundBytes, d.InboundBytes)
	if c.MaxClockSkew == 0 {
		c.MaxClockSkew = c.DedupTTL
	}
	if c.MaxConnsPerAddress == 0 {
		c.MaxConnsPerAddress = max(2, c.MaxConns/4)
	}
	return c
}

func (c *TransportConfig) limits() actors.Limits {
	return actors.Limits{
		MaxMessageSize: c.MaxMessageSize, PingInterval: c.PingInterval, PongTimeout: c.PongTimeout,
		HandshakeTimeout: c.HandshakeTimeout, WriteTimeout: c.WriteTimeout, MaxClockSkew: c.MaxClockSkew,
		RateBurst: c.RateBurst, RateRefill: c.RateRefill, PaceOff: c.Pacing == PacingOff,
		QueueMessages: c.QueueMessages, QueueBytes: int(c.QueueBytes), InboundBytes: int(c.InboundBytes),
		QueueShare: int(min(c.QueueTotalBytes/2/int64(c.MaxConns), c.QueueBytes)),
		Session:    c.sessionPolicy(),
		Agent:      c.Agent,
	}
}
