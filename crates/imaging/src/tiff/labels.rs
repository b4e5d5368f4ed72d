//! A page as a mask: values that mean something as they stand.

use seggpt_tiff::{Model, Samples, largest};

use super::Tiff;
use crate::{ImagingError, annotation::MaskFile};

impl Tiff<'_> {
    /// The page's values, where it has a palette or one channel; `None` for colours and transparency.
    pub(crate) fn labels(&self) -> Result<Option<MaskFile>, ImagingError> {
        let size = self.size();
        match &self.layout().model {
            Model::Palette(colors) => {
                let indices = self.indices()?;
                Ok(Some(match narrow(&indices) {
                    Some(indices) => MaskFile::Palette {
                        size,
                        indices,
                        colors: colors.clone(),
                    },
                    None => MaskFile::Deep {
                        size,
                        values: indices,
                    },
                }))
            }
            Model::Grey { white_is_zero } if self.layout().samples == 1 => {
                let mut samples = self.samples()?;
                if *white_is_zero {
                    samples.invert(self.layout().bits);
                }
                Ok(Some(match samples {
                    Samples::Bytes(values) => MaskFile::Grey { size, values },
                    Samples::Words(values) => MaskFile::Deep { size, values },
                    Samples::Wide(values) => self.whole(&values)?,
                }))
            }
            _ => Ok(None),
        }
    }

    /// Numbers of 32 and 64 bits, whole or floating, as ids: -1 and what is no number mean "ignore". Shares of 0 to 1 become
    /// grey.
    fn whole(&self, values: &[f64]) -> Result<MaskFile, ImagingError> {
        let size = self.size();
        let refuse = |reason: String| ImagingError::Mask {
            name: self.name.to_owned(),
            reason,
        };
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        if let Some(part) = finite().find(|value| value.fract() != 0.0) {
            if finite().all(|value| (0.0..=1.0).contains(&value)) {
                let grey = |value: &f64| (value * 255.0 + 0.5) as u8;
                return Ok(MaskFile::Grey {
                    size,
                    values: values.iter().map(grey).collect(),
                });
            }
            return Err(refuse(format!(
                "values such as {part} are no class ids; save it with whole numbers"
            )));
        }
        let (least, most) = finite().fold((0.0, 0.0), |(low, high): (f64, f64), value| {
            (low.min(value), high.max(value))
        });
        if least < -1.0 {
            return Err(refuse(format!(
                "it holds the value {least}, which is no class id; ids count from 0"
            )));
        }
        if most > f64::from(largest(16)) {
            return Err(refuse(format!(
                "it holds the id {most}, but ids end at 65535; number them anew"
            )));
        }
        let ignored = |value: f64| value < 0.0 || !value.is_finite();
        let id = |value: &f64| {
            if ignored(*value) {
                u16::MAX
            } else {
                *value as u16
            }
        };
        Ok(MaskFile::Deep {
            size,
            values: values.iter().map(id).collect(),
        })
    }
}

fn narrow(values: &[u16]) -> Option<Vec<u8>> {
    values
        .iter()
        .map(|&value| u8::try_from(value).ok())
        .collect()
}
