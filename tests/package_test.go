package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// debian is an empty root directory for dpkg, with a fake systemctl that logs its calls.
type debian struct {
	t         *testing.T
	root, log string
}

func newDebian(t *testing.T) *debian {
	t.Helper()
	for _, tool := range []string{"dpkg", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is missing: the maintainer scripts are not tried")
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("only root installs packages: the maintainer scripts are not tried")
	}
	d := &debian{t: t, root: filepath.Join(t.TempDir(), "root"), log: filepath.Join(t.TempDir(), "log")}
	for _, dir := range []string{
		"run/systemd/system", "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/go-p2p", "bin",
	} {
		if err := os.MkdirAll(filepath.Join(d.root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	d.write("var/lib/dpkg/status", "", 0o644)
	// is-enabled succeeds if the file enabled exists.
	d.write("bin/systemctl", "#!/bin/sh\necho \"$*\" >>"+d.log+"\n"+
		"case $1 in is-enabled) [ -e "+d.root+"/enabled ];; esac\n", 0o755)
	return d
}

func (d *debian) write(name, text string, mode os.FileMode) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.root, name), []byte(text), mode); err != nil {
		d.t.Fatal(err)
	}
}

// build makes a package of the maintainer scripts.
func (d *debian) build(version string) string {
	d.t.Helper()
	dir := filepath.Join(d.t.TempDir(), version)
	if err := os.MkdirAll(filepath.Join(dir, "DEBIAN"), 0o755); err != nil {
		d.t.Fatal(err)
	}
	control := fmt.Sprintf("Package: go-p2p-node\nVersion: %s\nArchitecture: all\nMaintainer: x <x@example.org>\n"+
		"Description: test\n", version)
	if err := os.WriteFile(filepath.Join(dir, "DEBIAN", "control"), []byte(control), 0o600); err != nil {
		d.t.Fatal(err)
	}
	for _, name := range []string{"preinst", "postinst", "prerm", "postrm"} {
		text, err := os.ReadFile("../packaging/scripts/" + name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "DEBIAN", name), text, 0o600)
		}
		if err == nil {
			err = os.Chmod(filepath.Join(dir, "DEBIAN", name), 0o755)
		}
		if err != nil {
			d.t.Fatal(err)
		}
	}
	if out, err := exec.Command("dpkg-deb", "--build", dir).CombinedOutput(); err != nil {
		d.t.Fatalf("dpkg-deb: %v: %s", err, out)
	}
	return dir + ".deb"
}

// dpkg runs dpkg and returns the calls of systemctl, separated by semicolons, and its output.
func (d *debian) dpkg(args ...string) (calls, output string) {
	d.t.Helper()
	_ = os.Remove(d.log)
	cmd := exec.Command("dpkg", append([]string{"--root=" + d.root, "--force-script-chrootless"}, args...)...)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(d.root, "bin")+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		d.t.Fatalf("dpkg %v: %v: %s", args, err, out)
	}
	log, _ := os.ReadFile(d.log) // none without a call
	return strings.ReplaceAll(strings.TrimSpace(string(log)), "\n", "; "), string(out)
}

// An installation starts the service if it is enabled, an upgrade restarts what runs, a removal stops it, and a purge
// keeps the identity.
func TestPackageStartsAndStopsTheService(t *testing.T) {
	d := newDebian(t)
	first, second := d.build("1.0"), d.build("2.0")
	const stop = "stop go-p2p.socket go-p2p.service go-p2p@*.service; daemon-reload"
	for _, step := range []struct{ args, want string }{
		{"--install " + first, "daemon-reload; is-enabled --quiet go-p2p.service"},
		{"--install " + second, "daemon-reload; try-restart go-p2p.service go-p2p@*.service"},
		{"--remove go-p2p-node", stop},
		{"enable", ""},
		{"--install " + first, "daemon-reload; is-enabled --quiet go-p2p.service; start go-p2p.service"},
		{"--purge go-p2p-node", stop + "; daemon-reload"},
	} {
		if step.args == "enable" {
			d.write("enabled", "", 0o600)
			continue
		}
		calls, output := d.dpkg(strings.Fields(step.args)...)
		calls = strings.ReplaceAll(calls, "daemon-reload; daemon-reload; ", "daemon-reload; ") // postrm of an upgrade
		if calls != step.want {
			t.Errorf("dpkg %s calls %s, want %s", step.args, calls, step.want)
		}
		if kept := strings.Contains(output, "is kept"); kept != strings.HasPrefix(step.args, "--purge") {
			t.Errorf("dpkg %s prints %s", step.args, output)
		}
	}
	if _, err := os.Stat(filepath.Join(d.root, "var/lib/go-p2p")); err != nil {
		t.Errorf("the identity is gone: %v", err)
	}
}

// The package has the scripts and every unit, and its services print no payloads.
func TestPackageHasUnitsWithoutPayloads(t *testing.T) {
	list, err := os.ReadFile("../packaging/nfpm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range []string{"preinst", "postinst", "prerm", "postrm"} {
		if !strings.Contains(string(list), "packaging/scripts/"+script+"\n") {
			t.Errorf("nfpm.yaml has no %s", script)
		}
	}
	units, err := filepath.Glob("../packaging/systemd/*")
	if err != nil || len(units) != 3 {
		t.Fatalf("units %v, %v", units, err)
	}
	for _, path := range units {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(list), "/usr/lib/systemd/system/"+filepath.Base(path)+"\n") {
			t.Errorf("nfpm.yaml has no %s", path)
		}
		if strings.HasSuffix(path, ".service") && !strings.Contains(string(text), "--events no-payloads\n") {
			t.Errorf("%s may print payloads", path)
		}
	}
}
