use std::path::{Path, PathBuf};

use seggpt_imaging::LabelPlane;

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// A folder beside the repository; `None`, with a message, where it is absent.
#[allow(clippy::print_stdout)]
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is absent", path.display());
    None
}

pub fn plane(size: (usize, usize), values: &[u16]) -> LabelPlane {
    LabelPlane::new(size, values.to_vec()).unwrap()
}
