package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/sockettest"
)

func row(name string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("#peers tr")]
		.find((r) => r.querySelector(".name")?.textContent === %q)`, name)
}

// TestDashboardFollowsTheNode is one visit: the page loads, a peer connects, the node stops, starts, crashes and starts
// again. The page tells a stop from a crash, and the console has no error in any of these states.
func TestDashboardFollowsTheNode(t *testing.T) {
	needBrowser(t)
	aliceHome, listen, shown := nodetest.NewHome(t), sockettest.FreeAddress(t), sockettest.FreeAddress(t)
	start := func() *node { return run(t, aliceHome, "alice", "--listen", listen, "--admin", shown) }
	alice := start()

	p := open(t)
	p.do(chromedp.Navigate(alice.Hello.Str("admin")))
	p.until(`document.body.dataset.stream === "live" && document.title.startsWith("alice")`)
	p.until(`document.getElementById("node-address").textContent === "` + listen + `"`)
	p.until(`document.querySelectorAll(".chart canvas").length === 3`)

	// The name is one that would be a script if anything here were put in as markup.
	evil := `<img src=x onerror=console.error(1)>`
	bob := run(t, nodetest.NewHome(t), evil, "--listen", "127.0.0.1:0", "--admin", "", "--peer", listen)
	p.until(row(evil) + `?.querySelector(".badge").textContent === "connected"`)
	p.until(`document.querySelectorAll("#mesh .spot.verified").length === 1 &&
		document.querySelector("#mesh .spot text").textContent.startsWith("<img")`)
	p.until(`[...document.querySelectorAll("#log .kind")].some((k) => k.textContent === "connected")`)
	p.until(row(evil) + `?.querySelector("td.trip").textContent.match(/[0-9]/) !== null`)
	bob.send(alice.Hello.Str("id"), "hello")
	p.until(`document.querySelectorAll("#tiles .more")[1].textContent.match(/[1-9][0-9]* in all/) !== null`)
	p.script(`document.querySelector("#tree-box summary").click()`)
	p.until(`document.querySelectorAll("#tree .badge.verified").length === 1`)
	if found := eval[int](p, `document.querySelectorAll("#peers img, #mesh img, #log img").length`); found != 0 {
		t.Errorf("a name became %d elements of the page", found)
	}
	if errors := p.takeErrors(); len(errors) != 0 {
		t.Errorf("the console says: %q", errors)
	}

	alice.Stop()
	p.until(`document.body.dataset.stream === "lost" &&
		document.getElementById("notice").textContent.includes("was stopped")`)
	alice = start()
	p.until(`document.body.dataset.stream === "live" &&
		document.getElementById("notice").textContent.includes("restarted")`)
	p.until(row(evil) + `?.querySelector(".badge").textContent === "connected"`)
	alice.Kill()
	p.until(`document.body.dataset.stream === "lost" &&
		document.getElementById("notice").textContent.includes("was lost")`)
	alice = start()
	p.until(row(evil) + `?.querySelector(".badge").textContent === "connected" &&
		document.getElementById("notice").textContent.includes("restarted")`)
	if errors := p.takeErrors(); len(errors) != 0 {
		t.Errorf("the console says: %q", errors)
	}
	for _, url := range p.asked() {
		if !strings.HasPrefix(url, alice.Hello.Str("admin")+"/") {
			t.Errorf("the page asked %s: no address outside may be loaded", url)
		}
	}
}

// TestKeyboardReachesEveryPeer goes through the page without a mouse: the graph is one stop of Tab, arrow keys go on
// from there, Enter finds the peer in the table.
func TestKeyboardReachesEveryPeer(t *testing.T) {
	needBrowser(t)
	alice := run(t, nodetest.NewHome(t), "alice", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	for _, name := range []string{"bob", "carol"} {
		run(t, nodetest.NewHome(t), name, "--listen", "127.0.0.1:0", "--admin", "", "--peer", alice.Hello.Str("address"))
	}
	p := open(t)
	p.do(chromedp.Navigate(alice.Hello.Str("admin")))
	p.until(`document.querySelectorAll("#mesh .spot.verified").length === 2`)
	if stops := eval[int](p, `document.querySelectorAll('#mesh [tabindex="0"]').length`); stops != 1 {
		t.Errorf("the graph has %d stops of Tab, want 1", stops)
	}
	reached := false
	for range 10 {
		p.do(chromedp.KeyEvent(kb.Tab))
		if reached = eval[bool](p, `document.activeElement.classList.contains("spot")`); reached {
			break
		}
	}
	if !reached {
		t.Fatal("Tab does not reach the graph")
	}
	first := eval[string](p, `document.activeElement.getAttribute("aria-label")`)
	p.do(chromedp.KeyEvent(kb.ArrowRight))
	second := eval[string](p, `document.activeElement.getAttribute("aria-label")`)
	if first == second || !strings.Contains(first+second, "bob, inbound, verified") {
		t.Errorf("the arrow key went from %q to %q", first, second)
	}
	p.do(chromedp.KeyEvent(kb.Enter))
	chosen := eval[string](p, `document.querySelector("#peers tr.chosen .name").textContent`)
	if !strings.HasPrefix(second, chosen) {
		t.Errorf("Enter on %q chose %q", second, chosen)
	}
}

// TestPageFitsAPhone: no element is wider than the smallest screen.
func TestPageFitsAPhone(t *testing.T) {
	needBrowser(t)
	alice := run(t, nodetest.NewHome(t), "alice", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	run(t, nodetest.NewHome(t), strings.Repeat("long", 16), "--listen", "127.0.0.1:0", "--admin", "", "--peer",
		alice.Hello.Str("address"))
	p := open(t)
	p.do(chromedp.EmulateViewport(320, 640, chromedp.EmulateScale(2), chromedp.EmulateMobile),
		chromedp.Navigate(alice.Hello.Str("admin")))
	p.until(`document.querySelectorAll("#mesh .spot.verified").length === 1`)
	if wide := eval[int](p, `document.documentElement.scrollWidth`); wide > 320 {
		t.Errorf("the page is %d pixels wide on a screen of 320", wide)
	}
}

// TestPageLoadsNoForeignScript: the page has a strict content policy and no inline script.
func TestPageLoadsNoForeignScript(t *testing.T) {
	needBrowser(t)
	alice := run(t, nodetest.NewHome(t), "alice", "--listen", "", "--admin", "127.0.0.1:0")
	p := open(t)
	p.do(chromedp.Navigate(alice.Hello.Str("admin")))
	p.until(`document.getElementById("node-address").textContent.includes("only dials")`)
	blocked := eval[bool](p, `(() => {
		const s = document.createElement("script");
		s.textContent = "window.inline = true";
		document.body.append(s);
		return window.inline === undefined;
	})()`)
	if !blocked {
		t.Error("an inline script ran")
	}
	inline := eval[int](p, `document.querySelectorAll("script:not([src]), style, [style*='url'], [onclick]").length`)
	if inline != 1 { // ours, above
		t.Errorf("the page has %d inline scripts or styles", inline-1)
	}
}
