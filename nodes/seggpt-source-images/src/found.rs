use std::path::PathBuf;

/// A file, and how many of its path's last components are its item.
#[derive(Debug)]
pub(crate) struct Found {
    pub path: PathBuf,
    pub depth: usize,
}
