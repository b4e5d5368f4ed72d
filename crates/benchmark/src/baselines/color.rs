use std::collections::BTreeMap;

use rayon::prelude::*;
use seggpt_imaging::{IGNORE, LabelPlane, RgbImage};

use super::{Baseline, Example, Fitted, check, plane};
use crate::BenchmarkError;

/// Bits of a colour channel that are told apart.
const BITS: u32 = 6;

/// k nearest neighbours on pixel colours: a pixel gets the label that is most frequent among the k
/// prompt pixels of the most similar colours (RGB, Euclidean, in cells of four levels per channel).
///
/// A label's votes are shares of its pixels in the prompts, so that what is small is not outvoted
/// by a large background.
#[derive(Debug, Clone, Copy)]
pub struct ColorNeighbours {
    /// How many prompt pixels vote.
    pub k: usize,
}

impl Default for ColorNeighbours {
    fn default() -> Self {
        Self { k: 15 }
    }
}

impl Baseline for ColorNeighbours {
    fn name(&self) -> &'static str {
        "colour k-NN"
    }

    fn fit(&self, prompts: &[Example]) -> Result<Box<dyn Fitted>, BenchmarkError> {
        check(self.name(), prompts)?;
        let mut cells: BTreeMap<usize, BTreeMap<u16, u32>> = BTreeMap::new();
        let mut totals: BTreeMap<u16, u32> = BTreeMap::new();
        for prompt in prompts {
            let (pixels, _) = prompt.picture.as_raw().as_chunks::<3>();
            let labelled = pixels.iter().zip(prompt.labels.values());
            for (&pixel, &label) in labelled.filter(|(_, label)| **label != IGNORE) {
                *cells
                    .entry(cell(pixel))
                    .or_default()
                    .entry(label)
                    .or_default() += 1;
                *totals.entry(label).or_default() += 1;
            }
        }
        let mut table = vec![Vec::new(); 1 << (3 * BITS)];
        for (cell, labels) in cells {
            table[cell] = labels.into_iter().collect();
        }
        let k = self.k.max(1) as u32;
        Ok(Box::new(Neighbours {
            cells: table,
            totals,
            k,
        }))
    }
}

/// Which cell of the colour cube a colour falls into.
fn cell([r, g, b]: [u8; 3]) -> usize {
    let [r, g, b] = [r, g, b].map(|value| usize::from(value >> (8 - BITS)));
    (r << (2 * BITS)) | (g << BITS) | b
}

/// The colour of a cell, in steps of the cube.
fn color(cell: usize) -> [i32; 3] {
    let part = |shift: u32| (cell >> shift & ((1 << BITS) - 1)) as i32;
    [part(2 * BITS), part(BITS), part(0)]
}

/// How many prompt pixels of each label have a colour.
type Cell = Vec<(u16, u32)>;

struct Neighbours {
    cells: Vec<Cell>,
    totals: BTreeMap<u16, u32>,
    k: u32,
}

impl Fitted for Neighbours {
    fn predict(&self, picture: &RgbImage) -> LabelPlane {
        let (pixels, _) = picture.as_raw().as_chunks::<3>();
        let mut asked: Vec<usize> = pixels.iter().map(|&pixel| cell(pixel)).collect();
        asked.sort_unstable();
        asked.dedup();
        let answers: Vec<(usize, u16)> = asked
            .into_par_iter()
            .map(|cell| (cell, self.vote(color(cell))))
            .collect();
        let mut table = vec![IGNORE; 1 << (3 * BITS)];
        for (cell, label) in answers {
            table[cell] = label;
        }
        plane(
            picture,
            pixels.iter().map(|&pixel| table[cell(pixel)]).collect(),
        )
    }
}

impl Neighbours {
    /// Looks at larger and larger cubes around a colour until k pixels are surely the nearest. Colours
    /// at the same distance vote together.
    fn vote(&self, color: [i32; 3]) -> u16 {
        let mut rings: BTreeMap<i32, Vec<&Cell>> = BTreeMap::new();
        for reach in 0..1 << BITS {
            for (distance, cell) in self.shell(color, reach) {
                rings.entry(distance).or_default().push(cell);
            }
            let near = rings.range(..=reach * reach).flat_map(|(_, cells)| cells);
            if near.map(|cell| pixels(cell)).sum::<u32>() >= self.k {
                break;
            }
        }
        let mut votes: BTreeMap<u16, f32> = BTreeMap::new();
        let mut asked = 0;
        for cells in rings.values() {
            if asked >= self.k {
                break;
            }
            asked += cells.iter().map(|cell| pixels(cell)).sum::<u32>();
            for &(label, count) in cells.iter().copied().flatten() {
                *votes.entry(label).or_default() += count as f32 / self.totals[&label] as f32;
            }
        }
        let most = votes
            .into_iter()
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        most.map_or(IGNORE, |(label, _)| label)
    }

    /// The colours of the prompts on the surface of a cube, with their squared distances.
    fn shell(&self, [r, g, b]: [i32; 3], reach: i32) -> impl Iterator<Item = (i32, &Cell)> {
        let inside = |value: i32| (0..1 << BITS).contains(&value);
        let steps = -reach..=reach;
        let sides = steps
            .clone()
            .flat_map(move |dr| steps.clone().map(move |dg| (dr, dg)));
        let surface = sides.flat_map(move |(dr, dg)| {
            let full = dr.abs() == reach || dg.abs() == reach;
            let step = if full { 1 } else { 2 * reach.max(1) };
            (-reach..=reach)
                .step_by(step as usize)
                .map(move |db| (dr, dg, db))
        });
        surface.filter_map(move |(dr, dg, db)| {
            let (r, g, b) = (r + dr, g + dg, b + db);
            let at = ((r << (2 * BITS)) | (g << BITS) | b) as usize;
            let cell = (inside(r) && inside(g) && inside(b)).then(|| &self.cells[at])?;
            (!cell.is_empty()).then_some((dr * dr + dg * dg + db * db, cell))
        })
    }
}

fn pixels(cell: &Cell) -> u32 {
    cell.iter().map(|(_, count)| count).sum()
}
