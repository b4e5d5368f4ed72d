//! What stands in a folder.
//!
//! Hidden files are left out, and with them the `._` twins that macOS writes beside every file on foreign disks. Endings
//! count in either case. The order is the natural one: frame 8, 9, 10.

use std::{
    cmp::Ordering,
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

/// Endings of the pictures that are read.
pub const PICTURES: [&str; 8] = ["png", "jpg", "jpeg", "jpe", "tif", "tiff", "webp", "bmp"];

/// Everything in a folder that is not hidden, in natural order. Links stand for what they lead to; broken ones are listed.
///
/// # Errors
/// The folder cannot be read.
pub fn entries(folder: impl AsRef<Path>) -> io::Result<Vec<PathBuf>> {
    let listed = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> = listed.collect::<Result<_, _>>()?;
    paths.retain(|path| !is_hidden(path));
    sort(&mut paths);
    Ok(paths)
}

/// The folders in a folder; see [`entries`].
///
/// # Errors
/// As [`entries`].
pub fn folders(folder: impl AsRef<Path>) -> io::Result<Vec<PathBuf>> {
    let mut paths = entries(folder)?;
    paths.retain(|path| path.is_dir());
    Ok(paths)
}

/// The pictures in a folder, told by their endings; see [`entries`].
///
/// # Errors
/// As [`entries`].
pub fn pictures(folder: impl AsRef<Path>) -> io::Result<Vec<PathBuf>> {
    let mut paths = entries(folder)?;
    paths.retain(|path| is_picture(path) && !path.is_dir());
    Ok(paths)
}

/// Whether the last part of a path begins with a dot.
#[must_use]
pub fn is_hidden(path: impl AsRef<Path>) -> bool {
    let name = path.as_ref().file_name();
    name.is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// Whether the ending is that of a picture, in either case.
#[must_use]
pub fn is_picture(path: impl AsRef<Path>) -> bool {
    ends_in(path, &PICTURES)
}

/// Whether the ending is that of a TIFF file, in either case.
#[must_use]
pub fn is_tiff(path: impl AsRef<Path>) -> bool {
    ends_in(path, &["tif", "tiff"])
}

/// Whether a file has one of the endings (given in lower case, without dot), in either case.
#[must_use]
pub fn ends_in(path: impl AsRef<Path>, endings: &[&str]) -> bool {
    let ending = path.as_ref().extension().and_then(OsStr::to_str);
    ending.is_some_and(|ending| {
        endings
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    })
}

/// Natural order: numbers count as numbers. Names that differ never compare as equal.
#[must_use]
pub fn natural(a: &str, b: &str) -> Ordering {
    natord::compare(a, b).then_with(|| a.cmp(b))
}

/// Sorts paths in natural order.
pub fn sort(paths: &mut [PathBuf]) {
    paths
        .sort_by(|a, b| natural(&a.to_string_lossy(), &b.to_string_lossy()).then_with(|| a.cmp(b)));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            fs::write(folder.path().join(name), "").unwrap();
        }
        folder
    }

    fn names(paths: &[PathBuf]) -> Vec<&str> {
        paths
            .iter()
            .map(|path| path.file_name().unwrap().to_str().unwrap())
            .collect()
    }

    #[test]
    fn monai_8305_twins_of_macos_are_no_pictures() {
        let folder = folder(&["a.png", "._a.png", ".DS_Store", ".hidden.png", "Thumbs.db"]);
        assert_eq!(names(&pictures(folder.path()).unwrap()), ["a.png"]);
    }

    #[test]
    fn endings_count_in_either_case() {
        let folder = folder(&["a.PNG", "b.Jpg", "c.TIF", "d.txt", "noext"]);
        let found = pictures(folder.path()).unwrap();
        assert_eq!(names(&found), ["a.PNG", "b.Jpg", "c.TIF"]);
    }

    #[test]
    fn frames_are_counted_as_people_count() {
        let folder = folder(&["f10.png", "f8.png", "f9.png", "f010.png"]);
        let found = pictures(folder.path()).unwrap();
        let at = |name| {
            names(&found)
                .iter()
                .position(|found| *found == name)
                .unwrap()
        };
        assert!(at("f8.png") < at("f9.png") && at("f9.png") < at("f10.png"));
        assert_ne!(natural("f10", "f010"), Ordering::Equal);
    }

    #[test]
    fn a_folder_called_like_a_picture_is_none() {
        let folder = folder(&["a.png"]);
        fs::create_dir(folder.path().join("b.png")).unwrap();
        assert_eq!(names(&pictures(folder.path()).unwrap()), ["a.png"]);
        assert_eq!(names(&folders(folder.path()).unwrap()), ["b.png"]);
    }
}
