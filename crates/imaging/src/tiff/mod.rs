//! TIFF as microscopes, scanners, satellites and label tools write it.
//!
//! | a file's | becomes of a picture | becomes of a mask |
//! |---|---|---|
//! | palette | its colours | its indices, with their colours |
//! | grey or RGB of 1 to 16 bits | itself | class ids, or black and white |
//! | grey of 32 or 64 bits, whole or floating | scaled to 8 bits, with a note | class ids, where the values are whole |
//! | YCbCr, CMYK | RGB | colours |
//! | two to four bands without a word of what they are | the first, or the first three, with a note | the same |
//! | five bands and more | refused: nothing says which are colours | the same |
//!
//! Strips and tiles, chunky and planar, TIFF and BigTIFF, of either byte order; uncompressed, LZW, Deflate, PackBits, JPEG,
//! ZSTD, WebP and CCITT Group 4. Of several pages, the first that is no preview is read, with a note, unless one is asked for.

mod labels;
mod picture;

use std::path::Path;

use image::metadata::Orientation;
use seggpt_tiff::{Directory, Layout, Page, Refusal, Samples, Source};

use crate::{
    ImagingError,
    read::{
        limits::Limits,
        note::{Note, NoteKind},
    },
};

const SUBFILE: u16 = 254;
const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const ORIENTATION: u16 = 274;

/// An open TIFF file, and the page of it that is read.
pub(crate) struct Tiff<'a> {
    name: &'a str,
    tags: Directory<'a>,
    pages: usize,
    page: Page<'a>,
}

impl<'a> Tiff<'a> {
    /// The first page of a file; refuses what is too large or of a kind that is not read.
    pub(crate) fn open(
        bytes: &'a [u8],
        name: &'a str,
        limits: Limits,
    ) -> Result<Self, ImagingError> {
        let source = Source::memory(bytes);
        let source = source.map_err(|reason| refused(name, reason.into()))?;
        Self::of(&source, name, limits, 0)
    }

    /// A page of [`stack`], counted from 0, of a file on disk, of which nothing else is read; refuses as [`open`](Self::open) does.
    pub(crate) fn page(path: &Path, name: &'a str, number: usize) -> Result<Self, ImagingError> {
        let source = Source::disk(path).map_err(|source| ImagingError::Read {
            name: name.to_owned(),
            source,
        })?;
        Self::of(&source, name, Limits::default(), number)
    }

    fn of(
        source: &Source<'a>,
        name: &'a str,
        limits: Limits,
        number: usize,
    ) -> Result<Self, ImagingError> {
        let refuse = |refusal: Refusal| refused(name, refusal);
        let all = source
            .directories()
            .map_err(|reason| refuse(reason.into()))?;
        let pages = all.iter().filter(|directory| is_page(directory)).count();
        if pages == 0 {
            return Err(ImagingError::Unsupported {
                name: name.to_owned(),
                format: "TIFF",
                has: "it holds a preview and no picture of full size, as raw files of cameras do"
                    .to_owned(),
                way_out: "develop it to TIFF or PNG first".to_owned(),
            });
        }
        let Some(tags) = stack(all).nth(number) else {
            let reason = format!("it has no page {} of the first one's size", number + 1);
            return Err(refuse(Refusal::Damaged(reason)));
        };
        let layout = Layout::of(&tags).map_err(refuse)?;
        let pixels = u64::from(layout.width) * u64::from(layout.height);
        let needed = pixels * layout.samples as u64 * layout.bytes_of_sample() as u64;
        limits.check(name, (layout.width, layout.height), needed)?;
        let page = Page::of(source, &tags).map_err(refuse)?;
        Ok(Self {
            name,
            tags,
            pages,
            page,
        })
    }

    /// Width and height of the page as it is stored.
    pub(crate) fn size(&self) -> (u32, u32) {
        let layout = self.layout();
        (layout.width, layout.height)
    }

    /// What its tags say of the pixels.
    fn layout(&self) -> &Layout {
        self.page.layout()
    }

    /// How the page is to be turned to be upright.
    pub(crate) fn orientation(&self) -> Orientation {
        let code = self.tags.number(ORIENTATION).ok().flatten();
        code.and_then(|code| Orientation::from_exif(u8::try_from(code).ok()?))
            .unwrap_or(Orientation::NoTransforms)
    }

    /// What there is to say of the other pages.
    pub(crate) fn other_pages(&self) -> Option<Note> {
        let text = format!(
            "the first of {} pages is read; to do all, write each into a file of its own, e.g. `tiffsplit {}`",
            self.pages, self.name
        );
        (self.pages > 1).then(|| Note::new(NoteKind::Pages, text))
    }

    /// The samples as they are stored: pixel by pixel, row by row.
    fn samples(&self) -> Result<Samples, ImagingError> {
        let samples = self.page.samples();
        samples.map_err(|refusal| refused(self.name, refusal))
    }

    fn unsupported(&self, has: impl Into<String>, way_out: impl Into<String>) -> ImagingError {
        ImagingError::Unsupported {
            name: self.name.to_owned(),
            format: "TIFF",
            has: has.into(),
            way_out: way_out.into(),
        }
    }
}

/// The pages that are one stack: all of the first one's size. Others show the same smaller, or something else.
fn stack(all: Vec<Directory<'_>>) -> impl Iterator<Item = Directory<'_>> {
    let size = |page: &Directory| [WIDTH, HEIGHT].map(|tag| page.number(tag).ok().flatten());
    let mut pages = all.into_iter().filter(is_page).peekable();
    let first = pages.peek().map(size);
    pages.filter(move |page| Some(size(page)) == first)
}

/// How many pages the stack of a TIFF file on disk has; `None` for what is none or cannot be read.
pub(crate) fn pages(path: &Path) -> Option<usize> {
    let source = Source::disk(path).ok()?;
    Some(stack(source.directories().ok()?).count())
}

/// Neither a preview nor a transparency mask.
fn is_page(directory: &Directory) -> bool {
    const PREVIEW_OR_MASK: u64 = 1 | 4;
    let subfile = directory.number(SUBFILE).ok().flatten();
    subfile.unwrap_or(0) & PREVIEW_OR_MASK == 0
}

fn refused(name: &str, refusal: Refusal) -> ImagingError {
    let (name, format) = (name.to_owned(), "TIFF");
    match refusal {
        Refusal::Damaged(reason) => ImagingError::Damaged {
            name,
            format,
            reason,
        },
        Refusal::Unsupported(has) => {
            let way_out = format!(
                "convert it, e.g. `gdal_translate -co COMPRESS=DEFLATE {name} out.tif` or `magick {name} out.png`"
            );
            ImagingError::Unsupported {
                name,
                format,
                has,
                way_out,
            }
        }
    }
}
