//! Files of results.

use std::path::Path;

use crate::BenchmarkError;

/// Writes a file beside its place, then moves it there, onto the disk.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<(), BenchmarkError> {
    seggpt_store::put(path, bytes).map_err(|error| BenchmarkError::results(path, error))
}
