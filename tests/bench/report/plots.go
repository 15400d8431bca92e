package report

import (
	"fmt"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"

	"github.com/Snider/go-p2p/tests/bench/measure"
)

// chart is one plot of one figure over the points of a measure, with one line per system.
type chart struct {
	file, title, x, y string
	measure, figure   string
	scale             float64
	logX, logY        bool
}

func charts() []chart {
	return []chart{
		{
			file: "rate", title: "One way, one connection",
			x: "payload, bytes", y: "messages per second",
			measure: measure.OneWay, figure: "rate", scale: 1, logX: true, logY: true,
		},
		{
			file: "connections", title: "The same total rate over more connections",
			x: "connections", y: "server CPU, µs per message",
			measure: measure.OverConns, figure: "server cpu", scale: 1e6, logX: true,
		},
		{
			file: "broadcast", title: fmt.Sprintf("Broadcast, 256 B, %d in flight", measure.InFlight),
			x: "peers", y: "deliveries per second",
			measure: measure.OverPeers, figure: "rate", scale: 1, logX: true,
		},
		{
			file: "idle", title: "Idle connections",
			x: "connections", y: "resident memory of the server, MB",
			measure: measure.OverIdle, figure: "total", scale: 1e-6,
		},
		{
			file: "known", title: "New connections with known peers in the book",
			x: "known peers", y: "new connections per second",
			measure: measure.OverKnown, figure: "rate", scale: 1,
		},
	}
}

// draw writes every chart that has points into a folder.
func (r *Results) draw(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, c := range charts() {
		if len(r.points(c.measure)) == 0 {
			continue
		}
		if err := r.drawOne(c, filepath.Join(folder, "perf-"+c.file+".svg")); err != nil {
			return err
		}
	}
	return nil
}

func (r *Results) drawOne(c chart, path string) error {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.title, c.x, c.y
	p.Legend.Top, p.Legend.YOffs = true, -vg.Points(4)
	p.Add(plotter.NewGrid())
	if c.logX {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	}
	if c.logY {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	} else {
		p.Y.Min = 0
	}
	for i, system := range r.systems(c.measure) {
		var points plotter.XYs
		for _, at := range r.points(c.measure) {
			if s := r.figure(c.measure, system, at, c.figure); s.n > 0 {
				points = append(points, plotter.XY{X: at, Y: s.median * c.scale})
			}
		}
		line, marks, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		line.Color, marks.Color, marks.Shape = plotutil.Color(i), plotutil.Color(i), plotutil.Shape(i)
		line.Width = vg.Points(1.5)
		p.Add(line, marks)
		p.Legend.Add(system, line, marks)
	}
	if c.logY {
		p.Y.Max *= 20 // leaves space for the legend
	} else {
		p.Y.Min = 0
		p.Y.Max *= 1.3
	}
	if p.X.Max *= 1.02; c.logX {
		p.X.Max *= 1.2
	}
	return p.Save(16*vg.Centimeter, 10*vg.Centimeter, path)
}
