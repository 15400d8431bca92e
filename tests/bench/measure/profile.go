package measure

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
)

// ProfileFolder is the environment variable with the folder into which workers write CPU profiles; empty: none.
const ProfileFolder = "BENCH_PROFILES"

// profile takes a CPU profile of this process until the returned function is called with the process's name.
func profile() (stop func(what string)) {
	folder := os.Getenv(ProfileFolder)
	if folder == "" {
		return func(string) {}
	}
	name := filepath.Join(folder, fmt.Sprint(os.Getpid()))
	file, err := os.Create(name)
	if err == nil {
		err = pprof.StartCPUProfile(file)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "no profile:", err)
		return func(string) {}
	}
	return func(what string) {
		pprof.StopCPUProfile()
		file.Close()
		what = strings.NewReplacer("/", "-", " ", "-", ",", "").Replace(what)
		_ = os.Rename(name, name+"-"+what+".pprof")
	}
}

// heapProfile writes a profile of the present heap.
func heapProfile(what string) {
	folder := os.Getenv(ProfileFolder)
	if folder == "" {
		return
	}
	file, err := os.Create(filepath.Join(folder, fmt.Sprintf("%d-%s.heap", os.Getpid(), what)))
	if err == nil {
		err = errors.Join(pprof.WriteHeapProfile(file), file.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "no profile:", err)
	}
}
