//! `prompts.yml`.

use std::{
    collections::BTreeSet,
    num::NonZeroU16,
    path::{Path, PathBuf},
};

use seggpt_annotations::Annotations;
use seggpt_contract::SegType;
use seggpt_files::{listing, text};
use seggpt_imaging::{Rgb, annotation::MaskMode, read::Exif};
use serde::{Deserialize, Serialize};

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
    /// The colour to paint it in; where nothing is said, the mask's own or one that stays apart.
    /// In files `#rrggbb` or `[r, g, b]`.
    #[serde(default, with = "colour")]
    pub color: Option<Rgb>,
}

/// A colour in a file.
mod colour {
    use seggpt_imaging::{Rgb, color};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Numbers(Rgb),
        Text(String),
    }

    pub(super) fn serialize<S: Serializer>(
        color: &Option<Rgb>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        color.map(color::hex).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Rgb>, D::Error> {
        let written = Option::<Written>::deserialize(deserializer);
        match written.map_err(|_| D::Error::custom(FORM))? {
            None => Ok(None),
            Some(Written::Numbers(color)) => Ok(Some(color)),
            Some(Written::Text(text)) => match color::parse(&text) {
                Some(color) => Ok(Some(color)),
                None => Err(D::Error::custom(format!("`{text}` is no colour; {FORM}"))),
            },
        }
    }

    const FORM: &str =
        "a colour is \"#rrggbb\" (in quotation marks, since # begins a comment) or [r, g, b]";
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

/// What a library is made of.
pub(crate) struct Contents {
    pub(crate) settings: Settings,
    pub(crate) prompts: Vec<Listed>,
    /// What was left out, for people.
    pub(crate) notes: Vec<String>,
    pub(crate) annotations: Option<Annotations>,
    /// The list, or what says what classes there are.
    list: Option<PathBuf>,
}

/// A prompt that is not read yet.
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) files: PromptFiles,
    /// Which picture of the annotations it is.
    pub(crate) drawn: Option<usize>,
}

const LIST: &str = "prompts.yml";

/// Reads `prompts.yml` in a folder (or the file itself), or what a labelling tool exported. `images`: where the pictures of
/// that are.
pub(crate) fn read(path: &Path, images: Option<&Path>) -> Result<Contents, LibraryError> {
    let list = match path.is_dir() {
        true => path.join(LIST),
        false => path.to_owned(),
    };
    let is_list = match path.is_dir() {
        true => list.is_file(),
        false => listing::ends_in(path, &["yml", "yaml"]),
    };
    if !path.exists() || is_list && images.is_none() {
        return listed(&list);
    }
    if is_list {
        return Err(LibraryError::Yaml {
            path: list,
            reason: "it names its pictures itself; leave out the folder of pictures".to_owned(),
        });
    }
    match seggpt_annotations::recognise(path)? {
        Some(_) => exported(path, images),
        None if path.is_dir() => listed(&list),
        None => Err(LibraryError::Unknown {
            path: path.to_owned(),
        }),
    }
}

fn listed(list: &Path) -> Result<Contents, LibraryError> {
    let text = text::open(list).map_err(|source| LibraryError::Read {
        path: list.to_owned(),
        source,
    })?;
    let file: File = yaml_serde::from_str(&text).map_err(|error| LibraryError::Yaml {
        path: list.to_owned(),
        reason: error.to_string(),
    })?;
    let folder = list.parent().unwrap_or(Path::new(""));
    let images: Vec<&PathBuf> = file.prompts.iter().map(|line| &line.image).collect();
    let names = seggpt_annotations::unique(&images);
    let prompts = file.prompts.iter().zip(names).map(|(line, name)| Listed {
        name: line.name.clone().unwrap_or(name),
        files: PromptFiles {
            image: folder.join(&line.image),
            mask: folder.join(&line.mask),
            painted: line.painted.as_ref().map(|path| folder.join(path)),
        },
        drawn: None,
    });
    Ok(Contents {
        prompts: prompts.collect(),
        settings: Settings {
            kind: file.kind,
            mask_mode: file.mask_mode,
            exif: file.exif,
            classes: file.classes,
        },
        notes: Vec::new(),
        annotations: None,
        list: Some(list.to_owned()),
    })
}

/// A labelling tool's file: each picture on which something is drawn is a prompt; the classes have the tool's names and
/// colours.
fn exported(path: &Path, images: Option<&Path>) -> Result<Contents, LibraryError> {
    let annotations = seggpt_annotations::open(path, images)?;
    let mut notes = annotations.notes.clone();
    let (mut prompts, mut empty, mut shown) = (Vec::new(), 0, BTreeSet::new());
    for (at, picture) in annotations.pictures.iter().enumerate() {
        let classes = picture.classes();
        if classes.is_empty() {
            empty += 1;
            continue;
        }
        shown.extend(classes);
        prompts.push(Listed {
            name: picture.name.clone(),
            files: PromptFiles {
                image: picture.file.path().to_owned(),
                mask: picture.source.clone(),
                painted: None,
            },
            drawn: Some(at),
        });
    }
    if empty > 0 {
        notes.push(format!(
            "{}: pictures on which nothing is drawn are no examples: {empty} of {}",
            path.display(),
            annotations.pictures.len()
        ));
    }
    let classes = annotations.categories.iter();
    let classes = classes.filter(|category| shown.contains(&category.id));
    let classes = classes.filter_map(|category| {
        Some(ClassSetting {
            id: NonZeroU16::new(category.id)?,
            name: Some(category.name.clone()),
            color: category.color,
        })
    });
    Ok(Contents {
        settings: Settings {
            classes: classes.collect(),
            ..Settings::default()
        },
        prompts,
        notes,
        list: annotations.table.clone(),
        annotations: Some(annotations),
    })
}

/// Every file of a library: its list, then the images and masks (or files of annotations) that it names. `images`: where the
/// pictures of a labelling tool's file are.
///
/// # Errors
/// The list cannot be read.
pub fn files(path: &Path, images: Option<&Path>) -> Result<Vec<PathBuf>, LibraryError> {
    let contents = read(path, images)?;
    let named = contents.prompts.into_iter();
    let named =
        named.flat_map(|Listed { files, .. }| [Some(files.image), Some(files.mask), files.painted]);
    let mut seen = BTreeSet::new();
    let all = std::iter::once(contents.list).chain(named).flatten();
    Ok(all.filter(|file| seen.insert(file.clone())).collect())
}

/// Names for pairs of files, no two alike.
pub(crate) fn names(pairs: &[(PathBuf, PathBuf)]) -> Vec<String> {
    let images: Vec<&PathBuf> = pairs.iter().map(|(image, _)| image).collect();
    seggpt_annotations::unique(&images)
}
