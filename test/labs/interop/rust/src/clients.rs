use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, Request},
    middleware::Next,
    response::Response,
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The README's recipe for Rust. The option `try_extract_client_ip` of axum-tracing-opentelemetry 0.42.1
/// records a field that its span does not have, so nothing arrives.
pub async fn tell(ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request, next: Next) -> Response {
    let span = Span::current();
    span.set_attribute("network.peer.address", peer.ip().to_string());
    if let Some(Ok(hops)) = request.headers().get("x-forwarded-for").map(|value| value.to_str()) {
        span.set_attribute("http.request.header.x-forwarded-for", hops.to_owned());
    }
    next.run(request).await
}
