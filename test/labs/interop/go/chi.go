package main

import (
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/riandyrn/otelchi"
)

func chiRouter() http.Handler {
	router := chi.NewRouter()
	router.Use(otelchi.Middleware("interop", otelchi.WithChiRoutes(router)))
	user := func(w http.ResponseWriter, r *http.Request) {
		write(w, http.StatusOK, "user %s", chi.URLParam(r, "id"))
	}

	router.Get("/health", func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, "ok") })
	router.Get("/users/{id}", user)
	router.Head("/users/{id}", user)
	router.Post("/orders", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusCreated, "created")
	})
	router.Get("/orders/{order}/items/{item}", func(w http.ResponseWriter, r *http.Request) {
		write(w, http.StatusOK, "item %s of %s", chi.URLParam(r, "item"), chi.URLParam(r, "order"))
	})
	router.Get("/boom", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusInternalServerError, "boom")
	})
	router.Get("/files/*", func(w http.ResponseWriter, r *http.Request) {
		write(w, http.StatusOK, "file %s", chi.URLParam(r, "*"))
	})
	router.Get("/slow", func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(slowFor)
		write(w, http.StatusOK, "slow")
	})
	router.Route("/api/v1", func(below chi.Router) {
		below.Get("/things/{id}", func(w http.ResponseWriter, r *http.Request) {
			write(w, http.StatusOK, "thing %s", chi.URLParam(r, "id"))
		})
	})
	if err := declareChi(router); err != nil {
		panic(err)
	}
	return router
}
