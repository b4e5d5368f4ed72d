//! A file as the payload of a message: raw while small, encoded beyond, and never near the 64 MiB that dora refuses.

use std::{fs, path::Path, sync::Arc};

use eyre::{Result, WrapErr, bail, ensure};
use image::{ImageFormat, RgbImage};
use seggpt_contract::{Encoding, Identity, Image, Message, Parameter, Picture, RAW_PICTURE_LIMIT};
use seggpt_imaging::{
    Orientation,
    read::{self, Exif, Note, NoteKind, Reading},
    write,
};
use seggpt_node::{Ready, Supply};

use crate::inputs::Entry;

/// No encoded picture goes out larger than this. The prompts and their masks travel beside it later, and the whole must
/// stay below 64 MiB.
pub const FILE_LIMIT: usize = 48 << 20;

/// The quality of pictures that only fit as JPEG.
const QUALITY: u8 = 97;

/// A picture with what there is to say of it, or why there is none, for people.
pub type Loaded = Result<(Picture, Vec<Note>), String>;

/// An entry with its place in the run. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Item {
    entry: Arc<Entry>,
    index: u64,
    total: u64,
}

impl Item {
    /// Counts the entries.
    pub fn number(entries: Vec<Entry>) -> Vec<Self> {
        let total = entries.len() as u64;
        let numbered = (0..).zip(entries);
        numbered
            .map(|(index, entry)| Self {
                entry: Arc::new(entry),
                index,
                total,
            })
            .collect()
    }

    /// What acknowledgements call it.
    pub fn id(&self) -> &str {
        &self.entry.item
    }

    /// Reads the file. A decoder that panics spoils this item alone.
    pub fn read(&self, exif: Exif) -> Loaded {
        picture(&self.entry.path, exif, RAW_PICTURE_LIMIT, FILE_LIMIT)
            .map_err(|error| format!("{error:#}"))
    }

    /// The identity of the picture, `size` = (width, height). `file_size` (bytes) and `file_mtime` (nanoseconds since
    /// 1970) go along for the journal.
    pub fn identity(&self, size: (u32, u32), notes: &[Note]) -> Identity {
        let entry = &self.entry;
        let mut identity = Identity::new(entry.item.clone(), self.index, size);
        identity.name.clone_from(&entry.name);
        identity.source = entry.source();
        identity.total = Some(self.total);
        identity.notes = notes.iter().map(ToString::to_string).collect();
        if let Some(stamp) = entry.stamp {
            let bytes = i64::try_from(stamp.size).unwrap_or(i64::MAX);
            identity
                .extra
                .insert("file_size".into(), Parameter::Integer(bytes));
            identity
                .extra
                .insert("file_mtime".into(), Parameter::Integer(stamp.mtime));
        }
        identity
    }

    /// The identity of a picture that could not be read.
    pub fn unread(&self) -> Identity {
        self.identity((1, 1), &[])
    }
}

/// An item as it is sent: what becomes of its orientation is decided.
#[derive(Clone, Debug)]
pub struct Pictured {
    item: Item,
    exif: Exif,
}

impl Pictured {
    /// All of them.
    pub fn all(items: Vec<Item>, exif: Exif) -> Vec<Self> {
        items.into_iter().map(|item| Self { item, exif }).collect()
    }
}

impl Supply for Pictured {
    fn id(&self) -> &str {
        self.item.id()
    }

    fn read(&self) -> Result<Ready, String> {
        let (picture, notes) = self.item.read(self.exif)?;
        let size = (picture.width(), picture.height());
        let told = notes.iter().filter(|note| note.kind != NoteKind::Turned);
        let remarks = told.map(|note| (format!("{:?}", note.kind), note.to_string()));
        Ok(Ready {
            bytes: u64::from(size.0) * u64::from(size.1) * 3,
            remarks: remarks.collect(),
            message: Message::Item(self.item.identity(size, &notes), Image(picture)),
        })
    }

    fn unread(&self) -> Identity {
        self.item.unread()
    }
}

/// Reads a picture file for sending: as raw rgb8 up to `raw_limit` bytes; beyond, as the file's own bytes, if it is a
/// JPEG, PNG or WebP of at most `file_limit` bytes; else as PNG, and if that is too large, as JPEG.
///
/// # Errors
/// No file, no picture, a damaged picture (also where the file's own bytes are to be sent), or one that is too large in
/// any form; the file is named.
pub fn picture(
    path: &Path,
    exif: Exif,
    raw_limit: usize,
    file_limit: usize,
) -> Result<(Picture, Vec<Note>)> {
    let name = path.display();
    let metadata = fs::metadata(path).wrap_err_with(|| format!("{name}: cannot be read"))?;
    ensure!(
        metadata.is_file(),
        "{name}: not a file; name a picture file, or the folder without wildcards"
    );
    let bytes = fs::read(path).wrap_err_with(|| format!("{name}: cannot be read"))?;
    let name = name.to_string();
    let Reading {
        picture: pixels,
        notes,
        ..
    } = Reading::decode(&bytes, &name, exif)?;
    if pixels.as_raw().len() <= raw_limit {
        return Ok((Picture::from_rgb(pixels), notes));
    }
    let (width, height) = pixels.dimensions();
    // Whoever decodes it turns it upright.
    let same =
        exif == Exif::Apply || read::orientation(&bytes, &name)? == Orientation::NoTransforms;
    if let Some(encoding) = sendable(&bytes).filter(|_| same && bytes.len() <= file_limit) {
        return Ok((Picture::new(width, height, encoding, bytes)?, notes));
    }
    drop(bytes);
    Ok((encoded(&pixels, path, file_limit)?, notes))
}

/// The encodings that travel as they are.
fn sendable(bytes: &[u8]) -> Option<Encoding> {
    match image::guess_format(bytes).ok()? {
        ImageFormat::Jpeg => Some(Encoding::Jpeg),
        ImageFormat::Png => Some(Encoding::Png),
        ImageFormat::WebP => Some(Encoding::Webp),
        _ => None,
    }
}

fn encoded(pixels: &RgbImage, path: &Path, limit: usize) -> Result<Picture> {
    let (name, (width, height)) = (path.display(), pixels.dimensions());
    let png = write::rgb_png(pixels)?;
    if png.len() <= limit {
        return Ok(Picture::new(width, height, Encoding::Png, png)?);
    }
    drop(png);
    let jpeg = write::rgb_jpeg(pixels, QUALITY)
        .wrap_err_with(|| format!("{name}: too large for one message as PNG"))?;
    if jpeg.len() > limit {
        bail!(
            "{name}: {width} x {height} pixels are too large for one message, even as JPEG ({} MiB of {}); cut the \
             picture into tiles or reduce it",
            jpeg.len() >> 20,
            limit >> 20
        );
    }
    tracing::warn!(
        "{name}: too large for one message as PNG; sent as JPEG of quality {QUALITY}, which is not lossless"
    );
    Ok(Picture::new(width, height, Encoding::Jpeg, jpeg)?)
}
