package control

import (
	"context"
	"encoding/json"
	"net/url"
)

// Report is a support archive.
type Report struct {
	Archive []byte `json:"archive"` // gzipped tar archive; base64 in JSON
}

func (h *Handler) report(ctx context.Context, _ url.Values) (Report, error) {
	archive, err := h.node.Report(ctx)
	return Report{Archive: archive}, err
}

// Report returns the support archive: a gzipped tar archive.
func (c *Client) Report(ctx context.Context) ([]byte, error) {
	var answer Report
	raw, err := c.Get(ctx, "report")
	if err == nil {
		err = json.Unmarshal(raw, &answer)
	}
	return answer.Archive, err
}
