package settings

import (
	"errors"
	"os/user"
	"runtime"
	"strconv"
)

// NoGroup is the ControlGroupID of settings without a control group.
const NoGroup = -1

// accessSettings returns the settings of the access to a running node, besides --admin.
func accessSettings() []definition {
	return []definition{
		{
			name: "admin-pprof", env: "NODE_ADMIN_PPROF", kind: "bool", scope: ScopeNode, values: bools(),
			usage: "profiles of the process at /debug/pprof/ on --admin",
			set: func(s *Settings, text string) (err error) {
				s.AdminPprof, err = parseBool(text)
				return err
			}, show: func(s *Settings) string { return strconv.FormatBool(s.AdminPprof) },
		},
		{
			name: "control-group", env: "NODE_CONTROL_GROUP", kind: "group", scope: ScopeNode, emptyCounts: true,
			usage: "group of this host whose members may use the control socket, by name or number; empty: only this user",
			set: func(s *Settings, text string) (err error) {
				s.ControlGroup = text
				s.ControlGroupID, err = groupID(text)
				return err
			}, show: func(s *Settings) string { return s.ControlGroup },
		},
	}
}

// groupID returns the number of a group of this host, given by name or number, or NoGroup for the empty text.
func groupID(text string) (int, error) {
	if text == "" {
		return NoGroup, nil
	}
	if runtime.GOOS == "windows" {
		return NoGroup, mustBe("empty: this system has no groups of files")
	}
	group, err := user.LookupGroup(text)
	if errors.As(err, new(user.UnknownGroupError)) {
		group, err = user.LookupGroupId(text)
	}
	if err != nil {
		return NoGroup, mustBe("the name or number of a group of this host")
	}
	return strconv.Atoi(group.Gid)
}
