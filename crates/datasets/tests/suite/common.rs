use std::path::{Path, PathBuf};

use seggpt_imaging::LabelPlane;

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// A folder of the data that is not part of the repository, for tests that are ignored for want of it.
pub fn shared(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(name);
    assert!(path.exists(), "{} is not there", path.display());
    path
}

pub fn plane(size: (usize, usize), values: &[u16]) -> LabelPlane {
    LabelPlane::new(size, values.to_vec()).unwrap()
}
