//! What this program is made of.

/// What `seggpt --version` prints.
pub(crate) const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\nengine: dora 1.1.0, built in\nnetwork: candle 0.11"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_names_the_engine_that_is_built_in() {
        assert!(LONG_VERSION.contains(&format!("dora {}", dora_message::VERSION)));
    }
}
