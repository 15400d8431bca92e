package settings

import (
	"strconv"

	"github.com/Snider/go-p2p/supervisor"
)

func sessionSettings() []definition {
	return []definition{
		{
			name: "session", env: "NODE_SESSION", kind: "mode", scope: ScopeNode,
			values: []string{"off", "prefer", "pin", "require"},
			usage: "use session/1, which has forward secrecy: off (never), prefer (if the peer offers it), pin (also hold " +
				"messages to a peer that has spoken it and offers it no more) or require (refuse other peers)",
			set: func(s *Settings, text string) (err error) {
				if s.Transport.Session, err = supervisor.ParseSessionMode(text); err != nil {
					return mustBe("off, prefer, pin or require")
				}
				return nil
			}, show: func(s *Settings) string { return s.Transport.Session.String() },
		},
		{
			name: "session-pq", env: "NODE_SESSION_PQ", kind: "bool", scope: ScopeNode, values: bools(),
			usage: "add the post-quantum key exchange ML-KEM-768 to the sessions that this node offers",
			set: func(s *Settings, text string) (err error) {
				s.Transport.SessionPQ, err = parseBool(text)
				return err
			}, show: func(s *Settings) string { return strconv.FormatBool(s.Transport.SessionPQ) },
		},
	}
}

func agentSetting() definition {
	return definition{
		name: "announce-agent", env: "NODE_ANNOUNCE_AGENT", kind: "bool", scope: ScopeNode, values: bools(),
		usage: "tell peers the software of this node and its version",
		set: func(s *Settings, text string) error {
			announce, err := parseBool(text)
			if s.Transport.Agent = ""; announce {
				s.Transport.Agent = s.agent
			}
			return err
		}, show: func(s *Settings) string { return strconv.FormatBool(s.Transport.Agent != "") },
	}
}

func bools() []string { return []string{"true", "false"} }

// Values returns the values that the named setting accepts, for completion, or nil if they are too many to list.
func Values(name string) []string { return byName()[name].values }
