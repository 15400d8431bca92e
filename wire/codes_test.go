package wire

import (
	"slices"
	"strings"
	"testing"
)

func TestDisconnectCodesMatchTheProtocol(t *testing.T) {
	for code, want := range map[DisconnectCode]string{
		1000: "normal", 1001: "going away", 1002: "protocol error", 1003: "idle timeout", 1004: "server shutdown",
		0: "disconnect code 0", 999: "disconnect code 999", 1005: "disconnect code 1005", -1: "disconnect code -1",
	} {
		if got := code.String(); got != want {
			t.Errorf("%d: got %q, want %q", int(code), got, want)
		}
		if known := !strings.HasPrefix(want, "disconnect code"); code.Valid() != known {
			t.Errorf("%d: Valid() = %v", int(code), code.Valid())
		}
	}
	if DisconnectNormal != 1000 || DisconnectGoingAway != 1001 || DisconnectProtocolErr != 1002 ||
		DisconnectTimeout != 1003 || DisconnectShutdown != 1004 {
		t.Error("a code has another number than on the wire")
	}
}

func TestErrorCodesMatchTheProtocol(t *testing.T) {
	for code, want := range map[ErrorCode]string{
		ErrCodeUnknown: "unknown", ErrCodeInvalidMessage: "invalid message", ErrCodeUnauthorized: "unauthorized",
		ErrCodeNotFound: "not found", ErrCodeOperationFailed: "operation failed", ErrCodeTimeout: "timeout",
		1006: "error code 1006", 0: "error code 0",
	} {
		if got := code.String(); got != want {
			t.Errorf("%d: got %q, want %q", int(code), got, want)
		}
	}
	if ErrCodeUnknown != 1000 || ErrCodeTimeout != 1005 {
		t.Error("a code has another number than on the wire")
	}
}

func TestMessageTypesMatchTheProtocol(t *testing.T) {
	for constant, name := range map[MessageType]string{
		MsgHandshake: "handshake", MsgHandshakeAck: "handshake_ack", MsgPing: "ping", MsgPong: "pong",
		MsgDisconnect: "disconnect", MsgError: "error", MsgGetStats: "get_stats", MsgStats: "stats",
		MsgStartMiner: "start_miner", MsgStopMiner: "stop_miner", MsgMinerAck: "miner_ack", MsgDeploy: "deploy",
		MsgDeployAck: "deploy_ack", MsgGetLogs: "get_logs", MsgLogs: "logs", MsgChat: "chat",
	} {
		if string(constant) != name {
			t.Errorf("got %q, want %q", constant, name)
		}
	}
}

func TestVersionSupportedComparesExactly(t *testing.T) {
	if got := SupportedVersions(); !slices.Equal(got, []string{"1.0"}) {
		t.Errorf("supported: %q", got)
	}
	SupportedVersions()[0] = "changed by a caller"
	for v, want := range map[string]bool{"1.0": true, "": false, "1": false, "1.0 ": false, "1.1": false, "2.0": false} {
		if VersionSupported(v) != want {
			t.Errorf("VersionSupported(%q) = %v", v, !want)
		}
	}
}

func TestIncompatibleVersionReasonQuotesUnprintableVersions(t *testing.T) {
	for v, want := range map[string]string{
		"2.0":                                   `2.0`,
		"":                                      ``,
		`v "2" \`:                               `v "2" \`,
		strings.Repeat("9", 64):                 strings.Repeat("9", 64),
		strings.Repeat("9", 65):                 strings.Repeat("9", 64),
		strings.Repeat("9", 64) + "\n":          strings.Repeat("9", 64),
		"2\nlevel=error":                        `"2\nlevel=error"`,
		"\x1b[31m":                              `"\x1b[31m"`,
		"é\u202e":                               `"\u00e9\u202e"`,
		"\xff":                                  `"\xff"`,
		"\x7f" + strings.Repeat("9", 1_000_000): `"\x7f` + strings.Repeat("9", 63) + `"`,
	} {
		want = "incompatible protocol version " + want + ", supported: [1.0]"
		if got := IncompatibleVersionReason(v); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
