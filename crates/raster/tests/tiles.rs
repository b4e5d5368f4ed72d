//! Whatever the size, the tile and the overlap: tiles cover, weights are whole, and nothing is shifted.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use seggpt_imaging::decode::Threshold;
use seggpt_raster::{
    Grid, Window,
    blend::{Answer, NOTHING, Validity, blend},
};

fn grids() -> impl Strategy<Value = Grid> {
    (1..300u32, 1..300u32, 4..90u32, 0.0..0.49f32)
        .prop_map(|(width, height, side, overlap)| Grid::new(width, height, side, overlap).unwrap())
}

/// What a network that looks at single pixels would say: a class beyond a wavy border.
fn class(x: u32, y: u32) -> usize {
    let wave = (f64::from(x) * 0.2).sin() * 6.0 + f64::from(y);
    (wave / 11.0) as usize % 3
}

/// Shares of a tile, pixel by pixel: square planes, so of a square tile.
fn shares(window: Window) -> Vec<u8> {
    (1..3)
        .flat_map(|class_| {
            (window.y..window.y + window.height).flat_map(move |y| {
                (window.x..window.x + window.width)
                    .map(move |x| if class(x, y) == class_ { 255 } else { 0 })
            })
        })
        .collect()
}

proptest! {
    #[test]
    fn every_pixel_is_covered_and_overlaps_differ_by_one_pixel_at_most(grid in grids()) {
        let (width, height) = grid.size();
        let mut covered = vec![0u32; (width * height) as usize];
        for tile in grid.tiles() {
            let Window { x, y, width: w, height: h } = tile.window;
            prop_assert_eq!((w, h), grid.tile_size());
            prop_assert!(x + w <= width && y + h <= height);
            for row in y..y + h {
                for column in x..x + w {
                    covered[(row * width + column) as usize] += 1;
                }
            }
        }
        prop_assert!(covered.iter().all(|times| *times > 0));
        let (across, _) = grid.across_and_down();
        let starts: Vec<u32> = (0..across).map(|n| grid.tile(n).unwrap().window.x).collect();
        let steps: Vec<u32> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
        if let (Some(least), Some(most)) = (steps.iter().min(), steps.iter().max()) {
            prop_assert!(most - least <= 1, "{starts:?}");
        }
    }

    #[test]
    fn weights_are_positive_and_of_two_neighbours_one(grid in grids()) {
        let (width, _) = grid.size();
        let (across, _) = grid.across_and_down();
        let mut sums = vec![0.0f64; width as usize];
        let mut tiles = vec![0; width as usize];
        for column in 0..across {
            let tile = grid.tile(column).unwrap();
            let (weights, _) = grid.weights(tile);
            for (x, weight) in (tile.window.x..).zip(weights) {
                prop_assert!(weight > 0.0);
                sums[x as usize] += f64::from(weight);
                tiles[x as usize] += 1;
            }
        }
        for (sum, tiles) in sums.iter().zip(tiles) {
            // More than two overlap only where a map is hardly larger than a tile; the mean is taken there.
            prop_assert!(tiles > 2 || (sum - 1.0).abs() < 1e-5, "{sums:?}");
        }
        prop_assert_eq!(sums[0], 1.0);
        prop_assert_eq!(sums[width as usize - 1], 1.0);
    }

    #[test]
    fn tiles_that_touch_a_window_are_found(
        grid in grids(), x in 0..300u32, y in 0..300u32, width in 1..200u32, height in 1..200u32,
    ) {
        let window = Window { x, y, width, height };
        let meet = |a: u32, b: u32, c: u32, d: u32| a < c + d && c < a + b;
        let wanted: Vec<_> = grid.tiles().filter(|tile| {
            let own = tile.window;
            meet(own.x, own.width, x, width) && meet(own.y, own.height, y, height)
        }).collect();
        prop_assert_eq!(grid.touching(window).collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn tiles_of_one_that_looks_at_pixels_give_the_answer_of_the_whole(
        (width, height) in (20..200u32, 20..200u32), side in 8..70u32, overlap in 0.0..0.49f32,
        part in (0..1000u32, 0..1000u32, 1..120u32, 1..120u32),
    ) {
        let grid = Grid::new(width, height, side, overlap).unwrap();
        let (w, h) = grid.tile_size();
        prop_assume!(w == h);
        let window = Window {
            x: part.0 % width,
            y: part.1 % height,
            width: part.2.min(width - part.0 % width),
            height: part.3.min(height - part.1 % height),
        };
        let answers: Vec<_> = grid.touching(window)
            .map(|tile| Answer::new(&grid, tile, &shares(tile.window), 2, w, None).unwrap())
            .collect();
        let all: Vec<_> = answers.iter().collect();
        let found = blend(window, &all, 2, Threshold::NEAREST);
        for (at, label) in found.labels.iter().enumerate() {
            let (x, y) = (window.x + at as u32 % window.width, window.y + at as u32 / window.width);
            prop_assert_eq!(usize::from(*label), class(x, y), "at {} {}", x, y);
        }
        prop_assert!(found.confidence.iter().all(|sure| *sure == 255));
    }
}

#[test]
fn pixels_without_an_answer_or_without_content_are_nothing() {
    let grid = Grid::new(64, 32, 32, 0.25).unwrap();
    let (across, _) = grid.across_and_down();
    assert_eq!(across, 3);
    let tile = grid.tile(0).unwrap();
    let mut pixels = vec![255; 32 * 32];
    pixels[5 * 32 + 7] = 0;
    let valid = Validity {
        width: 32,
        height: 32,
        pixels,
    };
    let answer = Answer::new(&grid, tile, &[255; 32 * 32], 1, 32, Some(valid)).unwrap();
    let window = Window {
        x: 0,
        y: 0,
        width: 64,
        height: 32,
    };
    let found = blend(window, &[&answer], 1, Threshold::NEAREST);
    for (at, label) in found.labels.iter().enumerate() {
        let is_there = at % 64 < 32 && at != 5 * 64 + 7;
        assert_eq!(*label, if is_there { 1 } else { NOTHING }, "at {at}");
    }
    assert!(Answer::new(&grid, tile, &[0; 9], 1, 32, None).is_err());
}

#[test]
fn impossible_grids_say_why() {
    for (width, side, overlap) in [
        (100, 10, 0.5),
        (100, 10, -0.1),
        (0, 10, 0.2),
        (100, 0, 0.2),
        (4_000_000, 2, 0.0),
    ] {
        assert!(
            Grid::new(width, 100_000, side, overlap).is_err(),
            "{width} {side} {overlap}"
        );
    }
    let thin = Grid::new(1, 100_000, 448, 0.25).unwrap();
    assert_eq!(thin.tile_size(), (1, 448));
    assert_eq!(Grid::new(672, 600, 448, 0.25).unwrap().len(), 1);
    assert_eq!(
        Grid::new(50_000, 50_000, 448, 0.25)
            .unwrap()
            .across_and_down(),
        (149, 149)
    );
}
