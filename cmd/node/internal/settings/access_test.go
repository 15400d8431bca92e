//go:build unix

package settings

import (
	"os/user"
	"strconv"
	"strings"
	"testing"
)

func TestControlGroupMustExist(t *testing.T) {
	own, err := user.Current()
	if err != nil {
		t.Skip("this user is unknown on the host: ", err)
	}
	group, err := user.LookupGroupId(own.Gid)
	if err != nil {
		t.Skip("the group of this user is unknown on the host: ", err)
	}
	want, err := strconv.Atoi(own.Gid)
	if err != nil {
		t.Fatal(err)
	}
	for text, id := range map[string]int{group.Name: want, own.Gid: want, "": NoGroup} {
		s, err := load(t, ScopeNode, []string{"--control-group=" + text}, nil, "")
		if err != nil || s.ControlGroupID != id || s.ControlGroup != text {
			t.Errorf("%q: %v, %+v", text, err, s)
		}
	}
	for _, text := range []string{"no-such-group", "2000000001"} {
		_, err := load(t, ScopeNode, nil, []string{"NODE_CONTROL_GROUP=" + text}, "")
		if err == nil || !strings.Contains(err.Error(), "NODE_CONTROL_GROUP") ||
			!strings.Contains(err.Error(), "must be the name or number of a group of this host") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
