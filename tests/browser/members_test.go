package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/sockettest"
)

// shared starts members m1, m2 and so on of one node, each with a dashboard.
func shared(t *testing.T, count int) (members []*node) {
	t.Helper()
	home := nodetest.NewHome(t)
	identity := filepath.Join(home, "identity.json")
	made := nodetest.RunCommand(t, nodetest.ProcessOptions{Home: home}, "id", "--identity", identity, "--name", "hub",
		"--data-dir", filepath.Join(home, "data"))
	if made.Code != 0 {
		t.Fatalf("%+v", made)
	}
	first := ""
	for i := range count {
		address := sockettest.FreeAddress(t)
		args := []string{
			"--identity", identity, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
			"--cluster", address, "--cluster-name", fmt.Sprintf("m%d", i+1),
		}
		if first != "" {
			args = append(args, "--cluster-join", first)
		} else {
			first = address
		}
		members = append(members, run(t, nodetest.NewHome(t), "hub", args...))
	}
	return members
}

// member returns an expression for the row of a member.
func member(name string) string {
	const row = `[...document.querySelectorAll("#members tr")].find((r) => r.querySelector(".name").textContent === %q)`
	return fmt.Sprintf(row, name)
}

// TestDashboardShowsAllMembers looks at one of three members with 30 peers: the page shows the members, their sum and
// the peers of all. A member that is killed is named, and its peers are not shown as its own any more.
func TestDashboardShowsAllMembers(t *testing.T) {
	needBrowser(t)
	members := shared(t, 3)
	for _, m := range members {
		connect(t, m, 10)
	}
	p := open(t)
	p.do(chromedp.EmulateViewport(1280, 1000), chromedp.Navigate(members[0].Hello.Str("admin")))
	p.until(`document.querySelectorAll("#members tr").length === 3 && !document.getElementById("members-box").hidden`)
	for _, name := range []string{"m1", "m2", "m3"} {
		p.until(member(name) + `?.children[2].textContent.startsWith("10 of") && ` + member(name) +
			`.querySelector(".badge").textContent === "alive" && ` + member(name) + `.children[3].textContent !== "–"`)
	}
	p.until(`document.querySelector("#tiles .value").textContent.startsWith("30")`)
	p.until(`document.getElementById("peers-range").textContent === "1 to 25 of 30"`)
	p.until(`document.getElementById("members-silent").textContent === "" && document.title.includes("m1")`)
	picture(t, p, "members")

	// A member is chosen with the keyboard, and the filter holds through ticks.
	p.script(member("m2") + `.querySelector(".name").focus()`)
	p.do(chromedp.KeyEvent(kb.Enter))
	p.until(`document.getElementById("peers-range").textContent === "1 to 10 of 10" &&
		[...document.querySelectorAll("#peers td.member")].every((cell) => cell.textContent === "m2") &&
		document.getElementById("peers-member").value === "m2"`)
	p.script(`document.getElementById("peers-member").value = "";
		document.getElementById("peers-member").dispatchEvent(new Event("change"))`)
	p.until(`document.getElementById("peers-range").textContent === "1 to 25 of 30"`)

	members[1].Kill()
	p.until(`document.getElementById("members-silent").textContent.startsWith("m2")`)
	p.until(`document.getElementById("members-silent").textContent.includes("m2 (lost) does not answer") &&
		` + member("m2") + `.querySelector(".badge").textContent === "lost"`)
	p.until(`document.querySelector("#tiles .value").textContent.startsWith("20") &&
		[...document.querySelectorAll("#peers td.member")].every((cell) => cell.textContent !== "m2")`)
	picture(t, p, "members-silent")
	p.do(chromedp.EmulateViewport(320, 640, chromedp.EmulateScale(2), chromedp.EmulateMobile))
	p.until(`innerWidth === 320`)
	if cut := eval[bool](p, `[...document.querySelectorAll("#members tr > *")].some((cell) =>
		cell.checkVisibility() && cell.getBoundingClientRect().right > innerWidth)`); cut {
		t.Error("a cell of a member is cut off")
	}
	p.script(`document.getElementById("members-box").scrollIntoView()`)
	picture(t, p, "members-phone")
	p.script(`document.getElementById("peers-title").scrollIntoView()`)
	picture(t, p, "members-phone-peers")
	if wide := eval[int](p, `document.documentElement.scrollWidth`); wide > 320 {
		t.Errorf("the page is %d pixels wide on a screen of 320", wide)
	}
	if errors := p.takeErrors(); len(errors) != 0 {
		t.Errorf("the console says: %q", errors)
	}
}

// TestLoneNodeShowsNoMembers requires a node without other members to show none.
func TestLoneNodeShowsNoMembers(t *testing.T) {
	needBrowser(t)
	alice := run(t, nodetest.NewHome(t), "alice", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	connect(t, alice, 1)
	p := open(t)
	p.do(chromedp.Navigate(alice.Hello.Str("admin")))
	p.until(`document.querySelectorAll("#peers tr").length === 1`)
	const visible = `[...document.querySelectorAll(".members, .of-shared")].filter((e) => e.checkVisibility()).length`
	if seen := eval[int](p, visible); seen != 0 {
		t.Errorf("%d elements about members are visible", seen)
	}
	if title := eval[string](p, `document.title`); title != "alice · go-p2p node" {
		t.Errorf("title %q", title)
	}
}

// picture writes a picture of the page to the folder PICTURES, if it is set. On a phone it is of the visible part only.
func picture(t *testing.T, p *page, name string) {
	t.Helper()
	dir := os.Getenv("PICTURES")
	if dir == "" {
		return
	}
	capture := chromedp.CaptureScreenshot()
	if eval[int](p, "innerWidth") > 640 {
		capture = chromedp.FullScreenshot(100)
	}
	shot, err := chromedp.Run(p.ctx, capture)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), shot, 0o600)
	}
	if err != nil {
		t.Error(err)
	}
}
