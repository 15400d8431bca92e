// Command bench measures this project's node, the reference path and comparable libraries, and writes the page of the
// results.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/Snider/go-p2p/tests/bench/measure"
	"github.com/Snider/go-p2p/tests/bench/process"
	"github.com/Snider/go-p2p/tests/bench/report"
)

func main() {
	if os.Getenv(process.Role) != "" {
		measure.Work()
		return
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	quick := flag.Bool("quick", false, "about two minutes instead of ten; the figures are rough")
	repeats := flag.Int("repeats", 0, "number of repeats; 0: nine, or one with -quick")
	docs := flag.String("docs", "", "folder of the page performance.md and its images; empty: only print the table")
	output := flag.String("json", "", "output file for all measured rows; empty: none")
	from := flag.String("from", "", "do not measure; write the page from a file of -json")
	portable := flag.Bool("portable", true, "also build and measure the node with the portable key stream")
	before := flag.String("before", "", "also build and measure the node of this earlier commit; empty: none")
	only := flag.String("only", "",
		"measure one part only: codec and dedup, one way, round trip, broadcast, new connections, idle, curves")
	profiles := flag.String("profiles", "",
		"folder for a CPU profile of each process and heap profiles of idle connections; slows the run slightly")
	flag.Parse()
	if *profiles != "" {
		if err := os.Setenv(measure.ProfileFolder, *profiles); err != nil {
			return err
		}
	}

	var results *report.Results
	var err error
	if *from != "" {
		results, err = load(*from)
	} else {
		results, err = measured(measurement{*quick, *repeats, *portable, *before, *only})
	}
	if err != nil {
		return err
	}
	if *output != "" {
		if err := save(results, *output); err != nil {
			return err
		}
	}
	fmt.Print(report.Table(results))
	if *docs == "" {
		return nil
	}
	return report.Write(results, *docs, strings.Join(os.Args[1:], " "))
}

// measurement holds the flags of a run.
type measurement struct {
	quick        bool
	repeats      int
	portable     bool
	before, only string
}

func measured(m measurement) (*report.Results, error) {
	plan := measure.Full()
	if m.quick {
		plan = measure.Quick()
	}
	if m.repeats > 0 {
		plan.Repeats = m.repeats
	}
	plan.Log, plan.Only = os.Stderr, m.only
	if err := process.RaiseFileLimit(); err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	if m.portable {
		if plan.Portable, err = buildPortable(folder); err != nil {
			return nil, fmt.Errorf("build without assembly: %w", err)
		}
	}
	if m.before != "" {
		if plan.Before, err = buildBefore(folder, m.before); err != nil {
			return nil, fmt.Errorf("build commit %s: %w", m.before, err)
		}
	}
	results := &report.Results{Machine: report.ThisMachine(), Quick: m.quick, Before: m.before}
	began := time.Now()
	results.Rows, err = measure.Run(plan)
	results.Seconds = time.Since(began).Seconds()
	return results, err
}

func load(path string) (*report.Results, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	results := &report.Results{}
	return results, json.Unmarshal(data, results)
}

func save(results *report.Results, path string) error {
	data, err := json.MarshalIndent(results, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}
