//! A page as a picture.

use image::{DynamicImage, ImageBuffer};

use seggpt_tiff::{JPEG, Model, Samples, largest};

use super::Tiff;
use crate::{
    ImagingError,
    read::{
        decoded::Decoded,
        depth::any_to_bytes,
        note::{Note, NoteKind},
    },
};

impl Tiff<'_> {
    /// The page in its depth and channels, as it is stored.
    pub(crate) fn picture(&self) -> Result<Decoded, ImagingError> {
        let mut notes = Vec::new();
        let picture = match &self.layout().model {
            Model::Grey { .. } | Model::Rgb => self.plain(&mut notes)?,
            Model::Palette(colors) => {
                let indices = self.indices()?;
                let color = |index: &u16| colors[usize::from(*index)];
                self.bytes(3, indices.iter().flat_map(color).collect())
            }
            Model::YCbCr | Model::Cmyk => self.converted()?,
        };
        Ok(Decoded {
            picture,
            orientation: self.orientation(),
            notes,
        })
    }

    /// Grey and RGB, and bands of which nothing is said.
    fn plain(&self, notes: &mut Vec<Note>) -> Result<DynamicImage, ImagingError> {
        let (channels, note) = self.channels()?;
        notes.extend(note);
        let mut samples = self.samples()?.pick(self.layout().samples, &channels);
        let bits = self.layout().bits;
        if self.layout().model
            == (Model::Grey {
                white_is_zero: true,
            })
        {
            samples.invert(bits);
        }
        let count = channels.len();
        Ok(match samples {
            Samples::Bytes(values) if bits < 8 => {
                let scaled = |value: u8| (u16::from(value) * 255 / largest(bits)) as u8;
                self.bytes(count, values.into_iter().map(scaled).collect())
            }
            Samples::Bytes(values) => self.bytes(count, values),
            Samples::Words(values) if bits < 16 => {
                let high = |value: u16| (value >> (bits - 8)) as u8;
                self.bytes(count, values.into_iter().map(high).collect())
            }
            Samples::Words(values) => self.words(count, values),
            Samples::Wide(values) => {
                let (bytes, note) = any_to_bytes(&values);
                notes.extend(note);
                self.bytes(count, bytes)
            }
        })
    }

    /// Which bands make the picture: one, two (with alpha), three, or four (with alpha).
    fn channels(&self) -> Result<(Vec<usize>, Option<Note>), ImagingError> {
        let bands = self.layout().samples;
        let taken = |what: &str| {
            let text = format!("of {bands} bands, {what} taken");
            Some(Note::new(NoteKind::Bands, text))
        };
        let has_alpha = self.layout().alpha == Some(true);
        Ok(match (&self.layout().model, bands) {
            (Model::Rgb, 3) => (vec![0, 1, 2], None),
            (Model::Rgb, 4) if has_alpha => (vec![0, 1, 2, 3], None),
            (Model::Rgb, _) => (vec![0, 1, 2], taken("red, green and blue are")),
            (_, 1) => (vec![0], None),
            (_, 2) if has_alpha => (vec![0, 1], None),
            (_, 2) => (vec![0], taken("the first is")),
            (_, 3 | 4) => {
                let what = "the first three are, as red, green and blue, though the file does not say what they are,";
                (vec![0, 1, 2], taken(what))
            }
            _ => {
                let has =
                    format!("it has {bands} bands, and nothing says which are red, green and blue");
                let way_out = format!(
                    "choose three, e.g. `gdal_translate -b 3 -b 2 -b 1 -ot Byte -scale {} rgb.tif`",
                    self.name
                );
                return Err(self.unsupported(has, way_out));
            }
        })
    }

    /// What has to be computed to be RGB. JPEG blocks of YCbCr are RGB already.
    fn converted(&self) -> Result<DynamicImage, ImagingError> {
        let (is_ink, bits) = (self.layout().model == Model::Cmyk, self.layout().bits);
        let channels: &[usize] = if is_ink { &[0, 1, 2, 3] } else { &[0, 1, 2] };
        let bytes = match self.samples()?.pick(self.layout().samples, channels) {
            Samples::Bytes(values) if bits == 8 => values,
            Samples::Words(values) if bits == 16 => {
                values.into_iter().map(|value| (value >> 8) as u8).collect()
            }
            _ => {
                let has = format!("its colours are not RGB and have {bits} bits");
                let way_out = format!(
                    "convert it, e.g. `magick {} -colorspace sRGB -depth 8 out.png`",
                    self.name
                );
                return Err(self.unsupported(has, way_out));
            }
        };
        let rgb = if is_ink {
            bytes
                .as_chunks::<4>()
                .0
                .iter()
                .flat_map(|ink| paper(*ink))
                .collect()
        } else if self.layout().compression == JPEG {
            bytes
        } else {
            bytes
                .as_chunks::<3>()
                .0
                .iter()
                .flat_map(|pixel| full_range(*pixel))
                .collect()
        };
        Ok(self.bytes(3, rgb))
    }

    /// The indices of a palette file.
    pub(super) fn indices(&self) -> Result<Vec<u16>, ImagingError> {
        match self.samples()?.pick(self.layout().samples, &[0]) {
            Samples::Bytes(values) => Ok(values.into_iter().map(u16::from).collect()),
            Samples::Words(values) => Ok(values),
            Samples::Wide(_) => Err(self.unsupported(
                "its palette indices are signed or fractions",
                "save it as PNG",
            )),
        }
    }

    fn bytes(&self, channels: usize, values: Vec<u8>) -> DynamicImage {
        let (width, height) = self.size();
        let picture = match channels {
            1 => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageLuma8),
            2 => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageLumaA8),
            3 => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageRgb8),
            _ => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageRgba8),
        };
        picture.expect("a value for each channel of each pixel")
    }

    fn words(&self, channels: usize, values: Vec<u16>) -> DynamicImage {
        let (width, height) = self.size();
        let picture = match channels {
            1 => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageLuma16),
            2 => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageLumaA16),
            3 => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageRgb16),
            _ => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageRgba16),
        };
        picture.expect("a value for each channel of each pixel")
    }
}

/// What is left of white paper under cyan, magenta, yellow and black.
fn paper([c, m, y, k]: [u8; 4]) -> [u8; 3] {
    let left = |ink: u8| u16::from(u8::MAX - ink);
    [c, m, y].map(|ink| ((u32::from(left(ink)) * u32::from(left(k)) + 127) / 255) as u8)
}

/// BT.601 with all of 0 to 255, as JPEG has it.
fn full_range([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    let rgb = [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
    ];
    rgb.map(|value| (value + 0.5) as u8)
}
