//! The pages in the folder of results: whole or not there at all.

use std::{
    fs,
    io::{self, BufWriter, ErrorKind, Write},
    path::{Path, PathBuf},
};

use eyre::{Result, WrapErr};

/// Where the report keeps what it is made from, in the store's own folder.
pub const CACHE: &str = ".seggpt/report";

/// The folder that all results go to.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Makes the folder where it is missing.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(root: &Path) -> Result<Self> {
        let root =
            std::path::absolute(root).wrap_err_with(|| format!("OUT `{}`", root.display()))?;
        fs::create_dir_all(&root).wrap_err_with(|| {
            format!(
                "OUT `{}`: the folder cannot be made; name one that may be written",
                root.display()
            )
        })?;
        Ok(Self { root })
    }

    /// The path of a file in it.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Writes a file next to its place, then moves it there.
    ///
    /// # Errors
    /// The disk refuses it: names the path. Nothing half-written stays.
    pub fn put(&self, relative: &str, bytes: &[u8]) -> Result<()> {
        self.put_with(relative, |file| Ok(file.write_all(bytes)?))
    }

    /// As [`put`](Self::put), for content that is made bit by bit.
    ///
    /// # Errors
    /// As [`put`](Self::put), and what `write` refuses.
    pub fn put_with(
        &self,
        relative: &str,
        write: impl FnOnce(&mut BufWriter<fs::File>) -> Result<()>,
    ) -> Result<()> {
        let path = self.path(relative);
        let part = part_of(&path);
        let attempt = || -> Result<()> {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            let mut file = BufWriter::new(fs::File::create(&part)?);
            write(&mut file)?;
            file.flush()?;
            drop(file);
            Ok(fs::rename(&part, &path)?)
        };
        attempt().map_err(|error| {
            // What is left of it is in the way of nothing; the first error is the one to tell.
            let _ = fs::remove_file(&part);
            error.wrap_err(format!("{}: cannot be written", path.display()))
        })
    }
}

/// `a/b.png` is written as `a/.b.png.part`.
fn part_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.part"))
}

/// Whether a name is to blame and not the disk: too long, or no name at all on this system.
pub fn blames_the_name(error: &eyre::Report) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| {
        matches!(
            error.kind(),
            ErrorKind::AlreadyExists
                | ErrorKind::InvalidFilename
                | ErrorKind::InvalidInput
                | ErrorKind::NotADirectory
                | ErrorKind::IsADirectory
        )
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn files_below(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_written_file_leaves_no_temporary_one() {
        let out = tempfile::tempdir().unwrap();
        let folder = Folder::create(&out.path().join("new/deep")).unwrap();
        folder.put("sub/a.png", b"first").unwrap();
        folder.put("sub/a.png", b"second").unwrap();
        assert_eq!(fs::read(folder.path("sub/a.png")).unwrap(), b"second");
        assert_eq!(files_below(&folder.path("sub")), ["a.png"]);
    }

    #[test]
    fn a_failed_write_keeps_what_was_there_and_names_the_path() {
        let out = tempfile::tempdir().unwrap();
        let folder = Folder::create(out.path()).unwrap();
        folder.put("a.png", b"first").unwrap();
        let error = folder
            .put_with("a.png", |_| {
                Err(io::Error::from(ErrorKind::StorageFull).into())
            })
            .unwrap_err();
        assert!(
            format!("{error:#}").contains("a.png: cannot be written: "),
            "{error:#}"
        );
        assert!(!blames_the_name(&error));
        assert_eq!(fs::read(folder.path("a.png")).unwrap(), b"first");
        assert_eq!(files_below(out.path()), ["a.png"]);
    }

    #[test]
    fn a_name_that_the_system_refuses_is_told_from_a_disk_that_is_full() {
        let out = tempfile::tempdir().unwrap();
        let folder = Folder::create(out.path()).unwrap();
        folder.put("file", b"").unwrap();
        assert!(blames_the_name(
            &folder.put(&"x".repeat(300), b"").unwrap_err()
        ));
        assert!(blames_the_name(&folder.put("file/below", b"").unwrap_err()));
    }
}
