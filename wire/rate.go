package wire

import (
	"math"
	"strconv"
	"strings"
)

// Inbound limit of a peer that announces none (protocol section 6).
const (
	DefaultRateBurst  = 100 // tokens
	DefaultRateRefill = 50  // tokens per second
)

// Bounds of an announced limit.
const (
	minRateBurst  = 2
	maxRateBurst  = 1e6
	maxRateRefill = 1e6
	rateDecimals  = 3
)

// Rate is the inbound limit of a node, a token bucket (protocol section 7).
type Rate struct {
	Burst  int     // tokens, from 2 to 1,000,000
	Refill float64 // tokens per second, from 0 to 1,000,000; 0: no limit
}

// RateFeature returns the feature that announces a limit of burst tokens and refill tokens per second (protocol
// section 7). It rounds burst down to an integer from 2 to 1,000,000, and refill down to thousandths. A refill above
// 0 never becomes 0, which would mean no limit.
func RateFeature(burst, refill float64) string {
	b := min(max(math.Floor(burst), minRateBurst), maxRateBurst)
	milli := int64(min(refill, maxRateRefill)*1000 + 1e-6) // 1.005*1000 is less than 1005
	if refill > 0 && milli == 0 {
		milli = 1
	}
	burstText, refillText := strconv.Itoa(int(b)), strconv.FormatFloat(float64(milli)/1000, 'f', -1, 64)
	return FeatureRatePrefix + burstText + "/" + refillText
}

// AnnouncedRate returns the limit that a peer's features announce. It returns the default of the protocol if no
// feature is valid or more than one begins with "rate/".
func AnnouncedRate(features []string) Rate {
	standard := Rate{Burst: DefaultRateBurst, Refill: DefaultRateRefill}
	found := ""
	for _, feature := range features {
		if !strings.HasPrefix(feature, FeatureRatePrefix) {
			continue
		}
		if found != "" {
			return standard
		}
		found = feature
	}
	if rate, ok := parseRate(found); ok {
		return rate
	}
	return standard
}

// parseRate returns the limit in a feature, or false if the feature violates the grammar: "rate/", an integer, "/",
// and a number with at most three decimals, both without sign, exponent, white space and leading zeros.
func parseRate(feature string) (Rate, bool) {
	text, ok := strings.CutPrefix(feature, FeatureRatePrefix)
	if !ok {
		return Rate{}, false
	}
	burstText, refillText, ok := strings.Cut(text, "/")
	if !ok || !isInteger(burstText) {
		return Rate{}, false
	}
	whole, fraction, dotted := strings.Cut(refillText, ".")
	if !isInteger(whole) || dotted && (!isDigits(fraction) || len(fraction) > rateDecimals) {
		return Rate{}, false
	}
	burst, err := strconv.ParseFloat(burstText, 64)
	if err != nil || burst < minRateBurst || burst > maxRateBurst {
		return Rate{}, false
	}
	refill, err := strconv.ParseFloat(refillText, 64)
	if err != nil || refill > maxRateRefill {
		return Rate{}, false
	}
	return Rate{Burst: int(burst), Refill: refill}, true
}

// isInteger reports whether s is a decimal integer without a leading zero.
func isInteger(s string) bool { return isDigits(s) && (s[0] != '0' || s == "0") }

// isDigits reports whether s consists of one or more decimal digits.
func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
