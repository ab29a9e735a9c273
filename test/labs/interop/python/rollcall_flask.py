from opentelemetry import trace


def declare(app):
    routes = [
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in rule.methods
        if method not in ("HEAD", "OPTIONS")
    ]
    attributes = {"rollcall.routes": sorted(routes)}
    trace.get_tracer("rollcall").start_span("rollcall.inventory", attributes=attributes).end()
