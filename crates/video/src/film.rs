//! Where frames are written.

use std::{
    collections::VecDeque,
    fs, io,
    path::{Component, Path, PathBuf},
};

use image::RgbImage;
use seggpt_files::listing;
use seggpt_imaging::write;

use crate::VideoError;

/// Takes frames.
pub trait Film: Send {
    /// Writes a frame; when this returns, it is whole in its place. `name`: what the frame is called, with `/`.
    ///
    /// # Errors
    /// The disk refuses it, or the name is none.
    fn put(&mut self, name: &str, picture: &RgbImage) -> Result<(), VideoError>;

    /// No more frames come.
    ///
    /// # Errors
    /// The disk refuses the end of it.
    fn close(&mut self) -> Result<(), VideoError>;
}

/// How frames are stored as files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Lossless.
    Png,
    /// Of this quality, 1 to 100.
    Jpeg(u8),
}

impl Kind {
    fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg(_) => "jpg",
        }
    }
}

/// A file a frame, called as the frame is.
#[derive(Debug)]
pub struct Pictures {
    folder: PathBuf,
    kind: Kind,
    /// With 0, all are kept.
    keep: usize,
    /// Oldest first; empty where all are kept.
    kept: VecDeque<PathBuf>,
}

impl Pictures {
    /// Writes into `folder`, which is made where it is missing. `keep`: how many frames are kept, those of earlier runs
    /// included; the oldest goes when another comes; 0: all are kept.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub fn open(folder: &Path, kind: Kind, keep: usize) -> Result<Self, VideoError> {
        fs::create_dir_all(folder).map_err(|error| VideoError::io(folder, error))?;
        let mut pictures = Self {
            folder: folder.to_owned(),
            kind,
            keep,
            kept: VecDeque::new(),
        };
        if keep > 0 {
            pictures.kept = earlier(folder, kind.ending())?.into();
            pictures.make_room(keep)?;
        }
        Ok(pictures)
    }

    /// Removes the oldest until there are no more than `most`.
    fn make_room(&mut self, most: usize) -> Result<(), VideoError> {
        while self.kept.len() > most {
            let Some(oldest) = self.kept.pop_front() else {
                break;
            };
            match fs::remove_file(&oldest) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(VideoError::io(oldest, error));
                }
                _ => {}
            }
            // Fails while others are in it.
            let above = oldest.parent().filter(|above| *above != self.folder);
            let _ = above.map(fs::remove_dir);
        }
        Ok(())
    }
}

impl Film for Pictures {
    fn put(&mut self, name: &str, picture: &RgbImage) -> Result<(), VideoError> {
        let relative = Path::new(name);
        let is_inside = relative
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !is_inside || name.is_empty() {
            return Err(VideoError::Name(name.to_owned()));
        }
        let bytes = match self.kind {
            Kind::Png => write::rgb_png(picture)?,
            Kind::Jpeg(quality) => write::rgb_jpeg(picture, quality)?,
        };
        let path = self.folder.join(format!("{name}.{}", self.kind.ending()));
        let part = self.folder.join(format!("{name}.part"));
        let folder = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&part, bytes))
            .and_then(|()| fs::rename(&part, &path))
            .map_err(|error| {
                // What is left of it is in the way of nothing; the first error is the one to tell.
                let _ = fs::remove_file(&part);
                VideoError::io(&path, error)
            })?;
        if self.keep > 0 {
            self.kept.retain(|kept| *kept != path);
            self.kept.push_back(path);
            self.make_room(self.keep)?;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), VideoError> {
        Ok(())
    }
}

/// The pictures below a folder, oldest first.
fn earlier(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, VideoError> {
    let refused = |error| VideoError::io(folder, error);
    let mut open = vec![folder.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for path in listing::entries(&folder).map_err(refused)? {
            if path.is_dir() {
                open.push(path);
            } else if listing::ends_in(&path, &[ending]) {
                let changed = fs::metadata(&path).and_then(|it| it.modified());
                found.push((changed.map_err(refused)?, path));
            }
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = earlier(folder, "png")
            .unwrap()
            .iter()
            .map(|path| path.strip_prefix(folder).unwrap().display().to_string())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn frames_are_files_of_their_names_and_a_second_time_replaces_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut film = Pictures::open(&folder.path().join("out"), Kind::Png, 0).unwrap();
        for name in ["walk/000001", "walk/000002", "walk/000001"] {
            film.put(name, &RgbImage::new(3, 2)).unwrap();
        }
        film.close().unwrap();
        assert_eq!(
            names(folder.path()),
            ["out/walk/000001.png", "out/walk/000002.png"]
        );
        let again = image::open(folder.path().join("out/walk/000001.png")).unwrap();
        assert_eq!((again.width(), again.height()), (3, 2));
    }

    #[test]
    fn of_a_live_flow_the_last_frames_are_kept_over_runs_as_well() {
        let folder = tempfile::tempdir().unwrap();
        let mut film = Pictures::open(folder.path(), Kind::Png, 2).unwrap();
        for name in ["a/1", "a/2", "a/3"] {
            film.put(name, &RgbImage::new(1, 1)).unwrap();
        }
        assert_eq!(names(folder.path()), ["a/2.png", "a/3.png"]);
        let mut second = Pictures::open(folder.path(), Kind::Png, 2).unwrap();
        second.put("b/1", &RgbImage::new(1, 1)).unwrap();
        second.put("b/2", &RgbImage::new(1, 1)).unwrap();
        assert_eq!(names(folder.path()), ["b/1.png", "b/2.png"]);
        assert!(!folder.path().join("a").exists());
    }

    #[test]
    fn a_name_that_leaves_the_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut film = Pictures::open(folder.path(), Kind::Jpeg(90), 0).unwrap();
        for name in ["../x", "/x", ""] {
            let error = film.put(name, &RgbImage::new(1, 1)).unwrap_err();
            assert!(matches!(error, VideoError::Name(_)), "{name}: {error}");
        }
    }
}
