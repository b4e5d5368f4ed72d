//! A map of 144 million pixels, from its file to its mask, in memory that follows the tile. A program of its own, since what
//! is measured is the most that this process ever held.
#![allow(clippy::unwrap_used)]
#![cfg(target_os = "linux")]

use std::fs::{self, File};

use seggpt_raster::{
    Map, Placement, Renderer, View,
    cog::{self, Kind, Level},
    finish::{self, Layer},
    work::{Class, Ended, Work},
};

const SIDE: u32 = 12_000;
/// Megabytes.
const MOST: u64 = 250;
const PLANE: u32 = 64;

/// Megabytes that this process held at most.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes / 1024
}

#[test]
fn memory_follows_the_tile_and_not_the_map() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("large.tif");
    let mut level = Level {
        width: SIDE,
        height: SIDE,
        lengths: vec![],
    };
    let blocks = dir.path().join("blocks");
    {
        let kinds: Vec<Vec<u8>> = (0..7u32)
            .map(|kind| {
                let pixels = (0..cog::SIDE * cog::SIDE).map(|at| (at / 97 * (kind + 1)) as u8);
                cog::pack(&pixels.collect::<Vec<_>>()).unwrap()
            })
            .collect();
        let mut out = File::create(&blocks).unwrap();
        let (across, down) = level.tiles();
        for tile in 0..across * down {
            let packed = &kinds[tile as usize % kinds.len()];
            std::io::Write::write_all(&mut out, packed).unwrap();
            level.lengths.push(packed.len() as u32);
        }
        let kind = Kind {
            bits: 8,
            colors: None,
            nodata: None,
            tags: vec![],
        };
        let mut out = File::create(&path).unwrap();
        cog::write(
            &mut out,
            &kind,
            &[level],
            &mut [File::open(&blocks).unwrap()],
        )
        .unwrap();
    }
    let map = Map::open(&path, None).unwrap();
    let renderer: Renderer = View::default().of(&map).unwrap();
    let mut cache = map.cache(0, 448, 448);
    let placement = Placement {
        map: "large.tif".to_owned(),
        name: "large".to_owned(),
        source: "large.tif".to_owned(),
        index: 0,
        size: (SIDE, SIDE),
        side: 448,
        overlap: 0.25,
        stamp: (0, 0),
        tags: vec![],
        tile: 0,
        valid: None,
        is_empty: false,
    };
    let folder = dir.path().join("work");
    let mut work = Work::open(&folder, "", &placement).unwrap();
    let classes: Vec<Class> = (1..4)
        .map(|id| Class {
            id,
            name: String::new(),
            color: [id as u8; 3],
        })
        .collect();
    let (across, _) = work.grid().across_and_down();
    let mut most = 0;
    for tile in work.grid().clone().tiles() {
        let seen = renderer
            .tile(&map, tile.window, (448, 448), &mut cache)
            .unwrap();
        let level = seen.rgba[4 * (448 * 224 + 224)] / 4;
        let how = Ended::Done {
            classes: classes.clone(),
            side: PLANE,
            threshold: 0.5,
            valid: None,
        };
        let planes = vec![level; (3 * PLANE * PLANE) as usize];
        work.keep(tile.index, &how, &planes).unwrap();
        while work.write_row().unwrap() {}
        most = most.max(fs::read_dir(folder.join("tiles")).unwrap().count());
    }
    assert!(work.is_whole());
    assert!(
        most as u32 <= 4 * across,
        "{most} tiles are kept, of {across} a row"
    );
    for layer in [Layer::Mask, Layer::Confidence] {
        finish::write(&work, layer, vec![], &dir.path().join("out.tif")).unwrap();
    }
    let peak = peak();
    assert!(peak <= MOST, "{peak} MB were held, {MOST} are the most");
}
