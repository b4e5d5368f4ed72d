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
//! ZSTD, WebP and CCITT Group 4. Of several pages, the first that is no preview is read, with a note.

mod blocks;
mod codec;
mod compression;
mod directory;
mod fax;
mod labels;
mod layout;
mod picture;
mod refusal;
mod samples;

use image::metadata::Orientation;

use crate::{
    ImagingError,
    read::{
        limits::Limits,
        note::{Note, NoteKind},
    },
};
use directory::{Directory, Source};
use layout::Layout;
use refusal::Refusal;
use samples::Samples;

const SUBFILE: u16 = 254;
const ORIENTATION: u16 = 274;

/// An open TIFF file, and the page of it that is read.
pub(crate) struct Tiff<'a> {
    name: &'a str,
    source: Source<'a>,
    page: Directory<'a>,
    pages: usize,
    layout: Layout,
}

impl<'a> Tiff<'a> {
    /// Reads the tags; refuses what is too large or of a kind that is not read.
    pub(crate) fn open(
        bytes: &'a [u8],
        name: &'a str,
        limits: Limits,
    ) -> Result<Self, ImagingError> {
        let refuse = |refusal: Refusal| refused(name, refusal);
        let source = Source::open(bytes).map_err(|reason| refuse(reason.into()))?;
        let all = source
            .directories()
            .map_err(|reason| refuse(reason.into()))?;
        let mut pages = all.into_iter().filter(is_page);
        let Some(page) = pages.next() else {
            return Err(ImagingError::Unsupported {
                name: name.to_owned(),
                format: "TIFF",
                has: "it holds a preview and no picture of full size, as raw files of cameras do"
                    .to_owned(),
                way_out: "develop it to TIFF or PNG first".to_owned(),
            });
        };
        let pages = 1 + pages.count();
        let layout = Layout::of(&page).map_err(refuse)?;
        let pixels = u64::from(layout.width) * u64::from(layout.height);
        let needed = pixels * layout.samples as u64 * layout.bytes_of_sample() as u64;
        limits.check(name, (layout.width, layout.height), needed)?;
        Ok(Self {
            name,
            source,
            page,
            pages,
            layout,
        })
    }

    /// Width and height of the page as it is stored.
    pub(crate) fn size(&self) -> (u32, u32) {
        (self.layout.width, self.layout.height)
    }

    /// How the page is to be turned to be upright.
    pub(crate) fn orientation(&self) -> Orientation {
        let code = self.page.number(ORIENTATION).ok().flatten();
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
        let bytes = blocks::samples(self.source, &self.page, &self.layout)
            .map_err(|refusal| refused(self.name, refusal))?;
        Ok(Samples::of(&bytes, &self.layout))
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
