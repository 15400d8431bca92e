package settings

import (
	"fmt"
	"maps"
	"slices"
)

// restartOnly lists the settings that a running node cannot change, identityOnly those that matter only at the creation
// of the identity. A running node can change all others.
var (
	restartOnly = []string{
		"data-dir", "config", "output", "listen", "trusted-proxy", "ws-path", "dedup-ttl", "max-clock-skew",
		"known-peers", "admin", "admin-pprof", "metrics-per-peer", "control-group", "log-format",
		"identity", "cluster", "cluster-join", "cluster-name", "cluster-secret", "cluster-nats", "cluster-nats-creds",
		"cluster-public", "cluster-max-conns", "cluster-isolated",
	}
	identityOnly = []string{"name", "role"}
)

// Take merges next into s for a running node: settings that can change without a restart come from next, the others
// from s. changed and restart name the settings that differ, of each kind.
func (s *Settings) Take(next *Settings) (merged *Settings, changed, restart []string, err error) {
	taken := *next
	taken.sources = maps.Clone(next.sources)
	for _, def := range definitions() {
		if def.show(s) == def.show(next) || slices.Contains(identityOnly, def.name) {
			continue
		}
		// A mode set by command stays if the file names no mode: a missing line must not open a node.
		silent := def.name == "auth" && next.sources["auth"] == FromDefault
		follows := next.sources[def.name] == FromDefault && s.waitsWith(def.name, next)
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

// waitsWith reports whether the default value of a setting follows another setting, which needs a restart to change.
func (s *Settings) waitsWith(name string, next *Settings) bool {
	return name == "max-clock-skew" || name == "shutdown-timeout" && s.Cluster.Enabled() != next.Cluster.Enabled()
}

// needsRestart reports whether a setting needs a restart to change. The TLS files may change, but not whether TLS is
// on.
func (s *Settings) needsRestart(name string, next *Settings) bool {
	if name == "tls-cert" || name == "tls-key" {
		return (s.Transport.TLSCertPath == "") != (next.Transport.TLSCertPath == "")
	}
	return slices.Contains(restartOnly, name)
}
