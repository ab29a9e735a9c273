// Command interop-go serves the known routes under the router its argument names: nethttp, gin, echo or chi.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// slowFor is how long GET /slow takes at least.
const slowFor = 50 * time.Millisecond

var routers = map[string]func() http.Handler{
	"nethttp": netHTTP,
	"gin":     ginRouter,
	"echo":    echoRouter,
	"chi":     chiRouter,
}

func main() {
	if len(os.Args) != 2 || routers[os.Args[1]] == nil {
		log.Fatalf("one argument is needed: nethttp, gin, echo or chi; not %q", os.Args[1:])
	}
	if err := serve(routers[os.Args[1]]); err != nil {
		log.Fatal(err)
	}
}

func serve(router func() http.Handler) error {
	stopped, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	flush, err := startTelemetry(stopped)
	if err != nil {
		return err
	}
	server := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT"), Handler: router()}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err = <-failed:
	case <-stopped.Done():
		err = server.Shutdown(context.Background())
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, flush(context.Background()))
}

// write answers as every service of this list does: a status and a line of text.
func write(w http.ResponseWriter, status int, format string, values ...any) {
	w.WriteHeader(status)
	fmt.Fprintf(w, format+"\n", values...)
}
