package main

import (
	"net/http"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
)

func netHTTP() http.Handler {
	things := http.NewServeMux()
	things.HandleFunc("GET /things/{id}", func(w http.ResponseWriter, r *http.Request) {
		write(w, http.StatusOK, "thing %s", r.PathValue("id"))
	})

	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET /users/{id}", func(w http.ResponseWriter, r *http.Request) {
		write(w, http.StatusOK, "user %s", r.PathValue("id"))
	})
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusCreated, "created")
	})
	mux.HandleFunc("GET /orders/{order}/items/{item}", func(w http.ResponseWriter, r *http.Request) {
		write(w, http.StatusOK, "item %s of %s", r.PathValue("item"), r.PathValue("order"))
	})
	mux.HandleFunc("GET /boom", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusInternalServerError, "boom")
	})
	mux.HandleFunc("GET /files/{path...}", func(w http.ResponseWriter, r *http.Request) {
		write(w, http.StatusOK, "file %s", r.PathValue("path"))
	})
	mux.HandleFunc("GET /slow", func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(slowFor)
		write(w, http.StatusOK, "slow")
	})
	mux.Handle("/api/v1/", http.StripPrefix("/api/v1", things))
	return otelhttp.NewHandler(mux, "server")
}
