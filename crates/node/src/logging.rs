use std::{collections::BTreeMap, fmt, io::Write};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::Directive,
    layer::{Context, SubscriberExt},
    util::SubscriberInitExt,
};

use crate::edges;

/// Sends `tracing` events to standard output as the JSON lines that dora's daemon reads into log records.
/// Level by `RUST_LOG`; `info` otherwise, and always what a run is watched by. A second call does nothing.
pub fn init_logging() {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,zenoh=error,dora_node_api=error"))
        .add_directive(watched());
    let _ = tracing_subscriber::registry()
        .with(JsonLines.with_filter(filter))
        .try_init();
}

fn watched() -> Directive {
    format!("{}=debug", edges::TARGET)
        .parse()
        .expect("a target and a level are a directive")
}

/// dora's own line format: every field is a string.
struct JsonLines;

impl<S: Subscriber> Layer<S> for JsonLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let message = fields.0.remove("message").unwrap_or_default();
        let line = serde_json::json!({
            "timestamp": chrono::Utc::now().to_rfc3339(),
            "level": event.metadata().level().as_str().to_lowercase(),
            "target": event.metadata().target(),
            "message": message,
            "fields": fields.0,
        });
        // A closed pipe means that nobody listens any more.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}
