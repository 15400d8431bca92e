package admin

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// contentSecurityPolicy lets the page load its own files and nothing else, and nobody frame it.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard stands before every route. A browser brings requests of any website here, so it asks who is meant and who asks:
//
//   - The Host must be a loopback name or address, or what the server is bound to. A website whose name was made to
//     point here (DNS rebinding) still sends its own name.
//   - Scripts and frames of other websites are refused; following a link from one is not.
//   - The method must be GET or HEAD.
type guard struct {
	bound string // the host of --admin, as it was written; empty: all addresses
	next  http.Handler
}

func newGuard(address string, next http.Handler) *guard {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = ""
	}
	return &guard{bound: host, next: next}
}

// ServeHTTP implements http.Handler.
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	switch local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr); {
	case !g.meant(r.Host, local):
		http.Error(w, "this host name is not served here", http.StatusForbidden)
	case foreign(r):
		http.Error(w, "requests of other websites are not answered", http.StatusForbidden)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "everything here only reads", http.StatusMethodNotAllowed)
	default:
		g.next.ServeHTTP(w, r)
	}
}

// meant reports whether a request's Host may be answered on a connection to the address local. The port does not
// count: it may be forwarded.
func (g *guard) meant(host string, local net.Addr) bool {
	name := hostname(host)
	if name == "" {
		return false
	}
	if strings.EqualFold(name, "localhost") || strings.EqualFold(name, "localhost.") || strings.EqualFold(name, g.bound) {
		return true
	}
	ip, err := netip.ParseAddr(name)
	if err != nil {
		return false
	}
	ip = ip.Unmap().WithZone("")
	if ip.IsLoopback() {
		return true
	}
	// Bound to all addresses, it is bound to the one that this connection came to.
	at, ok := local.(*net.TCPAddr)
	return ok && ip == at.AddrPort().Addr().Unmap().WithZone("")
}

// hostname returns the host of a Host header, without port and brackets; empty when it is none.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok {
			return inner
		}
		return ""
	}
	return host
}

// foreign reports whether a browser says that another website makes the request. What is no browser says nothing.
func foreign(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		return err != nil || u.Scheme != "http" || !strings.EqualFold(u.Host, r.Host)
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return false
	default:
		return r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document"
	}
}
