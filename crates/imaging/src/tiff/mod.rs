//! TIFF as microscopes, scanners, satellites and label tools write it.
//!
//! | a file's | becomes of a picture | becomes of a mask |
//! |---|---|---|
//! | palette | its colours | its indices, with their colours |
//! | grey or RGB of 1 to 16 bits | itself | class ids, or black and white |
//! | grey of 32 or 64 bits, whole or floating | scaled to 8 bits, with a note | class ids, where the values are whole |
//! | YCbCr, CMYK, Lab | RGB | colours |
//! | two to four bands without a word of what they are | the first, or the first three, with a note | the same |
//! | five bands and more | refused: nothing says which are colours | the same |
//!
//! Strips and tiles, chunky and planar, TIFF and BigTIFF, of either byte order. Of several pages, the first that is no
//! preview is read, with a note.

mod fax;
mod labels;
mod picture;
mod samples;

use image::metadata::Orientation;
use tiff_reader::{ColorModel, Ifd, OpenOptions, RasterLayout, TiffError, TiffFile};

use crate::{
    ImagingError,
    read::{Limits, Note, NoteKind},
};
use samples::Samples;

const SUBFILE: u16 = 254;
const ORIENTATION: u16 = 274;

/// An open TIFF file, and the page of it that is read.
pub(crate) struct Tiff<'a> {
    name: &'a str,
    file: TiffFile,
    page: usize,
    pages: usize,
    layout: RasterLayout,
    model: ColorModel,
    size: (u32, u32),
}

impl<'a> Tiff<'a> {
    /// Reads the header; refuses what is too large or of a kind that is not read.
    pub(crate) fn open(bytes: &[u8], name: &'a str, limits: Limits) -> Result<Self, ImagingError> {
        let options = OpenOptions {
            decode_output_bytes: usize::try_from(limits.bytes).unwrap_or(usize::MAX),
            ..OpenOptions::default()
        };
        let refuse = |error| refused(name, error);
        let file = TiffFile::from_bytes_with_options(bytes.to_vec(), options).map_err(refuse)?;
        let (page, pages) = pages(&file).ok_or_else(|| ImagingError::Unsupported {
            name: name.to_owned(),
            format: "TIFF",
            has: "it holds a preview and no picture of full size (raw files of cameras do)".to_owned(),
            way_out: "develop it to TIFF or PNG first".to_owned(),
        })?;
        let ifd = &file.ifds()[page];
        let size = (ifd.width(), ifd.height());
        let samples = u64::from(size.0) * u64::from(size.1) * u64::from(ifd.samples_per_pixel());
        let bits = ifd.bits_per_sample().map_err(refuse)?.into_iter().max();
        limits.check(name, size, samples * u64::from(bits.unwrap_or(1)).div_ceil(8))?;
        let layout = ifd.raster_layout().map_err(refuse)?;
        let model = ifd.color_model().map_err(refuse)?;
        Ok(Self { name, page, pages, layout, model, size, file })
    }

    /// Width and height of the page as it is stored.
    pub(crate) fn size(&self) -> (u32, u32) {
        self.size
    }

    /// How the page is to be turned to be upright.
    pub(crate) fn orientation(&self) -> Orientation {
        let code = self.ifd().tag(ORIENTATION).and_then(|tag| tag.value.as_u16());
        code.and_then(|code| Orientation::from_exif(u8::try_from(code).ok()?))
            .unwrap_or(Orientation::NoTransforms)
    }

    fn ifd(&self) -> &Ifd {
        &self.file.ifds()[self.page]
    }

    /// What there is to say of the other pages.
    fn other_pages(&self) -> Option<Note> {
        let text = format!(
            "the first of {} pages is read; to do all, write each into a file of its own, e.g. `tiffsplit {}`",
            self.pages, self.name
        );
        (self.pages > 1).then(|| Note::new(NoteKind::Pages, text))
    }

    /// The samples as they are stored: pixel by pixel, row by row.
    fn samples(&self) -> Result<Samples, ImagingError> {
        let bytes = if self.ifd().compression() == fax::GROUP_4 {
            fax::decode(&self.file, self.ifd()).map_err(|reason| self.damaged(reason))?
        } else {
            let read = self.file.read_image_bytes_from_ifd(self.ifd());
            read.map_err(|error| refused(self.name, error))?
        };
        Samples::of(&bytes, &self.layout).ok_or_else(|| {
            self.damaged(format!("it holds {} bytes, which is not what its header says", bytes.len()))
        })
    }

    fn damaged(&self, reason: impl Into<String>) -> ImagingError {
        ImagingError::Damaged {
            name: self.name.to_owned(),
            format: "TIFF",
            reason: reason.into(),
        }
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

/// The first page that is neither a preview nor a transparency mask, and how many there are.
fn pages(file: &TiffFile) -> Option<(usize, usize)> {
    const PREVIEW_OR_MASK: u32 = 1 | 4;
    let is_page = |ifd: &&Ifd| {
        let subfile = ifd.tag(SUBFILE).and_then(|tag| tag.value.as_u32());
        subfile.unwrap_or(0) & PREVIEW_OR_MASK == 0
    };
    let first = file.ifds().iter().position(|ifd| is_page(&ifd))?;
    Some((first, file.ifds().iter().filter(is_page).count()))
}

fn refused(name: &str, error: TiffError) -> ImagingError {
    let reason = error.to_string();
    let is_unsupported = matches!(
        error,
        TiffError::UnsupportedCompression(_)
            | TiffError::UnsupportedPredictor(_)
            | TiffError::UnsupportedPlanarConfiguration(_)
            | TiffError::UnsupportedBitsPerSample(_)
            | TiffError::UnsupportedSampleFormat(_)
    ) || reason.contains("not supported")
        || reason.contains("unsupported");
    let (name, format) = (name.to_owned(), "TIFF");
    if is_unsupported {
        let way_out =
            format!("convert it, e.g. `gdal_translate -co COMPRESS=DEFLATE {name} out.tif` or `magick {name} out.png`");
        return ImagingError::Unsupported { name, format, has: reason, way_out };
    }
    ImagingError::Damaged { name, format, reason }
}
