//! A file as the payload of a message: raw while small, encoded beyond, and never near the 64 MiB that dora refuses.

use std::{fs, path::Path, sync::Arc};

use eyre::{Result, WrapErr, ensure};
use image::ImageFormat;
use seggpt_contract::{Encoding, Identity, Picture, RAW_PICTURE_LIMIT};
use seggpt_imaging::{
    Orientation,
    read::{self, Exif, Note, Reading},
};
use seggpt_node::source::{FILE_LIMIT, Listed, Loaded, Sendable, encoded};

use crate::inputs::Entry;

/// An entry with its place in the run. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Item {
    entry: Arc<Entry>,
    index: u64,
    total: u64,
    exif: Exif,
}

impl Item {
    /// Counts the entries.
    pub fn number(entries: Vec<Entry>, exif: Exif) -> Vec<Self> {
        let total = entries.len() as u64;
        let numbered = (0..).zip(entries);
        numbered
            .map(|(index, entry)| Self {
                entry: Arc::new(entry),
                index,
                total,
                exif,
            })
            .collect()
    }
}

impl Sendable for Item {
    fn id(&self) -> &str {
        &self.entry.item
    }

    /// Reads the file. A decoder that panics spoils this item alone.
    fn read(&self) -> Loaded {
        let (path, page) = (&self.entry.path, self.entry.page);
        let picture = picture(path, page, self.exif, RAW_PICTURE_LIMIT, FILE_LIMIT);
        picture.map_err(|error| format!("{error:#}"))
    }

    fn identity(&self, size: (u32, u32), notes: &[Note]) -> Identity {
        let entry = &self.entry;
        let mut identity = Identity::new(entry.item.clone(), self.index, size);
        identity.name.clone_from(&entry.name);
        identity.source = entry.source();
        identity.total = Some(self.total);
        identity.notes = notes.iter().map(ToString::to_string).collect();
        if let Some(stamp) = entry.stamp {
            stamp.put(&mut identity);
        }
        identity
    }
}

/// Reads a picture file, or a page of it, for sending: as raw rgb8 up to `raw_limit` bytes; beyond, as the file's own bytes, if it is a
/// JPEG, PNG or WebP of at most `file_limit` bytes; else as PNG, and if that is too large, as JPEG.
///
/// # Errors
/// No file, no picture, a damaged picture (also where the file's own bytes are to be sent), or one that is too large in
/// any form; the file is named.
pub fn picture(
    path: &Path,
    page: Option<usize>,
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
    let (reading, bytes) = match page {
        Some(page) => (Reading::page(path, exif, page)?, None),
        None => {
            let bytes = fs::read(path).wrap_err_with(|| format!("{name}: cannot be read"))?;
            let reading = Reading::decode(&bytes, &name.to_string(), exif)?;
            (reading, Some(bytes))
        }
    };
    let (pixels, notes) = (reading.picture, reading.notes);
    if pixels.as_raw().len() <= raw_limit {
        return Ok((Picture::from_rgb(pixels), notes));
    }
    let (width, height) = pixels.dimensions();
    let name = name.to_string();
    // Whoever decodes it turns it upright.
    if let Some(bytes) = bytes
        && let Some(encoding) = sendable(&bytes)
        && bytes.len() <= file_limit
        && (exif == Exif::Apply || read::orientation(&bytes, &name)? == Orientation::NoTransforms)
    {
        return Ok((Picture::new(width, height, encoding, bytes)?, notes));
    }
    Ok((encoded(&pixels, &name, file_limit)?, notes))
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
