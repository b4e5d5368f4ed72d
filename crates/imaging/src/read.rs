//! Picture files to 8-bit RGB.
//!
//! The format is told by the content, never by the name. What becomes of other pixels follows
//! Pillow's `convert("RGB")`, which the original engine uses, where that keeps the picture: palettes are
//! resolved, grey is repeated, and alpha is dropped (not blended: what lies beneath shows). Values of 16 bits keep their high
//! byte where they fill 16 bits; cameras and satellites that put 10, 12 or 14 bits into such files get the high eight of
//! those. Of a file with several pages or frames, the first is read, unless a page is asked for ([`Reading::page`]). Unlike the original engine, the EXIF
//! orientation is applied: pictures are segmented as people see them, unless [`Exif::Ignore`] says otherwise.
//!
//! Examples and pictures go the same way, and what was not taken as it stands is said in [`Reading::notes`].
//!
//! A decoder that panics costs its file, and what is merely not supported is not called damaged.

pub(crate) mod decoded;
pub(crate) mod depth;
mod guard;
mod jpeg;
pub(crate) mod limits;
pub(crate) mod note;
mod signature;

use std::{fmt, io::Cursor, path::Path, str::FromStr};

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbImage,
    metadata::Orientation,
};

use crate::{
    ImagingError,
    tiff::{self, Tiff},
};
pub(crate) use decoded::Decoded;
pub(crate) use depth::to_bytes;
pub(crate) use guard::guarded;
pub use limits::Limits;
pub use note::{Note, NoteKind};

/// What becomes of the orientation that a camera wrote into a picture's EXIF data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exif {
    /// The picture is turned upright.
    #[default]
    Apply,
    /// The pixels stay as they are stored, as tools that do not know of EXIF show them.
    Ignore,
}

impl Exif {
    /// Both, by the names they have in settings.
    pub const NAMES: [(&'static str, Self); 2] = [("apply", Self::Apply), ("ignore", Self::Ignore)];
}

impl fmt::Display for Exif {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::NAMES.iter().find(|(_, exif)| exif == self);
        f.write_str(named.map_or("", |(name, _)| name))
    }
}

impl FromStr for Exif {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::NAMES.iter().find(|(name, _)| *name == text);
        known
            .map(|(_, exif)| *exif)
            .ok_or_else(|| format!("unknown treatment of EXIF `{text}`; use apply or ignore"))
    }
}

/// A picture, and what there is to say of how it was read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// 8-bit RGB, upright unless EXIF was to be ignored.
    pub picture: RgbImage,
    /// How the stored pixels were turned to make it.
    pub turned: Orientation,
    /// What was not taken as it stands.
    pub notes: Vec<Note>,
}

impl Reading {
    /// Reads and decodes a picture file.
    ///
    /// # Errors
    /// As [`open`].
    pub fn open(path: impl AsRef<Path>, exif: Exif) -> Result<Self, ImagingError> {
        let name = path.as_ref().display().to_string();
        Self::decode(&bytes(path.as_ref())?, &name, exif)
    }

    /// Decodes a picture. `name` is what errors call it.
    ///
    /// # Errors
    /// As [`decode`].
    pub fn decode(bytes: &[u8], name: &str, exif: Exif) -> Result<Self, ImagingError> {
        Self::decode_within(bytes, name, exif, Limits::default())
    }

    /// Reads one of the [`pages`] of a file, counted from 0, and nothing else of it.
    ///
    /// # Errors
    /// As [`open`]; there is no such page.
    pub fn page(path: &Path, exif: Exif, number: usize) -> Result<Self, ImagingError> {
        let name = path.display().to_string();
        Self::of(&name, exif, || Tiff::page(path, &name, number)?.picture())
    }

    fn decode_within(
        bytes: &[u8],
        name: &str,
        exif: Exif,
        limits: Limits,
    ) -> Result<Self, ImagingError> {
        Self::of(name, exif, || Decoded::open(bytes, name, limits))
    }

    fn of(
        name: &str,
        exif: Exif,
        decode: impl FnOnce() -> Result<Decoded, ImagingError>,
    ) -> Result<Self, ImagingError> {
        guarded(name, || {
            let Decoded {
                mut picture,
                orientation,
                mut notes,
            } = decode()?;
            let turned = match exif {
                Exif::Apply => orientation,
                Exif::Ignore => Orientation::NoTransforms,
            };
            picture.apply_orientation(turned);
            if let Some(note) = said_of(orientation, exif) {
                notes.push(note);
            }
            if is_see_through(&picture) {
                let text =
                    "parts are transparent: transparency is dropped, and what lies beneath is seen";
                notes.push(Note::new(NoteKind::Transparency, text));
            }
            let (picture, note) = rgb8(picture);
            notes.extend(note);
            Ok(Self {
                picture,
                turned,
                notes,
            })
        })
    }
}

fn said_of(orientation: Orientation, exif: Exif) -> Option<Note> {
    let how = turn(orientation)?;
    let text = match exif {
        Exif::Apply => format!("turned upright by its EXIF orientation ({how})"),
        Exif::Ignore => format!("its EXIF orientation ({how}) was left alone, as asked for"),
    };
    Some(Note::new(NoteKind::Turned, text))
}

/// What an orientation does, for people; `None` for nothing.
#[must_use]
pub fn turn(orientation: Orientation) -> Option<&'static str> {
    Some(match orientation {
        Orientation::NoTransforms => return None,
        Orientation::Rotate90 => "90 degrees clockwise",
        Orientation::Rotate180 => "180 degrees",
        Orientation::Rotate270 => "90 degrees counter-clockwise",
        Orientation::FlipHorizontal => "mirrored left to right",
        Orientation::FlipVertical => "mirrored top to bottom",
        Orientation::Rotate90FlipH | Orientation::Rotate270FlipH => "90 degrees and mirrored",
    })
}

/// Reads and decodes a picture file, upright; [`Reading::open`] says more about it.
///
/// # Errors
/// [`ImagingError::Read`], and whatever [`decode`] refuses.
pub fn open(path: impl AsRef<Path>) -> Result<RgbImage, ImagingError> {
    Ok(Reading::open(path, Exif::Apply)?.picture)
}

/// Decodes a PNG, JPEG, TIFF, WebP or BMP to upright 8-bit RGB within the default [`Limits`].
///
/// `name` is what errors call the picture.
///
/// # Errors
/// [`ImagingError::Empty`], [`ImagingError::NotAPicture`], [`ImagingError::Unsupported`], [`ImagingError::Damaged`] (also a
/// file that is cut short: half a picture is not returned), [`ImagingError::TooLarge`].
pub fn decode(bytes: &[u8], name: &str) -> Result<RgbImage, ImagingError> {
    decode_within(bytes, name, Limits::default())
}

/// [`decode`] with other limits.
///
/// # Errors
/// As [`decode`].
pub fn decode_within(bytes: &[u8], name: &str, limits: Limits) -> Result<RgbImage, ImagingError> {
    Ok(Reading::decode_within(bytes, name, Exif::Apply, limits)?.picture)
}

/// Decodes a picture in the depth and channels of its file, upright.
///
/// # Errors
/// As [`decode`].
pub fn stored(bytes: &[u8], name: &str) -> Result<DynamicImage, ImagingError> {
    guarded(name, || {
        let mut decoded = Decoded::open(bytes, name, Limits::default())?;
        decoded.picture.apply_orientation(decoded.orientation);
        Ok(decoded.picture)
    })
}

/// How many pictures of one size a file holds: the pages of a TIFF file that are as large as its first; one of everything else, and
/// of what cannot be read.
#[must_use]
pub fn pages(path: &Path) -> usize {
    tiff::pages(path).unwrap_or(1).max(1)
}

/// Width and height of the upright picture, from the header alone.
///
/// # Errors
/// [`ImagingError::Empty`], [`ImagingError::NotAPicture`], [`ImagingError::Unsupported`], [`ImagingError::Damaged`].
pub fn size(bytes: &[u8], name: &str) -> Result<(u32, u32), ImagingError> {
    let ((width, height), orientation) = header(bytes, name)?;
    Ok(if turns_sideways(orientation) {
        (height, width)
    } else {
        (width, height)
    })
}

/// How the stored pixels want to be turned, from the header alone.
///
/// # Errors
/// As [`size`].
pub fn orientation(bytes: &[u8], name: &str) -> Result<Orientation, ImagingError> {
    Ok(header(bytes, name)?.1)
}

/// Width and height of the stored pixels, and how they want to be turned.
fn header(bytes: &[u8], name: &str) -> Result<((u32, u32), Orientation), ImagingError> {
    guarded(name, || {
        let format = format(bytes, name)?;
        if format == ImageFormat::Tiff {
            let tiff = Tiff::open(bytes, name, Limits::default())?;
            return Ok((tiff.size(), tiff.orientation()));
        }
        let mut decoder = decoder(bytes, name, format, Limits::default())?;
        Ok((decoder.dimensions(), exif_of(&mut decoder)))
    })
}

/// Values of 16 bits to 8, by the same rule as pictures in files.
#[must_use]
pub fn reduced(values: &[u16]) -> Vec<u8> {
    to_bytes(values).0
}

/// Whether the orientation swaps width and height.
#[must_use]
pub fn turns_sideways(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(
        orientation,
        Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH
    )
}

/// The file's bytes; an error names the file.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, ImagingError> {
    std::fs::read(path).map_err(|source| ImagingError::Read {
        name: path.display().to_string(),
        source,
    })
}

impl Decoded {
    pub(crate) fn open(bytes: &[u8], name: &str, limits: Limits) -> Result<Self, ImagingError> {
        let format = format(bytes, name)?;
        if format == ImageFormat::Tiff {
            let tiff = Tiff::open(bytes, name, limits)?;
            let mut decoded = tiff.picture()?;
            decoded.notes.extend(tiff.other_pages());
            return Ok(decoded);
        }
        let mut decoder = decoder(bytes, name, format, limits)?;
        limits.check(name, decoder.dimensions(), decoder.total_bytes())?;
        let orientation = exif_of(&mut decoder);
        let picture = if format == ImageFormat::Jpeg {
            jpeg::decode(bytes, name, decoder)?
        } else {
            DynamicImage::from_decoder(decoder).map_err(|error| refused(name, format, error))?
        };
        let mut notes = Vec::new();
        let frames = signature::frames(bytes, format);
        if frames > 1 {
            let text = format!(
                "the first of {frames} frames is read; take the others out into files of their own"
            );
            notes.push(Note::new(NoteKind::Pages, text));
        }
        Ok(Self {
            picture,
            orientation,
            notes,
        })
    }
}

/// The format by the content; an error says what the file is instead.
pub(crate) fn format(bytes: &[u8], name: &str) -> Result<ImageFormat, ImagingError> {
    if bytes.is_empty() {
        return Err(ImagingError::Empty {
            name: name.to_owned(),
        });
    }
    // BigTIFF is TIFF, whoever knows of it.
    if bytes.starts_with(b"II\x2b\0") || bytes.starts_with(b"MM\0\x2b") {
        return Ok(ImageFormat::Tiff);
    }
    match image::guess_format(bytes) {
        Ok(
            format @ (ImageFormat::Png
            | ImageFormat::Jpeg
            | ImageFormat::Tiff
            | ImageFormat::WebP
            | ImageFormat::Bmp),
        ) => Ok(format),
        _ => Err(ImagingError::NotAPicture {
            name: name.to_owned(),
            found: signature::describe(bytes),
        }),
    }
}

fn decoder<'a>(
    bytes: &'a [u8],
    name: &str,
    format: ImageFormat,
    limits: Limits,
) -> Result<impl ImageDecoder + 'a, ImagingError> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut inner = image::Limits::default();
    // Ours are checked against the header; this one only stops a decoder that runs away.
    inner.max_alloc = Some(limits.bytes.saturating_mul(2));
    reader.limits(inner);
    reader
        .into_decoder()
        .map_err(|error| refused(name, format, error))
}

fn refused(name: &str, format: ImageFormat, error: ImageError) -> ImagingError {
    let (name, reason) = (name.to_owned(), error.to_string());
    let format = match format {
        ImageFormat::Png => "PNG",
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::WebP => "WebP",
        ImageFormat::Bmp => "BMP",
        _ => "picture",
    };
    match error {
        ImageError::Unsupported(_) => ImagingError::Unsupported {
            name,
            format,
            has: reason,
            way_out: "save it as PNG with another program".to_owned(),
        },
        _ => ImagingError::Damaged {
            name,
            format,
            reason,
        },
    }
}

/// A picture with unreadable metadata is still a picture: it counts as upright.
fn exif_of(decoder: &mut impl ImageDecoder) -> Orientation {
    decoder.orientation().unwrap_or(Orientation::NoTransforms)
}

fn is_see_through(picture: &DynamicImage) -> bool {
    match picture {
        DynamicImage::ImageLumaA8(picture) => picture.pixels().any(|pixel| pixel.0[1] < u8::MAX),
        DynamicImage::ImageRgba8(picture) => picture.pixels().any(|pixel| pixel.0[3] < u8::MAX),
        DynamicImage::ImageLumaA16(picture) => picture.pixels().any(|pixel| pixel.0[1] < u16::MAX),
        DynamicImage::ImageRgba16(picture) => picture.pixels().any(|pixel| pixel.0[3] < u16::MAX),
        _ => false,
    }
}

/// 8-bit RGB without alpha; what was done to deeper values.
pub(crate) fn rgb8(picture: DynamicImage) -> (RgbImage, Option<Note>) {
    match picture {
        DynamicImage::ImageLuma16(_) | DynamicImage::ImageLumaA16(_) => {
            let deep = picture.into_luma16();
            let (bytes, note) = to_bytes(deep.as_raw());
            let pixels = bytes.iter().flat_map(|&byte| [byte; 3]).collect();
            (of_size(deep.dimensions(), pixels), note)
        }
        DynamicImage::ImageRgb16(_) | DynamicImage::ImageRgba16(_) => {
            let deep = picture.into_rgb16();
            let (pixels, note) = to_bytes(deep.as_raw());
            (of_size(deep.dimensions(), pixels), note)
        }
        shallow => (shallow.into_rgb8(), None),
    }
}

fn of_size((width, height): (u32, u32), pixels: Vec<u8>) -> RgbImage {
    RgbImage::from_raw(width, height, pixels).expect("three values per pixel")
}
