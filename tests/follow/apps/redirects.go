// Go's ways to redirect, on the port it is given; files are those of the folder given after it.
package main

import (
	"net/http"
	"os"
	"strconv"
)

func here(response http.ResponseWriter, request *http.Request) {
	response.Write([]byte("here"))
}

func moved(response http.ResponseWriter, request *http.Request) {
	status, err := strconv.Atoi(request.URL.Query().Get("status"))
	if err != nil {
		status = 302
	}
	http.Redirect(response, request, "/tree/", status)
}

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/tree/", here)
	mux.HandleFunc("/moved", moved)
	mux.Handle("/table", http.RedirectHandler("/tree/", 303))
	mux.Handle("/files/", http.StripPrefix("/files/", http.FileServer(http.Dir(os.Args[2]))))
	http.ListenAndServe("127.0.0.1:"+os.Args[1], mux)
}
