package wire

// Further features that a node can announce (protocol section 7). A node that announces any of them binds each frame to
// its connection.
const (
	FeatureSession     = "session/1" // negotiated sessions
	FeatureConfirm     = "confirm"   // confirms messages on request
	FeatureRatePrefix  = "rate/"     // followed by BURST/REFILL, the inbound limit of the node
	FeatureAgentPrefix = "agent/"    // followed by software and version, for display
)
