package browser

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// screens are the sizes that the page is tested in.
var screens = []struct {
	name          string
	width, height int64
	phone         bool
	spots         int // single peers in the graph at most
}{
	{"desktop", 1280, 900, false, 24},
	{"phone", 390, 844, true, 12},
}

// silent is an address at which no peer answers.
const silent = "127.0.0.1:1"

// TestDashboardAtEverySize visits a node with 0, 1, 60 and 500 peers on a desktop and a phone: groups, search, order
// and pages work, the page stays small and fits, and the console has no error.
func TestDashboardAtEverySize(t *testing.T) {
	needBrowser(t)
	for _, n := range []int{0, 1, 60, 500} {
		t.Run(fmt.Sprint(n, " peers"), func(t *testing.T) {
			if n > 100 && testing.Short() {
				t.Skip("starts 500 peers")
			}
			args := []string{"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--max-conns", "600"}
			if n > 0 {
				args = append(args, "--peer", silent)
			}
			alice := run(t, nodetest.NewHome(t), "alice", args...)
			connect(t, alice, n)
			for _, s := range screens {
				t.Run(s.name, func(t *testing.T) {
					p := open(t)
					emulate := []chromedp.EmulateViewportOption{chromedp.EmulateScale(1)}
					if s.phone {
						emulate = append(emulate, chromedp.EmulateMobile, chromedp.EmulateTouch)
					}
					p.do(chromedp.EmulateViewport(s.width, s.height, emulate...), chromedp.Navigate(alice.Hello.Str("admin")))
					p.until(fmt.Sprintf(`document.getElementById("peers-note").textContent.startsWith("%d connected") ||
						%d === 0 && document.body.dataset.stream === "live" && !document.getElementById("peers-empty").hidden`, n, n))
					p.checkFrame(s.width)
					p.checkMesh(n, s.spots)
					if n > 0 {
						p.checkSilentAddress()
					}
					if n >= 60 {
						p.checkTable(n)
					}
					p.measure(n)
					if errors := p.takeErrors(); len(errors) != 0 {
						t.Errorf("the console says: %q", errors)
					}
				})
			}
		})
	}
}

// checkFrame requires a page that fits the screen, with the supervision tree collapsed.
func (p *page) checkFrame(width int64) {
	p.t.Helper()
	if wide := eval[int64](p, `document.documentElement.scrollWidth`); wide > width {
		p.t.Errorf("the page is %d pixels wide on a screen of %d", wide, width)
	}
	if eval[bool](p, `document.getElementById("tree-box").open || document.querySelector("#tree").children.length > 0`) {
		p.t.Error("the supervision tree is not collapsed")
	}
	if small := eval[string](p, `[...document.querySelectorAll("#peers-tools *, #peers-pages button")]
		.filter((e) => e.matches("input, select, button"))
		.filter((e) => e.offsetParent && e.offsetHeight < 32).map((e) => e.id).join()`); small != "" {
		p.t.Errorf("too small to touch: %s", small)
	}
}

// checkMesh requires that few peers are drawn one by one and many as groups of their role, and that none is missing.
func (p *page) checkMesh(n, limit int) {
	p.t.Helper()
	single := eval[int](p, `document.querySelectorAll("#mesh .spot:not(.group)").length`)
	groups := eval[int](p, `document.querySelectorAll("#mesh .spot.group").length`)
	grouped := eval[int](p, `[...document.querySelectorAll("#mesh .spot.group .number")]
		.reduce((sum, e) => sum + Number(e.textContent), 0)`)
	want := n
	if n > 0 {
		want++ // the silent address
	}
	if single > limit || single+grouped != want || n >= 60 && groups == 0 || n <= 1 && groups != 0 {
		p.t.Errorf("%d single peers and %d in %d groups, want %d in all, at most %d single", single, grouped, groups, want,
			limit)
	}
	if n < 60 {
		return
	}
	p.script(`document.querySelector('#mesh [aria-label*="role worker"]').dispatchEvent(
		new MouseEvent("click", { bubbles: true }))`)
	p.until(`document.getElementById("peers-role").value === "worker"`)
	p.script(resetTable)
}

// resetTable is a script that removes search and filters.
const resetTable = `for (const [id, kind] of [["search", "input"], ["role", "change"], ["state", "change"]]) {
	const e = document.getElementById("peers-" + id);
	e.value = "";
	e.dispatchEvent(new Event(kind));
}`

// checkSilentAddress requires the row of the address at which no peer answers, with its state and last error.
func (p *page) checkSilentAddress() {
	p.t.Helper()
	p.search(silent)
	p.until(`document.querySelectorAll("#peers > tr").length === 1`)
	p.until(`/^(waiting|dialling)$/.test(document.querySelector("#peers .badge").textContent)`)
	p.until(`/[0-9]+ failed dials?, .*refused/.test(document.querySelector("#peers td.state .under").textContent)`)
	p.script(resetTable)
}

func (p *page) search(text string) {
	p.t.Helper()
	p.script(fmt.Sprintf(`{ const e = document.getElementById("peers-search");
		e.value = %q; e.dispatchEvent(new Event("input")); }`, text))
}

// order sorts the table as the list on the page does.
func (p *page) order(name string) {
	p.t.Helper()
	p.script(fmt.Sprintf(`{ const e = document.getElementById("peers-order");
		e.value = %q; e.dispatchEvent(new Event("change")); }`, name))
}

// names returns the names in the rows of the table.
func (p *page) names() []string {
	text := eval[string](p, `[...document.querySelectorAll("#peers .name")].map((e) => e.textContent).join()`)
	return strings.Split(text, ",")
}

// checkTable requires pages of 25 rows, the order by name, the search, and details of a peer.
func (p *page) checkTable(n int) {
	p.t.Helper()
	p.order("name")
	if got := p.names(); len(got) != 25 || got[0] != silent || got[1] != "peer-000" || got[24] != "peer-023" {
		p.t.Errorf("the first page: %q", got)
	}
	p.script(`document.getElementById("peers-next").click()`)
	if got := p.names(); len(got) != 25 || got[0] != "peer-024" {
		p.t.Errorf("the second page: %q", got)
	}
	want := fmt.Sprintf("26 to 50 of %d", n+1)
	if got := eval[string](p, `document.getElementById("peers-range").textContent`); got != want {
		p.t.Errorf("the pages say %q, want %q", got, want)
	}
	p.search("Peer-04 fleet")
	p.until(`document.querySelectorAll("#peers > tr").length === 10 && document.getElementById("peers-pages").hidden`)
	p.search("peer-007")
	p.script(`document.querySelector("#peers .name").click()`)
	p.until(`document.querySelector("#peer-detail dl") !== null`)
	detail := eval[string](p, `document.getElementById("peer-detail").innerText`)
	for _, want := range []string{"worker", "fleet 1.1", "session/1", "inbound", "verified"} {
		if !strings.Contains(detail, want) {
			p.t.Errorf("the details have no %q:\n%s", want, detail)
		}
	}
	p.script(resetTable)
	p.order("state")
}

// measure logs the cost of five updates, and requires that the page does not grow with the number of peers.
func (p *page) measure(n int) {
	p.t.Helper()
	before := p.cost()
	began := eval[string](p, `document.getElementById("node-uptime").textContent`)
	for range 5 {
		p.until(fmt.Sprintf(`document.getElementById("node-uptime").textContent !== %q`, began))
		began = eval[string](p, `document.getElementById("node-uptime").textContent`)
	}
	after, elements := p.cost(), eval[int](p, `document.querySelectorAll("*").length`)
	per := func(name string) float64 { return (after[name] - before[name]) * 1000 / 5 }
	p.t.Logf("%d peers: %.1f ms of scripts, %.1f ms of layout and styles, %.1f ms in all a second; %d elements", n,
		per("ScriptDuration"), per("LayoutDuration")+per("RecalcStyleDuration"), per("TaskDuration"), elements)
	if elements > 3500 {
		p.t.Errorf("the page has %d elements", elements)
	}
}

// cost returns the browser's own measures of the page, times in seconds of CPU of the page's thread.
func (p *page) cost() map[string]float64 {
	p.t.Helper()
	values := make(map[string]float64)
	p.do(func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		cpu := performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}
		if _, err := cdp.Call(ctx, tab, performance.Enable, cpu); err != nil {
			return chromedp.Void{}, err
		}
		result, err := cdp.Call(ctx, tab, performance.GetMetrics, cdp.Empty{})
		if err != nil {
			return chromedp.Void{}, err
		}
		for _, m := range result.Metrics {
			values[m.Name] = m.Value
		}
		return chromedp.Void{}, nil
	})
	return values
}
