//! Frames as picture files.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

use seggpt_files::listing;

use crate::VideoError;

/// A sequence of picture files, which stands for a clip.
///
/// It is named by its folder, by a numbered pattern as ffmpeg and OpenCV write it (`frames/%06d.png`), or by a glob
/// (`frames/left_*.jpg`). Of folders and globs, the natural order of names is the order of frames. A frame's number is its
/// place from 0. Numbers that are missing in names are no end, as they are elsewhere: what is there is read, and
/// [`gaps`](Self::gaps) says what is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clip {
    name: String,
    place: PathBuf,
    files: Vec<PathBuf>,
    gaps: Vec<String>,
}

/// A frame of a [`Clip`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClipFrame {
    /// Its place in the clip, from 0.
    pub number: u64,
    /// Its file.
    pub path: PathBuf,
}

/// How many gaps are named one by one.
const NAMED: usize = 5;

impl Clip {
    /// Lists a clip's frames; nothing of them is read. Relative paths start in `dir`.
    ///
    /// # Errors
    /// [`VideoError::Missing`], [`VideoError::Empty`], [`VideoError::Pattern`], [`VideoError::File`] for a video file.
    pub fn open(source: &str, dir: &Path) -> Result<Self, VideoError> {
        let path = absolute(&dir.join(source));
        if path.is_dir() {
            let files = listing::pictures(&path).map_err(|error| VideoError::io(&path, error))?;
            return Self::of(&path, files, source);
        }
        if path.is_file() {
            // One picture is a clip of one frame.
            return match listing::is_picture(&path) {
                true => Self::of(&path.with_extension(""), vec![path], source),
                false => Err(VideoError::File(path)),
            };
        }
        let folder = path.parent().unwrap_or(dir).to_owned();
        if let Some(pattern) = Numbered::parse(&path) {
            let files = match folder.is_dir() {
                true => pattern.files(&folder)?,
                false => return Err(VideoError::Missing(folder)),
            };
            return Self::of(&pattern.place(&folder), files, source);
        }
        if source.contains(['*', '?', '[']) {
            let files = matched(&path)?;
            return Self::of(&folder, files, source);
        }
        Err(VideoError::Missing(path))
    }

    fn of(place: &Path, files: Vec<PathBuf>, source: &str) -> Result<Self, VideoError> {
        if files.is_empty() {
            return Err(VideoError::Empty {
                place: source.to_owned(),
                endings: listing::PICTURES.join(", "),
            });
        }
        let name = place.file_name().map(|name| name.to_string_lossy());
        Ok(Self {
            name: name.map_or_else(|| "clip".to_owned(), std::borrow::Cow::into_owned),
            place: place.to_owned(),
            gaps: gaps(&files),
            files,
        })
    }

    /// What it is called: its folder's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its absolute path, as records have it.
    #[must_use]
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// How many frames there are; at least 1.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "a clip without frames is an error"
    )]
    pub fn len(&self) -> u64 {
        self.files.len() as u64
    }

    /// The numbers that are missing between the first and the last name, where names are alike but for a number; `4` or
    /// `7 to 9` each.
    #[must_use]
    pub fn gaps(&self) -> &[String] {
        &self.gaps
    }

    /// One sentence on the gaps; `None` where there is none.
    #[must_use]
    pub fn gaps_said(&self) -> Option<String> {
        let named = self.gaps.get(..NAMED).unwrap_or(&self.gaps).join(", ");
        let more = match self.gaps.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} other gaps"),
        };
        (!self.gaps.is_empty()).then(|| {
            format!(
                "{}: numbers are missing between its frames ({named}{more}); those that are there are taken one after another",
                self.place.display()
            )
        })
    }

    /// A frame; `None` beyond the end.
    #[must_use]
    pub fn frame(&self, number: u64) -> Option<ClipFrame> {
        let path = self.files.get(usize::try_from(number).ok()?)?;
        Some(ClipFrame {
            number,
            path: path.clone(),
        })
    }
}

/// `left_%06d.png`: what stands before and behind the number, and its width.
#[derive(Debug)]
struct Numbered {
    before: String,
    behind: String,
    /// At least so many digits, filled with zeros; 0: as many as it takes.
    digits: usize,
}

impl Numbered {
    fn parse(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let (before, rest) = name.split_once('%')?;
        let (digits, behind) = rest.split_once('d')?;
        let digits = match digits {
            "" => 0,
            digits => digits.strip_prefix('0').unwrap_or(digits).parse().ok()?,
        };
        Some(Self {
            before: before.to_owned(),
            behind: behind.to_owned(),
            digits,
        })
    }

    /// The files of a folder that it means, by number.
    fn files(&self, folder: &Path) -> Result<Vec<PathBuf>, VideoError> {
        let entries = fs::read_dir(folder).map_err(|error| VideoError::io(folder, error))?;
        let mut numbered = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| VideoError::io(folder, error))?;
            if let Some(number) = entry
                .file_name()
                .to_str()
                .and_then(|name| self.number(name))
            {
                numbered.push((number, entry.path()));
            }
        }
        numbered.sort();
        Ok(numbered.into_iter().map(|(_, path)| path).collect())
    }

    fn number(&self, name: &str) -> Option<u64> {
        let digits = name
            .strip_prefix(&self.before)?
            .strip_suffix(&self.behind)?;
        let fits = digits.len() == self.digits
            || digits.len() > self.digits && !digits.starts_with('0')
            || digits == "0" && self.digits == 0;
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && fits).then(|| digits.parse().ok())?
    }

    /// The folder, or what stands before the number in it.
    fn place(&self, folder: &Path) -> PathBuf {
        match self.before.trim_end_matches(['_', '-', '.', ' ']) {
            "" => folder.to_owned(),
            before => folder.join(before),
        }
    }
}

fn matched(path: &Path) -> Result<Vec<PathBuf>, VideoError> {
    let text = path.to_string_lossy();
    let found = glob::glob(&text).map_err(|error| VideoError::Pattern {
        pattern: text.clone().into_owned(),
        reason: format!("{} at character {}", error.msg, error.pos + 1),
    })?;
    let mut files = Vec::new();
    for path in found {
        let path = path.map_err(|error| {
            let reason = error.error();
            let reason = io::Error::new(reason.kind(), reason.to_string());
            VideoError::io(error.path(), reason)
        })?;
        if listing::is_picture(&path) && !path.is_dir() && !listing::is_hidden(&path) {
            files.push(path);
        }
    }
    listing::sort(&mut files);
    Ok(files)
}

/// The numbers that are missing, where all names are alike but for the last number in them.
fn gaps(files: &[PathBuf]) -> Vec<String> {
    let numbers: Option<Vec<(String, u64)>> = files.iter().map(|file| last_number(file)).collect();
    let Some(numbers) = numbers else {
        return Vec::new();
    };
    let mut gaps = Vec::new();
    for pair in numbers.windows(2) {
        let [(frame, before), (next_frame, next)] = pair else {
            continue;
        };
        if frame != next_frame {
            return Vec::new();
        }
        match next.saturating_sub(*before) {
            0 | 1 => {}
            2 => gaps.push((before + 1).to_string()),
            _ => gaps.push(format!("{} to {}", before + 1, next - 1)),
        }
    }
    gaps
}

/// The last number of a file's stem, and the stem without it.
fn last_number(file: &Path) -> Option<(String, u64)> {
    let stem = file.file_stem()?.to_str()?;
    let end = stem.rfind(|c: char| c.is_ascii_digit())? + 1;
    let start = stem[..end]
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + 1);
    // The character before the number may be longer than a byte.
    let start = (start..end).find(|&at| stem.is_char_boundary(at))?;
    let number = stem[start..end].parse().ok()?;
    Some((format!("{}#{}", &stem[..start], &stem[end..]), number))
}

/// Without `.` and `..`.
fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            part => clean.push(part),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("walk")).unwrap();
        for name in names {
            fs::write(folder.path().join("walk").join(name), "").unwrap();
        }
        folder
    }

    fn names(clip: &Clip) -> Vec<String> {
        let frames = (0..clip.len()).map(|number| clip.frame(number).unwrap().path);
        frames
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_folder_is_read_in_natural_order_and_called_by_its_name() {
        let dir = folder(&["f10.png", "f9.png", "notes.txt", ".f8.png", "f8.JPG"]);
        let clip = Clip::open("walk", dir.path()).unwrap();
        assert_eq!(names(&clip), ["f8.JPG", "f9.png", "f10.png"]);
        assert_eq!(clip.name(), "walk");
        assert_eq!(clip.place(), dir.path().join("walk"));
        assert!(clip.gaps().is_empty());
        assert_eq!(clip.frame(3), None);
    }

    #[test]
    fn opencv_stops_at_a_gap_and_this_reads_on_and_says_so() {
        let dir = folder(&[
            "f_0001.png",
            "f_0002.png",
            "f_0004.png",
            "f_0009.png",
            "f_00010.png",
        ]);
        let clip = Clip::open("walk/f_%04d.png", dir.path()).unwrap();
        assert_eq!(
            names(&clip),
            ["f_0001.png", "f_0002.png", "f_0004.png", "f_0009.png"]
        );
        assert_eq!(clip.gaps(), ["3", "5 to 8"]);
        assert!(clip.gaps_said().unwrap().contains("(3, 5 to 8)"));
        assert_eq!(clip.name(), "f");
    }

    #[test]
    fn numbers_may_grow_beyond_their_width() {
        let dir = folder(&["99.png", "100.png", "7.png"]);
        let clip = Clip::open("walk/%02d.png", dir.path()).unwrap();
        assert_eq!(names(&clip), ["99.png", "100.png"]);
        assert_eq!(clip.name(), "walk");
        let clip = Clip::open("walk/%d.png", dir.path()).unwrap();
        assert_eq!(names(&clip), ["7.png", "99.png", "100.png"]);
    }

    #[test]
    fn a_glob_takes_some_of_a_folder_and_one_picture_is_a_clip_of_one() {
        let dir = folder(&["left_2.png", "left_1.png", "right_1.png"]);
        let clip = Clip::open("walk/left_*.png", dir.path()).unwrap();
        assert_eq!(names(&clip), ["left_1.png", "left_2.png"]);
        let clip = Clip::open("walk/right_1.png", dir.path()).unwrap();
        assert_eq!((clip.len(), clip.name()), (1, "right_1"));
    }

    #[test]
    fn names_without_a_common_pattern_have_no_gaps() {
        let dir = folder(&["a1.png", "b7.png", "ü9.png"]);
        assert!(Clip::open("walk", dir.path()).unwrap().gaps().is_empty());
    }

    #[test]
    fn what_is_no_clip_is_said() {
        let dir = folder(&[]);
        fs::write(dir.path().join("clip.mp4"), "").unwrap();
        for (source, words) in [
            ("walk", "holds no pictures"),
            ("walk/%04d.png", "holds no pictures"),
            ("walk/*.png", "holds no pictures"),
            ("walk/[.png", "not a pattern"),
            ("none", "there is no such file or folder"),
            ("none/%04d.png", "there is no such file or folder"),
            ("clip.mp4", "ffmpeg -i"),
        ] {
            let error = Clip::open(source, dir.path()).unwrap_err().to_string();
            assert!(error.contains(words), "{source}: {error}");
        }
    }
}
