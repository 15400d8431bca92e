// Package report builds the support archive of a running node: texts without keys, and profiles.
package report

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"path"
	"strings"
	"time"
)

// File is one file of an archive.
type File struct {
	Name string
	Data []byte
}

// Archive returns a gzipped tar archive of files in one folder, dated at. Texts are scrubbed; files whose name ends in
// .pprof are stored as they are.
func Archive(folder string, at time.Time, files []File) ([]byte, error) {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	archive := tar.NewWriter(zip)
	var errs []error
	for _, f := range files {
		data := f.Data
		if !strings.HasSuffix(f.Name, ".pprof") {
			data = Scrub(data)
		}
		head := tar.Header{
			Name: path.Join(folder, f.Name), Mode: 0o600, Size: int64(len(data)), ModTime: at, Format: tar.FormatPAX,
		}
		errs = append(errs, archive.WriteHeader(&head))
		_, err := archive.Write(data)
		errs = append(errs, err)
	}
	errs = append(errs, archive.Close(), zip.Close())
	return out.Bytes(), errors.Join(errs...)
}
