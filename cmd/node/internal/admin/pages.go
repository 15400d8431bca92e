package admin

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed assets
var assets embed.FS // a package variable, because embedding requires one

// contentType returns the content type of an embedded file by its name. It does not use the table of the system, which
// differs between hosts.
func contentType(name string) (string, bool) {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8", true
	case ".js":
		return "text/javascript; charset=utf-8", true
	case ".css":
		return "text/css; charset=utf-8", true
	case ".svg":
		return "image/svg+xml", true
	case "": // LICENSE
		return "text/plain; charset=utf-8", true
	default:
		return "", false
	}
}

// addPages adds a route for the page and for every file under assets.
func addPages(mux *http.ServeMux) error {
	return fs.WalkDir(assets, "assets", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := assets.ReadFile(name)
		if err != nil {
			return err
		}
		kind, known := contentType(name)
		if !known {
			return fmt.Errorf("%s: no content type is known for it", name)
		}
		route := "/" + name
		if name == "assets/index.html" {
			route = "/{$}"
		}
		mux.Handle(route, page(name, kind, content))
		return nil
	})
}

// page serves one file. Browsers revalidate their copy at each load, so that a page never mixes files of two versions.
func page(name, kind string, content []byte) http.HandlerFunc {
	sum := sha256.Sum256(content)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", kind)
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", tag)
		http.ServeContent(w, r, strings.TrimPrefix(name, "assets/"), time.Time{}, bytes.NewReader(content))
	}
}
