package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/pprof"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/admin"
	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/report"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/supervisor/accept"
)

// sectionTimeout limits each question to the registry, so that a report of a stuck node is complete otherwise.
const sectionTimeout = 2 * time.Second

// reportForm is the form of the time in the name of a report.
const reportForm = "20060102T150405Z"

const reportReadme = `Support archive of a node, written by "node report".

version.json     build of the binary, system and limits of the process
config.json      settings in force and their sources
status.json      identity, connections and counters
peers.json       known peers and kept addresses, as "node peers"; the first 10,000 of more
pending.json     refused peers, as "node pending"
metrics.txt      metrics, as /metrics
events.jsonl     the newest events since the start, without messages
log.txt          the newest lines of the log
goroutines.txt   stacks of all goroutines, without arguments
heap.pprof       heap profile, for "go tool pprof"

There are no payloads of messages and no keys: public keys are replaced by [key]. Names, node
IDs and network addresses are those of this node and its peers: read the files before you send
them.
`

// reportSection is one text of a report.
type reportSection struct {
	name string
	text func(ctx context.Context) ([]byte, error)
}

// Report implements control.Node: it returns the support archive. A section that fails holds the error. The error is
// ctx's or that of the archive.
func (n *node) Report(ctx context.Context) ([]byte, error) {
	n.reporting.Lock() // one archive in memory
	defer n.reporting.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	at := n.now().UTC()
	var files []report.File
	for _, s := range n.sections(at) {
		asking, cancel := context.WithTimeout(ctx, sectionTimeout)
		text, err := s.text(asking)
		cancel()
		if err != nil {
			text = fmt.Appendf(nil, "not available: %v\n", err)
		}
		files = append(files, report.File{Name: s.name, Data: text})
	}
	return report.Archive("go-p2p-report-"+at.Format(reportForm), at, files)
}

// sections returns the files of a report. Those that ask the registry come after those that do not.
func (n *node) sections(at time.Time) []reportSection {
	plain := func(text []byte) func(context.Context) ([]byte, error) {
		return func(context.Context) ([]byte, error) { return text, nil }
	}
	return []reportSection{
		{"README.txt", plain([]byte(reportReadme))},
		{"version.json", func(context.Context) ([]byte, error) { return indented(n.system(at), nil) }},
		{"goroutines.txt", func(context.Context) ([]byte, error) { return goroutines() }},
		{"heap.pprof", func(context.Context) ([]byte, error) { return profile("heap", 0) }},
		{"config.json", func(context.Context) ([]byte, error) { return indented(n.Configuration(), nil) }},
		{"events.jsonl", plain(n.recent.Bytes())},
		{"log.txt", plain(n.recentLog.Bytes())},
		{"status.json", func(ctx context.Context) ([]byte, error) {
			status, err := n.Status(ctx)
			return indented(output.NewStatus(status, n.Version()), err)
		}},
		{"peers.json", func(ctx context.Context) ([]byte, error) {
			peers, err := n.firstPeers(ctx, maxReportPeers)
			return indented(peers, err)
		}},
		{"pending.json", func(ctx context.Context) ([]byte, error) {
			pending, err := n.Pending(ctx)
			return indented(output.NewPending(pending), err)
		}},
		{"metrics.txt", func(context.Context) ([]byte, error) { return admin.Metrics(n.adminConfig()) }},
	}
}

// maxReportPeers is the number of peers and addresses in a report, up to a page more.
const maxReportPeers = 10_000

// firstPeers returns entries of the list of peers, in pages, until there are at least limit.
func (n *node) firstPeers(ctx context.Context, limit int) ([]output.Peer, error) {
	list := []output.Peer{}
	for q := (supervisor.PeerQuery{}); ; {
		page, err := n.PeerPage(ctx, q)
		if err != nil {
			return nil, err
		}
		list = append(list, output.NewPeers(page.Peers, page.Dials)...)
		if q.After = page.Next; q.After == "" || len(list) >= limit {
			return list, nil
		}
	}
}

// system describes binary and process.
func (n *node) system(at time.Time) any {
	return struct {
		Build      build     `json:"build"`
		Time       time.Time `json:"time"`
		System     string    `json:"system"`
		Processors int       `json:"processors"`
		MaxProcs   int       `json:"maxProcs"`
		MaxFiles   int       `json:"maxFiles"` // file descriptors; 0: not known
	}{
		thisBuild(), at, runtime.GOOS + "/" + runtime.GOARCH, runtime.NumCPU(), runtime.GOMAXPROCS(0), accept.Descriptors(),
	}
}

// indented returns a value as JSON with line breaks, or err if it is not nil.
func indented(value any, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(value, "", "  ")
	return append(text, '\n'), err
}

func goroutines() ([]byte, error) {
	dump, err := profile("goroutine", 2)
	return report.WithoutArguments(dump), err
}

func profile(name string, debug int) ([]byte, error) {
	var out bytes.Buffer
	err := pprof.Lookup(name).WriteTo(&out, debug)
	return out.Bytes(), err
}
