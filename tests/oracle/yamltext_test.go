package oracle

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
)

// YAML texts that mostly are YAML: what they mean is for the readers to say.

var plainScalars = []string{
	"", "~", "null", "Null", "NULL", "nULL", "true", "True", "TRUE", "tRUE", "false", "False", "y", "Y", "yes", "Yes", "n", "no", "NO",
	"on", "On", "off", "OFF", "0", "-0", "+0", "1", "-1", "+1", "08", "09", "07", "0777", "-017", "0o7", "0O7", "0x1F", "0X1f", "-0xA",
	"0b101", "0B1", "+0b1", "0b2", "0xG", "0x", "0o", "1_000", "1__0", "_1", "1_", "0x_1F", "0_7", "1e3", "1E3", "1e+3", "1e-3", "1.",
	"1.0", "1.5", ".5", "-.5", "+.5", ".", "..", "...x", "1.e3", ".e3", "1e", "1e400", "-1e400", "1e-400", "0.1", "1_0.5", "1.5_0", "._5",
	".5_", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
	"18446744073709551616", "123456789012345678901234567890", "0xFFFFFFFFFFFFFFFF", "0x10000000000000000", "9007199254740993",
	"9007199254740993.0", "9007199254740992.0", "1e16", "1e20", "1e21", "1e22", "4611686018427387904.0", ".inf", "-.inf", "+.INF", ".nan",
	".NaN", "2001-12-14", "2001-12-14T21:59:43Z", "2001-12-14 21:59:43.1 -5", "2001-1-1", "2001-12-14t", "12:30", "12:30:45", "190:20:30",
	"1:1.5", "=", "<<", "<", "-", "--", "---", "- x", "-x", "?", "?x", "x?", ":x", "x:", "x:y", "::", "a b", "a  b", "a#b", "a #b", "#x",
	"&", "*", "!", "%x", "@x", "`x", "x,y", "x, y", "[x", "x]", "{x", "x}", "|", ">", "'", "''", "it's", "\"", "a\"b", "\\", "a\\nb",
	"日本", "é", "😀", "\u00a0", "x\ty", "http://x:80/y", "1.2.3.4", "1.2.3", "v1", "5s", "80%", "1Gi", "0.5m", "e3", "E", "0e0", "00", "-",
	"+", "1+1", "1-1", "0.0", "-0.0", "1,000", "0xdeadbeef", "0b", "true ", "nan", "inf", "Infinity", "None", "nil", "undefined", "void",
}

const numberLetters = "0123456789012345678900._-+eExXobBaAfFT:Z "

type yamlMaker struct{ corpus [][]byte } // documents that are small enough to change

func newYAMLMaker(files [][]byte) *yamlMaker {
	m := &yamlMaker{}
	for _, text := range files {
		for _, document := range bytes.Split(text, []byte("\n---\n")) {
			if len(document) > 0 && len(document) < 1200 {
				m.corpus = append(m.corpus, append(document, '\n'))
			}
		}
	}
	return m
}

var yamlPieces = []string{
	"\n", "\n\n", " ", "  ", "\t", "- ", "-", ": ", ":", "---\n", "\n---\n", "--- x\n", "---", "...\n", "\n...\n", "#", " # c", "&a ", "*a", "*a ",
	"!!str ", "!!int ", "!!float ", "!!binary ", "!x ", "!", "!!map ", "|", ">", "|-\n", ">+\n", "|2\n", "'", "\"", "{", "}", "[", "]", ",",
	", ", "?", "? ", "%YAML 1.1\n---\n", "%YAML 1.2\n---\n", "%TAG ! x\n", "\r\n", "\r", "\ufeff", "\u2028", "\u0085", "\x00", "\x7f", "\xff",
	"\\", "\\n", "\\x41", "\\u00e9", "\\U0001F600", "\\ud83d", "\\/", "\\\n", "<<: ", "<<: *a", "~", "null", "yes", "a: ", "b: 1\n", "@", "`",
}

func (m *yamlMaker) text(r *rand.Rand) []byte {
	switch r.IntN(8) {
	case 0, 1:
		return oneScalar(r)
	case 2:
		if len(m.corpus) > 0 {
			return damaged(r, pick(r, m.corpus), yamlPieces)
		}
	case 3:
		return decorated(r, grownYAML(r))
	case 4, 5:
		return damaged(r, grownYAML(r), yamlPieces)
	}
	return grownYAML(r)
}

// With comments and anchors wherever they may stand: kustomize keeps the comments, and finds other places for them.
func decorated(r *rand.Rand, text []byte) []byte {
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		switch r.IntN(8) {
		case 0, 1:
			line += pick(r, []string{" #", " # c", "  #c"})
		case 2:
			sign := pick(r, []string{": ", "- ", ":\n", "-\n"})
			line = strings.TrimSuffix(strings.Replace(line+"\n", sign, fmt.Sprintf("%c &d%d%s", sign[0], i, sign[1:]), 1), "\n")
		case 3:
			line = strings.Repeat(" ", r.IntN(6)) + pick(r, []string{"#", "# c", ""}) + "\n" + line
		}
		lines[i] = line
	}
	return []byte(strings.Join(lines, "\n"))
}

// --- a scalar in every style and place ---

var scalarPlaces = []string{
	"k: %s\n", "k: %s # c\n", "k: %s\nl: 1\n", "%s: v\n", "? %s\n: v\n", "- %s\n", "k: [%s]\n", "k: [a, %s, b]\n", "k: {a: %s}\n", "k: {%s: a}\n",
	"k:\n  %s\n", "k: &a %s\nl: *a\n", "k: !!str %s\n", "k: !!int %s\n", "k: !!bool %s\n", "k: !!null %s\n", "k: !!float %s\n", "k:\n- %s\n- b\n",
	"k:\n  - %s\n  - b\n", "k: %s", "k:   %s   \n", "---\nk: %s\n---\nl: 1\n", "k: %s\r\nl: 1\r\n", "k: %s\n...\n", "k: [%s, ]\n", "{k: %s}\n",
	"%s\n", "k: !x %s\n",
}

func oneScalar(r *rand.Rand) []byte {
	return fmt.Appendf(nil, pick(r, scalarPlaces), styledScalar(r, "  "))
}

func plainScalar(r *rand.Rand) string {
	switch r.IntN(6) {
	case 0:
		var b strings.Builder
		for range 1 + r.IntN(8) {
			b.WriteByte(numberLetters[r.IntN(len(numberLetters))])
		}
		return b.String()
	case 1:
		return fmt.Sprint(r.NormFloat64() * 1e4)
	case 2:
		return pick(r, plainScalars) + pick(r, []string{"0", "x", " y", "_", "e1", "."})
	}
	return pick(r, plainScalars)
}

// Plain mostly, or quoted, or a block below `indent`.
func styledScalar(r *rand.Rand, indent string) string {
	s := plainScalar(r)
	switch r.IntN(7) {
	case 0:
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	case 1:
		return "\"" + strings.NewReplacer("\\", "\\\\", "\"", "\\\"").Replace(s) + pick(r, []string{"", "\\n", "\\t", "\\x41", "\\u2028", "\\0", "\\\n  x", "\n  x", "\n\n  x", "\\ ", "\\/"}) + "\""
	case 2:
		return blockScalar(r, s, indent)
	case 3:
		if once(r, 3) {
			return s + "\n" + indent + plainScalar(r)
		}
	}
	return s
}

var calmScalars = []string{
	"a", "reviews", "80", "-1", "0.5", "true", "False", "null", "~", "", "5s", "a b", "http://x:80/y", "x-y.z", "v1", "0x1F", "0777", "1e3", "1_000",
	longText, "x: \u200b", "\ufffd", "\U0010ffff", "\u00ad", " lead", "trail ", "a\tb", "a: b", "a #b", "- a", "\u00a0", "\ue000x",
	"日本", "é", "*.example.com", "/api", "1.2.3.4", "a#b", "it's", "{}", "[]", "1.0", "-0", "1:2", "=", "TRUE", "Null", "0o17", "0b11", ".5", "08",
}

const longText = "a text that is longer than a line of eighty characters, so that who writes it out again may want to fold it   somewhere"

// What all readers should agree about, mostly: a document has many scalars.
func calmScalar(r *rand.Rand, indent string) string {
	if once(r, 25) {
		return styledScalar(r, indent)
	}
	s := pick(r, calmScalars)
	switch r.IntN(6) {
	case 0:
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	case 1:
		return "\"" + s + pick(r, []string{"", "", "\\n", "\\t", "\\x41", "\\u00e9", "\n  x", "\\\n  x", "\\\"", "\\\\"}) + "\""
	case 2:
		return pick(r, []string{"|", ">", "|-", ">-", "|+"}) + "\n" + indent + "a" + s + "\n" + indent + "b" + pick(r, []string{"", "", "", "\n", "\n\n"})
	}
	if strings.HasPrefix(s, "*") || once(r, 30) {
		return "'" + s + "'"
	}
	return s
}

func blockScalar(r *rand.Rand, s, indent string) string {
	head := pick(r, []string{"|", ">", "|-", ">-", "|+", ">+", "|2", "|1-", ">2+", "| # c"})
	lines := []string{s}
	for range r.IntN(3) {
		lines = append(lines, pick(r, []string{"", plainScalar(r), " " + plainScalar(r), "\t" + plainScalar(r), "# c", "- x", "a: b"}))
	}
	for i, line := range lines {
		if line != "" {
			lines[i] = indent + line
		}
	}
	return head + "\n" + strings.Join(lines, "\n")
}

// --- documents ---

type yamlGrower struct {
	r       *rand.Rand
	out     strings.Builder
	anchors int // that were set in this document
	nodes   int
}

func grownYAML(r *rand.Rand) []byte {
	g := &yamlGrower{r: r}
	if once(r, 5) {
		g.out.WriteString(pick(r, []string{"---\n", "# c\n", "\n", "--- # c\n", "\ufeff", "# c\n---\n", "&r # c\n", "&r\n", "!!str # c\n"}))
	}
	for i := range 1 + r.IntN(6)/4 {
		if i > 0 {
			g.out.WriteString(pick(r, []string{"---\n", "--- \n", "--- # c\n", "---\n---\n", "...\n---\n"}))
		}
		g.anchors, g.nodes = 0, 25
		if once(r, 12) {
			g.list(0, 3)
		} else {
			g.mapping(0, 4)
		}
	}
	text := g.out.String()
	switch {
	case once(r, 10):
		text = strings.ReplaceAll(text, "\n", "\r\n")
	case once(r, 10):
		text = strings.TrimSuffix(text, "\n")
	}
	return []byte(text)
}

func (g *yamlGrower) indent(n int) string { return strings.Repeat(" ", n) }

func (g *yamlGrower) lineEnd() {
	if once(g.r, 10) {
		g.out.WriteString(pick(g.r, []string{" # c", "  ", " #", "\n", "\n# c", "\n  # c"}))
	}
	g.out.WriteByte('\n')
}

func (g *yamlGrower) key(i int) string {
	key := fmt.Sprintf("%s%d", pick(g.r, []string{"a", "b", "name", "x-y", "é", "k k"}), i)
	switch g.r.IntN(12) {
	case 0:
		return "'" + key + "'"
	case 1:
		return "\"" + key + "\""
	case 2:
		if once(g.r, 4) { // near the length where a key no longer fits on one line
			return strings.Repeat(pick(g.r, []string{"k", "k ", "é", "😀", "\"", "\u200b"}), pick(g.r, []int{40, 63, 64, 65, 80, 128, 129, 160, 318, 320, 322, 1024}))
		}
		if once(g.r, 4) {
			return pick(g.r, []string{"? " + key + "\n", plainScalar(g.r), "!!str " + key, "&k " + key, "\"\\u0061\""})
		}
	}
	return key
}

func (g *yamlGrower) mapping(indent, depth int) {
	for i := range 1 + g.r.IntN(4) {
		if i > 0 || indent == 0 {
			g.out.WriteString(g.indent(indent))
		}
		g.out.WriteString(g.key(i))
		g.out.WriteByte(':')
		g.value(indent, depth, false)
	}
}

func (g *yamlGrower) list(indent, depth int) {
	for range 1 + g.r.IntN(3) {
		g.out.WriteString(g.indent(indent))
		g.out.WriteByte('-')
		g.value(indent, depth, true)
	}
}

// Behind a colon or a dash, to the end of the line or below it.
func (g *yamlGrower) value(indent, depth int, inList bool) {
	g.nodes--
	g.out.WriteString(g.properties())
	more := indent + 2 + g.r.IntN(12)/11
	kind := g.r.IntN(10)
	if depth == 0 || g.nodes <= 0 {
		kind = 9
	}
	switch kind {
	case 0, 1, 2:
		g.lineEnd()
		g.out.WriteString(g.indent(more))
		g.mapping(more, depth-1)
	case 3:
		g.lineEnd()
		if inList || once(g.r, 2) {
			g.list(more, depth-1)
		} else {
			g.list(indent, depth-1)
		}
	case 4, 5:
		g.out.WriteByte(' ')
		g.flow(2)
		g.lineEnd()
	case 6:
		if inList {
			g.out.WriteByte(' ')
			g.mapping(indent+2, depth-1)
			return
		}
		fallthrough
	default:
		g.out.WriteByte(' ')
		if g.anchors > 0 && once(g.r, 12) {
			fmt.Fprintf(&g.out, "*a%d", g.r.IntN(g.anchors))
		} else {
			g.out.WriteString(calmScalar(g.r, g.indent(indent+2)))
		}
		g.lineEnd()
	}
}

// An anchor or a tag, rarely.
func (g *yamlGrower) properties() string {
	switch {
	case once(g.r, 60):
		return pick(g.r, []string{" # c\n       ", " !!str # c\n       ", " &c # c\n       ", "\n        # c\n       ", "\n\n       "})
	case once(g.r, 15):
		g.anchors++
		return fmt.Sprintf(" &a%d", g.anchors-1)
	case once(g.r, 60):
		return pick(g.r, []string{" !!str", " !!map", " !!seq", " !x", " !!int"})
	}
	return ""
}

func (g *yamlGrower) flow(depth int) {
	g.nodes--
	kind := g.r.IntN(4)
	if depth == 0 || g.nodes <= 0 {
		kind = 3
	}
	gap := func() string { return pick(g.r, []string{"", "", " ", "\n    "}) }
	switch kind {
	case 0:
		g.out.WriteString("[" + gap())
		for i := range g.r.IntN(4) {
			if i > 0 {
				g.out.WriteString("," + pick(g.r, []string{" ", "", "\n    "}))
			}
			g.flow(depth - 1)
		}
		g.out.WriteString(gap() + "]")
	case 1:
		g.out.WriteString("{" + gap())
		for i := range g.r.IntN(4) {
			if i > 0 {
				g.out.WriteString(", ")
			}
			g.out.WriteString(g.key(i) + pick(g.r, []string{": ", ": ", ":  ", ": ", ": ", ":"}))
			g.flow(depth - 1)
		}
		g.out.WriteString(gap() + "}")
	default:
		s := pick(g.r, calmScalars)
		if once(g.r, 20) {
			s = plainScalar(g.r)
		}
		if s == "" || strings.ContainsAny(s, ",[]{}*?") || once(g.r, 3) {
			s = "'" + strings.ReplaceAll(s, "'", "''") + "'"
		}
		g.out.WriteString(s)
	}
}
