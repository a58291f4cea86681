// Package oracle holds the normal form against the code that defines the truth: the API server's own libraries, the
// YAML and JSON readers of the delivery tools, and a second implementation of the rules. MESHWRIT_ORACLE names our side,
// the binary of driver/driver.c. README.md says what is compared with what.
package oracle

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

var (
	seed    = flag.Uint64("seed", uint64(time.Now().UnixNano())%1_000_000_000, "makes a run repeatable")
	cases   = flag.Uint64("cases", 200_000, "how many cases each oracle gets")
	first   = flag.Uint64("first", 0, "the number of the first case; with -cases 1 it is the only one")
	workers = flag.Int("workers", runtime.NumCPU(), "how many drivers run at a time")
	corpus  = flag.String("corpus", "../../../shared/corpus", "a folder of YAML files to try, too")
	crds    = flag.String("crds", "", "more folders with CustomResourceDefinitions, separated by commas")
)

func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv("MESHWRIT_ORACLE") == "" {
		fmt.Fprintln(os.Stderr, "MESHWRIT_ORACLE does not name the oracle_driver binary; ctest sets it")
		os.Exit(2)
	}
	debug.SetGCPercent(400) // garbage is most of what is made
	fmt.Printf("to repeat: -seed %d -cases %d\n", *seed, *cases)
	os.Exit(m.Run())
}
