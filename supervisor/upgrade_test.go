package supervisor

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
)

func TestUpgradeFaultReadsListsAndRefusesBodies(t *testing.T) {
	const connection, upgrade = "Connection: Upgrade\r\n", "Upgrade: websocket\r\n"
	for name, c := range map[string]struct {
		headers string
		status  int
	}{
		"plain":                      {connection + upgrade, 0},
		"list of protocols":          {connection + "Upgrade: websocket, h2c\r\n", 0},
		"last of the list":           {connection + "Upgrade: h2c,\t WebSocket \r\n", 0},
		"two lines":                  {connection + "Upgrade: h2c\r\nUpgrade: websocket\r\n", 0},
		"empty elements":             {connection + "Upgrade: , ,websocket,\r\n", 0},
		"list of options":            {"Connection: keep-alive, UPGRADE\r\n" + upgrade, 0},
		"two lines of options":       {"Connection: keep-alive\r\nConnection: upgrade\r\n" + upgrade, 0},
		"no length":                  {connection + upgrade + "Content-Length: 0\r\n", 0},
		"no upgrade":                 {connection, http.StatusUpgradeRequired},
		"another protocol":           {connection + "Upgrade: h2c\r\n", http.StatusUpgradeRequired},
		"a token that only contains": {connection + "Upgrade: websockets, x-websocket\r\n", http.StatusUpgradeRequired},
		"a version":                  {connection + "Upgrade: websocket/13\r\n", http.StatusUpgradeRequired},
		"no option":                  {upgrade, http.StatusBadRequest},
		"another option":             {"Connection: keep-alive\r\n" + upgrade, http.StatusBadRequest},
		"a length":                   {connection + upgrade + "Content-Length: 6\r\n", http.StatusBadRequest},
		"chunked":                    {connection + upgrade + "Transfer-Encoding: chunked\r\n", http.StatusBadRequest},
	} {
		head := "GET /ws HTTP/1.1\r\nHost: node\r\n" + c.headers + "\r\n"
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if status, text := upgradeFault(r); status != c.status || (text == "") != (status == 0) {
			t.Errorf("%s: %d %q, want %d", name, status, text, c.status)
		}
	}
}
