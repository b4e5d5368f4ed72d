//! A prompt's mask file: what the network sees of it, and what it means.
//!
//! Masks come as black and white, as palette files, as colours and as class ids, and nothing in the
//! file says which. [`MaskMode::Auto`] tells them apart and refuses where it cannot be sure;
//! the other modes say it.
//!
//! | file | painted | classes |
//! |---|---|---|
//! | black and white: 0/1, 0/255, 1 bit, anti-aliased or JPEG | its own RGB pixels; 0/1 scaled to 0/255; lines too thin to be white, from half way on | 1, white |
//! | palette PNG | the palette's RGB, as Pillow's `convert("RGB")` | the indices; 0 is background |
//! | class ids, grey of 8 or 16 bits | one colour of [`palette::distinct`] per id | the ids; 0 is background |
//! | colours | its own RGB pixels | 1, 2, ... for the colours other than black, the most frequent first |
//!
//! In id and palette files, 255 means "ignore" and is painted black (in 16 bits 65,535, and 255 too
//! as long as no id is larger). A palette that the network could not tell apart (grey ramps) is
//! replaced like ids.
//!
//! Transparency is data: what is transparent is background, and where all that is opaque is white or black, what is opaque is
//! the one class. What was guessed is said in [`Annotation::notes`].
//!
//! A class table ([`ClassEntry`]) names classes, recolours them, and limits the mask to them: what it
//! does not list is painted black and reported in [`Annotation::unlisted`].

mod file;
mod ids;
mod kind;
mod png;
mod soft;
mod transparent;

use std::{collections::BTreeMap, fmt, path::Path, str::FromStr};

use image::{RgbImage, metadata::Orientation};

use crate::{
    BLACK, ImagingError, Rgb, WHITE, palette,
    read::{self, Exif, Note, NoteKind, Reading},
    squared_distance,
};
pub(crate) use file::MaskFile;
use file::MaskReading;
pub use ids::Ids;
use kind::Marks;

/// How to read a mask file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MaskMode {
    /// Tell by the content; refuse what is ambiguous.
    #[default]
    Auto,
    /// One class: black and white as they are, of any other file whatever is not black or 0.
    Binary,
    /// A palette PNG: the indices are class ids, in the palette's own colours.
    Palette,
    /// Every colour other than black is a class, in its own colour.
    Rgb,
    /// The values (or palette indices) are class ids; the file's colours mean nothing.
    Ids,
}

impl MaskMode {
    /// All modes, by the names they have in settings.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("auto", Self::Auto),
        ("binary", Self::Binary),
        ("palette", Self::Palette),
        ("rgb", Self::Rgb),
        ("ids", Self::Ids),
    ];
}

impl fmt::Display for MaskMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::NAMES.iter().find(|(_, mode)| mode == self);
        f.write_str(named.map_or("", |(name, _)| name))
    }
}

impl FromStr for MaskMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::NAMES.iter().find(|(name, _)| *name == text);
        known.map(|(_, mode)| *mode).ok_or_else(|| {
            format!("unknown mask mode `{text}`; use auto, binary, palette, rgb or ids")
        })
    }
}

/// What is known beforehand of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassEntry {
    /// Class id, from 1.
    pub id: u16,
    /// What it is called.
    pub name: Option<String>,
    /// The colour to paint it in; in a mask of colours, the colour that stands for it.
    pub color: Option<Rgb>,
}

/// A class that a mask shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnotatedClass {
    /// Class id, from 1.
    pub id: u16,
    /// Its name, where the class table gives one.
    pub name: Option<String>,
    /// The colour it is painted in.
    pub color: Rgb,
}

/// Where the ids and colours of a mask's classes come from, and so what two masks must agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaskKind {
    /// Black and white: there is one class.
    Binary,
    /// Ids with the colours of the file's palette.
    Palette,
    /// Ids without colours: the colours were chosen here.
    Ids,
    /// Colours without ids: the ids were chosen here.
    Rgb,
}

/// A mask as the network sees it, with its meaning.
#[derive(Debug, Clone)]
pub struct Annotation {
    /// What kind of mask the file turned out to be.
    pub kind: MaskKind,
    /// RGB pixels at the file's own size; background is black.
    pub painted: RgbImage,
    /// The classes that occur, by ascending id. Empty where nothing is marked.
    pub classes: Vec<AnnotatedClass>,
    /// What the file marks but the class table does not list ("id 7", "colour #ff0000"); painted black.
    pub unlisted: Vec<String>,
    /// What was guessed, and what was not taken as it stands.
    pub notes: Vec<Note>,
    /// How the stored pixels were turned.
    pub turned: Orientation,
}

impl Annotation {
    /// Reads a mask file; see [`Annotation::decode`].
    ///
    /// # Errors
    /// [`ImagingError::Read`], and whatever [`Annotation::decode`] refuses.
    pub fn open(
        path: impl AsRef<Path>,
        mode: MaskMode,
        table: Option<&[ClassEntry]>,
    ) -> Result<Self, ImagingError> {
        Self::open_with(path, mode, table, Exif::Apply)
    }

    /// As [`Annotation::open`], with a word on its EXIF orientation, should it have one.
    ///
    /// # Errors
    /// As [`Annotation::open`].
    pub fn open_with(
        path: impl AsRef<Path>,
        mode: MaskMode,
        table: Option<&[ClassEntry]>,
        exif: Exif,
    ) -> Result<Self, ImagingError> {
        let name = path.as_ref().display().to_string();
        Self::decode_with(&read::bytes(path.as_ref())?, &name, mode, table, exif)
    }

    /// Decodes a mask file. `name` is what errors call it; `table`, if given, is the class table.
    ///
    /// Ids without a colour in the table get colours by their rank among the ids (of the table where
    /// there is one, else of this mask), so give a table where several masks share classes.
    ///
    /// # Errors
    /// What [`read::decode`] refuses; [`ImagingError::Mask`] if Auto cannot tell the kind, or the
    /// file is not of the mode asked for.
    pub fn decode(
        bytes: &[u8],
        name: &str,
        mode: MaskMode,
        table: Option<&[ClassEntry]>,
    ) -> Result<Self, ImagingError> {
        Self::decode_with(bytes, name, mode, table, Exif::Apply)
    }

    fn decode_with(
        bytes: &[u8],
        name: &str,
        mode: MaskMode,
        table: Option<&[ClassEntry]>,
        exif: Exif,
    ) -> Result<Self, ImagingError> {
        let refuse = |reason| ImagingError::Mask {
            name: name.to_owned(),
            reason,
        };
        let MaskReading {
            file,
            turned,
            mut notes,
        } = MaskReading::decode(bytes, name, exif)?;
        let (marks, guess) = kind::tell(file, mode).map_err(refuse)?;
        notes.extend(guess);
        let annotation = match marks {
            Marks::White { painted } => white(painted, table),
            Marks::Indexed { size, ids, colors } => indexed(size, &ids, &colors, table),
            Marks::Colored { painted, colors } => colored(painted, &colors, table),
        };
        Ok(Self {
            notes,
            turned,
            ..annotation
        })
    }

    /// A plane of class ids of `size` = (width, height), row by row, that came from elsewhere than a mask file; 0 is
    /// background, 65,535 ignored. `table` as in [`Annotation::decode`].
    ///
    /// # Panics
    /// If there is not one id per pixel.
    #[must_use]
    pub fn of_ids(size: (u32, u32), ids: &[u16], table: Option<&[ClassEntry]>) -> Self {
        let shown: std::collections::BTreeSet<u16> = ids.iter().copied().collect();
        let shown = shown.into_iter().filter(|id| !matches!(*id, 0 | u16::MAX));
        indexed(size, ids, &shown.map(|id| (id, None)).collect(), table)
    }

    /// The share of the pixels that are marked, 0 to 1; soft edges count from the middle on.
    #[must_use]
    pub fn marked(&self) -> f64 {
        // The darkest class's brightest channel, halved.
        let brightest = |class: &AnnotatedClass| class.color.into_iter().max();
        let darkest = self.classes.iter().filter_map(brightest).min();
        let half = darkest.unwrap_or(2).div_ceil(2);
        let is_marked = |pixel: &&[u8; 3]| pixel.iter().any(|value| *value >= half);
        let pixels = self.painted.as_raw().as_chunks::<3>().0;
        pixels.iter().filter(is_marked).count() as f64 / pixels.len().max(1) as f64
    }

    /// Brings the mask to the picture that it was drawn on, where an EXIF orientation stands between them.
    ///
    /// The picture was turned upright; a mask that was drawn on its stored pixels has the stored size. Where the sizes tell,
    /// the mask is turned along; where they do not (180 degrees, square pictures), a note says what to look at.
    pub fn follow(&mut self, picture: &Reading) {
        let Some(how) = read::turn(picture.turned) else {
            return;
        };
        let (width, height) = picture.picture.dimensions();
        let size = self.painted.dimensions();
        if size == (height, width)
            && size != (width, height)
            && read::turns_sideways(picture.turned)
        {
            self.painted = file::turned(std::mem::take(&mut self.painted), picture.turned);
            let text = format!(
                "turned along with its picture, whose EXIF orientation ({how}) was applied: it has the size of the pixels as \
                 they are stored"
            );
            self.notes.push(Note::new(NoteKind::Turned, text));
        } else if size == (width, height) && self.turned == Orientation::NoTransforms {
            let text = format!(
                "its picture was turned upright by its EXIF orientation ({how}); if the mask was drawn on the picture as it is \
                 stored, set EXIF to ignore (--exif ignore)"
            );
            self.notes.push(Note::new(NoteKind::Turned, text));
        }
    }
}

/// An annotation that was read as it stands.
fn plain(
    kind: MaskKind,
    painted: RgbImage,
    classes: Vec<AnnotatedClass>,
    unlisted: Vec<String>,
) -> Annotation {
    Annotation {
        kind,
        painted,
        classes,
        unlisted,
        notes: Vec::new(),
        turned: Orientation::NoTransforms,
    }
}

/// One class, shades of white on black.
fn white(mut painted: RgbImage, table: Option<&[ClassEntry]>) -> Annotation {
    let entry = match table {
        None => Some(ClassEntry {
            id: 1,
            name: None,
            color: None,
        }),
        Some([only]) => Some(only.clone()),
        Some(table) => table.iter().find(|entry| entry.id == 1).cloned(),
    };
    let kind = MaskKind::Binary;
    if painted.iter().all(|&value| value == 0) {
        return plain(kind, painted, Vec::new(), Vec::new());
    }
    let Some(entry) = entry else {
        painted.fill(0);
        return plain(kind, painted, Vec::new(), vec!["id 1".to_owned()]);
    };
    let color = entry.color.unwrap_or(WHITE);
    if color != WHITE {
        for value in painted.pixels_mut() {
            let tint = |value: u8, full: u8| (u16::from(value) * u16::from(full) / 255) as u8;
            value.0 = [0, 1, 2].map(|channel| tint(value.0[channel], color[channel]));
        }
    }
    let class = AnnotatedClass {
        id: entry.id,
        name: entry.name,
        color,
    };
    plain(kind, painted, vec![class], Vec::new())
}

/// Ids, some with a colour of their own.
fn indexed(
    size: (u32, u32),
    ids: &[u16],
    own: &BTreeMap<u16, Option<Rgb>>,
    table: Option<&[ClassEntry]>,
) -> Annotation {
    let listed: Vec<ClassEntry> = match table {
        Some(table) => table.to_vec(),
        None => own
            .keys()
            .map(|&id| ClassEntry {
                id,
                name: None,
                color: None,
            })
            .collect(),
    };
    let spare = palette::distinct(listed.len());
    let mut colors = BTreeMap::new();
    let mut classes = Vec::new();
    for (entry, spare) in listed.into_iter().zip(spare) {
        if let Some(own) = own.get(&entry.id) {
            let color = entry.color.or(*own).unwrap_or(spare);
            colors.insert(entry.id, color);
            classes.push(AnnotatedClass {
                id: entry.id,
                name: entry.name,
                color,
            });
        }
    }
    classes.sort_by_key(|class| class.id);
    let unlisted = own
        .keys()
        .filter(|id| !colors.contains_key(id))
        .map(|id| format!("id {id}"))
        .collect();
    let pixels = ids
        .iter()
        .flat_map(|id| colors.get(id).copied().unwrap_or(BLACK))
        .collect();
    let painted = RgbImage::from_raw(size.0, size.1, pixels).expect("one id per pixel");
    let kind = if own.values().any(Option::is_some) {
        MaskKind::Palette
    } else {
        MaskKind::Ids
    };
    plain(kind, painted, classes, unlisted)
}

/// Colours are the classes; `colors` lists the significant ones, the most frequent first.
fn colored(mut painted: RgbImage, colors: &[Rgb], table: Option<&[ClassEntry]>) -> Annotation {
    let kind = MaskKind::Rgb;
    let Some(table) = table else {
        let classes = (1..)
            .zip(colors)
            .map(|(id, &color)| AnnotatedClass {
                id,
                name: None,
                color,
            })
            .collect();
        return plain(kind, painted, classes, Vec::new());
    };
    let listed = |color: Rgb| {
        let near = |entry: &&ClassEntry| {
            entry
                .color
                .is_some_and(|own| squared_distance(own, color) <= kind::SAME_COLOR)
        };
        let distance = |entry: &&ClassEntry| entry.color.map(|own| squared_distance(own, color));
        table.iter().filter(near).min_by_key(distance)
    };
    let mut classes: Vec<AnnotatedClass> = Vec::new();
    let mut foreign = Vec::new();
    for &color in colors {
        match listed(color) {
            Some(ClassEntry {
                id,
                name,
                color: own,
            }) => {
                if !classes.iter().any(|class| class.id == *id) {
                    let color = own.unwrap_or(color);
                    classes.push(AnnotatedClass {
                        id: *id,
                        name: name.clone(),
                        color,
                    });
                }
            }
            None => foreign.push(color),
        }
    }
    classes.sort_by_key(|class| class.id);
    if !foreign.is_empty() {
        for pixel in painted.pixels_mut() {
            let apart = |other: Rgb| squared_distance(pixel.0, other);
            let kept = classes
                .iter()
                .map(|class| class.color)
                .chain([BLACK])
                .map(apart)
                .min();
            let lost = foreign.iter().copied().map(apart).min();
            if lost < kept {
                pixel.0 = BLACK;
            }
        }
    }
    let hex = |[r, g, b]: &Rgb| format!("colour #{r:02x}{g:02x}{b:02x}");
    let unlisted = foreign.iter().map(hex).collect();
    plain(kind, painted, classes, unlisted)
}
