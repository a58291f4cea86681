package oracle

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// Canonical bytes as something to read, for the report of a difference.
func canonicalText(b []byte) string {
	var out strings.Builder
	rest := writeCanonical(&out, b)
	if len(rest) > 0 {
		fmt.Fprintf(&out, " and %d bytes more", len(rest))
	}
	return out.String()
}

func writeCanonical(out *strings.Builder, b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	letter, b := b[0], b[1:]
	switch letter {
	case 'N':
		out.WriteString("null")
	case 'T', 'F':
		fmt.Fprint(out, letter == 'T')
	case 'I':
		fmt.Fprint(out, int64(binary.BigEndian.Uint64(b)))
		return b[8:]
	case 'D':
		fmt.Fprintf(out, "%g(double)", math.Float64frombits(binary.BigEndian.Uint64(b)))
		return b[8:]
	}
	if !strings.ContainsRune("SLM", rune(letter)) {
		return b
	}
	size := int(binary.BigEndian.Uint32(b))
	b = b[4:]
	if letter == 'S' {
		fmt.Fprintf(out, "%q", b[:size])
		return b[size:]
	}
	brackets := map[byte]string{'L': "[]", 'M': "{}"}[letter]
	out.WriteByte(brackets[0])
	for i := range size {
		if i > 0 {
			out.WriteByte(',')
		}
		if letter == 'M' {
			b = writeCanonical(out, b)
			out.WriteByte(':')
		}
		b = writeCanonical(out, b)
	}
	out.WriteByte(brackets[1])
	return b
}
