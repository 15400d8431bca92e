package wire

// Further features that a node may announce (protocol section 7). A node that
// announces one of them binds every frame to its connection.
const (
	FeatureSession     = "session/1" // negotiated sessions
	FeatureConfirm     = "confirm"   // confirms messages on request
	FeatureRatePrefix  = "rate/"     // then burst, "/" and refill: the inbound limit of the node
	FeatureAgentPrefix = "agent/"    // then software and version, for display
)
