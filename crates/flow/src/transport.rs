//! dora's transport, zenoh, told to wait where it would drop.

use std::{io::Write, time::Duration};

use dora_core::topics::{DORA_ZENOH_CONFIG_OVERLAY_ENV, ZENOH_CONFIG_PATH_ENV};
use eyre::WrapErr;
use tempfile::NamedTempFile;

/// How long a node waits for room in the transport's queue. zenoh's own millisecond loses messages on a busy machine
/// without a word, and the window sends them again only after seconds; longer than this would hold up a stop.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Lets the nodes that this process starts wait. Where the user configures zenoh, nothing is changed.
///
/// Returns the file that nodes read when they start, to be kept while the dataflow runs.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn wait_for_room() -> eyre::Result<Option<NamedTempFile>> {
    let is_set = |key| std::env::var_os(key).is_some();
    if is_set(ZENOH_CONFIG_PATH_ENV) || is_set(DORA_ZENOH_CONFIG_OVERLAY_ENV) {
        return Ok(None);
    }
    let mut file = tempfile::Builder::new()
        .prefix("seggpt-")
        .suffix(".json5")
        .tempfile()
        .wrap_err("cannot write a temporary file")?;
    file.write_all(overlay().as_bytes())
        .wrap_err_with(|| format!("cannot write {}", file.path().display()))?;
    // SAFETY: dora offers its own process no other way, and reads it through `std::env`, which locks. No C library
    // that reads the environment runs beside this.
    #[allow(unsafe_code)]
    unsafe {
        std::env::set_var(DORA_ZENOH_CONFIG_OVERLAY_ENV, file.path());
    }
    Ok(Some(file))
}

fn overlay() -> String {
    let drop = serde_json::json!({
        "wait_before_drop": TIMEOUT.as_micros(),
        "max_wait_before_drop_fragments": TIMEOUT.as_micros(),
    });
    serde_json::json!({"transport": {"link": {"tx": {"queue": {"congestion_control": {"drop": drop}}}}}})
        .to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use dora_core::topics::ZenohOverlay;

    use super::*;

    #[test]
    fn dora_understands_it() {
        ZenohOverlay::parse(&overlay()).unwrap();
        assert!(overlay().contains("\"wait_before_drop\":5000000"));
    }
}
