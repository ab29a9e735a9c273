package main

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/contrib/instrumentation/github.com/gin-gonic/gin/otelgin"
)

func ginRouter() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.Use(otelgin.Middleware("interop"))
	user := func(c *gin.Context) { c.String(http.StatusOK, "user %s", c.Param("id")) }

	router.GET("/health", func(c *gin.Context) { c.String(http.StatusOK, "ok") })
	router.GET("/users/:id", user)
	router.HEAD("/users/:id", user)
	router.POST("/orders", func(c *gin.Context) { c.String(http.StatusCreated, "created") })
	router.GET("/orders/:order/items/:item", func(c *gin.Context) {
		c.String(http.StatusOK, "item %s of %s", c.Param("item"), c.Param("order"))
	})
	router.GET("/boom", func(c *gin.Context) { c.String(http.StatusInternalServerError, "boom") })
	router.GET("/files/*path", func(c *gin.Context) { c.String(http.StatusOK, "file %s", c.Param("path")) })
	router.GET("/slow", func(c *gin.Context) {
		time.Sleep(slowFor)
		c.String(http.StatusOK, "slow")
	})
	router.Group("/api/v1").GET("/things/:id", func(c *gin.Context) {
		c.String(http.StatusOK, "thing %s", c.Param("id"))
	})
	declareGin(router)
	return router
}
