from django.urls import get_resolver
from opentelemetry import trace

def declared(patterns, prefix="/"):
    for pattern in patterns:
        route, view = prefix + str(pattern.pattern), pattern.callback
        yield from declared(getattr(pattern, "url_patterns", ()), route)
        names = getattr(view, "actions", None) or dir(getattr(view, "view_class", None))
        methods = {"get", "post", "put", "patch", "delete"}.intersection(names) or {"*"}
        yield from (f"{m.upper()} {route}" for m in methods if view)

def declare():
    routes = {"rollcall.routes": sorted(declared(get_resolver().url_patterns))}
    trace.get_tracer("rollcall").start_span("rollcall.inventory", attributes=routes).end()
