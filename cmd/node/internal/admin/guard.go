package admin

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// contentSecurityPolicy allows the page to load its own files only and forbids frames around it.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard checks every request before its route, because a browser sends requests on behalf of any website:
//
//   - The Host must be a loopback name or address, or the address that the server is bound to. A website with a name
//     that resolves to this host (DNS rebinding) sends that name.
//   - Requests by scripts and frames of other websites are refused; links from them are allowed.
//   - The method must be GET or HEAD.
type guard struct {
	bound string // the host of --admin; empty: all addresses
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
	case !g.serves(r.Host, local):
		http.Error(w, "this host name is not served here", http.StatusForbidden)
	case crossSite(r):
		http.Error(w, "requests of other websites are refused", http.StatusForbidden)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "this server is read-only", http.StatusMethodNotAllowed)
	default:
		g.next.ServeHTTP(w, r)
	}
}

// serves reports whether the server answers a request with this Host on a connection to the address local. The port is
// ignored because it may be forwarded.
func (g *guard) serves(host string, local net.Addr) bool {
	name := hostname(host)
	if name == "" {
		return false
	}
	for _, own := range []string{"localhost", "localhost.", g.bound} {
		if strings.EqualFold(name, own) {
			return true
		}
	}
	ip, err := netip.ParseAddr(name)
	if err != nil {
		return false
	}
	ip = ip.Unmap().WithZone("")
	if ip.IsLoopback() {
		return true
	}
	// A server bound to all addresses serves the address of this connection.
	at, ok := local.(*net.TCPAddr)
	return ok && ip == at.AddrPort().Addr().Unmap().WithZone("")
}

// hostname returns the host of a Host header without port and brackets, or "" if the header is invalid.
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

// crossSite reports whether a browser sent the request on behalf of another website. Other clients set no such header.
func crossSite(r *http.Request) bool {
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
