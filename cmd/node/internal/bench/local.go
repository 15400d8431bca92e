package bench

import (
	"context"
	"fmt"
	"net"
	"net/url"

	"github.com/Snider/go-p2p/supervisor"
)

// OnThisHost reports whether every IP address of a peer's address belongs to this host. The error is about an invalid
// address or an unknown name.
func OnThisHost(ctx context.Context, address string) (bool, error) {
	text, _, err := supervisor.ParsePinnedAddress(address, "/ws")
	if err != nil {
		return false, err
	}
	u, err := url.Parse(text)
	if err != nil {
		return false, err
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return false, fmt.Errorf("find the address of %q: %w", u.Hostname(), err)
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return false, err
	}
	for _, ip := range found {
		here := ip.IsLoopback() || ip.IsUnspecified()
		for _, addr := range own {
			network, ok := addr.(*net.IPNet)
			here = here || ok && network.IP.Equal(ip.AsSlice())
		}
		if !here {
			return false, nil
		}
	}
	return len(found) > 0, nil
}
