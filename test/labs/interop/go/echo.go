package main

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"go.opentelemetry.io/contrib/instrumentation/github.com/labstack/echo/otelecho"
)

func echoRouter() http.Handler {
	router := echo.New()
	router.Use(otelecho.Middleware("interop"))
	user := func(c echo.Context) error { return c.String(http.StatusOK, "user "+c.Param("id")) }

	router.GET("/health", func(c echo.Context) error { return c.String(http.StatusOK, "ok") })
	router.GET("/users/:id", user)
	router.HEAD("/users/:id", user)
	router.POST("/orders", func(c echo.Context) error { return c.String(http.StatusCreated, "created") })
	router.GET("/orders/:order/items/:item", func(c echo.Context) error {
		return c.String(http.StatusOK, "item "+c.Param("item")+" of "+c.Param("order"))
	})
	router.GET("/boom", func(c echo.Context) error {
		return c.String(http.StatusInternalServerError, "boom")
	})
	router.GET("/files/*", func(c echo.Context) error { return c.String(http.StatusOK, "file "+c.Param("*")) })
	router.GET("/slow", func(c echo.Context) error {
		time.Sleep(slowFor)
		return c.String(http.StatusOK, "slow")
	})
	router.Group("/api/v1").GET("/things/:id", func(c echo.Context) error {
		return c.String(http.StatusOK, "thing "+c.Param("id"))
	})
	declareEcho(router)
	return router
}
