use std::path::{Path, PathBuf};

use seggpt_imaging::LabelPlane;
use serde_json::Value;

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

pub fn json(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(fixture(name)).unwrap()).unwrap()
}

pub fn array(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

/// The label plane that a string of a metrics fixture names.
pub fn labels(name: &Value) -> LabelPlane {
    LabelPlane::open(fixture("metrics").join(name.as_str().unwrap())).unwrap()
}

pub fn plane(size: (usize, usize), values: &[u16]) -> LabelPlane {
    LabelPlane::new(size, values.to_vec()).unwrap()
}

/// Equal to the tool's number to 1e-6, or as absent as there.
pub fn assert_equal(ours: impl Into<Option<f64>>, theirs: &Value, what: &str) {
    let ours = ours.into();
    let equal = match (ours, theirs.as_f64()) {
        (Some(ours), Some(theirs)) => (ours - theirs).abs() < 1e-6,
        (None, None) => true,
        _ => false,
    };
    assert!(equal, "{what}: {ours:?}, but the tool says {theirs}");
}
