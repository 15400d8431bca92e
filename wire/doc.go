// Package wire is what two nodes say to each other: the message envelope, the
// payloads of the transport's own message types, the codes in them, and all
// JSON, the plaintext and the header of a sealed frame included (protocol section
// 4). It knows nothing of keys, sockets or actors; package crypto/smsg seals and
// opens the bytes.
//
// "Protocol section N" means docs/protocol.md of this repository.
//
// # Login flow (protocol section 3)
//
// Both messages are plain envelopes in WebSocket text messages, 16 KiB at most:
//
//	initiator                                            responder
//	    | -- handshake ------------------------------------> |
//	    |    HandshakePayload: identity, challenge, version  |
//	    |                                                    | checks version, key, allowlist
//	    | <------------------------------- handshake_ack --- |
//	    |    HandshakeAckPayload: identity,                  |
//	    |    challengeResponse, accepted = true              |
//	    | checks the response                                |
//
// A responder that refuses answers accepted = false with a reason
// ([IncompatibleVersionReason] or [ReasonNotAuthorized]), no challengeResponse,
// and closes. Both payloads may carry features (protocol section 7), which a
// node that does not know them ignores.
//
// # Steady state (protocol section 5)
//
// Every later message travels encrypted. The transport's own types are:
//
//	ping        PingPayload        sent every PingInterval
//	pong        PongPayload        may answer a ping; replyTo = the ping's id
//	disconnect  DisconnectPayload  best effort, just before a close
//	error       ErrorPayload       reports a failure; replyTo = what failed
//
// handshake and handshake_ack are never valid here. All other types belong to
// applications and pass through with their payloads untouched.
//
// # JSON
//
// The envelope is on the path of every message, so [Message.AppendJSON] and
// [Decode] are written by hand, and so are [AppendSealedBody] and
// [DecodeSealedBody], which add the plaintext of a frame around it: no
// reflection, no allocation to write and three to read. Payloads go through [MarshalJSON], which
// leaves all but strings and compact JSON to encoding/json, and
// [Message.ParsePayload].
package wire
