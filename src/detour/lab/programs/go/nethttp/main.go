// net/http: a Client with a Transport of its own, redirects followed as it does of itself.
package main

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"lab"
)

func main() {
	lab.Run(func(asked *lab.Case) lab.Client {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		client := &http.Client{Transport: transport, Timeout: asked.Limit()}
		return func(asked *lab.Case) (lab.Answer, error) { return send(client, asked) }
	})
}

func send(client *http.Client, asked *lab.Case) (lab.Answer, error) {
	content, mediaType := content(asked)
	request, err := http.NewRequest(asked.Method, asked.URL, content)
	if err != nil {
		return lab.Answer{}, err
	}
	for _, field := range asked.Fields {
		request.Header.Add(field[0], field[1])
	}
	if mediaType != "" {
		request.Header.Set("Content-Type", mediaType)
	}
	switch asked.Content.Kind {
	case "chunked":
		request.ContentLength = -1
	case "expect":
		request.Header.Set("Expect", "100-continue")
	}
	answer, err := client.Do(request)
	if err != nil {
		return lab.Answer{}, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return lab.Answer{Status: answer.StatusCode, URL: answer.Request.URL.String()}, err
}

// content is a body; of a bytes.Reader and a strings.Reader http.NewRequest makes a GetBody, of others none.
func content(asked *lab.Case) (io.Reader, string) {
	switch asked.Content.Kind {
	case "none":
		return nil, ""
	case "form":
		return strings.NewReader(asked.Form()), asked.Type()
	case "multipart":
		octets, mediaType := asked.Multipart()
		return bytes.NewReader(octets), mediaType
	case "file":
		return asked.Opened(), asked.Type()
	case "stream":
		reading, writing := io.Pipe()
		go func() {
			_, err := io.Copy(writing, asked.Opened())
			writing.CloseWithError(err)
		}()
		return reading, asked.Type()
	}
	return bytes.NewReader(asked.Octets()), asked.Type()
}
