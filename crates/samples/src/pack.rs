//! Training files in few compact files, to take to another machine.

use std::{
    fs,
    io::{Cursor, Write as _},
    path::{Path, PathBuf},
};

use image::{DynamicImage, GrayImage, ImageFormat, codecs::jpeg::JpegEncoder};
use seggpt_imaging::resize::nearest;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{
    SamplesError,
    backgrounds::shrink,
    files::{Files, extension},
};

/// What goes into packs, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Packing {
    /// No pack becomes larger, in bytes.
    pub largest: usize,
    /// Photographs, labelled pictures and their masks are reduced to this longest side, in pixels.
    /// Cut-outs stay as they are.
    pub longest_side: u32,
    /// Quality of reduced photographs, 1 to 100.
    pub quality: u8,
    /// Beginnings of names, such as "objects/emoji/", that are left out.
    pub without: Vec<String>,
}

impl Default for Packing {
    /// 40 MB, 256 pixels, quality 88, everything.
    fn default() -> Self {
        Self {
            largest: 40_000_000,
            longest_side: 256,
            quality: 88,
            without: Vec::new(),
        }
    }
}

/// Writes `samples-0.zip`, `samples-1.zip`, ... into a folder, and returns their paths. The folder (or a
/// single pack) can then be the `root` of [`Settings`](crate::Settings). Licences (`SOURCE.txt`) and class lists come along.
///
/// # Errors
/// [`SamplesError::NoFolder`], [`SamplesError::Disk`] and [`SamplesError::Content`]: a file that
/// cannot be read, decoded or written, or is larger than a pack may be.
pub fn pack(root: &Path, folder: &Path, how: &Packing) -> Result<Vec<PathBuf>, SamplesError> {
    let files = Files::open(root)?;
    let disk = |path: &Path, source| SamplesError::Disk {
        path: path.to_owned(),
        action: "written",
        source,
    };
    fs::create_dir_all(folder).map_err(|error| disk(folder, error))?;
    let mut packs = Vec::new();
    let mut open = Pack::new();
    let mut finish = |open: Pack| {
        let path = folder.join(format!("samples-{}.zip", packs.len()));
        fs::write(&path, open.finish(&path)?).map_err(|error| disk(&path, error))?;
        packs.push(path);
        Ok(())
    };
    for name in files.below("") {
        let wanted = ["objects/", "labelled/", "backgrounds/"]
            .iter()
            .any(|folder| name.starts_with(folder));
        if !wanted || how.without.iter().any(|start| name.starts_with(start)) {
            continue;
        }
        let bytes = reduced(&files, name, how)?;
        if bytes.len() + 4 * HEADER > how.largest {
            return Err(SamplesError::Content {
                path: files.path(name),
                reason: format!(
                    "has {} bytes, more than a pack may have; leave it out or allow larger packs",
                    bytes.len()
                ),
            });
        }
        if open.bytes + bytes.len() + HEADER + 2 * name.len() > how.largest {
            finish(std::mem::replace(&mut open, Pack::new()))?;
        }
        open.add(name, &bytes, &files.path(name))?;
    }
    finish(open)?;
    Ok(packs)
}

/// More than what a ZIP spends on one file beside its name and bytes.
const HEADER: usize = 200;

struct Pack {
    zip: ZipWriter<Cursor<Vec<u8>>>,
    bytes: usize,
}

impl Pack {
    fn new() -> Self {
        Self {
            zip: ZipWriter::new(Cursor::new(Vec::new())),
            bytes: HEADER,
        }
    }

    fn add(&mut self, name: &str, bytes: &[u8], path: &Path) -> Result<(), SamplesError> {
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        let refuse = |reason: String| SamplesError::Content {
            path: path.to_owned(),
            reason,
        };
        self.zip
            .start_file(name, stored)
            .map_err(|error| refuse(format!("does not go into a pack: {error}")))?;
        self.zip
            .write_all(bytes)
            .map_err(|error| refuse(format!("does not go into a pack: {error}")))?;
        self.bytes += bytes.len() + HEADER + 2 * name.len();
        Ok(())
    }

    fn finish(self, path: &Path) -> Result<Vec<u8>, SamplesError> {
        let written = self.zip.finish().map_err(|error| SamplesError::Content {
            path: path.to_owned(),
            reason: format!("the pack cannot be completed: {error}"),
        })?;
        Ok(written.into_inner())
    }
}

/// The bytes of a file, reduced where it is a picture or a mask that is larger than needed.
fn reduced(files: &Files, name: &str, how: &Packing) -> Result<Vec<u8>, SamplesError> {
    let bytes = files.read(name)?;
    if name.starts_with("objects/") || !matches!(extension(name), "jpg" | "png") {
        return Ok(bytes);
    }
    let refuse = |reason: String| SamplesError::Content {
        path: files.path(name),
        reason,
    };
    let picture =
        seggpt_imaging::read::stored(&bytes, name).map_err(|error| refuse(error.to_string()))?;
    let side = picture.width().max(picture.height());
    if side <= how.longest_side {
        return Ok(bytes);
    }
    let mut out = Cursor::new(Vec::new());
    let written = match picture {
        DynamicImage::ImageLuma8(mask) if name.contains("/masks/") => {
            let to = |length: u32| (length * how.longest_side / side).max(1);
            let (width, height) = (to(mask.width()), to(mask.height()));
            let size = |w: u32, h: u32| (w as usize, h as usize);
            let labels = nearest(
                mask.as_raw(),
                size(mask.width(), mask.height()),
                size(width, height),
            );
            GrayImage::from_raw(width, height, labels)
                .expect("nearest makes one label for each pixel")
                .write_to(&mut out, ImageFormat::Png)
        }
        picture if extension(name) == "jpg" => {
            let small = shrink(picture.into_rgb8(), how.longest_side);
            small.write_with_encoder(JpegEncoder::new_with_quality(&mut out, how.quality))
        }
        picture => {
            shrink(picture.into_rgb8(), how.longest_side).write_to(&mut out, ImageFormat::Png)
        }
    };
    written.map_err(|error| refuse(format!("cannot be reduced: {error}")))?;
    Ok(out.into_inner())
}
