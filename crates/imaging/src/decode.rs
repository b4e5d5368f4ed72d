//! What the network painted, back to classes at the source's size.
//!
//! A painting is a small picture (448 x 448 at ViT-L) of unrounded colours. The original enlarges
//! it by nearest neighbour and leaves blocks along every contour. Here the colours are interpolated
//! first and each pixel of the source is decided after. The interpolation is bilinear: a pixel's
//! colour stays between those of its neighbours, so the contour between two classes is continuous
//! and no third colour can overshoot into view, which a bicubic kernel's negative lobes would allow.
//! Where the target is smaller than the painting, the triangle is stretched (antialias).
//!
//! Memory beyond the answer does not grow with the target: rows are worked on one by one, in parallel.

use std::{fmt, str::FromStr};

use rayon::prelude::*;

use crate::{ImagingError, Rgb};

/// How a painting gets to the source's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Upscaling {
    /// Colours are interpolated, then classes decided.
    #[default]
    Smooth,
    /// The original's: torch's `nearest`, source index floor(o * in / out).
    Nearest,
}

impl fmt::Display for Upscaling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Smooth => "smooth",
            Self::Nearest => "nearest",
        })
    }
}

impl FromStr for Upscaling {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Smooth, Self::Nearest];
        let named = all.into_iter().find(|way| way.to_string() == text);
        named.ok_or_else(|| format!("`{text}` is no upscaling: smooth or nearest"))
    }
}

/// Where background ends and a class begins, as a share of the way from black to the class colour.
///
/// 0.5 is the plain nearest colour; higher asks for brighter paint (fewer, surer class pixels),
/// lower takes fainter paint. It never decides between two classes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold(f32);

impl Threshold {
    /// The plain nearest colour.
    pub const NEAREST: Self = Self(0.5);

    /// A threshold strictly between 0 and 1; `None` for anything else.
    #[must_use]
    pub fn new(share: f32) -> Option<Self> {
        (share > 0.0 && share < 1.0).then_some(Self(share))
    }

    /// Its value, between 0 and 1.
    #[must_use]
    pub fn value(self) -> f32 {
        self.0
    }
}

impl Default for Threshold {
    fn default() -> Self {
        Self::NEAREST
    }
}

/// A class and a confidence for every pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// Width and height in pixels.
    pub size: (usize, usize),
    /// Row by row, the index into the palette: 0 is background.
    pub labels: Vec<u16>,
    /// Row by row, how clear the choice was: 255 = the class colour itself, 0 = on the border to
    /// the next best. Precisely 255 * (d2 - d1) / (d2 + d1) with the distances to the two nearest
    /// colours, or, with another [`Threshold`] than 0.5, the way from the threshold to the pure colour.
    pub confidence: Vec<u8>,
}

/// Gives every pixel of the target the palette colour that its painted colour is nearest to.
///
/// * `painted`: `size.0 * size.1 * 3` values 0..=255, row by row, not rounded.
/// * `size`, `target`: (width, height) of the painting and of the answer.
/// * `palette`: index 0 is the background (black), then one colour per class.
///
/// Equal distances go to the lower index. A value that is no number counts as background with
/// confidence 0.
///
/// # Errors
/// [`ImagingError::Size`] if `painted` does not fit `size` or is empty; [`ImagingError::Classes`]
/// for a palette without background or with more than 65,536 colours.
pub fn classify(
    painted: &[f32],
    size: (usize, usize),
    target: (usize, usize),
    palette: &[Rgb],
    upscaling: Upscaling,
    threshold: Threshold,
) -> Result<Labels, ImagingError> {
    check("classify a painting", painted, size, palette)?;
    let colors = colors(palette);
    let scores = |planes: &mut Vec<f32>, scores: &mut Vec<f32>| {
        scores.clear();
        for color in &colors {
            affinities_of(*color, planes, scores);
        }
    };
    Ok(resampled(
        painted, 3, size, target, upscaling, threshold, scores,
    ))
}

/// How much each pixel of a painting belongs to each palette colour: (1/d_c) / sum(1/d) with the distances d, which on the
/// way from one colour to another is the way's share.
///
/// Several independent paintings of one picture are averaged: a soft vote, in which two sure paintings outvote one
/// doubtful one. `[size.1 * size.0, palette]`; a value that is no number belongs nowhere.
///
/// # Errors
/// As [`classify`], for each painting; [`ImagingError::Classes`] if there is none.
pub fn memberships(
    paintings: &[&[f32]],
    size: (usize, usize),
    palette: &[Rgb],
) -> Result<Vec<f32>, ImagingError> {
    const WHAT: &str = "fuse paintings";
    if paintings.is_empty() {
        return Err(ImagingError::Classes {
            what: WHAT,
            reason: "there is no painting".to_owned(),
        });
    }
    for painted in paintings {
        check(WHAT, painted, size, palette)?;
    }
    let colors = colors(palette);
    let count = colors.len();
    let mut memberships = vec![0.0f32; size.0 * size.1 * count];
    memberships
        .par_chunks_exact_mut(count)
        .enumerate()
        .for_each_init(
            || vec![0.0; count],
            |affinities, (at, memberships)| {
                for painted in paintings {
                    affinities_to(&colors, &painted[at * 3..at * 3 + 3], affinities);
                    let total: f32 = affinities.iter().sum();
                    if total > 0.0 {
                        let share = 1.0 / (total * paintings.len() as f32);
                        for (membership, affinity) in memberships.iter_mut().zip(affinities.iter())
                        {
                            *membership += affinity * share;
                        }
                    }
                }
            },
        );
    Ok(memberships)
}

/// Gives every pixel of the target the class with the largest membership there.
///
/// * `memberships`: [`memberships`] of pictures of `size`, `classes` a pixel, background first.
/// * `size`, `target`: (width, height) of the memberships and of the answer.
///
/// The memberships of one painting give what [`classify`] gives at the painting's own size.
///
/// # Errors
/// [`ImagingError::Size`] if `memberships` does not fit `size`.
pub fn decide(
    memberships: &[f32],
    classes: usize,
    size: (usize, usize),
    target: (usize, usize),
    upscaling: Upscaling,
    threshold: Threshold,
) -> Result<Labels, ImagingError> {
    ImagingError::check_size("read memberships", memberships.len(), size, classes)?;
    Ok(resampled(
        memberships,
        classes,
        size,
        target,
        upscaling,
        threshold,
        std::mem::swap,
    ))
}

/// Memberships in bytes, as they travel and are kept: for each class but background a plane of `pixels` bytes, one after
/// another. Background has what is left of 255.
///
/// * `memberships`: `classes` a pixel, background first, that sum to 1 (or to 0, which is background).
///
/// # Errors
/// [`ImagingError::Size`] if `memberships` are not whole pixels of that many classes.
pub fn to_shares(memberships: &[f32], classes: usize) -> Result<Vec<u8>, ImagingError> {
    let pixels = memberships.len() / classes.max(1);
    ImagingError::check_size(
        "write memberships as shares",
        memberships.len(),
        (pixels, 1),
        classes,
    )?;
    let mut planes = vec![0; pixels * classes.saturating_sub(1)];
    for (at, pixel) in memberships.chunks_exact(classes.max(1)).enumerate() {
        let (mut sum, mut largest) = (0u32, at);
        for (place, share) in (at..).step_by(pixels).zip(&pixel[1..]) {
            planes[place] = to_byte(share.clamp(0.0, 1.0));
            sum += u32::from(planes[place]);
            if planes[place] > planes[largest] {
                largest = place;
            }
        }
        // Rounded up together, classes may have a few too many.
        if let Some(excess) = sum.checked_sub(255).filter(|excess| *excess > 0) {
            planes[largest] = (u32::from(planes[largest]).saturating_sub(excess)) as u8;
        }
    }
    Ok(planes)
}

/// The opposite of [`to_shares`]: memberships of `classes` a pixel, background first.
///
/// # Errors
/// [`ImagingError::Size`] if `shares` are not `classes - 1` planes of `size`.
pub fn from_shares(
    shares: &[u8],
    classes: usize,
    size: (usize, usize),
) -> Result<Vec<f32>, ImagingError> {
    let planes = classes.saturating_sub(1);
    ImagingError::check_size("read shares", shares.len(), size, planes)?;
    let pixels = size.0 * size.1;
    let mut memberships = vec![0.0; pixels * classes];
    for (at, pixel) in memberships.chunks_exact_mut(classes.max(1)).enumerate() {
        let mut left = 255u8;
        for (share, plane) in pixel[1..].iter_mut().zip(0..) {
            let byte = shares[plane * pixels + at];
            left = left.saturating_sub(byte);
            *share = f32::from(byte) / 255.0;
        }
        pixel[0] = f32::from(left) / 255.0;
    }
    Ok(memberships)
}

/// Decides a row of pixels by their scores, which lie plane by plane, background first: as [`decide`] does, where scores are
/// memberships at the target's size. Writes labels and confidence as [`Labels`] has them.
///
/// # Panics
/// `scores` are not a whole number of planes of the row's width, or the two outputs differ in length.
pub fn decide_row(scores: &[f32], threshold: Threshold, labels: &mut [u16], confidence: &mut [u8]) {
    assert_eq!(labels.len(), confidence.len(), "one confidence a label");
    if labels.is_empty() {
        return;
    }
    assert!(
        !scores.is_empty() && scores.len().is_multiple_of(labels.len()),
        "a plane of scores for background and each class"
    );
    choose(scores, threshold, labels, confidence, &mut Best::default());
}

/// Brings a field of `channels` values per pixel from `size` to `target`, (width, height), bilinearly.
///
/// # Errors
/// [`ImagingError::Size`] if `field` does not fit `size`.
pub fn enlarge(
    field: &[f32],
    channels: usize,
    size: (usize, usize),
    target: (usize, usize),
) -> Result<Vec<f32>, ImagingError> {
    ImagingError::check_size("enlarge a field", field.len(), size, channels)?;
    let (columns, rows) = (triangle(size.0, target.0), triangle(size.1, target.1));
    let stride = size.0 * channels;
    let mut out = vec![0.0; target.0 * target.1 * channels];
    out.par_chunks_exact_mut((target.0 * channels).max(1))
        .zip(&rows)
        .for_each_init(
            || vec![0.0; stride],
            |line, (out, row)| {
                row.mix(field, stride, line);
                for (pixel, column) in out.chunks_exact_mut(channels).zip(&columns) {
                    column.mix(line, channels, pixel);
                }
            },
        );
    Ok(out)
}

/// Brings fields from one size to another as [`enlarge`] does, row by row, so that a part can be had without the whole.
#[derive(Debug)]
pub struct Enlarger {
    from: usize,
    columns: Columns,
    rows: Vec<Mix>,
}

impl Enlarger {
    /// From `size` to `target`, (width, height) in pixels; neither is empty.
    #[must_use]
    pub fn new(size: (usize, usize), target: (usize, usize)) -> Self {
        Self {
            from: size.0,
            columns: Columns::new(&triangle(size.0, target.0), size.0),
            rows: triangle(size.1, target.1),
        }
    }

    /// Row `y` of the target, a plane a channel one after another, into `planes`. `line` is memory to work in.
    ///
    /// # Panics
    /// `field` is not of the size that this enlarges, or the target has no row `y`.
    pub fn row(
        &self,
        field: &[f32],
        channels: usize,
        y: usize,
        line: &mut Vec<f32>,
        planes: &mut Vec<f32>,
    ) {
        let stride = self.from * channels;
        line.resize(stride, 0.0);
        self.rows[y].mix(field, stride, line);
        self.columns.planes(line, channels, planes);
    }
}

fn check(
    what: &'static str,
    painted: &[f32],
    size: (usize, usize),
    palette: &[Rgb],
) -> Result<(), ImagingError> {
    ImagingError::check_size(what, painted.len(), size, 3)?;
    let reason = match palette.len() {
        _ if painted.is_empty() => "the painting has no pixels".to_owned(),
        0 => "the palette is empty; its first colour is the background".to_owned(),
        1..=0x1_0000 => return Ok(()),
        more => {
            format!("{more} colours in the palette, but labels have 16 bits; use fewer classes")
        }
    };
    Err(ImagingError::Classes { what, reason })
}

fn colors(palette: &[Rgb]) -> Vec<[f32; 3]> {
    palette.iter().map(|color| color.map(f32::from)).collect()
}

/// 1 / distance to each colour; huge, not infinite, on the colour itself.
fn affinities_to(colors: &[[f32; 3]], pixel: &[f32], affinities: &mut [f32]) {
    for (affinity, color) in affinities.iter_mut().zip(colors) {
        *affinity = affinity_to(*color, [pixel[0], pixel[1], pixel[2]]);
    }
}

/// The same to one colour, for a row of pixels that lies plane by plane.
fn affinities_of(color: [f32; 3], planes: &[f32], affinities: &mut Vec<f32>) {
    let (red, rest) = planes.split_at(planes.len() / 3);
    let (green, blue) = rest.split_at(rest.len() / 2);
    let pixels = red.iter().zip(green).zip(blue);
    affinities.extend(pixels.map(|((r, g), b)| affinity_to(color, [*r, *g, *b])));
}

fn affinity_to([r, g, b]: [f32; 3], pixel: [f32; 3]) -> f32 {
    const ON_THE_SPOT: f32 = 1e-3;
    let [r, g, b] = [r - pixel[0], g - pixel[1], b - pixel[2]];
    let squared = r * r + g * g + b * b;
    if squared.is_nan() {
        0.0
    } else {
        1.0 / squared.sqrt().max(ON_THE_SPOT)
    }
}

/// For each pixel of a row the palette index with the largest score and how clear it is. `scores` lie plane by plane,
/// background first, which is weighed by the threshold.
fn choose(
    scores: &[f32],
    threshold: Threshold,
    labels: &mut [u16],
    confidence: &mut [u8],
    best: &mut Best,
) {
    let width = labels.len();
    let (background, classes) = scores.split_at(width);
    best.first.clear();
    best.first.resize(width, 0.0);
    best.second.clear();
    best.second.resize(width, 0.0);
    labels.fill(0);
    for (label, scores) in (1..).zip(classes.chunks_exact(width)) {
        let best = best.first.iter_mut().zip(&mut best.second);
        for ((score, (first, second)), best) in scores.iter().zip(best).zip(&mut *labels) {
            *best = if *score > *first { label } else { *best };
            *second = first.min(*score).max(*second);
            *first = first.max(*score);
        }
    }
    let threshold = threshold.value();
    let best = best.first.iter().zip(&best.second);
    for (((background, (first, second)), label), sure) in
        background.iter().zip(best).zip(labels).zip(confidence)
    {
        // The share of the way from background to the best class.
        let share = first / (first + background);
        let over_background = (share - threshold) / (1.0 - threshold);
        let over_second = (first - second) / (first + second);
        let is_class = share > threshold;
        *label = if is_class { *label } else { 0 };
        *sure = to_byte(if is_class {
            over_background.min(over_second)
        } else {
            (threshold - share) / threshold
        });
    }
}

/// The two largest scores of each pixel of a row.
#[derive(Default)]
struct Best {
    first: Vec<f32>,
    second: Vec<f32>,
}

/// To the nearest; halves up, for the fraction is never negative.
fn to_byte(unit: f32) -> u8 {
    (unit * 255.0 + 0.5) as u8
}

/// Brings `field` (`channels` values per pixel) to the target's size, row by row. `scores` makes of a row that lies plane by
/// plane scores that do, and may take the row's memory for them.
fn resampled(
    field: &[f32],
    channels: usize,
    size: (usize, usize),
    target: (usize, usize),
    upscaling: Upscaling,
    threshold: Threshold,
    scores: impl Fn(&mut Vec<f32>, &mut Vec<f32>) + Sync,
) -> Labels {
    let (width, height) = target;
    let mut labels = vec![0; width * height];
    let mut confidence = vec![0; width * height];
    if width * height > 0 {
        let taps = match upscaling {
            Upscaling::Smooth => triangle,
            Upscaling::Nearest => torch_nearest,
        };
        let (columns, rows) = (taps(size.0, width), taps(size.1, height));
        let columns = Columns::new(&columns, size.0);
        let stride = size.0 * channels;
        labels
            .par_chunks_exact_mut(width)
            .zip(confidence.par_chunks_exact_mut(width))
            .zip(&rows)
            .for_each_init(
                || (vec![0.0; stride], Vec::new(), Vec::new(), Best::default()),
                |(line, planes, scored, best), ((labels, confidence), row)| {
                    row.mix(field, stride, line);
                    columns.planes(line, channels, planes);
                    scores(planes, scored);
                    choose(scored, threshold, labels, confidence, best);
                },
            );
    }
    Labels {
        size: target,
        labels,
        confidence,
    }
}

/// The inputs that the outputs of a row are mixed from, as many for each.
#[derive(Debug)]
struct Columns {
    taps: usize,
    starts: Vec<usize>,
    /// `[output, taps]`
    weights: Vec<f32>,
}

impl Columns {
    fn new(columns: &[Mix], inputs: usize) -> Self {
        let taps = columns
            .iter()
            .map(|mix| mix.weights.len())
            .max()
            .unwrap_or(0);
        let starts: Vec<_> = columns
            .iter()
            .map(|mix| mix.start.min(inputs - taps))
            .collect();
        let mut weights = vec![0.0; columns.len() * taps];
        for ((weights, mix), start) in weights.chunks_exact_mut(taps).zip(columns).zip(&starts) {
            weights[mix.start - start..][..mix.weights.len()].copy_from_slice(&mix.weights);
        }
        Self {
            taps,
            starts,
            weights,
        }
    }

    /// A row of interleaved `channels` to planes of the target's width.
    fn planes(&self, line: &[f32], channels: usize, planes: &mut Vec<f32>) {
        planes.clear();
        for channel in 0..channels {
            let line = &line[channel..];
            match self.taps {
                1 => self.plane::<1>(line, channels, planes),
                2 => self.plane::<2>(line, channels, planes),
                _ => {
                    let weights = self.weights.chunks_exact(self.taps);
                    planes.extend(self.starts.iter().zip(weights).map(|(start, weights)| {
                        let inputs = line[start * channels..].iter().step_by(channels);
                        inputs
                            .zip(weights)
                            .map(|(x, weight)| x * weight)
                            .sum::<f32>()
                    }));
                }
            }
        }
    }

    fn plane<const TAPS: usize>(&self, line: &[f32], channels: usize, plane: &mut Vec<f32>) {
        let (weights, _) = self.weights.as_chunks::<TAPS>();
        plane.extend(self.starts.iter().zip(weights).map(|(start, weights)| {
            let at = start * channels;
            let mut sum = 0.0;
            for (tap, weight) in weights.iter().enumerate() {
                sum += weight * line[at + tap * channels];
            }
            sum
        }));
    }
}

/// Which inputs one output is mixed from.
#[derive(Debug)]
struct Mix {
    start: usize,
    weights: Vec<f32>,
}

impl Mix {
    /// Writes the weighted sum of items of `length` values.
    fn mix(&self, items: &[f32], length: usize, out: &mut [f32]) {
        out.fill(0.0);
        for (item, weight) in items[self.start * length..]
            .chunks_exact(length)
            .zip(&self.weights)
        {
            for (sum, value) in out.iter_mut().zip(item) {
                *sum += weight * value;
            }
        }
    }
}

/// Bilinear with half-pixel centres (`align_corners = false`), stretched where it shrinks.
fn triangle(from: usize, to: usize) -> Vec<Mix> {
    let scale = from as f64 / to as f64;
    let support = scale.max(1.0);
    let mix = |o: usize| {
        let centre = (o as f64 + 0.5) * scale;
        let start = (centre - support + 0.5).floor().max(0.0) as usize;
        let end = ((centre + support + 0.5).floor() as usize).min(from);
        let weight = |i: usize| (1.0 - ((i as f64 + 0.5 - centre) / support).abs()).max(0.0);
        let total: f64 = (start..end).map(weight).sum();
        Mix {
            start,
            weights: (start..end).map(|i| (weight(i) / total) as f32).collect(),
        }
    };
    (0..to).map(mix).collect()
}

fn torch_nearest(from: usize, to: usize) -> Vec<Mix> {
    let indices = torch_nearest_indices(from, to).into_iter();
    indices
        .map(|start| Mix {
            start,
            weights: vec![1.0],
        })
        .collect()
}

/// Source indices of `torch.nn.functional.interpolate(mode="nearest")`, which scales in 32-bit floats.
pub(crate) fn torch_nearest_indices(from: usize, to: usize) -> Vec<usize> {
    let scale = from as f32 / to as f32;
    let index = |o: usize| {
        if from == to {
            o
        } else {
            ((o as f32 * scale) as usize).min(from - 1)
        }
    };
    (0..to).map(index).collect()
}
