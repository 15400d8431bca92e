package actors

import "testing"

func TestActivityReportsThatAJobIsAlone(t *testing.T) {
	var none *Activity
	some := &Activity{}
	nested := func(jobs int) (alone bool) {
		run := func() { alone = some.alone() }
		for range jobs {
			inner := run
			run = func() { some.run(inner) }
		}
		run()
		return alone
	}
	for jobs, want := range []bool{true, true, false, false} {
		if got := nested(jobs); got != want {
			t.Errorf("%d jobs: alone is %v, want %v", jobs, got, want)
		}
	}
	if !none.alone() {
		t.Error("without a count no job is alone")
	}
}
