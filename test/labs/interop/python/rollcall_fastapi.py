from fastapi import routing
from opentelemetry import trace


def declared(routes, prefix=""):
    for route in getattr(routing, "iter_route_contexts", iter)(routes):
        path = prefix + (getattr(route, "path", None) or "")
        yield from declared(getattr(route, "routes", None) or (), path)
        methods = getattr(route, "methods", None) or set()
        yield from (f"{m} {path}" for m in methods if m != "HEAD" or "GET" not in methods)


def declare(app):
    routes = {"rollcall.routes": sorted(declared(app.routes))}
    trace.get_tracer("rollcall").start_span("rollcall.inventory", attributes=routes).end()
