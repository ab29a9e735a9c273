package main

import (
	"context"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
)

func declareGin(router *gin.Engine) {
	var routes []string
	for _, route := range router.Routes() {
		routes = append(routes, route.Method+" "+route.Path)
	}
	_, span := otel.Tracer("rollcall").Start(context.Background(), "rollcall.inventory")
	span.SetAttributes(attribute.StringSlice("rollcall.routes", routes))
	span.End()
}
