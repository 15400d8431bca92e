package actors

import "github.com/Snider/go-p2p/wire"

// Format is the frame format of a connection.
type Format struct {
	Session bool   // session/1, else SMSG
	AEAD    string // of the session: its text in the handshake
	KEM     bool   // the keys of the session include ML-KEM-768
}

// String returns "session/1" or "smsg".
func (f Format) String() string {
	if f.Session {
		return wire.FeatureSession
	}
	return "smsg"
}

// Format returns the format of the connection's frames, constant once the connection is open.
func (h *Handle) Format() Format {
	if s := h.session.Load(); s != nil {
		return Format{Session: true, AEAD: s.aead.String(), KEM: s.kem}
	}
	return Format{}
}
