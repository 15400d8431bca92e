package wire

import (
	"math"
	"strings"
	"testing"
)

func TestRateFeatureFollowsTheGrammar(t *testing.T) {
	for _, tt := range []struct {
		burst, refill float64
		want          string
	}{
		{100, 50, "rate/100/50"},
		{100, 0, "rate/100/0"},
		{2, 0.001, "rate/2/0.001"},
		{20.9, 2.5, "rate/20/2.5"},
		{1, 1, "rate/2/1"},            // the grammar has no burst of 1
		{50, 0.0001, "rate/50/0.001"}, // never 0, which means no limit
		{50, 1.005, "rate/50/1.005"},
		{50, 33.33999, "rate/50/33.339"},   // never above the limit itself
		{1e9, 1e9, "rate/1000000/1000000"}, // the largest values
		{math.MaxFloat64, math.MaxFloat64, "rate/1000000/1000000"},
	} {
		got := RateFeature(tt.burst, tt.refill)
		if got != tt.want {
			t.Errorf("%v, %v: %s, want %s", tt.burst, tt.refill, got, tt.want)
		}
		if _, ok := parseRate(got); !ok {
			t.Errorf("%s does not follow the grammar", got)
		}
	}
}

func TestAnnouncedRateReadsOneValidFeature(t *testing.T) {
	for feature, want := range map[string]Rate{
		"rate/100/50":          {100, 50},
		"rate/2/0":             {2, 0},
		"rate/2/0.001":         {2, 0.001},
		"rate/1000000/1000000": {1e6, 1e6},
		"rate/7/1000000.000":   {7, 1e6},
		"rate/7/12.50":         {7, 12.5},
		"rate/7/0.0":           {7, 0},
	} {
		if got := AnnouncedRate([]string{"single-connection", feature, "x"}); got != want {
			t.Errorf("%s: %+v, want %+v", feature, got, want)
		}
	}
}

func TestAnnouncedRateIgnoresInvalidFeatures(t *testing.T) {
	want := Rate{Burst: 100, Refill: 50}
	for _, features := range [][]string{
		nil,
		{"single-connection"},
		{"rate"},
		{"rate/"},
		{"rate/7"},
		{"rate/7/"},
		{"rate//1"},
		{"rate/1/1"},       // burst too small
		{"rate/1000001/1"}, // burst too large
		{"rate/7/1000000.001"},
		{"rate/7/1000001"},
		{"rate/7/1.0000"}, // four decimals
		{"rate/7/1."},
		{"rate/7/.5"},
		{"rate/7/."},
		{"rate/7/1.2.3"},
		{"rate/7.0/1"},
		{"rate/07/1"},
		{"rate/7/01"},
		{"rate/7/00"},
		{"rate/+7/1"},
		{"rate/7/+1"},
		{"rate/7/-1"},
		{"rate/7/-0"},
		{"rate/1e2/1"},
		{"rate/7/1e2"},
		{"rate/0x10/1"},
		{"rate/1_0/1"},
		{"rate/7/NaN"},
		{"rate/7/Inf"},
		{"rate/7/1/"},
		{"rate/7/1/1"},
		{" rate/7/1"},
		{"rate/7/1 "},
		{"Rate/7/1"},
		{"rate/٧/1"},
		{"rate/" + strings.Repeat("9", 500) + "/1"},
		{"rate/7/" + strings.Repeat("9", 500)},
		{"rate/7/1", "rate/7/1"}, // at most once
		{"rate/7/1", "rate/x"},
	} {
		if got := AnnouncedRate(features); got != want {
			t.Errorf("%q: %+v, want the default", features, got)
		}
	}
}
