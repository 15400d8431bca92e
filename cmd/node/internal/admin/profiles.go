package admin

import (
	"net/http"
	"net/http/pprof"
)

// addProfiles adds the profiles of the process below /debug/pprof/. They cost the node time and show its code, so the
// operator switches them on. Profiles over time extend the write timeout of the server by their duration.
func addProfiles(mux *http.ServeMux) {
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
}
