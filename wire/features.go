package wire

import "strings"

// Further features that a node can announce (protocol section 7). A node that announces any of them binds each frame to
// its connection.
const (
	FeatureSession     = "session/1" // negotiated sessions
	FeatureConfirm     = "confirm"   // confirms messages: ConfirmPing
	FeatureRatePrefix  = "rate/"     // followed by BURST/REFILL, the inbound limit of the node
	FeatureAgentPrefix = "agent/"    // followed by software and version, for display
)

// Agent returns the software and version that a feature list announces, or "". It is a claim, for display only.
func Agent(features []string) string {
	for _, f := range features {
		if agent, found := strings.CutPrefix(f, FeatureAgentPrefix); found {
			return agent
		}
	}
	return ""
}

// ValidAgent reports whether a text can be announced as the agent: printable ASCII of at most 58 bytes.
func ValidAgent(text string) bool { return text == "" || ValidFeature(FeatureAgentPrefix+text) }
