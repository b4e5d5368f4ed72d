//! A tile as the network sees it.

use seggpt_tiff::{Cache, Model, Samples, Window, largest};

use crate::{
    Bands, Map, MapError, Range, Stretch,
    map::{SPOTS, len, value},
    stretch::percentiles,
};

/// How a run looks at maps: the same for examples and for what is to be segmented.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Which bands; `None`: red, green and blue where the file has them, else its first three, or its only one.
    pub bands: Option<Bands>,
    /// What becomes of deep ones. Bytes are taken as they are where it is [`Stretch::Own`].
    pub stretch: Stretch,
}

/// A tile in 8 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Red, green, blue and validity (255 or 0). What is not valid has the tile's median colour.
    pub rgba: Vec<u8>,
    /// How many pixels are valid.
    pub valid: u64,
}

/// What a map's bands become, found out once a map.
#[derive(Clone, Debug)]
pub struct Renderer {
    channels: [usize; 3],
    alpha: Option<usize>,
    how: How,
}

#[derive(Clone, Debug)]
enum How {
    Palette(Vec<[u8; 3]>),
    /// Whole numbers from 0 to this.
    Plain {
        most: u16,
        inverted: bool,
    },
    Ranges([Range; 3]),
}

impl View {
    /// What this view makes of a map.
    ///
    /// # Errors
    /// A band that the map does not have; samples of it cannot be read.
    pub fn of(&self, map: &Map) -> Result<Renderer, MapError> {
        let layout = map.layout();
        let bands = self.bands(map)?;
        let inverted = matches!(
            layout.model,
            Model::Grey {
                white_is_zero: true
            }
        );
        let how = match (&layout.model, self.stretch.ranges()) {
            (Model::Palette(colors), _) if self.bands.is_none() => How::Palette(colors.clone()),
            (_, Some(ranges)) => How::Ranges(ranges),
            (_, None) if map.is_plain() => How::Plain {
                most: largest(layout.bits),
                inverted,
            },
            (_, None) => How::Ranges(self.sampled(map, usize::MAX)?.map(percentiles)),
        };
        Ok(Renderer {
            channels: bands.colors,
            alpha: bands.alpha,
            how,
        })
    }

    fn bands(&self, map: &Map) -> Result<Bands, MapError> {
        let count = map.layout().samples;
        let bands = match &self.bands {
            Some(bands) => bands.clone(),
            None => Bands {
                colors: match map.layout().model {
                    Model::Rgb | Model::YCbCr => [0, 1, 2],
                    _ if count >= 3 => [0, 1, 2],
                    _ => [0; 3],
                },
                alpha: None,
            },
        };
        if bands.last() >= count {
            return Err(MapError::Asked {
                path: map.path().to_owned(),
                reason: format!(
                    "band {} was asked for, but it has {count}",
                    bands.last() + 1
                ),
            });
        }
        Ok(bands)
    }

    /// Valid values of red, green and blue, about `most` of each, evenly spread.
    pub(crate) fn sampled(&self, map: &Map, most: usize) -> Result<[Vec<f64>; 3], MapError> {
        let bands = self.bands(map)?;
        let mut values: [Vec<f64>; 3] = Default::default();
        let each = (most / (SPOTS * SPOTS) as usize).max(1);
        map.spots(SPOTS, |map, level, window, cache| {
            let samples = map.read(level, window, cache)?;
            let valid = map.valid(level, window, &samples, bands.alpha, cache)?;
            let count = map.layout().samples;
            let step = valid.len().div_ceil(each).max(1);
            for at in (0..valid.len()).step_by(step).filter(|at| valid[*at] > 0) {
                for (values, band) in values.iter_mut().zip(bands.colors) {
                    values.push(value(&samples, at * count + band));
                }
            }
            Ok(())
        })?;
        Ok(values)
    }
}

impl Renderer {
    /// A window of the map in full size, brought to `size` = (width, height) in pixels, no larger than it is. Where it
    /// shrinks, an overview is read, the nearest from above, and averaged.
    ///
    /// # Errors
    /// A block that it touches is damaged.
    pub fn tile(
        &self,
        map: &Map,
        window: Window,
        size: (u32, u32),
        cache: &mut Cache,
    ) -> Result<Seen, MapError> {
        if size == (window.width, window.height) {
            return self.seen(map, 0, window, cache).map(filled);
        }
        let factor = f64::from(window.width) / f64::from(size.0);
        let level = map.level_for(factor.min(f64::from(window.height) / f64::from(size.1)));
        let (whole, own) = (map.size(), map.level_size(level));
        let across = span(window.x, window.width, whole.0, own.0);
        let down = span(window.y, window.height, whole.1, own.1);
        let part = Window {
            x: across.0,
            y: down.0,
            width: across.1,
            height: down.1,
        };
        let seen = self.seen(map, level, part, cache)?;
        Ok(filled(averaged(&seen, size)))
    }

    /// Which level [`tile`](Self::tile) reads.
    #[must_use]
    pub fn level(map: &Map, window: (u32, u32), size: (u32, u32)) -> usize {
        if window == size {
            return 0;
        }
        let factor = |window: u32, size: u32| f64::from(window) / f64::from(size);
        map.level_for(factor(window.0, size.0).min(factor(window.1, size.1)))
    }

    fn seen(
        &self,
        map: &Map,
        level: usize,
        window: Window,
        cache: &mut Cache,
    ) -> Result<Seen, MapError> {
        let samples = map.read(level, window, cache)?;
        let valid = map.valid(level, window, &samples, self.alpha, cache)?;
        let bands = map.layout().samples;
        debug_assert_eq!(len(&samples), valid.len() * bands);
        let mut rgba = vec![0; valid.len() * 4];
        for (at, (pixel, valid)) in rgba.chunks_exact_mut(4).zip(&valid).enumerate() {
            pixel[..3].copy_from_slice(&self.color(&samples, at * bands));
            pixel[3] = *valid;
        }
        Ok(Seen {
            width: window.width,
            height: window.height,
            valid: valid.iter().filter(|valid| **valid > 0).count() as u64,
            rgba,
        })
    }

    /// The colour of the pixel whose first sample is at `at`.
    fn color(&self, samples: &Samples, at: usize) -> [u8; 3] {
        match &self.how {
            How::Palette(colors) => {
                let index = value(samples, at) as usize;
                colors.get(index).copied().unwrap_or_default()
            }
            How::Plain { most, inverted } => self.channels.map(|band| {
                let value = match samples {
                    Samples::Bytes(values) => values[at + band],
                    other => value(other, at + band) as u8,
                };
                let value = match most {
                    255 => value,
                    most => (u16::from(value) * 255 / most) as u8,
                };
                if *inverted { u8::MAX - value } else { value }
            }),
            How::Ranges(ranges) => {
                let of = |n: usize| ranges[n].byte(value(samples, at + self.channels[n]));
                [of(0), of(1), of(2)]
            }
        }
    }
}

/// What a range of the full size is in a smaller one: begin and length, at least a pixel.
fn span(at: u32, length: u32, whole: u32, own: u32) -> (u32, u32) {
    let scale = |at: u32| u64::from(at) * u64::from(own);
    let begin = (scale(at) / u64::from(whole)) as u32;
    let end = scale(at + length).div_ceil(u64::from(whole)) as u32;
    let begin = begin.min(own - 1);
    (begin, end.clamp(begin + 1, own) - begin)
}

/// The mean colour of the valid pixels beneath each pixel of a smaller picture, which is valid where half of them are.
fn averaged(seen: &Seen, (width, height): (u32, u32)) -> Seen {
    let range = |n: u32, to: u32, from: u32| {
        let begin = u64::from(n) * u64::from(from) / u64::from(to);
        let end = (u64::from(n + 1) * u64::from(from)).div_ceil(u64::from(to));
        begin as usize..(end as usize).max(begin as usize + 1)
    };
    let mut rgba = Vec::with_capacity(width as usize * height as usize * 4);
    let mut valid = 0;
    for y in 0..height {
        let rows = range(y, height, seen.height);
        for x in 0..width {
            let columns = range(x, width, seen.width);
            let (mut sum, mut count) = ([0u64; 3], 0u64);
            for row in rows.clone() {
                for column in columns.clone() {
                    let pixel = &seen.rgba[(row * seen.width as usize + column) * 4..][..4];
                    if pixel[3] > 0 {
                        sum.iter_mut()
                            .zip(pixel)
                            .for_each(|(sum, level)| *sum += u64::from(*level));
                        count += 1;
                    }
                }
            }
            let all = (rows.len() * columns.len()) as u64;
            rgba.extend(sum.map(|sum| ((sum + count / 2) / count.max(1)) as u8));
            let is_valid = count * 2 >= all;
            rgba.push(if is_valid { 255 } else { 0 });
            valid += u64::from(is_valid);
        }
    }
    Seen {
        width,
        height,
        rgba,
        valid,
    }
}

/// Gives pixels that hold nothing the median colour of those that do.
fn filled(mut seen: Seen) -> Seen {
    let pixels = seen.rgba.len() as u64 / 4;
    if seen.valid == 0 || seen.valid == pixels {
        return seen;
    }
    let mut counts = vec![[0u64; 256]; 3];
    for pixel in seen.rgba.chunks_exact(4).filter(|pixel| pixel[3] > 0) {
        counts
            .iter_mut()
            .zip(pixel)
            .for_each(|(counts, level)| counts[usize::from(*level)] += 1);
    }
    let median = |counts: &[u64; 256]| {
        let mut below = 0;
        let is_half = |count: &u64| {
            below += count;
            below * 2 >= seen.valid
        };
        counts.iter().position(is_half).unwrap_or(0) as u8
    };
    let medians: Vec<u8> = counts.iter().map(median).collect();
    for pixel in seen.rgba.chunks_exact_mut(4).filter(|pixel| pixel[3] == 0) {
        pixel[..3].copy_from_slice(&medians);
    }
    seen
}
