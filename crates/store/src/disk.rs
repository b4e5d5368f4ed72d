//! Files that outlive a power cut: what is to be on disk has to be synchronised, contents and names apart.

use std::{
    fmt::Debug,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// What a store asks of the disk. Nothing outlives a power cut before its `sync`.
pub(crate) trait Disk: Debug + Send + Sync {
    /// Writes a file, and the folders that it needs.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Adds to a file that is there.
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Moves a file within a folder; takes the place of what is there.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// The contents of a file, onto the disk.
    fn sync(&self, path: &Path) -> io::Result<()>;
    /// The names in a folder, onto the disk.
    fn sync_dir(&self, folder: &Path) -> io::Result<()>;
}

/// The real one.
#[derive(Debug)]
pub(crate) struct Real;

impl Disk for Real {
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, bytes)
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        OpenOptions::new().append(true).open(path)?.write_all(bytes)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        OpenOptions::new().append(true).open(path)?.sync_all()
    }

    fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        if cfg!(unix) {
            File::open(folder)?.sync_all()
        } else {
            Ok(()) // folders cannot be opened elsewhere; file systems there journal their names
        }
    }
}

/// Where a file is written before it is moved to its place: `a/b.png` as `a/.b.png.part`.
#[must_use]
pub fn part_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.part"))
}

/// Writes a file beside its place, moves it there, and returns when both are on disk.
pub(crate) fn put(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = part_of(path);
    disk.write(&part, bytes)?;
    disk.sync(&part)?;
    disk.rename(&part, path)?;
    path.parent().map_or(Ok(()), |folder| disk.sync_dir(folder))
}
