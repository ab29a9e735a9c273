use std::{env, error::Error};

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tracing_subscriber::{
    Layer, filter::LevelFilter, layer::SubscriberExt, util::SubscriberInitExt,
};

/// Spans of `tracing` go to the exporter; endpoint, compression and service name come from OTEL_* variables.
pub fn start() -> Result<SdkTracerProvider, Box<dyn Error>> {
    let exporter = if env::var("OTEL_EXPORTER_OTLP_PROTOCOL").as_deref() == Ok("grpc") {
        let runtime = Box::leak(Box::new(tokio::runtime::Runtime::new()?));
        let _entered = runtime.enter();
        SpanExporter::builder().with_tonic().build()?
    } else {
        SpanExporter::builder().with_http().build()?
    };
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).build();
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("interop"));
    // The middleware's spans are of level TRACE.
    tracing_subscriber::registry().with(layer.with_filter(LevelFilter::TRACE)).init();
    Ok(provider)
}
