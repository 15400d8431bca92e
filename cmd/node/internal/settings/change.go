package settings

import (
	"fmt"
	"maps"
	"slices"
)

// restartOnly are the settings that a running node cannot take over; identityOnly are looked at when an identity is
// made, and never again. All others it can.
var (
	restartOnly  = []string{"data-dir", "config", "output", "listen", "trusted-proxy", "ws-path", "dedup-ttl", "max-clock-skew", "admin", "metrics-per-peer", "log-format"}
	identityOnly = []string{"name", "role"}
)

// Take returns what a running node that has s makes of next: the settings that can change are next's, the others stay.
// changed and restart are the names of those that differ, by whether they are taken over.
func (s *Settings) Take(next *Settings) (merged *Settings, changed, restart []string, err error) {
	taken := *next
	taken.sources = maps.Clone(next.sources)
	for _, def := range definitions() {
		if def.show(s) == def.show(next) || slices.Contains(identityOnly, def.name) {
			continue
		}
		// A mode that was set by command stays when the file no longer says one: it is not for a file's silence to open
		// a node.
		silent := def.name == "auth" && next.sources["auth"] == FromDefault
		// Who follows the dedup TTL must not run ahead of it.
		follows := def.name == "max-clock-skew" && next.sources[def.name] == FromDefault
		if !silent && !follows && !s.needsRestart(def.name, next) {
			changed = append(changed, def.name)
			continue
		}
		if err := def.set(&taken, def.show(s)); err != nil {
			return nil, nil, nil, fmt.Errorf("keep %s: %w", def.name, err)
		}
		taken.sources[def.name] = s.sources[def.name]
		if !silent && !follows {
			restart = append(restart, def.name)
		}
	}
	return &taken, changed, restart, nil
}

// needsRestart reports whether a setting can change only with a restart. TLS files can be others, but TLS is on or off
// from the start.
func (s *Settings) needsRestart(name string, next *Settings) bool {
	if name == "tls-cert" || name == "tls-key" {
		return (s.Transport.TLSCertPath == "") != (next.Transport.TLSCertPath == "")
	}
	return slices.Contains(restartOnly, name)
}
