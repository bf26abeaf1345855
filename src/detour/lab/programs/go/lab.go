// Package lab is what every program written in Go does: ask for a case, send it, tell the outcome, until there is none.
//
// A program hands a Client to Run. What it returns as an error is told as one; an Unsupported says that its
// client has no means of its own for what is asked. A client lives for one case.
package lab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"strings"
	"time"
)

// Pair is a field, or a pair of a form.
type Pair [2]string

// Part is one part of a multipart form; Filename is empty for a plain field.
type Part struct {
	Name, Filename, Type, Text, File string
}

// Case is what is asked.
type Case struct {
	Token, Method, URL, API string
	Fields                  []Pair
	Times                   int
	Timeout                 float64
	Content                 struct {
		Kind, Type, Text, File string
		Pairs                  []Pair
		Parts                  []Part
	}
}

// Answer is the last status, and the URL it came from.
type Answer struct {
	Status int    `json:"status"`
	URL    string `json:"url"`
}

// Client sends a case and returns what its client handed back, a redirect included.
type Client func(*Case) (Answer, error)

// Unsupported says why this client cannot send such a thing by its own means.
type Unsupported string

func (why Unsupported) Error() string { return string(why) }

// Limit is the client's own limit of time.
func (c *Case) Limit() time.Duration { return time.Duration(c.Timeout * float64(time.Second)) }

// Octets is the content in memory.
func (c *Case) Octets() []byte {
	octets, err := os.ReadFile(c.Content.File)
	ensure(err)
	return octets
}

// Opened is the content as an open file.
func (c *Case) Opened() *os.File {
	file, err := os.Open(c.Content.File)
	ensure(err)
	return file
}

// Form is the pairs of a form, encoded by net/url.
func (c *Case) Form() string {
	form := url.Values{}
	for _, pair := range c.Content.Pairs {
		form.Add(pair[0], pair[1])
	}
	return form.Encode()
}

// Multipart is the parts of a form, encoded by mime/multipart, and their media type.
func (c *Case) Multipart() ([]byte, string) {
	var encoded bytes.Buffer
	form := multipart.NewWriter(&encoded)
	for _, part := range c.Content.Parts {
		if part.Filename == "" {
			ensure(form.WriteField(part.Name, part.Text))
			continue
		}
		head := textproto.MIMEHeader{}
		head.Set("Content-Disposition", fmt.Sprintf(`form-data; name=%q; filename=%q`, part.Name, part.Filename))
		head.Set("Content-Type", part.Type)
		file, err := form.CreatePart(head)
		ensure(err)
		octets, err := os.ReadFile(part.File)
		ensure(err)
		_, err = file.Write(octets)
		ensure(err)
	}
	ensure(form.Close())
	return encoded.Bytes(), form.FormDataContentType()
}

// Type is the media type of content whose type the client does not make itself.
func (c *Case) Type() string {
	switch c.Content.Kind {
	case "none", "empty", "multipart":
		return ""
	}
	return c.Content.Type
}

var (
	base  = os.Getenv("DETOUR_LAB")
	names = url.Values{"client": {os.Getenv("DETOUR_LAB_CLIENT")}}
)

// Run asks for every case, and makes a client for each.
func Run(open func(*Case) Client) {
	for {
		told := ask(http.Get(base + "/next?" + names.Encode()))
		if len(told) == 0 {
			return
		}
		var asked Case
		ensure(json.Unmarshal(told, &asked))
		said, err := json.Marshal(outcome(open(&asked), &asked))
		ensure(err)
		ask(http.Post(base+"/outcome/"+asked.Token, "application/json", bytes.NewReader(said)))
	}
}

func outcome(send Client, asked *Case) any {
	if asked.API != "http" {
		return map[string]string{"unsupported": "has no " + asked.API}
	}
	var answer Answer
	var err error
	for time := 0; time < asked.Times && err == nil; time++ {
		answer, err = send(asked)
	}
	switch failed := err.(type) {
	case nil:
		return answer
	case Unsupported:
		return map[string]string{"unsupported": string(failed)}
	}
	return map[string]string{"error": fmt.Sprintf("%s: %s", strings.TrimPrefix(fmt.Sprintf("%T", err), "*"), err)}
}

func ask(answer *http.Response, err error) []byte {
	ensure(err)
	defer answer.Body.Close()
	octets, err := io.ReadAll(answer.Body)
	ensure(err)
	if answer.StatusCode != 200 && answer.StatusCode != 204 && answer.StatusCode != 404 {
		panic(fmt.Sprintf("%s: %s", answer.Status, octets))
	}
	return octets
}

func ensure(err error) {
	if err != nil {
		panic(err)
	}
}
