package settings

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// memberShutdownTimeout is the default of --shutdown-timeout for a member of several: its peers move to the others.
const memberShutdownTimeout = time.Minute

// Cluster holds the settings of a node that several processes share.
type Cluster struct {
	Listen      string   // host:port for other members; empty: none
	Join        []string // host:port of other members
	Name        string
	SecretFile  string // empty: none
	NATS        string // URL of NATS elsewhere, instead of Listen; empty: none
	Credentials string // file, for NATS; empty: none
	Public      bool   // Listen may be public
	MaxConns    int    // of all members; 0: no limit
	RefuseAlone bool   // admit no peer while no other member is alive
}

// Enabled reports whether the node is a member of a cluster.
func (c *Cluster) Enabled() bool { return c.Listen != "" || c.NATS != "" }

// Values of --cluster-isolated.
const (
	isolatedServe  = "serve"
	isolatedRefuse = "refuse"
)

// maxMemberName is the longest name of a member, in bytes.
const maxMemberName = 32

var (
	memberName  = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	otherLetter = regexp.MustCompile(`[^a-z0-9-]`)
)

// MemberName returns the default of --cluster-name: a host name in the form of names of members.
func MemberName(host string) string {
	label, _, _ := strings.Cut(host, ".")
	name := otherLetter.ReplaceAllString(strings.ToLower(label), "-")
	return cmp.Or(name[:min(len(name), maxMemberName)], "node")
}

func identityFile() definition {
	return definition{
		name: "identity", env: "NODE_IDENTITY", kind: "file", scope: ScopeIdentity,
		usage: "identity, which several members share (default: in the data directory)",
		set: func(s *Settings, text string) (err error) {
			if s.Identity = ""; text != "" {
				s.Identity, err = filepath.Abs(text)
			}
			return err
		}, show: func(s *Settings) string { return s.Identity },
	}
}

func clusterSettings() []definition {
	return []definition{
		{
			name: "cluster", env: "NODE_CLUSTER", kind: "host:port", scope: ScopeNode, emptyCounts: true,
			usage: "be one of several members with the same identity, and listen for the others here",
			set: func(s *Settings, text string) error {
				if s.Cluster.Listen = text; checkListen(text) != nil {
					return mustBe("host:port of a private network, such as 10.0.0.1:9093, or empty")
				}
				return nil
			}, show: func(s *Settings) string { return s.Cluster.Listen },
		},
		{
			name: "cluster-join", env: "NODE_CLUSTER_JOIN", kind: "address", scope: ScopeNode, emptyCounts: true,
			usage: "host:port of another member; of a name all addresses are tried; repeatable",
			set: func(s *Settings, text string) (err error) {
				s.Cluster.Join, err = parseMembers(text)
				return err
			}, show: func(s *Settings) string { return strings.Join(s.Cluster.Join, ",") },
		},
		{
			name: "cluster-name", env: "NODE_CLUSTER_NAME", kind: "text", scope: ScopeNode,
			usage: "name of this member, different from those of the others",
			set: func(s *Settings, text string) error {
				if s.Cluster.Name = text; !memberName.MatchString(text) {
					return mustBe("1 to 32 of the characters a-z, 0-9 and -")
				}
				return nil
			}, show: func(s *Settings) string { return s.Cluster.Name },
		},
		fileName("cluster-secret", "NODE_CLUSTER_SECRET", "file with a secret that all members need besides the "+
			"identity; two lines: the first in use, the second accepted too",
			func(s *Settings) *string { return &s.Cluster.SecretFile }),
		{
			name: "cluster-nats", env: "NODE_CLUSTER_NATS", kind: "url", scope: ScopeNode, emptyCounts: true,
			usage: "nats://host:port or tls://host:port of a NATS server that connects the members, instead of --cluster",
			set: func(s *Settings, text string) error {
				s.Cluster.NATS = text
				return checkNATS(text)
			}, show: func(s *Settings) string { return hidePassword(s.Cluster.NATS) },
		},
		fileName("cluster-nats-creds", "NODE_CLUSTER_NATS_CREDS", "file with the credentials for --cluster-nats",
			func(s *Settings) *string { return &s.Cluster.Credentials }),
		count("cluster-max-conns", "NODE_CLUSTER_MAX_CONNS", "connections of all members together, above which this one "+
			"admits no peer; 0 is no limit", 0, func(s *Settings) *int { return &s.Cluster.MaxConns }),
		{
			name: "cluster-isolated", env: "NODE_CLUSTER_ISOLATED", kind: "text", scope: ScopeNode,
			values: []string{isolatedServe, isolatedRefuse},
			usage:  "while no other member is alive: serve, or refuse new peers",
			set: func(s *Settings, text string) error {
				s.Cluster.RefuseAlone = text == isolatedRefuse
				if text != isolatedServe && text != isolatedRefuse {
					return mustBe("serve or refuse")
				}
				return nil
			}, show: func(s *Settings) string {
				if s.Cluster.RefuseAlone {
					return isolatedRefuse
				}
				return isolatedServe
			},
		},
		{
			name: "cluster-public", env: "NODE_CLUSTER_PUBLIC", kind: "bool", scope: ScopeNode, values: bools(),
			usage: "permit a public or wildcard address for --cluster",
			set: func(s *Settings, text string) (err error) {
				s.Cluster.Public, err = parseBool(text)
				return err
			}, show: func(s *Settings) string { return strconv.FormatBool(s.Cluster.Public) },
		},
	}
}

func parseMembers(text string) (members []string, err error) {
	for member := range strings.SplitSeq(text, ",") {
		member = strings.TrimSpace(member)
		if member == "" {
			continue
		}
		host, port, err := net.SplitHostPort(member)
		number, portErr := strconv.ParseUint(port, 10, 16)
		if err != nil || portErr != nil || host == "" || number == 0 {
			return nil, mustBe("host:port of another member")
		}
		if !slices.Contains(members, member) {
			members = append(members, member)
		}
	}
	return members, nil
}

// checkNATS checks a URL of NATS, or several with commas.
func checkNATS(text string) error {
	if text == "" {
		return nil
	}
	for part := range strings.SplitSeq(text, ",") {
		u, err := url.Parse(strings.TrimSpace(part))
		if err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" {
			return mustBe("nats://host:port or tls://host:port")
		}
	}
	return nil
}

// hidePassword returns URLs without their passwords.
func hidePassword(text string) string {
	parts := strings.Split(text, ",")
	for i, part := range parts {
		if u, err := url.Parse(strings.TrimSpace(part)); err == nil && part != "" {
			parts[i] = u.Redacted()
		}
	}
	return strings.Join(parts, ",")
}

// checkCluster checks the rules between the settings of a cluster.
func (s *Settings) checkCluster() error {
	c := &s.Cluster
	switch {
	case c.Listen != "" && c.NATS != "":
		return fmt.Errorf("%s and %s exclude each other: give one", s.given("cluster"), s.given("cluster-nats"))
	case c.NATS != "" && len(c.Join) > 0:
		return fmt.Errorf("%s and %s exclude each other: members find each other over NATS, so give only the latter",
			s.given("cluster-join"), s.given("cluster-nats"))
	case len(c.Join) > 0 && c.Listen == "":
		return fmt.Errorf("%s is given without --cluster: give the address for other members, too", s.given("cluster-join"))
	case c.Credentials != "" && c.NATS == "":
		return fmt.Errorf("%s is given without --cluster-nats: give both or neither", s.given("cluster-nats-creds"))
	case c.SecretFile != "" && !c.Enabled():
		return fmt.Errorf("%s is given without --cluster or --cluster-nats: give one of them, too", s.given("cluster-secret"))
	}
	return nil
}
