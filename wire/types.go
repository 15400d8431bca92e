package wire

// MessageType is the type of a message (protocol section 5). The set is open: any non-empty text is a type. The transport
// delivers messages of unknown types without reading their payloads.
type MessageType string

// The transport's own types (protocol section 5).
const (
	// MsgHandshake opens a connection; payload [HandshakePayload]. Never valid
	// after the handshake.
	MsgHandshake MessageType = "handshake"
	// MsgHandshakeAck answers a handshake; payload [HandshakeAckPayload]. Never
	// valid after the handshake.
	MsgHandshakeAck MessageType = "handshake_ack"
	// MsgPing checks that the peer is alive; payload [PingPayload].
	MsgPing MessageType = "ping"
	// MsgPong answers a ping; payload [PongPayload], ReplyTo the ping's ID. A
	// deployed node may never send it.
	MsgPong MessageType = "pong"
	// MsgDisconnect announces a close; payload [DisconnectPayload].
	MsgDisconnect MessageType = "disconnect"
	// MsgError reports that a request failed; payload [ErrorPayload], ReplyTo
	// the request's ID.
	MsgError MessageType = "error"
)

// Types of applications above the transport (protocol section 5), and MsgChat for programs that exchange plain text. The
// applications define their payloads.
const (
	MsgGetStats   MessageType = "get_stats"
	MsgStats      MessageType = "stats"
	MsgStartMiner MessageType = "start_miner"
	MsgStopMiner  MessageType = "stop_miner"
	MsgMinerAck   MessageType = "miner_ack"
	MsgDeploy     MessageType = "deploy"
	MsgDeployAck  MessageType = "deploy_ack"
	MsgGetLogs    MessageType = "get_logs"
	MsgLogs       MessageType = "logs"
	MsgChat       MessageType = "chat"
)

// knownType returns the constant that equals name, so that messages of a known
// type share its text, and whether there is one.
//
// A switch, because it needs no table in memory and no allocation for the
// conversion of name.
func knownType(name []byte) (MessageType, bool) {
	switch string(name) {
	case string(MsgHandshake):
		return MsgHandshake, true
	case string(MsgHandshakeAck):
		return MsgHandshakeAck, true
	case string(MsgPing):
		return MsgPing, true
	case string(MsgPong):
		return MsgPong, true
	case string(MsgDisconnect):
		return MsgDisconnect, true
	case string(MsgError):
		return MsgError, true
	case string(MsgGetStats):
		return MsgGetStats, true
	case string(MsgStats):
		return MsgStats, true
	case string(MsgStartMiner):
		return MsgStartMiner, true
	case string(MsgStopMiner):
		return MsgStopMiner, true
	case string(MsgMinerAck):
		return MsgMinerAck, true
	case string(MsgDeploy):
		return MsgDeploy, true
	case string(MsgDeployAck):
		return MsgDeployAck, true
	case string(MsgGetLogs):
		return MsgGetLogs, true
	case string(MsgLogs):
		return MsgLogs, true
	case string(MsgChat):
		return MsgChat, true
	}
	return "", false
}
