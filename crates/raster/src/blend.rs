//! Shares of overlapping tiles to classes, without seams.
//!
//! A pixel's share of each class is the mean of what its tiles say, each weighed by how far inside the tile the pixel lies
//! ([`Grid::weights`]); the class is decided after, as that of a single picture is. Tiles are added up row by row, whatever
//! order they came in, so the same answers give the same bytes.

use rayon::prelude::*;
use seggpt_imaging::decode::{Enlarger, Threshold, decide_row, from_shares};
use seggpt_tiff::Window;

use crate::{Grid, Tile};

/// The label of pixels that hold nothing, or of which nothing is known.
pub const NOTHING: u16 = u16::MAX;

/// A tile's answer, ready to be mixed.
#[derive(Debug)]
pub struct Answer {
    tile: Tile,
    across: Vec<f32>,
    down: Vec<f32>,
    /// Memberships `[side * side, classes + 1]`, background first.
    field: Vec<f32>,
    enlarger: Enlarger,
    valid: Option<Validity>,
}

/// Which pixels of a tile hold something, in the size in which the tile was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// 0: the pixel holds nothing.
    pub pixels: Vec<u8>,
}

impl Answer {
    /// `shares`: for each of `classes` a plane of `side` x `side` bytes; background has what is left of 255. `valid`:
    /// `None` where all pixels hold something.
    ///
    /// # Errors
    /// The planes are not of that size.
    pub fn new(
        grid: &Grid,
        tile: Tile,
        shares: &[u8],
        classes: usize,
        side: u32,
        valid: Option<Validity>,
    ) -> Result<Self, String> {
        let size = (side as usize, side as usize);
        let field = from_shares(shares, classes + 1, size).map_err(|error| error.to_string())?;
        if let Some(valid) = &valid
            && valid.pixels.len() as u64 != u64::from(valid.width) * u64::from(valid.height)
        {
            return Err(format!(
                "{} pixels are valid or not, of {} x {}",
                valid.pixels.len(),
                valid.width,
                valid.height
            ));
        }
        let (across, down) = grid.weights(tile);
        let target = (tile.window.width as usize, tile.window.height as usize);
        Ok(Self {
            tile,
            across,
            down,
            field,
            enlarger: Enlarger::new(size, target),
            valid,
        })
    }

    /// The tile that it answers.
    #[must_use]
    pub fn tile(&self) -> Tile {
        self.tile
    }

    /// Whether a pixel of the map that lies in the tile holds something.
    fn is_valid(&self, x: u32, y: u32) -> bool {
        let Some(valid) = &self.valid else {
            return true;
        };
        let window = self.tile.window;
        let at = |at: u32, from: u32, to: u32| {
            (u64::from(at) * u64::from(to) / u64::from(from)) as usize
        };
        let column = at(x - window.x, window.width, valid.width);
        let row = at(y - window.y, window.height, valid.height);
        valid.pixels[row * valid.width as usize + column] > 0
    }
}

/// Classes of a part of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blended {
    /// Row by row: 0 background, else 1 + the index of the class; [`NOTHING`] where there is nothing.
    pub labels: Vec<u16>,
    /// Row by row: as a picture's confidence; 0 where there is nothing.
    pub confidence: Vec<u8>,
}

/// Mixes the answers that touch a window, which are all of those that do, row by row. `threshold`: where a class begins.
#[must_use]
pub fn blend(window: Window, answers: &[&Answer], classes: usize, threshold: Threshold) -> Blended {
    let width = window.width as usize;
    let mut labels = vec![NOTHING; width * window.height as usize];
    let mut confidence = vec![0; labels.len()];
    labels
        .par_chunks_exact_mut(width)
        .zip(confidence.par_chunks_exact_mut(width))
        .zip(window.y..window.y + window.height)
        .for_each_init(Line::default, |line, ((labels, confidence), y)| {
            line.mix(window, y, answers, classes + 1);
            decide_row(&line.sums, threshold, labels, confidence);
            for (x, state) in line.states.iter().enumerate() {
                if *state != VALID {
                    (labels[x], confidence[x]) = (NOTHING, 0);
                }
            }
        });
    Blended { labels, confidence }
}

/// No answer says that the pixel holds something.
const EMPTY: u8 = 0;
const VALID: u8 = 1;

/// A row of the window while it is added up.
#[derive(Default)]
struct Line {
    /// Plane by plane, background first.
    sums: Vec<f32>,
    weights: Vec<f32>,
    states: Vec<u8>,
    work: Vec<f32>,
    planes: Vec<f32>,
}

impl Line {
    fn mix(&mut self, window: Window, y: u32, answers: &[&Answer], channels: usize) {
        let width = window.width as usize;
        self.sums.clear();
        self.sums.resize(width * channels, 0.0);
        self.weights.clear();
        self.weights.resize(width, 0.0);
        self.states.clear();
        self.states.resize(width, EMPTY);
        for answer in answers {
            let own = answer.tile.window;
            if y < own.y || y >= own.y + own.height {
                continue;
            }
            let row = y - own.y;
            let from = own.x.max(window.x);
            let to = (own.x + own.width).min(window.x + window.width);
            if from >= to {
                continue;
            }
            answer.enlarger.row(
                &answer.field,
                channels,
                row as usize,
                &mut self.work,
                &mut self.planes,
            );
            let down = answer.down[row as usize];
            for x in from..to {
                let (there, here) = ((x - own.x) as usize, (x - window.x) as usize);
                let weight = answer.across[there] * down;
                self.weights[here] += weight;
                for channel in 0..channels {
                    let share = self.planes[channel * own.width as usize + there];
                    self.sums[channel * width + here] += weight * share;
                }
                if answer.is_valid(x, y) {
                    self.states[here] = VALID;
                }
            }
        }
        for plane in self.sums.chunks_exact_mut(width) {
            for (sum, weight) in plane.iter_mut().zip(&self.weights) {
                if *weight > 0.0 {
                    *sum /= weight;
                }
            }
        }
    }
}
