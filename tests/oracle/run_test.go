package oracle

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	roundCases     = 20_000 // share one driver and one world
	batchCases     = 200    // are asked at once
	maxDifferences = 5      // then the run ends
	maxShrinks     = 2000   // tries to make a reproduction smaller
)

// An oracle makes random subjects, asks the driver about each, and judges the answers.
type oracle[S any] struct {
	world func(round uint64) (*world, error) // what the subjects of a round are made of
	make  func(r *rand.Rand, w *world) S
	ask   func(S) []request

	// What came of it, in a word for the tally; an error is a difference.
	judge func(S, []answer) (string, error)

	smaller func(S) []S // simpler subjects, to find the one to print
	show    func(S) string

	// The share of cases that must come to this, so that an oracle that sees nothing is noticed.
	least map[string]float64
}

type run[S any] struct {
	oracle[S]
	t           *testing.T
	mutex       sync.Mutex
	next        uint64 // the first case of the next round
	tally       map[string]uint64
	differences int
}

func (o oracle[S]) run(t *testing.T) {
	started := time.Now()
	r := &run[S]{oracle: o, t: t, next: *first, tally: map[string]uint64{}}
	var group sync.WaitGroup
	for range *workers {
		group.Go(r.work)
	}
	group.Wait()
	r.report(time.Since(started))
}

// The next round: its cases begin at a multiple of roundCases, whatever the first one is, so that a
// case is the same one in every run with its seed.
func (r *run[S]) take() (from, to uint64, ok bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	from, to = r.next, (r.next/roundCases+1)*roundCases
	to = min(to, *first+*cases)
	r.next = to
	return from, to, from < to && r.differences < maxDifferences
}

func (r *run[S]) work() {
	for from, to, ok := r.take(); ok; from, to, ok = r.take() {
		if err := r.round(from, to); err != nil {
			r.t.Errorf("cases %d to %d: %v", from, to, err)
			return
		}
	}
}

func (r *run[S]) round(from, to uint64) error {
	w, err := r.world(from / roundCases)
	if err != nil {
		return err
	}
	defer w.close()
	d, err := startDriver(w.arguments...)
	if err != nil {
		return err
	}
	for ; from < to; from += batchCases {
		if err := r.batch(d, w, from, min(from+batchCases, to)); err != nil {
			d.stop()
			return err
		}
	}
	return d.stop()
}

func (r *run[S]) subject(w *world, number uint64) S {
	return r.make(rand.New(rand.NewPCG(*seed, number)), w)
}

func (r *run[S]) batch(d *driver, w *world, from, to uint64) error {
	var subjects []S
	var requests []request
	var ends []int
	for i := from; i < to; i++ {
		s := r.subject(w, i)
		subjects = append(subjects, s)
		requests = append(requests, r.oracle.ask(s)...)
		ends = append(ends, len(requests))
	}
	answers, err := d.ask(requests)
	if err != nil {
		return r.findCulprit(w, subjects, from, err)
	}
	came := map[string]uint64{}
	for i, s := range subjects {
		begin := 0
		if i > 0 {
			begin = ends[i-1]
		}
		what, err := r.judge(s, answers[begin:ends[i]])
		came[what]++
		if err != nil {
			r.differ(d, s, from+uint64(i), err)
		}
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for what, count := range came {
		r.tally[what] += count
	}
	if r.differences >= maxDifferences {
		return fmt.Errorf("more than %d differences", maxDifferences-1)
	}
	return nil
}

// The driver died in a batch: each subject gets a driver of its own.
func (r *run[S]) findCulprit(w *world, subjects []S, from uint64, cause error) error {
	for i, s := range subjects {
		d, err := startDriver(w.arguments...)
		if err != nil {
			return err
		}
		_, err = d.ask(r.oracle.ask(s))
		if end := d.stop(); err != nil || end != nil {
			return fmt.Errorf("case %d ends the driver (%v)\n%s", from+uint64(i), end, r.show(s))
		}
	}
	return cause
}

func (r *run[S]) differ(d *driver, s S, number uint64, err error) {
	r.mutex.Lock()
	r.differences++
	enough := r.differences > maxDifferences
	r.mutex.Unlock()
	if enough {
		return
	}
	s, err = r.shrink(d, s, err)
	r.t.Errorf("-seed %d -first %d -cases 1\n%v\n%s", *seed, number, err, r.show(s))
}

// Takes the first simpler subject that still differs, until there is none.
func (r *run[S]) shrink(d *driver, s S, err error) (S, error) {
	for tries := 0; tries < maxShrinks; {
		found := false
		for _, candidate := range r.smaller(s) {
			if tries++; tries > maxShrinks {
				break
			}
			answers, failed := d.ask(r.oracle.ask(candidate))
			if failed != nil {
				return s, err
			}
			if _, difference := r.judge(candidate, answers); difference != nil {
				s, err, found = candidate, difference, true
				break
			}
		}
		if !found {
			break
		}
	}
	return s, err
}

func (r *run[S]) report(took time.Duration) {
	var total uint64
	var words []string
	for what, count := range r.tally {
		total += count
		words = append(words, fmt.Sprintf("%d %s", count, what))
	}
	sort.Strings(words)
	r.t.Logf("%d cases in %.0f s: %s; %d differences", total, took.Seconds(), strings.Join(words, ", "), r.differences)
	for what, share := range r.least {
		if total >= 1000 && float64(r.tally[what]) < share*float64(total) {
			r.t.Errorf("only %d of %d cases were %s: this run says little", r.tally[what], total, what)
		}
	}
}

// --- making things smaller ---

// Trees with one part less.
func smallerTrees(v any) []any {
	var out []any
	switch v := v.(type) {
	case map[string]any:
		for _, key := range sortedKeys(v) {
			out = append(out, withKey(v, key, nil, true))
		}
		for _, key := range sortedKeys(v) {
			for _, child := range smallerTrees(v[key]) {
				out = append(out, withKey(v, key, child, false))
			}
		}
	case []any:
		for i := range v {
			out = append(out, append(append([]any{}, v[:i]...), v[i+1:]...))
		}
		for i := range v {
			for _, child := range smallerTrees(v[i]) {
				list := append([]any{}, v...)
				list[i] = child
				out = append(out, list)
			}
		}
	}
	return out
}

func withKey(m map[string]any, key string, value any, remove bool) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	if remove {
		delete(out, key)
	} else {
		out[key] = value
	}
	return out
}

// Texts with one piece less: lines first, then characters.
func smallerTexts(text []byte) [][]byte {
	var out [][]byte
	without := func(from, to int) {
		out = append(out, append(append([]byte{}, text[:from]...), text[to:]...))
	}
	for size := len(text) / 2; size >= 1; size /= 2 {
		for from := 0; from+size <= len(text); from += size {
			without(from, from+size)
		}
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
