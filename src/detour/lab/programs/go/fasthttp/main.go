// fasthttp: a Client, DoRedirects with a limit of ten.
package main

import (
	"io"

	"github.com/valyala/fasthttp"
	"lab"
)

const limit = 10

func main() {
	lab.Run(func(asked *lab.Case) lab.Client {
		client := &fasthttp.Client{ReadTimeout: asked.Limit(), WriteTimeout: asked.Limit()}
		return func(asked *lab.Case) (lab.Answer, error) { return send(client, asked) }
	})
}

func send(client *fasthttp.Client, asked *lab.Case) (lab.Answer, error) {
	request, answer := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(answer)
	request.SetRequestURI(asked.URL)
	request.Header.SetMethod(asked.Method)
	for _, field := range asked.Fields {
		request.Header.Add(field[0], field[1])
	}
	if err := fill(request, asked); err != nil {
		return lab.Answer{}, err
	}
	err := client.DoRedirects(request, answer, limit)
	return lab.Answer{Status: answer.StatusCode(), URL: request.URI().String()}, err
}

func fill(request *fasthttp.Request, asked *lab.Case) error {
	mediaType := asked.Type()
	switch asked.Content.Kind {
	case "none":
	case "form":
		form := fasthttp.AcquireArgs()
		defer fasthttp.ReleaseArgs(form)
		for _, pair := range asked.Content.Pairs {
			form.Add(pair[0], pair[1])
		}
		request.SetBody(form.QueryString())
	case "multipart":
		octets, made := asked.Multipart()
		request.SetBody(octets)
		mediaType = made
	case "file":
		file := asked.Opened()
		found, err := file.Stat()
		if err != nil {
			return err
		}
		request.SetBodyStream(file, int(found.Size()))
	case "stream":
		request.SetBodyStream(struct{ io.Reader }{asked.Opened()}, -1)
	case "empty", "json", "large":
		request.SetBody(asked.Octets())
	default:
		return lab.Unsupported("knows no content of kind " + asked.Content.Kind)
	}
	if mediaType != "" {
		request.Header.SetContentType(mediaType)
	}
	return nil
}
