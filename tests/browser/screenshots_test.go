package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/sockettest"
)

// sceneTime is how long the mesh of the screenshots is busy before they are made: the charts need something to show.
const sceneTime = 90 * time.Second

// TestScreenshotsShowTheDashboard makes the pictures of the documentation: SCREENSHOTS=docs/images go test -run
// Screenshots
func TestScreenshotsShowTheDashboard(t *testing.T) {
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		t.Skip("makes pictures only when SCREENSHOTS names a folder")
	}
	p := open(t)
	alice := scene(t)
	p.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(alice.Hello.Str("admin")))
	p.until(`document.querySelectorAll("#mesh .spot.verified").length >= 5`)
	for _, shot := range []struct {
		name, scheme  string
		width, height int64
		scale         float64
		full          bool
	}{
		{"dashboard-light", "light", 1280, 1000, 1, true},
		{"dashboard-dark", "dark", 1280, 1000, 1, true},
		{"dashboard-phone", "dark", 390, 844, 1.5, false},
	} {
		p.do(chromedp.EmulateViewport(shot.width, shot.height, chromedp.EmulateScale(shot.scale)), scheme(shot.scheme))
		p.until(`document.body.dataset.stream === "live"`)
		// Two ticks, so that everything is drawn in the new size and colours.
		before := eval[string](p, `document.getElementById("node-uptime").textContent`)
		p.until(fmt.Sprintf(`document.getElementById("node-uptime").textContent !== %q`, before))
		capture := chromedp.CaptureScreenshot()
		if shot.full {
			capture = chromedp.FullScreenshot(100)
		}
		picture, err := chromedp.Run(p.ctx, capture)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, shot.name+".png"), picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if errors := p.takeErrors(); len(errors) != 0 {
		t.Errorf("the console says: %q", errors)
	}
}

func scheme(name string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
		return chromedp.Void{}, err
	}
}

// scene is a mesh with something of everything: traffic both ways, a peer that is kept and away, a flood that the
// limiter stops. It returns the node in the middle after sceneTime.
func scene(t *testing.T) *node {
	t.Helper()
	listen := sockettest.FreeAddress(t)
	frank, frankHome := sockettest.FreeAddress(t), nodetest.NewHome(t)
	away := run(t, frankHome, "frank", "--listen", frank, "--admin", "")
	out := run(t, nodetest.NewHome(t), "carol", "--listen", "127.0.0.1:0", "--admin", "")
	alice := run(t, nodetest.NewHome(t), "alice", "--listen", listen, "--admin", "127.0.0.1:0", "--peer", frank, "--peer",
		out.Hello.Str("address"))
	peers := []*node{out}
	for _, name := range []string{"bob", "dave", "erin", "grace"} {
		peers = append(peers, run(t, nodetest.NewHome(t), name, "--listen", "127.0.0.1:0", "--admin", "", "--peer", listen))
	}
	for range 6 {
		alice.Next("peer_up")
	}
	id := alice.Hello.Str("id")
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	begin := time.Now()
	for n := 0; time.Since(begin) < sceneTime; n++ {
		<-ticker.C
		for i, p := range peers {
			if n%(2+3*i) == 0 && (n/120+i)%3 != 0 {
				p.send(id, "the quick brown fox jumps over the lazy dog")
			}
		}
		if n%4 == 0 && (n/200)%2 == 0 {
			alice.send("", "news for everybody, at some length, so that the bytes are worth a chart of their own")
		}
		switch n {
		case 700:
			away.Kill()
		case 1200:
			for range 160 {
				peers[2].send(id, "flood")
			}
		}
	}
	return alice
}
