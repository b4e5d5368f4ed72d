//! `prompts.yml`.

use std::{
    num::NonZeroU16,
    path::{Path, PathBuf},
};

use seggpt_contract::SegType;
use seggpt_imaging::{Rgb, annotation::MaskMode, read::Exif};
use serde::{Deserialize, Deserializer, Serialize, de::Error};

use crate::LibraryError;

/// How the masks of a library are to be understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// Which type token the network gets.
    pub kind: SegType,
    /// How mask files are read.
    pub mask_mode: MaskMode,
    /// Whether the orientation that cameras wrote turns images upright.
    pub exif: Exif,
    /// The wanted classes; empty takes whatever the masks show.
    pub classes: Vec<ClassSetting>,
}

/// One line of a class table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassSetting {
    /// The class id, from 1.
    pub id: NonZeroU16,
    /// What it is called; `class ID` where nothing is said.
    #[serde(default)]
    pub name: Option<String>,
    /// The colour to paint it in; where nothing is said, the mask's own or one that stays apart. In the file, three numbers or
    /// `"#rrggbb"`.
    #[serde(default, deserialize_with = "color")]
    pub color: Option<Rgb>,
}

/// `#` and six hexadecimal digits.
#[must_use]
pub fn hex(text: &str) -> Option<Rgb> {
    let digits = text.strip_prefix('#').filter(|digits| {
        digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    })?;
    let [_, r, g, b] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
    Some([r, g, b])
}

fn color<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Rgb>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Color {
        Numbers(Rgb),
        Text(String),
        Other(serde::de::IgnoredAny),
    }
    const WANTED: &str = "a colour is \"#rrggbb\" (in quotes) or three numbers of 0 to 255";
    match Option::<Color>::deserialize(from)? {
        None => Ok(None),
        Some(Color::Numbers(color)) => Ok(Some(color)),
        Some(Color::Text(text)) => hex(&text)
            .map(Some)
            .ok_or_else(|| D::Error::custom(format!("`{text}` is no colour: {WANTED}"))),
        Some(Color::Other(_)) => Err(D::Error::custom(WANTED)),
    }
}

/// The files of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptFiles {
    /// The picture.
    pub image: PathBuf,
    /// Its mask, of the same size.
    pub mask: PathBuf,
    /// What the network is shown instead of the mask in its classes' colours, of the same size: a tuned prompt's mask
    /// has shades. The classes and their colours are the mask's all the same.
    pub painted: Option<PathBuf>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    #[serde(default, rename = "type")]
    pub(crate) kind: SegType,
    #[serde(default, with = "MaskModeName")]
    pub(crate) mask_mode: MaskMode,
    #[serde(default, with = "ExifName")]
    pub(crate) exif: Exif,
    #[serde(default)]
    pub(crate) classes: Vec<ClassSetting>,
    pub(crate) prompts: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    pub(crate) image: PathBuf,
    pub(crate) mask: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) painted: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "MaskMode", rename_all = "lowercase")]
enum MaskModeName {
    Auto,
    Binary,
    Palette,
    Rgb,
    Ids,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Exif", rename_all = "lowercase")]
enum ExifName {
    Apply,
    Ignore,
}

/// A library's settings and its prompts by name.
pub(crate) type Contents = (Settings, Vec<(String, PromptFiles)>);

/// The library's list, where its folder or the list itself is named.
fn list_at(path: &Path) -> PathBuf {
    if path.is_dir() {
        path.join("prompts.yml")
    } else {
        path.to_owned()
    }
}

/// Reads `prompts.yml` in a folder (or the file itself).
pub(crate) fn read(path: &Path) -> Result<Contents, LibraryError> {
    let path = list_at(path);
    let text = seggpt_files::text::open(&path).map_err(|source| LibraryError::Read {
        path: path.clone(),
        source,
    })?;
    let file: File = yaml_serde::from_str(&text).map_err(|error| LibraryError::Yaml {
        path: path.clone(),
        reason: error.to_string(),
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let prompts = file.prompts.into_iter().map(|line| {
        let files = PromptFiles {
            image: folder.join(line.image),
            mask: folder.join(line.mask),
            painted: line.painted.map(|path| folder.join(path)),
        };
        (line.name.unwrap_or_else(|| default_name(&files)), files)
    });
    let settings = Settings {
        kind: file.kind,
        mask_mode: file.mask_mode,
        exif: file.exif,
        classes: file.classes,
    };
    Ok((settings, prompts.collect()))
}

/// Every file of a library: the list itself, then the images and masks that it names.
///
/// # Errors
/// The list cannot be read.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, LibraryError> {
    let list = list_at(path);
    let (_, prompts) = read(&list)?;
    let named = prompts
        .into_iter()
        .flat_map(|(_, files)| [Some(files.image), Some(files.mask), files.painted]);
    Ok([list].into_iter().chain(named.flatten()).collect())
}

/// The image's file name without its ending.
pub(crate) fn default_name(files: &PromptFiles) -> String {
    let stem = files.image.file_stem().unwrap_or(files.image.as_os_str());
    stem.to_string_lossy().into_owned()
}
