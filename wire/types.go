package wire

// MessageType is the type of a message (protocol section 5). The set is open: any non-empty text is a type. The
// transport delivers messages of unknown types without reading their payloads.
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

// Types of applications above the transport (protocol section 5), and MsgChat for programs that exchange plain text.
// The applications define their payloads.
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

// IsDeployedRequest reports whether deployed applications wait for an answer to messages of type t: get_stats,
// get_logs, start_miner, stop_miner and deploy.
func (t MessageType) IsDeployedRequest() bool {
	switch t {
	case MsgGetStats, MsgGetLogs, MsgStartMiner, MsgStopMiner, MsgDeploy:
		return true
	default:
		return false
	}
}
