//! Regions of masks against what is plainly counted.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use seggpt_vector::{
    Affine, Ground, Polygon, Ring,
    burn::{Burnable, Part},
    signed_area,
    trace::{Numbers, Region, Rules, Tracer},
    write,
};

#[derive(Debug)]
struct Mask {
    width: usize,
    labels: Vec<u16>,
}

impl Mask {
    fn of(rows: &[&str]) -> Self {
        let labels = rows
            .iter()
            .flat_map(|row| row.bytes().map(|letter| u16::from(letter - b'0')));
        Self {
            width: rows[0].len(),
            labels: labels.collect(),
        }
    }

    fn traced(&self, rules: Rules) -> (Vec<Region>, Numbers) {
        let ground = Ground::Flat(1.0);
        let mut tracer = Tracer::new(self.width as u32, &ground, rules);
        let mut regions = Vec::new();
        for row in self.labels.chunks(self.width) {
            let sure: Vec<u8> = row.iter().map(|label| *label as u8 * 10).collect();
            regions.extend(tracer.row(row, &sure));
        }
        let (last, numbers) = tracer.end();
        regions.extend(last);
        (regions, numbers)
    }

    /// Regions by their sides, each by the index of its first pixel.
    fn flooded(&self) -> Vec<usize> {
        let mut region = vec![usize::MAX; self.labels.len()];
        for first in 0..self.labels.len() {
            let mut open = vec![first];
            while let Some(at) = open.pop() {
                if region[at] != usize::MAX {
                    continue;
                }
                region[at] = first;
                let (x, width) = (at % self.width, self.width);
                let next = [
                    (x > 0).then(|| at - 1),
                    (x + 1 < width).then(|| at + 1),
                    at.checked_sub(width),
                    Some(at + width).filter(|at| *at < self.labels.len()),
                ];
                open.extend(next.into_iter().flatten().filter(|next| {
                    self.labels[*next] == self.labels[at] && region[*next] == usize::MAX
                }));
            }
        }
        region
    }

    fn burnt(&self, polygons: &[(u16, Polygon)], grid: &Affine) -> Vec<u16> {
        let all = polygons.iter().map(|(label, polygon)| (*label, polygon));
        let mut labels = vec![0; self.labels.len()];
        let height = self.labels.len() / self.width;
        let part = Part::whole([0, 0], [self.width as u32, height as u32]);
        Burnable::new(all, grid).unwrap().burn(part, &mut labels);
        labels
    }
}

const GRID: Affine = Affine {
    x: [500_000.0, 0.25, 0.0],
    y: [5_000_000.0, 0.0, -0.25],
};

fn polygons(regions: &[Region]) -> Vec<(u16, Polygon)> {
    regions
        .iter()
        .map(|region| (region.label, write::polygon(region, &GRID)))
        .collect()
}

/// Whether two edges cross, other than by touching.
fn cross(a: [[f64; 2]; 2], b: [[f64; 2]; 2]) -> bool {
    let side = |[[ax, ay], [bx, by]]: [[f64; 2]; 2], [x, y]: [f64; 2]| {
        (bx - ax) * (y - ay) - (by - ay) * (x - ax)
    };
    side(a, b[0]) * side(a, b[1]) < 0.0 && side(b, a[0]) * side(b, a[1]) < 0.0
}

fn edges(ring: &Ring) -> Vec<[[f64; 2]; 2]> {
    let after = ring.iter().cycle().skip(1);
    ring.iter().zip(after).map(|(a, b)| [*a, *b]).collect()
}

/// What every polygon must be.
fn assert_is_valid(polygon: &Polygon) {
    for (at, ring) in polygon.rings.iter().enumerate() {
        assert!(ring.len() >= 3);
        assert_eq!(signed_area(ring) > 0.0, at == 0, "{ring:?}");
        let mut points = ring.clone();
        points.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
        points.dedup();
        assert_eq!(points.len(), ring.len(), "a ring touches itself: {ring:?}");
    }
}

fn masks(labels: u16, side: usize) -> impl Strategy<Value = Mask> {
    (1..side, 1..side).prop_flat_map(move |(width, height)| {
        let labels = prop::collection::vec(0..labels, width * height);
        labels.prop_map(move |labels| Mask { width, labels })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn polygons_burnt_again_are_the_mask(mask in masks(4, 14)) {
        let (regions, mut numbers) = mask.traced(Rules::default());
        let polygons = polygons(&regions);
        polygons.iter().for_each(|(_, polygon)| assert_is_valid(polygon));
        prop_assert_eq!(mask.burnt(&polygons, &GRID), &mask.labels[..]);

        let flooded = mask.flooded();
        let numbered: Vec<u32> = mask.labels.chunks(mask.width).flat_map(|row| numbers.row(row)).collect();
        for (at, number) in numbered.iter().enumerate() {
            let same = flooded.iter().zip(&numbered).filter(|(other, _)| **other == flooded[at]);
            let expected = if mask.labels[at] == 0 { 0 } else { *number };
            prop_assert!(same.clone().all(|(_, other)| *other == expected));
            prop_assert_eq!(*number == 0, mask.labels[at] == 0);
            if let Some(region) = regions.iter().find(|region| region.number == *number) {
                prop_assert_eq!(region.pixels, same.count() as u64);
                prop_assert_eq!(region.area, region.pixels as f64);
                prop_assert!((region.confidence * 255.0 - f64::from(region.label) * 10.0).abs() < 1e-9);
            }
        }
        let expected = flooded.iter().enumerate().filter(|(at, first)| at == *first && mask.labels[*at] > 0);
        prop_assert_eq!(regions.len(), expected.count());
    }

    #[test]
    fn simpler_outlines_neither_cross_nor_turn_over(mask in masks(4, 24), simplify in 0.5f64..4.0) {
        let (exact, _) = mask.traced(Rules::default());
        let (regions, _) = mask.traced(Rules { simplify, ..Rules::default() });
        let found = polygons(&regions);
        found.iter().for_each(|(_, polygon)| assert_is_valid(polygon));
        prop_assert_eq!(exact.len(), regions.len());
        for (exact, simple) in exact.iter().zip(&regions) {
            prop_assert_eq!((exact.label, exact.pixels, exact.area), (simple.label, simple.pixels, simple.area));
            prop_assert_eq!(exact.rings.len(), simple.rings.len());
        }
        let edges: Vec<_> = found.iter().flat_map(|(_, polygon)| polygon.rings.iter().flat_map(edges)).collect();
        for (at, a) in edges.iter().enumerate() {
            for b in &edges[..at] {
                prop_assert!(!cross(*a, *b), "{:?} {:?}", a, b);
            }
        }
        // Where every pixel has a label, an edge is another region's as well, or lies on the border: no gaps.
        let is_inner = |[a, b]: &&[[f64; 2]; 2]| !edges.contains(&[*b, *a]);
        let lone: Vec<_> = edges.iter().filter(is_inner).collect();
        if mask.labels.iter().all(|label| *label > 0) {
            let ends = |at: [f64; 2], n: usize| lone.iter().filter(|edge| edge[n] == at).count();
            prop_assert!(lone.iter().all(|edge| ends(edge[0], 1) == 1 && ends(edge[0], 0) == 1));
        }
    }

    #[test]
    fn nothing_small_stays(mask in masks(3, 14), min_area in 1.0f64..8.0) {
        let (regions, mut numbers) = mask.traced(Rules { min_area, ..Rules::default() });
        for region in &regions {
            prop_assert!(region.area >= min_area && region.area >= region.pixels as f64);
            for hole in &region.rings[1..] {
                let hole: Ring = hole.iter().map(|corner| corner.map(f64::from)).collect();
                prop_assert!(signed_area(&hole).abs() >= min_area);
            }
        }
        let numbered: Vec<u32> = mask.labels.chunks(mask.width).flat_map(|row| numbers.row(row)).collect();
        for region in &regions {
            let pixels = numbered.iter().filter(|number| **number == region.number).count();
            prop_assert_eq!(pixels as u64, region.pixels);
        }
    }
}

#[test]
fn regions_hang_together_by_sides_alone() {
    let mask = Mask::of(&["110", "101", "011"]);
    let (regions, _) = mask.traced(Rules::default());
    assert_eq!(regions.len(), 2);
    // One region that touches itself in a corner: a ring around a hole, not a ring that touches itself.
    let mask = Mask::of(&["111", "101", "110"]);
    let (regions, _) = mask.traced(Rules::default());
    assert_eq!(regions.len(), 1);
    assert_eq!(regions[0].rings.len(), 2);
    assert_eq!(regions[0].pixels, 7);
}

#[test]
fn small_holes_are_filled_and_small_regions_left_out() {
    let mask = Mask::of(&["11111", "12101", "11101", "11111"]);
    let rules = Rules {
        min_area: 2.0,
        ..Rules::default()
    };
    let (regions, _) = mask.traced(rules);
    assert_eq!(regions.len(), 1);
    assert_eq!(regions[0].rings.len(), 2, "the hole of two pixels stays");
    assert_eq!((regions[0].pixels, regions[0].area), (17, 18.0));
}

#[test]
fn outlines_that_are_simplified_go_on_over_bands() {
    let (width, height) = (90usize, 1300usize);
    let label = |at: usize| {
        let (x, y) = (at % width, at / width);
        1 + u16::from(x > 20 + y / 60) + u16::from(x > 50 + y % 7 / 3)
    };
    let mask = Mask {
        width,
        labels: (0..width * height).map(label).collect(),
    };
    let rules = Rules {
        simplify: 2.5,
        ..Rules::default()
    };
    let (regions, _) = mask.traced(rules);
    assert_eq!(regions.len(), 3);
    let found = polygons(&regions);
    found
        .iter()
        .for_each(|(_, polygon)| assert_is_valid(polygon));
    assert!(regions.iter().all(|region| region.rings[0].len() < 20));
    let whole: f64 = found
        .iter()
        .map(|(_, polygon)| signed_area(&polygon.rings[0]))
        .sum();
    assert!(
        (whole - (width * height) as f64 / 16.0).abs() < 1e-6,
        "no gaps, no overlaps"
    );
}
