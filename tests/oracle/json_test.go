package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// (c) JSON: what policy/jread accepts, Go's decoder reads as the same; and it accepts what Go's encoder prints.

type jsonCase struct {
	text []byte
	must bool // our reader may not refuse it
}

// --- texts ---

// A value as JSON in any spelling that the grammar allows.
type jsonWriter struct {
	r     *rand.Rand
	loose bool   // numbers may come out as other ones
	front string // this key comes first in its map
	out   bytes.Buffer
}

func (w *jsonWriter) print(v any) []byte {
	w.value(v)
	w.space()
	return w.out.Bytes()
}

func spelled(r *rand.Rand, v any) []byte { return (&jsonWriter{r: r}).print(v) }

func (w *jsonWriter) space() {
	if once(w.r, 6) {
		w.out.WriteString(pick(w.r, []string{" ", "\n", "\t", "\r\n", "  \n "}))
	}
}

func (w *jsonWriter) value(v any) {
	w.space()
	switch v := v.(type) {
	case map[string]any:
		keys := sortedKeys(v)
		if once(w.r, 2) {
			w.r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		}
		if i := slices.Index(keys, w.front); i > 0 {
			keys[0], keys[i] = keys[i], keys[0]
		}
		w.out.WriteByte('{')
		for i, key := range keys {
			w.comma(i)
			w.text(key)
			w.space()
			w.out.WriteByte(':')
			w.value(v[key])
			w.space()
		}
		w.out.WriteByte('}')
	case []any:
		w.out.WriteByte('[')
		for i := range v {
			w.comma(i)
			w.value(v[i])
			w.space()
		}
		w.out.WriteByte(']')
	case string:
		w.text(v)
	case int64:
		w.integer(v)
	case float64:
		w.float(v)
	default:
		w.out.Write(mustJSON(v))
	}
}

func (w *jsonWriter) comma(i int) {
	if i > 0 {
		w.out.WriteByte(',')
		w.space()
	}
}

func (w *jsonWriter) integer(i int64) {
	text := strconv.FormatInt(i, 10)
	switch small := i != 0 && i > -1<<53 && i < 1<<53; w.r.IntN(30) {
	case 0:
		if small {
			text += pick(w.r, []string{".0", "e0", "E+00", ".000e-0", "00e-2"})
		}
	case 1:
		if w.loose && once(w.r, 2) {
			text = fmt.Sprintf("%d%018d%c%d", i, w.r.Int64N(1e18), pick(w.r, []byte("0.e")), w.r.IntN(400))
		} else if w.loose {
			text += pick(w.r, []string{"0", "000000000000000", "e3", ".5", "e-1"})
		}
	}
	w.out.WriteString(text)
}

func (w *jsonWriter) float(f float64) {
	text := strconv.FormatFloat(f, pick(w.r, []byte("eEgf")), -1, 64)
	if w.loose && once(w.r, 8) {
		text = strconv.FormatFloat(f, 'e', w.r.IntN(25), 64)
	}
	w.out.WriteString(text)
}

var shortEscapes = map[rune]string{
	'"': `\"`, '\\': `\\`, '/': `\/`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`,
}

func (w *jsonWriter) text(s string) {
	w.out.WriteByte('"')
	for _, c := range s {
		short := shortEscapes[c]
		switch {
		case short != "" && (c != '/' || once(w.r, 3)):
			w.out.WriteString(short)
		case c < ' ' || once(w.r, 12):
			w.escape(c)
		default:
			w.out.WriteRune(c)
		}
	}
	w.out.WriteByte('"')
}

func (w *jsonWriter) escape(c rune) {
	format := pick(w.r, []string{`\u%04x`, `\u%04X`})
	if c > 0xffff {
		c -= 0x10000
		fmt.Fprintf(&w.out, format, 0xd800+(c>>10))
		c = 0xdc00 + (c & 0x3ff)
	}
	fmt.Fprintf(&w.out, format, c)
}

var jsonPieces = []string{
	"{", "}", "[", "]", ",", ":", `"`, `\`, "0", "1", "9", "-", "+", ".", "e", "E", "null", "true", "false", "\x00", "\x1f",
	"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", `\u`, `\ud800`, `\udc00`, `\u0000`, `\x`, `\/`, "\ufeff", " ", "\n",
	"\v", "\u2028", "NaN", "Infinity", "/*", "'", `"a":1,`, `"a":`, "1e400", "9223372036854775808", "-9223372036854775809",
	"00", "-0", "1.", ".5", "1e", "0x1",
}

// The text with something cut, doubled, or put in.
func damaged(r *rand.Rand, text []byte, pieces []string) []byte {
	out := append([]byte{}, text...)
	for range 1 + r.IntN(6)/4 {
		at := r.IntN(len(out) + 1)
		to := min(len(out), at+1+r.IntN(4))
		switch r.IntN(4) {
		case 0:
			out = append(out[:at:at], out[to:]...)
		case 1:
			out = append(out[:at:at], append([]byte(pick(r, pieces)), out[at:]...)...)
		case 2:
			out = append(out[:at:at], append([]byte(pick(r, pieces)), out[to:]...)...)
		default:
			out = append(out[:to:to], out[at:]...)
		}
	}
	return out
}

func randomJSON(r *rand.Rand, _ *world) jsonCase {
	// A number is never a whole document to our reader.
	v := any([]any{randomValue(r, 5)})
	switch {
	case once(r, 2):
		v = randomMap(r, 4, 5)
	case once(r, 20):
		v = nested(r, v, r.IntN(90))
	}
	must := depth(v) <= 64 // N4
	switch r.IntN(6) {
	case 0:
		return jsonCase{mustJSON(v), must}
	case 1:
		return jsonCase{spelled(r, v), must}
	case 2:
		return jsonCase{(&jsonWriter{r: r, loose: true}).print(v), false}
	}
	return jsonCase{damaged(r, spelled(r, v), jsonPieces), false}
}

func nested(r *rand.Rand, v any, levels int) any {
	for range levels {
		if once(r, 2) {
			v = []any{v}
		} else {
			v = map[string]any{randomKey(r): v}
		}
	}
	return v
}

func depth(v any) int {
	deepest := -1
	switch v := v.(type) {
	case []any:
		deepest = 0
		for _, item := range v {
			deepest = max(deepest, depth(item))
		}
	case map[string]any:
		deepest = 0
		for _, value := range v {
			deepest = max(deepest, depth(value))
		}
	}
	return deepest + 1
}

func (c jsonCase) ask() []request { return []request{ask('J', c.text), ask('S', c.text)} }

func (c jsonCase) judge(answers []answer) (string, error) {
	a := answers[0]
	got, err := decode(c.text)
	if !a.ok {
		if c.must && err == nil {
			return "different", fmt.Errorf("refused: %s", a.reason())
		}
		if answers[1].ok && !bytes.HasPrefix(c.text, []byte("\ufeff")) && json.Valid(c.text) {
			return "different", fmt.Errorf("policy/jread refuses it (%s), source/yaml does not", a.reason())
		}
		return "refused", c.judgeFile(answers[1])
	}
	if err != nil {
		return "different", fmt.Errorf("Go refuses it: %v\nC   %s", err, canonicalText(a.fields[0]))
	}
	if want := encode(nil, got); !bytes.Equal(a.fields[0], want) {
		return "different", fmt.Errorf("Go  %s\nC   %s", canonicalText(want), canonicalText(a.fields[0]))
	}
	return "accepted", c.judgeFile(answers[1])
}

// A .json file, where it is accepted (Git may hold less than a request): the same to kubectl, and to kustomize, which takes
// it for YAML, if it can read it at all.
func (c jsonCase) judgeFile(a answer) error {
	if !a.ok || !bytes.HasPrefix(bytes.TrimSpace(c.text), []byte("{")) {
		return nil
	}
	want, err := readKubectl(c.text)
	if err := compareDocuments("kubectl", a.fields, want, err); err != nil {
		return err
	}
	// Of a stream it reads the first document only.
	if want, err = readKustomize(c.text); err != nil || len(a.fields) != 1 {
		return nil
	}
	return compareDocuments("kustomize", a.fields, want, nil)
}

func smallerJSON(c jsonCase) []jsonCase {
	var out []jsonCase
	for _, text := range smallerTexts(c.text) {
		out = append(out, jsonCase{text, c.must && json.Valid(text) && utf8.Valid(text)})
	}
	return out
}

func showText(text []byte) string {
	if strings.ContainsRune(string(text), '`') || !utf8.Valid(text) {
		return strconv.Quote(string(text))
	}
	return strconv.Quote(string(text)) + "\n" + string(text)
}

func TestJSON(t *testing.T) {
	oracle[jsonCase]{
		world:   noWorld,
		make:    randomJSON,
		ask:     jsonCase.ask,
		judge:   jsonCase.judge,
		smaller: smallerJSON,
		show:    func(c jsonCase) string { return showText(c.text) },
		least:   map[string]float64{"accepted": 0.5, "refused": 0.1},
	}.run(t)
}
