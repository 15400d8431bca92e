// Package wire defines the messages that two nodes exchange: the envelope, the payloads of the transport's own message
// types, their codes, and all JSON, including plaintext and header of a sealed frame (protocol section 4). It does not
// handle keys, sockets or actors; package crypto/smsg seals and opens the bytes.
//
// "Protocol section N" means docs/protocol.md of this repository.
//
// # Login flow (protocol section 3)
//
// Both messages are plain envelopes in WebSocket text messages of at most 16 KiB:
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
// A responder that refuses the peer answers accepted = false with a reason ([IncompatibleVersionReason] or
// [ReasonNotAuthorized]) and without challengeResponse, then closes. Both payloads can contain features (protocol
// section 7); nodes ignore features that they do not know.
//
// # Steady state (protocol section 5)
//
// All later messages are encrypted. The transport's own types are:
//
//	ping        PingPayload        sent every PingInterval
//	pong        PongPayload        may answer a ping; replyTo = the ping's id
//	disconnect  DisconnectPayload  best effort, just before a close
//	error       ErrorPayload       reports a failure; replyTo = the failed message
//
// handshake and handshake_ack are never valid here. All other types belong to applications; the transport does not read
// their payloads.
//
// # Sessions (protocol section 9)
//
// [SessionOffer] and [SessionAnswer] negotiate a session in the handshake. Its records contain messages in a binary
// form or as JSON: [AppendMessage] and [RecordDecoder]. Package crypto/session seals and opens the records.
//
// # JSON
//
// [Message.AppendJSON] and [Decode] process the envelope of every message without reflection: no allocation to write,
// three to read. [AppendSealedBody] and [DecodeSealedBody] do the same for the plaintext of a frame around it.
// Payloads go through [MarshalJSON], which uses encoding/json for all values except strings and compact JSON, and
// [Message.ParsePayload].
package wire
