//! Lines to rings.

use std::mem;

use super::{Corner, lines::Line};
use crate::Ground;

/// A closed way with its region at the left.
#[derive(Debug)]
pub(super) struct Ring {
    pub corners: Vec<Corner>,
    /// Square metres within it as it ran along pixels' edges; below 0: it is a hole.
    pub area: f64,
}

/// A line as one walks along it.
struct Way<'a> {
    line: &'a Line,
    is_forward: bool,
    is_used: bool,
}

impl Way<'_> {
    fn end(&self, is_first: bool) -> Corner {
        let corners = self.line.along_edges();
        match is_first == self.is_forward {
            true => corners[0],
            false => corners[corners.len() - 1],
        }
    }

    /// Which way it goes at an end.
    fn direction(&self, is_first: bool) -> [i8; 2] {
        let corners = self.line.along_edges();
        let (from, to) = match is_first == self.is_forward {
            true => (corners[0], corners[1]),
            false => (corners[corners.len() - 2], corners[corners.len() - 1]),
        };
        let sign = |from: u32, to: u32| (to > from) as i8 - (to < from) as i8;
        let [x, y] = [0, 1].map(|n| sign(from[n], to[n]));
        match self.is_forward {
            true => [x, y],
            false => [-x, -y],
        }
    }

    fn walk(&self, ring: &mut Ring, ground: &Ground) {
        let exact = moment(self.line, ground);
        ring.area -= if self.is_forward { exact } else { -exact };
        let corners = &self.line.corners;
        let most = corners.len() - usize::from(!self.line.is_closed);
        match self.is_forward {
            true => ring.corners.extend(&corners[..most]),
            false => ring.corners.extend(corners.iter().rev().take(most)),
        }
    }
}

/// The sum of column times ground passed downwards.
fn moment(line: &Line, ground: &Ground) -> f64 {
    let corners = line.along_edges();
    let closing = line
        .is_closed
        .then(|| [corners[corners.len() - 1], corners[0]]);
    let pairs = corners.windows(2).map(|pair| [pair[0], pair[1]]);
    pairs
        .chain(closing)
        .filter(|[from, to]| from[1] != to[1])
        .map(|[from, to]| f64::from(from[0]) * (ground.above(to[1]) - ground.above(from[1])))
        .sum()
}

/// The rings of a region. Where it touches itself at a corner, the ring is cut in two there: rings never touch themselves.
pub(super) fn rings<'a>(
    lines: &[(u32, bool)],
    line: impl Fn(u32) -> &'a Line,
    ground: &Ground,
) -> Vec<Ring> {
    let mut rings = Vec::new();
    let mut ways = Vec::new();
    for (number, is_forward) in lines {
        let way = Way {
            line: line(*number),
            is_forward: *is_forward,
            is_used: false,
        };
        if way.line.is_closed {
            let mut ring = Ring {
                corners: Vec::new(),
                area: 0.0,
            };
            way.walk(&mut ring, ground);
            rings.push(ring);
        } else {
            ways.push(way);
        }
    }
    ways.sort_by_key(|way| way.end(true));
    for first in 0..ways.len() {
        if ways[first].is_used {
            continue;
        }
        let mut ring = Ring {
            corners: Vec::new(),
            area: 0.0,
        };
        let mut at = first;
        while !mem::replace(&mut ways[at].is_used, true) {
            ways[at].walk(&mut ring, ground);
            at = next(&ways, at);
        }
        rings.push(ring);
    }
    rings
}

/// The way that follows one. Of two, the right one: the left one would join what meets in a corner alone.
fn next(ways: &[Way], at: usize) -> usize {
    let end = ways[at].end(false);
    let first = ways.partition_point(|way| way.end(true) < end);
    match ways.get(first + 1) {
        Some(second) if second.end(true) == end => {
            let [x, y] = ways[at].direction(false);
            first + usize::from(second.direction(true) == [-y, x])
        }
        _ => first,
    }
}

/// Leaves out corners at which a ring along pixels' edges goes straight on.
pub(super) fn without_straight(corners: &[Corner]) -> Vec<Corner> {
    let count = corners.len();
    (0..count)
        .filter(|at| {
            let (before, after) = (corners[(at + count - 1) % count], corners[(at + 1) % count]);
            let here = corners[*at];
            !(0..2).any(|n| before[n] == here[n] && here[n] == after[n])
        })
        .map(|at| corners[at])
        .collect()
}
