package supervisor

import (
	"cmp"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
)

func TestAdmitRefusesAtEachLimit(t *testing.T) {
	cfg := DefaultTransportConfig()
	cfg.MaxConns, cfg.MaxConnsPerAddress = 10, 3
	off := cfg
	off.MaxConnsPerAddress = -1
	cases := []struct {
		name    string
		o       occupancy
		cfg     TransportConfig
		limited bool
		want    refusal
	}{
		{"empty", occupancy{}, cfg, true, admitted},
		{"one place left", occupancy{conns: 9}, cfg, true, admitted},
		{"none left", occupancy{conns: 10}, cfg, true, refusedFull},
		{"more than there may be", occupancy{conns: 11}, cfg, false, refusedFull},
		{"address below its limit", occupancy{conns: 5, perAddress: 2}, cfg, true, admitted},
		{"address at its limit", occupancy{conns: 5, perAddress: 3}, cfg, true, refusedAddress},
		{"loopback is not limited", occupancy{conns: 5, perAddress: 9}, cfg, false, admitted},
		{"limit off", occupancy{conns: 5, perAddress: 9}, off, true, admitted},
		{"address at its limit, and full", occupancy{conns: 10, perAddress: 3}, cfg, true, refusedAddress},
		{"rate of the address used up", occupancy{exhausted: true}, cfg, true, refusedRate},
		{"rate used up, and full", occupancy{conns: 10, exhausted: true}, cfg, true, refusedRate},
		{"rate, loopback", occupancy{exhausted: true}, cfg, false, admitted},
		{"rate, limit off", occupancy{exhausted: true}, off, true, admitted},
		{"handlers nearly behind", occupancy{lagging: 63}, cfg, true, admitted},
		{"handlers behind", occupancy{lagging: 64}, cfg, true, refusedLagging},
		{"stopping", occupancy{stopping: true}, cfg, false, refusedStopping},
		{"stopping and full", occupancy{stopping: true, conns: 10}, cfg, false, refusedStopping},
	}
	for _, c := range cases {
		if got := admit(c.o, &c.cfg, c.limited); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestHandshakesAreEvictedInOrder(t *testing.T) {
	at := func(second int) time.Time { return time.Unix(int64(second), 0) }
	order := []handshake{
		{closing: true, perAddress: 1, born: at(9)},
		{perAddress: 3, born: at(5)},
		{perAddress: 3, born: at(6)},
		{perAddress: 1, born: at(1)},
		{perAddress: 1, born: at(2)},
	}
	for i, a := range order {
		for j, b := range order {
			if got, want := a.compare(b), cmp.Compare(i, j); got != want {
				t.Errorf("%+v beside %+v: %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestJudgePeerFollowsTable(t *testing.T) {
	cfg := DefaultTransportConfig()
	cfg.MaxConns, cfg.ReservedConns = 10, 3
	require := cfg
	require.Session = SessionRequire
	good := credentials{authorized: true}
	with := func(change func(*credentials)) credentials {
		c := good
		change(&c)
		return c
	}
	cases := []struct {
		name string
		c    credentials
		want refusal
	}{
		{"stranger", good, admitted},
		{"our own key", with(func(c *credentials) { c.self = true }), "invalid handshake"},
		{"our own key, even listed", with(func(c *credentials) { c.self, c.listed = true, true }), "invalid handshake"},
		{"our own challenge", with(func(c *credentials) { c.reflected = true }), "invalid handshake"},
		{"not authorized", with(func(c *credentials) { c.authorized = false }), "peer not authorized"},
		{"last place for strangers", with(func(c *credentials) { c.unlisted = 6 }), admitted},
		{"the rest is reserved", with(func(c *credentials) { c.unlisted = 7 }), refusedFull},
		{"for those on the allowlist", with(func(c *credentials) { c.unlisted, c.listed = 7, true }), admitted},
	}
	for _, c := range cases {
		if got := judgePeer(c.c, &cfg); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if got := judgePeer(c.c, &require); c.want == admitted && got != "session required" {
			t.Errorf("%s, without a session where one is required: %q", c.name, got)
		} else if c.want != admitted && c.want != refusedFull && got != c.want {
			t.Errorf("%s, where a session is required: %q, want %q", c.name, got, c.want)
		}
		c.c.session = true
		for _, mode := range []SessionMode{SessionOff, SessionPrefer, SessionPin, SessionRequire} {
			any := cfg
			any.Session = mode
			if got := judgePeer(c.c, &any); got != c.want {
				t.Errorf("%s, with a session, mode %s: %q, want %q", c.name, mode, got, c.want)
			}
		}
	}
}

func TestBackoffStaysInBounds(t *testing.T) {
	almost := 1 - 1e-12
	bounds := []time.Duration{
		500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second,
		16 * time.Second, 32 * time.Second, time.Minute, time.Minute,
	}
	for i, bound := range bounds {
		failures := i + 1
		if got := backoff(failures, 0); got != 0 {
			t.Errorf("failure %d: at least %v, want 0 (full jitter)", failures, got)
		}
		if got := backoff(failures, almost); got > bound || got < bound-time.Microsecond {
			t.Errorf("failure %d: at most %v, want %v", failures, got, bound)
		}
		if got := backoff(failures, 0.5); got != bound/2 {
			t.Errorf("failure %d: in the middle %v, want %v", failures, got, bound/2)
		}
	}
	for _, failures := range []int{-1, 0, 1 << 20, math.MaxInt} {
		if got := backoff(failures, almost); got < 0 || got > time.Minute {
			t.Errorf("failure %d: %v", failures, got)
		}
	}
}

func TestConfigErrorsNameTheField(t *testing.T) {
	cases := map[string]func(*TransportConfig){
		"ListenAddr":       func(c *TransportConfig) { c.ListenAddr = "nowhere" },
		"WSPath":           func(c *TransportConfig) { c.WSPath = "ws?x" },
		"MaxConns":         func(c *TransportConfig) { c.MaxConns = -1 },
		"ReservedConns":    func(c *TransportConfig) { c.ReservedConns = 100 },
		"MaxMessageSize":   func(c *TransportConfig) { c.MaxMessageSize = 1023 },
		"PingInterval":     func(c *TransportConfig) { c.PingInterval = -1 },
		"PongTimeout":      func(c *TransportConfig) { c.PongTimeout = -1 },
		"HandshakeTimeout": func(c *TransportConfig) { c.HandshakeTimeout = -1 },
		"WriteTimeout":     func(c *TransportConfig) { c.WriteTimeout = -1 },
		"ShutdownTimeout":  func(c *TransportConfig) { c.ShutdownTimeout = -1 },
		"RateBurst":        func(c *TransportConfig) { c.RateBurst = 0.5 },
		"RateRefill":       func(c *TransportConfig) { c.RateRefill = -1 },
		"Session":          func(c *TransportConfig) { c.Session = 4 },
		"DedupTTL":         func(c *TransportConfig) { c.DedupTTL = time.Microsecond },
		"MaxClockSkew":     func(c *TransportConfig) { c.MaxClockSkew = -1 },
		"QueueMessages":    func(c *TransportConfig) { c.QueueMessages = -1 },
		"QueueBytes":       func(c *TransportConfig) { c.QueueBytes = 1 << 40 },
		"QueueTotalBytes":  func(c *TransportConfig) { c.QueueTotalBytes = 1 << 20 },
		"InboundBytes":     func(c *TransportConfig) { c.InboundBytes = -1 },
		"TLSCertPath":      func(c *TransportConfig) { c.TLSCertPath = "cert.pem" },
		"Peers":            func(c *TransportConfig) { c.Peers = []string{"10.0.0.1:9091", "no port"} },
	}
	for field, spoil := range cases {
		cfg := DefaultTransportConfig()
		spoil(&cfg)
		err, ok := cfg.Validate().(*ConfigError)
		if !ok || err.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if err := DefaultTransportConfig().Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	full := DefaultTransportConfig().withDefaults()
	if full.MaxClockSkew != full.DedupTTL || full.MaxConnsPerAddress != 25 {
		t.Errorf("derived defaults: skew %v, per address %d", full.MaxClockSkew, full.MaxConnsPerAddress)
	}
}

// A program sets only the fields that it needs: zero fields select the default.
func TestZeroConfigMeansDefaults(t *testing.T) {
	full := DefaultTransportConfig()
	full.ListenAddr = "" // the exception
	if got, want := (TransportConfig{}).withDefaults(), full.withDefaults(); !reflect.DeepEqual(got, want) {
		t.Errorf("the zero value becomes\n%+v, want\n%+v", got, want)
	}
	for name, tt := range map[string]struct{ burst, refill, wantBurst, wantRefill float64 }{
		"neither": {0, 0, 100, 50}, "burst alone: no limit": {7, 0, 7, 0}, "refill alone": {0, 7, 100, 7},
		"both": {7, 8, 7, 8},
	} {
		cfg := TransportConfig{RateBurst: tt.burst, RateRefill: tt.refill}.withDefaults()
		if cfg.RateBurst != tt.wantBurst || cfg.RateRefill != tt.wantRefill {
			t.Errorf("%s: burst %v, refill %v", name, cfg.RateBurst, cfg.RateRefill)
		}
	}
	if err := (TransportConfig{}).Validate(); err != nil {
		t.Errorf("the zero value: %v", err)
	}
}

func TestDirectionPrintsText(t *testing.T) {
	if actors.Inbound.String() != "inbound" || actors.Outbound.String() != "outbound" {
		t.Error("directions have other names")
	}
}
