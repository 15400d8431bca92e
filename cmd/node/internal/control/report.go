package control

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
)

// Report is a support archive.
type Report struct {
	Archive string `json:"archive"` // gzipped tar archive, in base64
}

func (h *Handler) report(ctx context.Context, _ url.Values) (Report, error) {
	archive, err := h.node.Report(ctx)
	return Report{Archive: base64.StdEncoding.EncodeToString(archive)}, err
}

// Report returns the support archive: a gzipped tar archive.
func (c *Client) Report(ctx context.Context) ([]byte, error) {
	var answer Report
	raw, err := c.Get(ctx, "report")
	if err == nil {
		err = json.Unmarshal(raw, &answer)
	}
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(answer.Archive)
}
