package admin

import "github.com/prometheus/client_golang/prometheus"

// Build describes the build of the binary.
type Build struct{ Version, Revision, GoVersion string }

func (b Build) metric() prometheus.Metric {
	labels := []string{"version", "revision", "goversion"}
	d := prometheus.NewDesc("p2p_build_info", "Build of the binary; always 1.", labels, nil)
	values := []string{label(b.Version), label(b.Revision), label(b.GoVersion)}
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, 1, values...)
}
