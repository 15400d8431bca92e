// Package settings finds the configuration in force for one command: each setting from its flag, else its environment
// variable, else the settings file, else its default, checked once and with errors that name where the value came from.
package settings

import (
	"log/slog"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
)

// Source says where the value of a setting came from.
type Source string

// The sources, the strongest first. A stored mode of the peer book counts only where --auth is given nowhere.
const (
	FromFlag        Source = "flag"
	FromEnvironment Source = "environment"
	FromFile        Source = "file"
	FromDefault     Source = "default"
	FromPeerBook    Source = "peer book"
)

// Scope says which settings a command uses, and so which are checked: a bad listen address must not keep anybody from
// asking a running node for its status.
type Scope int

// Each scope includes the ones before it.
const (
	ScopeClient   Scope = iota // data-dir, config, output
	ScopeIdentity              // and what makes an identity
	ScopeNode                  // and everything that a running node uses
)

// Output formats of every command.
const (
	OutputText = "text"
	OutputJSON = "json"
)

// Settings are the values in force, all of them checked as far as the scope goes.
type Settings struct {
	DataDir string // absolute
	File    string // the settings file that was read, "" when there was none
	Output  string // OutputText or OutputJSON

	Name string
	Role crypto.NodeRole

	Auth           supervisor.AuthMode
	Admin          string
	MetricsPerPeer bool
	LogLevel       slog.Level
	LogFormat      string
	Transport      supervisor.TransportConfig

	sources map[string]Source
}

// Source returns where the named setting's value came from.
func (s *Settings) Source(name string) Source { return s.sources[name] }

// UseStoredAuth puts the mode kept in the peer book in force, unless --auth is given somewhere.
func (s *Settings) UseStoredAuth(mode supervisor.AuthMode) {
	if s.sources["auth"] != FromDefault {
		return
	}
	s.Auth = mode
	s.sources["auth"] = FromPeerBook
}

// Value is one setting as `node config` shows it. Value has the form that the flag takes.
type Value struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source Source `json:"source"`
}

// Values returns every setting in the order of the documentation.
func (s *Settings) Values() []Value {
	var values []Value
	for _, def := range definitions() {
		values = append(values, Value{Name: def.name, Value: def.show(s), Source: s.sources[def.name]})
	}
	return values
}

// defaults are the values that hold when nothing else is said.
func defaults(o Options) *Settings {
	s := &Settings{
		DataDir:   o.DataDir,
		Output:    OutputText,
		Name:      o.HostName,
		Role:      crypto.RoleDual,
		Auth:      supervisor.PeerAuthOpen,
		Admin:     "127.0.0.1:9092",
		LogLevel:  slog.LevelInfo,
		LogFormat: "text",
		Transport: supervisor.DefaultTransportConfig(),
		sources:   make(map[string]Source),
	}
	s.Transport.MaxClockSkew = s.Transport.DedupTTL
	return s
}
