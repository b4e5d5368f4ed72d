//! A page as a picture.

use image::{DynamicImage, ImageBuffer};
use tiff_reader::{ColorModel, ExtraSample};

use super::{Tiff, refused, samples::{Samples, largest}};
use crate::{
    ImagingError, Rgb,
    read::{Decoded, Note, NoteKind, any_to_bytes},
};

impl Tiff<'_> {
    /// The page in its depth and channels, as it is stored.
    pub(crate) fn picture(&self) -> Result<Decoded, ImagingError> {
        let mut notes: Vec<Note> = self.other_pages().into_iter().collect();
        let picture = match &self.model {
            ColorModel::Grayscale { .. } | ColorModel::Rgb { .. } | ColorModel::TransparencyMask => {
                self.plain(&mut notes)?
            }
            ColorModel::Palette { color_map, .. } => {
                let colors = colors(color_map);
                let indices = self.indices()?;
                let pixels = indices.iter().flat_map(|&index| colors[usize::from(index)]).collect();
                self.bytes(3, pixels)?
            }
            ColorModel::YCbCr { .. } | ColorModel::Cmyk { .. } | ColorModel::CieLab { .. } => self.converted()?,
            ColorModel::Separated { .. } => {
                let way_out = format!("convert it to RGB, e.g. `magick {} -colorspace sRGB out.png`", self.name);
                return Err(self.unsupported("it holds printing inks other than CMYK", way_out));
            }
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
        let mut samples = self.samples()?.pick(self.layout.samples_per_pixel, &channels);
        let bits = self.layout.bits_per_sample;
        if matches!(self.model, ColorModel::Grayscale { white_is_zero: true, .. }) {
            samples.invert(bits);
        }
        let count = channels.len();
        match samples {
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
        }
    }

    /// Which bands make the picture: one, two (with alpha), three, or four (with alpha).
    fn channels(&self) -> Result<(Vec<usize>, Option<Note>), ImagingError> {
        let is_alpha = |extra: &[ExtraSample]| {
            matches!(
                extra.first(),
                Some(ExtraSample::AssociatedAlpha | ExtraSample::UnassociatedAlpha)
            )
        };
        let bands = self.layout.samples_per_pixel;
        let left_out = |taken: usize, what: &str| {
            let text = format!("of {bands} bands, {what} {} taken", if taken == 1 { "is" } else { "are" });
            Some(Note::new(NoteKind::Bands, text))
        };
        Ok(match &self.model {
            ColorModel::Rgb { extra_samples } if extra_samples.is_empty() => (vec![0, 1, 2], None),
            ColorModel::Rgb { extra_samples } if is_alpha(extra_samples) => {
                let note = (extra_samples.len() > 1).then(|| left_out(3, "red, green and blue")).flatten();
                (vec![0, 1, 2, 3], note)
            }
            ColorModel::Rgb { .. } => (vec![0, 1, 2], left_out(3, "red, green and blue")),
            ColorModel::Grayscale { extra_samples, .. } => match (bands, is_alpha(extra_samples)) {
                (1, _) => (vec![0], None),
                (2, true) => (vec![0, 1], None),
                (2, false) => (vec![0], left_out(1, "the first")),
                (3 | 4, _) => {
                    let what = "the first three as red, green and blue, though the file does not say what they are,";
                    (vec![0, 1, 2], left_out(3, what))
                }
                _ => {
                    let has = format!("it has {bands} bands, and nothing says which are red, green and blue");
                    let way_out = format!(
                        "choose three, e.g. `gdal_translate -b 3 -b 2 -b 1 -ot Byte -scale {} rgb.tif`",
                        self.name
                    );
                    return Err(self.unsupported(has, way_out));
                }
            },
            _ => (vec![0], None),
        })
    }

    /// What has to be computed to be RGB.
    fn converted(&self) -> Result<DynamicImage, ImagingError> {
        let refuse = |error| refused(self.name, error);
        let layout = self.ifd().decoded_raster_layout().map_err(refuse)?;
        let bytes = self.file.read_decoded_image_bytes_from_ifd(self.ifd()).map_err(refuse)?;
        let samples = Samples::of(&bytes, &layout)
            .ok_or_else(|| self.damaged("its colours are not as many as its header says"))?;
        match samples.pick(layout.samples_per_pixel, &[0, 1, 2]) {
            Samples::Bytes(values) => self.bytes(3, values),
            Samples::Words(values) => {
                // Computed colours fill their range.
                self.bytes(3, values.into_iter().map(|value| (value >> 8) as u8).collect())
            }
            Samples::Wide(values) => self.bytes(3, any_to_bytes(&values).0),
        }
    }

    /// The indices of a palette file.
    pub(super) fn indices(&self) -> Result<Vec<u16>, ImagingError> {
        match self.samples()?.pick(self.layout.samples_per_pixel, &[0]) {
            Samples::Bytes(values) => Ok(values.into_iter().map(u16::from).collect()),
            Samples::Words(values) => Ok(values),
            Samples::Wide(_) => {
                Err(self.unsupported("its palette indices are no whole numbers of up to 16 bits", "save it as PNG"))
            }
        }
    }

    fn bytes(&self, channels: usize, values: Vec<u8>) -> Result<DynamicImage, ImagingError> {
        let (width, height) = self.size;
        let picture = match channels {
            1 => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageLuma8),
            2 => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageLumaA8),
            3 => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageRgb8),
            _ => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageRgba8),
        };
        picture.ok_or_else(|| self.damaged("it has not the size that its header says"))
    }

    fn words(&self, channels: usize, values: Vec<u16>) -> Result<DynamicImage, ImagingError> {
        let (width, height) = self.size;
        let picture = match channels {
            1 => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageLuma16),
            2 => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageLumaA16),
            3 => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageRgb16),
            _ => ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageRgba16),
        };
        picture.ok_or_else(|| self.damaged("it has not the size that its header says"))
    }
}

/// A palette of 16 bits a channel as one of 8; some programs write 8 bits into it.
pub(super) fn colors(map: &tiff_reader::ColorMap) -> Vec<Rgb> {
    let channels = [map.red(), map.green(), map.blue()];
    let is_narrow = channels.iter().all(|channel| channel.iter().all(|&value| value < 256));
    let byte = |value: u16| (if is_narrow { value } else { value >> 8 }) as u8;
    (0..map.len())
        .map(|index| channels.map(|channel| byte(channel[index])))
        .collect()
}
