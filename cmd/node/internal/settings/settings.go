// Package settings loads the configuration of one command: each setting from its flag, its environment variable, the
// settings file or its default, in this order. It checks each value once; errors name the source of the value.
package settings

import (
	"cmp"
	"log/slog"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/supervisor/peerbook"
)

// Source is the source of a setting's value.
type Source string

// The sources in order of precedence. FromPeerBook is the stored mode, which applies only if no other source sets auth.
const (
	FromFlag        Source = "flag"
	FromEnvironment Source = "environment"
	FromFile        Source = "file"
	FromDefault     Source = "default"
	FromPeerBook    Source = "peer book"
)

// Scope selects the settings that a command uses. Load checks no others, so that an invalid listen address does not
// break `node status`.
type Scope int

// Each scope includes the previous ones.
const (
	ScopeClient   Scope = iota // data-dir, config, output
	ScopeIdentity              // settings that create an identity
	ScopeNode                  // settings of a running node
)

// Output formats of every command.
const (
	OutputText = "text"
	OutputJSON = "json"
)

// The events that `node run` prints.
const (
	EventsAll        = "all"
	EventsNoPayloads = "no-payloads" // messages without their payloads
	EventsNone       = "none"
)

// Settings holds the values in force, checked as far as the scope goes.
type Settings struct {
	DataDir string // absolute
	File    string // the settings file that was read, "" if none
	Output  string // OutputText or OutputJSON

	Identity string // file, absolute; empty: in DataDir
	Name     string
	Role     crypto.NodeRole

	Auth           supervisor.AuthMode
	KnownPeers     int // limit of the peer book
	Admin          string
	AdminPprof     bool   // profiles on Admin
	ControlGroup   string // may use the control socket; empty: none
	ControlGroupID int    // number of ControlGroup on this host, or NoGroup
	MetricsPerPeer bool
	Events         string // EventsAll, EventsNoPayloads or EventsNone
	LogLevel       slog.Level
	LogFormat      string
	Transport      supervisor.TransportConfig
	Cluster        Cluster

	sources map[string]Source
	agent   string // announced with announce-agent
}

// Source returns where the named setting's value came from.
func (s *Settings) Source(name string) Source { return s.sources[name] }

// UseStoredAuth sets the mode stored in the peer book, unless another source sets auth.
func (s *Settings) UseStoredAuth(mode supervisor.AuthMode) {
	if s.sources["auth"] != FromDefault {
		return
	}
	s.Auth = mode
	s.sources["auth"] = FromPeerBook
}

// Value is one setting as `node config` shows it. The field Value has the form that the flag accepts.
type Value struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source Source `json:"source"`

	// Waiting is the value that waits for a restart of the running node; absent if none does.
	Waiting *string `json:"waiting,omitempty"`
}

// Values returns every setting in the order of the documentation.
func (s *Settings) Values() []Value {
	var values []Value
	for _, def := range definitions() {
		values = append(values, Value{Name: def.name, Value: def.show(s), Source: s.sources[def.name]})
	}
	return values
}

// defaults returns the settings with their default values.
func defaults(o Options) *Settings {
	s := &Settings{
		DataDir: o.DataDir,
		Output:  OutputText,
		Name:    o.HostName,
		Role:    crypto.RoleDual,
		Auth:    supervisor.PeerAuthOpen,
		Admin:   "127.0.0.1:9092",

		KnownPeers:     peerbook.DefaultKnownPeers,
		ControlGroupID: NoGroup,

		Cluster: Cluster{Name: MemberName(o.HostName)},

		Events:    EventsAll,
		LogLevel:  slog.LevelInfo,
		LogFormat: "text",
		Transport: supervisor.DefaultTransportConfig(),
		sources:   make(map[string]Source),
		agent:     cmp.Or(o.Agent, "go-p2p"),
	}
	s.Transport.Agent = s.agent
	s.Transport.MaxClockSkew = s.Transport.DedupTTL
	return s
}
