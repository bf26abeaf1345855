// Go's client on a transport that answers as it is told: cases as JSON on stdin, what was sent on stdout.
package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
)

type answer struct {
	Status    int
	Locations []string
}

type plan struct {
	Method, URL string
	Fields      [][2]string
	Content     string // "none", "replayable", "once"
	Answers     []answer
}

type sent struct {
	Method, URL, Content string
	Fields               map[string][]string
}

type played struct {
	Sent  []sent
	Error string
	Last  int // the status that came out, 0 with an error
}

// A transport that writes down each request and answers with the next of its answers, then with 200.
type script struct {
	answers []answer
	sent    []sent
}

func (s *script) RoundTrip(request *http.Request) (*http.Response, error) {
	content := []byte{}
	if request.Body != nil {
		content, _ = io.ReadAll(request.Body)
		request.Body.Close()
	}
	s.sent = append(s.sent, sent{request.Method, request.URL.String(), string(content), request.Header})
	response := &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: request}
	if len(s.sent) <= len(s.answers) {
		now := s.answers[len(s.sent)-1]
		response.StatusCode = now.Status
		for _, location := range now.Locations {
			response.Header.Add("Location", location)
		}
	}
	return response, nil
}

func play(told plan) played {
	var content io.Reader
	if told.Content == "replayable" {
		content = strings.NewReader("x=1")
	} else if told.Content == "once" {
		content = struct{ io.Reader }{strings.NewReader("x=1")}
	}
	request, err := http.NewRequest(told.Method, told.URL, content)
	if err != nil {
		return played{nil, err.Error(), 0}
	}
	for _, field := range told.Fields {
		request.Header.Add(field[0], field[1])
	}
	transport := &script{answers: told.Answers}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return played{transport.sent, err.Error(), 0}
	}
	return played{transport.sent, "", response.StatusCode}
}

func main() {
	var plans []plan
	if err := json.NewDecoder(os.Stdin).Decode(&plans); err != nil {
		panic(err)
	}
	all := make([]played, 0, len(plans))
	for _, told := range plans {
		all = append(all, play(told))
	}
	json.NewEncoder(os.Stdout).Encode(all)
}
