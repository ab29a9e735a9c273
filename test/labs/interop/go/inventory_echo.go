package main

import (
	"context"

	"github.com/labstack/echo/v4"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
)

func declareEcho(router *echo.Echo) {
	var routes []string
	for _, route := range router.Routes() {
		if route.Method != echo.RouteNotFound {
			routes = append(routes, route.Method+" "+route.Path)
		}
	}
	_, span := otel.Tracer("rollcall").Start(context.Background(), "rollcall.inventory")
	span.SetAttributes(attribute.StringSlice("rollcall.routes", routes))
	span.End()
}
