package admin

import (
	"bytes"
	"errors"

	"github.com/prometheus/common/expfmt"
)

// Metrics returns the metrics of c.Node in the text format of Prometheus, as /metrics does. If some cannot be
// collected, it returns the others and an error.
func Metrics(c Config) ([]byte, error) {
	families, err := newRegistry(c).Gather()
	var out bytes.Buffer
	encoder := expfmt.NewEncoder(&out, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, family := range families {
		err = errors.Join(err, encoder.Encode(family))
	}
	return out.Bytes(), err
}
