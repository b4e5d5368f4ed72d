//! Which region each pixel belongs to, on a second way through the mask.

use std::mem;

use super::{NOWHERE, Run, runs, touching};

/// Numbers the pixels of a mask whose regions are known.
#[derive(Debug)]
pub struct Numbers {
    width: u32,
    /// The number of what began at each place.
    numbers: Vec<u32>,
    begun: u32,
    above: Vec<Run>,
    below: Vec<Run>,
}

impl Numbers {
    pub(super) fn new(width: u32, numbers: Vec<u32>) -> Self {
        Self {
            width,
            numbers,
            begun: 0,
            above: vec![Run::OUTSIDE],
            below: Vec::new(),
        }
    }

    /// The numbers of the next row's pixels, 0 where there is no region. `labels`: the row as it was traced.
    pub fn row(&mut self, labels: &[u16]) -> Vec<u32> {
        runs(labels, &mut self.below);
        let below = &mut self.below;
        touching(&self.above, below, self.width, |upper, lower| {
            if lower.region == NOWHERE {
                lower.region = upper.region;
            }
        });
        for run in below.iter_mut() {
            if run.label != 0 && run.region == NOWHERE {
                run.region = self.begun;
                self.begun += 1;
            }
        }
        let mut row = vec![0; labels.len()];
        for (at, run) in below.iter().enumerate() {
            let end = below
                .get(at + 1)
                .map_or(row.len(), |next| next.start as usize);
            let number = self.numbers.get(run.region as usize).copied();
            row[run.start as usize..end].fill(number.unwrap_or(0));
        }
        mem::swap(&mut self.above, &mut self.below);
        row
    }
}
