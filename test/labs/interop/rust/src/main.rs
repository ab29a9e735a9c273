//! The known routes under axum. With the argument `clients` the spans say who called, which
//! axum-tracing-opentelemetry does not.

mod clients;
mod telemetry;

use std::{env, error::Error, net::SocketAddr, time::Duration};

use axum::{
    Router,
    extract::Path,
    http::StatusCode,
    middleware::from_fn,
    routing::{get, post},
};
use axum_tracing_opentelemetry::middleware::OtelAxumLayer;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> Result<(), Box<dyn Error>> {
    // Outside of the runtime: the exporter over HTTP has a thread of its own and blocks it.
    let telemetry = telemetry::start()?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let address = format!("127.0.0.1:{}", env::var("PORT")?);
        let listener = tokio::net::TcpListener::bind(address).await?;
        let named = env::args().nth(1).as_deref() == Some("clients");
        let router = if named { router().layer(from_fn(clients::tell)) } else { router() };
        let service = router.layer(OtelAxumLayer::default()).into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, service).with_graceful_shutdown(told_to_end()).await?;
        Ok::<_, Box<dyn Error>>(())
    })?;
    telemetry.shutdown()?;
    Ok(())
}

async fn told_to_end() {
    let mut told = signal(SignalKind::terminate()).expect("SIGTERM can be waited for");
    told.recv().await;
}

fn router() -> Router {
    let v1 = Router::new().route("/things/{id}", get(echo));
    Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/users/{id}", get(echo))
        .route("/orders", post(|| async { (StatusCode::CREATED, "created") }))
        .route(
            "/orders/{order}/items/{item}",
            get(|Path((order, item)): Path<(String, String)>| async move { format!("{order} {item}") }),
        )
        .route("/boom", get(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "boom") }))
        .route("/files/{*path}", get(echo))
        .route("/slow", get(slow))
        .nest("/api/v1", v1)
}

async fn echo(Path(value): Path<String>) -> String {
    value
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_millis(50)).await;
    "slow"
}
