//! Masks to regions: pixels of a label that hang together by their sides, as rings along pixels' edges.
//!
//! A mask passes row by row, and a region comes out when its last row is through. What is kept is two rows, the outlines of
//! regions that have not ended, and eight bytes for each place where a region may have begun.
//!
//! Outlines are cut into lines, each between the same two regions from end to end, so a line that is simplified is so for both,
//! and neighbours stay neighbours.

mod lines;
mod numbers;
mod regions;
mod rings;
mod simplify;

use std::mem;

pub use numbers::Numbers;

use crate::Ground;
use lines::{Lines, Side};
use regions::Regions;

/// A pixel's corner: column and row, from the upper left of the map.
pub type Corner = [u32; 2];

/// Which regions come out, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rules {
    /// Square metres below which regions are left out and holes filled; 0: neither.
    pub min_area: f64,
    /// How far, in pixels, outlines may move to become simpler; 0: they run along pixels' edges.
    pub simplify: f64,
}

/// A region of a mask.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// From 1, in the order in which regions end; the same as in [`Numbers`].
    pub number: u32,
    /// Its label.
    pub label: u16,
    /// Its pixels, those of filled holes not among them.
    pub pixels: u64,
    /// Square metres within its exact outline, filled holes included.
    pub area: f64,
    /// Mean confidence of its pixels, 0 to 1.
    pub confidence: f64,
    /// The outline, then the holes. Anticlockwise and clockwise for an eye that sees row 0 above; the first corner is not
    /// repeated.
    pub rings: Vec<Vec<Corner>>,
}

/// Outlines that are simplified are cut at every so many rows, so that what can touch each other is known while a map passes.
const BAND: u32 = 512;
/// The region of what has no label.
const NOWHERE: u32 = u32::MAX;

/// Pixels side by side of one label.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Run {
    start: u32,
    label: u16,
    region: u32,
}

impl Run {
    const OUTSIDE: Self = Self {
        start: 0,
        label: 0,
        region: NOWHERE,
    };
}

/// The runs of a row, the first from column 0.
fn runs(labels: &[u16], runs: &mut Vec<Run>) {
    runs.clear();
    let mut start = 0;
    for same in labels.chunk_by(|a, b| a == b) {
        runs.push(Run {
            start,
            label: same[0],
            region: NOWHERE,
        });
        start += same.len() as u32;
    }
}

/// The runs of `above` that lie over those of `below` and have their label, in their order.
fn touching(above: &[Run], below: &mut [Run], width: u32, mut each: impl FnMut(&Run, &mut Run)) {
    let end = |runs: &[Run], at: usize| runs.get(at + 1).map_or(width, |next| next.start);
    let (mut upper, mut lower) = (0, 0);
    while upper < above.len() && lower < below.len() {
        if below[lower].label != 0 && above[upper].label == below[lower].label {
            each(&above[upper], &mut below[lower]);
        }
        let (a, b) = (end(above, upper), end(below, lower));
        upper += usize::from(a <= b);
        lower += usize::from(b <= a);
    }
}

/// Makes regions of the rows of a mask.
#[derive(Debug)]
pub struct Tracer<'a> {
    width: u32,
    ground: &'a Ground,
    rules: Rules,
    row: u32,
    above: Vec<Run>,
    below: Vec<Run>,
    regions: Regions,
    lines: Lines,
    /// Regions that have ended and wait for their lines to be simplified.
    ended: Vec<u32>,
    border: simplify::Border,
    numbers: u32,
}

impl<'a> Tracer<'a> {
    /// Of a mask of so many columns that lies on `ground`.
    #[must_use]
    pub fn new(width: u32, ground: &'a Ground, rules: Rules) -> Self {
        Self {
            width,
            ground,
            rules,
            row: 0,
            above: vec![Run::OUTSIDE],
            below: Vec::new(),
            regions: Regions::default(),
            lines: Lines::new(width),
            ended: Vec::new(),
            border: simplify::Border::default(),
            numbers: 0,
        }
    }

    /// Takes the next row: `labels`, 0 for what is no region, and `sure`, how sure each is. Returns the regions that are known
    /// now to have ended.
    ///
    /// # Panics
    /// The row is of another width than the mask.
    pub fn row(&mut self, labels: &[u16], sure: &[u8]) -> Vec<Region> {
        assert!(
            labels.len() == self.width as usize && sure.len() == labels.len(),
            "a row has a label and a confidence for each column"
        );
        runs(labels, &mut self.below);
        self.link(sure);
        self.step(false)
    }

    /// The last row is through: returns the regions that reach it, and the number of each.
    #[must_use]
    pub fn end(mut self) -> (Vec<Region>, Numbers) {
        self.below.clear();
        self.below.push(Run::OUTSIDE);
        let regions = self.step(true);
        let numbers = self.regions.into_numbers();
        (regions, Numbers::new(self.width, numbers))
    }

    /// Gives each run of the new row its region.
    fn link(&mut self, sure: &[u8]) {
        let regions = &mut self.regions;
        let below = &mut self.below;
        touching(&self.above, below, self.width, |upper, lower| {
            lower.region = match lower.region {
                NOWHERE => regions.find(upper.region),
                own => regions.union(own, upper.region),
            };
        });
        for at in 0..below.len() {
            let end = below.get(at + 1).map_or(self.width, |next| next.start);
            let run = &mut below[at];
            if run.label == 0 {
                continue;
            }
            if run.region == NOWHERE {
                run.region = regions.begin(run.label);
            }
            let sum = sure[run.start as usize..end as usize]
                .iter()
                .map(|sure| u64::from(*sure))
                .sum();
            regions.add(run.region, self.row, u64::from(end - run.start), sum);
        }
    }

    /// Draws what lies between the last row and the new one, which becomes the last.
    fn step(&mut self, is_last: bool) -> Vec<Region> {
        let y = self.row;
        let is_simple = self.rules.simplify > 0.0;
        let is_cut = is_simple && y.is_multiple_of(BAND);
        self.lines.begin(y, is_cut);
        let (mut upper, mut lower) = (0, 0);
        let (mut left_above, mut left_below) = (Side::OUTSIDE, Side::OUTSIDE);
        let mut x = 0;
        loop {
            let (above, below) = match x < self.width {
                true => (Side::of(&self.above[upper]), Side::of(&self.below[lower])),
                false => (Side::OUTSIDE, Side::OUTSIDE),
            };
            self.lines.corner(x, [left_above, above, left_below, below]);
            if x == self.width {
                break;
            }
            (left_above, left_below) = (above, below);
            let start =
                |runs: &[Run], at: usize| runs.get(at + 1).map_or(self.width, |run| run.start);
            let (next_above, next_below) = (start(&self.above, upper), start(&self.below, lower));
            x = next_above.min(next_below);
            upper += usize::from(next_above == x);
            lower += usize::from(next_below == x);
        }
        for number in self.lines.take_done() {
            if is_simple {
                self.border.add(number);
            }
            let line = &self.lines[number];
            let (left, right) = (line.left, line.right);
            for (region, is_forward) in [(left, true), (right, false)] {
                if region != NOWHERE {
                    self.regions.bound(region, number, is_forward);
                }
            }
        }
        for run in self.above.iter().filter(|run| run.label != 0) {
            self.regions.end(run.region, y, &mut self.ended);
        }
        mem::swap(&mut self.above, &mut self.below);
        self.row += 1;
        if is_simple {
            if !is_cut && !is_last {
                return Vec::new();
            }
            self.border
                .simplify(&mut self.lines, y, self.rules.simplify);
        }
        let ended = mem::take(&mut self.ended);
        ended
            .into_iter()
            .filter_map(|region| self.emit(region))
            .collect()
    }

    /// Puts a region together and lets go of it; `None` where it is too small.
    fn emit(&mut self, region: u32) -> Option<Region> {
        let of = self.regions.take(region);
        let lines = &self.lines;
        let mut rings = rings::rings(&of.lines, |number| &lines[number], self.ground);
        let is_small = |area: f64| self.rules.min_area > 0.0 && area < self.rules.min_area;
        rings.sort_by(|a, b| b.area.total_cmp(&a.area));
        rings.retain(|ring| ring.area > 0.0 || !is_small(-ring.area));
        let area = rings.iter().map(|ring| ring.area).sum();
        for (number, _) in &of.lines {
            self.lines.release(*number);
        }
        if is_small(area) {
            return None;
        }
        self.numbers += 1;
        self.regions.number(region, self.numbers);
        let is_exact = self.rules.simplify == 0.0;
        Some(Region {
            number: self.numbers,
            label: of.label,
            pixels: of.pixels,
            area,
            confidence: of.sure as f64 / of.pixels.max(1) as f64 / 255.0,
            rings: rings
                .into_iter()
                .map(|ring| match is_exact {
                    true => rings::without_straight(&ring.corners),
                    false => ring.corners,
                })
                .collect(),
        })
    }
}
