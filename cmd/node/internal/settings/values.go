package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
)

const (
	// MaxMessageSizeLimit is the largest --max-message-size in bytes, and the largest payload that a command reads.
	MaxMessageSizeLimit = 1 << 30
	minMessageSize      = 1 << 10
	maxCount            = 1_000_000
	maxNumber           = 1e9
	maxDuration         = 365 * 24 * time.Hour // keeps sums of two durations far from overflow
)

func mustBe(allowed string) error { return errors.New("must be " + allowed) }

func oneOf(field *string, text string, allowed ...string) error {
	for _, a := range allowed {
		if text == a {
			*field = text
			return nil
		}
	}
	last := len(allowed) - 1
	return mustBe(strings.Join(allowed[:last], ", ") + " or " + allowed[last])
}

func parseBool(text string) (bool, error) {
	switch text {
	case "true":
		return true, nil
	case "false":
		return false, nil
	default:
		return false, mustBe("true or false")
	}
}

// ParseCount parses a whole number from least to most.
func ParseCount(text string, least, most int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, mustBe(fmt.Sprintf("a whole number from %d to %d", least, most))
	}
	return n, nil
}

// ParseNumber parses a decimal number from least to 1e9.
func ParseNumber(text string, least float64) (float64, error) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || n < least || n > maxNumber {
		return 0, mustBe(fmt.Sprintf("a number from %g to %.0f", least, maxNumber))
	}
	return n, nil
}

// ParseDuration parses a duration above 0 and up to 365 days, such as 30s.
func ParseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > maxDuration {
		return 0, mustBe("a duration above 0 with its unit, such as 500ms, 30s or 5m")
	}
	return d, nil
}

// FormatDuration formats a duration without zero parts: 5m, not 5m0s.
func FormatDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// byteUnits lists the units, longer suffixes first: GB ends in B.
func byteUnits() []struct {
	suffix string
	size   int64
} {
	return []struct {
		suffix string
		size   int64
	}{
		{"GiB", 1 << 30},
		{"MiB", 1 << 20},
		{"KiB", 1 << 10},
		{"GB", 1e9},
		{"MB", 1e6},
		{"KB", 1e3},
		{"B", 1},
	}
}

// parseBytes parses a maximum message size.
func parseBytes(text string) (int64, error) {
	return ParseBytes(text, minMessageSize, MaxMessageSizeLimit)
}

// ParseBytes parses a size from least to most bytes, such as 1048576, 64KiB or 1MB.
func ParseBytes(text string, least, most int64) (int64, error) {
	digits, size := text, int64(1)
	for _, unit := range byteUnits() {
		if head, ok := cutSuffixFold(text, unit.suffix); ok {
			digits, size = strings.TrimSpace(head), unit.size
			break
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || n > most/size || n*size < least {
		return 0, mustBe("a size from " + FormatBytes(least) + " to " + FormatBytes(most) +
			", in bytes or with a unit, such as 65536, 64KiB or 1MB")
	}
	return n * size, nil
}

func cutSuffixFold(text, suffix string) (string, bool) {
	at := len(text) - len(suffix)
	if at < 0 || !strings.EqualFold(text[at:], suffix) {
		return text, false
	}
	return text[:at], true
}

// FormatBytes formats a size with the largest binary unit that divides it.
func FormatBytes(n int64) string {
	for _, unit := range byteUnits()[:3] {
		if n >= unit.size && n%unit.size == 0 {
			return strconv.FormatInt(n/unit.size, 10) + unit.suffix
		}
	}
	return strconv.FormatInt(n, 10)
}

func checkName(text string) error {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	if text == "" || len(text) > crypto.MaxNameLength || !utf8.ValidString(text) ||
		strings.ContainsFunc(text, unprintable) {
		return mustBe(fmt.Sprintf("1 to %d bytes of printable text", crypto.MaxNameLength))
	}
	return nil
}

func checkPath(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Path != text || !strings.HasPrefix(text, "/") || path.Clean(text) != text ||
		strings.ContainsAny(text, "{} ") {
		return mustBe("a path that begins with /, such as /ws")
	}
	return nil
}

// checkListen accepts host:port, :port for all addresses, and the empty text.
func checkListen(text string) error {
	if text == "" {
		return nil
	}
	if host, port, err := net.SplitHostPort(text); err != nil || !isHost(host) && host != "" || !isPort(port, 0) {
		return mustBe("host:port, such as 127.0.0.1:9091 or :9091, or empty")
	}
	return nil
}

// CheckAddress accepts addresses that can be dialled: host:port, ws://… and wss://…, with a pin (#ID) or without.
func CheckAddress(text string) error {
	if _, _, err := supervisor.ParsePinnedAddress(text, "/"); err != nil || strings.Contains(text, ",") {
		return mustBe("host:port, ws://… or wss://…, with #ID to pin the node ID")
	}
	return nil
}

func isHost(text string) bool {
	bad := func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune("/?#@,", r)
	}
	return text != "" && len(text) <= 255 && !strings.ContainsFunc(text, bad)
}

func isPort(text string, least int) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && int(n) >= least
}

// parseAddresses parses addresses separated by commas.
func parseAddresses(text string) ([]string, error) {
	var addresses []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		if err := CheckAddress(part); err != nil {
			return nil, err
		}
		addresses = append(addresses, part)
	}
	return addresses, nil
}

// parsePrefixes parses address prefixes separated by commas.
func parsePrefixes(text string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(part)
		if err != nil {
			return nil, mustBe("address prefixes such as 192.0.2.0/24")
		}
		prefixes = append(prefixes, prefix.Masked())
	}
	return prefixes, nil
}

func showPrefixes(prefixes []netip.Prefix) string {
	texts := make([]string, len(prefixes))
	for i, prefix := range prefixes {
		texts[i] = prefix.String()
	}
	return strings.Join(texts, ",")
}

func setLogLevel(s *Settings, text string) error {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}
	level, ok := levels[text]
	if !ok {
		return mustBe("debug, info, warn or error")
	}
	s.LogLevel = level
	return nil
}
