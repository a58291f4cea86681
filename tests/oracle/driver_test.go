package oracle

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// One question for the driver: a letter and its fields, as driver/driver.c lists them.
type request struct {
	letter byte
	fields [][]byte
}

func ask(letter byte, fields ...[]byte) request { return request{letter, fields} }

// What it says: the fields, or why there are none.
type answer struct {
	ok     bool
	fields [][]byte
}

func (a answer) reason() string {
	if a.ok || len(a.fields) == 0 {
		return ""
	}
	return string(a.fields[0])
}

type driver struct {
	command *exec.Cmd
	in      io.WriteCloser
	writer  *bufio.Writer
	reader  *bufio.Reader
}

func startDriver(arguments ...string) (*driver, error) {
	d := &driver{command: exec.Command(os.Getenv("MESHWRIT_ORACLE"), arguments...)}
	d.command.Stderr = os.Stderr
	in, err := d.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := d.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	d.in, d.writer, d.reader = in, bufio.NewWriterSize(in, 1<<18), bufio.NewReaderSize(out, 1<<18)
	return d, d.command.Start()
}

// Ends the driver; an error says that it did not end well.
func (d *driver) stop() error {
	d.in.Close()
	return d.command.Wait()
}

func (d *driver) send(requests []request) error {
	for _, q := range requests {
		d.writer.Write([]byte{q.letter, byte(len(q.fields))})
		for _, field := range q.fields {
			binary.Write(d.writer, binary.BigEndian, uint32(len(field)))
			d.writer.Write(field)
		}
	}
	d.writer.Write([]byte{'F', 0})
	return d.writer.Flush()
}

// Asks all at once: written in the background, so that neither side waits for the other.
func (d *driver) ask(requests []request) ([]answer, error) {
	sent := make(chan error, 1)
	go func() { sent <- d.send(requests) }()
	answers := make([]answer, len(requests))
	for i := range answers {
		if err := d.receive(&answers[i]); err != nil {
			return nil, fmt.Errorf("the driver ended: %w", err)
		}
	}
	return answers, <-sent
}

func (d *driver) receive(a *answer) error {
	var head [5]byte
	if _, err := io.ReadFull(d.reader, head[:]); err != nil {
		return err
	}
	a.ok = head[0] == '+'
	a.fields = make([][]byte, binary.BigEndian.Uint32(head[1:]))
	for i := range a.fields {
		if _, err := io.ReadFull(d.reader, head[:4]); err != nil {
			return err
		}
		a.fields[i] = make([]byte, binary.BigEndian.Uint32(head[:4]))
		if _, err := io.ReadFull(d.reader, a.fields[i]); err != nil {
			return err
		}
	}
	return nil
}
