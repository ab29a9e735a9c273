package main

import (
	"context"
	"net/http"

	"github.com/go-chi/chi/v5"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
)

func declareChi(router chi.Routes) error {
	var routes []string
	list := func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		routes = append(routes, method+" "+route)
		return nil
	}
	err := chi.Walk(router, list)
	_, span := otel.Tracer("rollcall").Start(context.Background(), "rollcall.inventory")
	span.SetAttributes(attribute.StringSlice("rollcall.routes", routes))
	span.End()
	return err
}
