//! A map from its file to its mask, with answers that are known.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use seggpt_raster::{
    Cache, Grid, Map, Nodata, Placement, Stretch, Tag, ValidBits, View, Window,
    cog::{self, Kind, Level},
    finish::{self, Layer},
    work::{self, Class, Ended, Work},
};

fn leaf(id: u16) -> Class {
    Class {
        id,
        name: format!("class {id}"),
        color: [id as u8, 200, 10],
    }
}

fn placement(size: (u32, u32), side: u32) -> Placement {
    Placement {
        map: "field.tif".to_owned(),
        name: "field".to_owned(),
        source: "/maps/field.tif".to_owned(),
        index: 0,
        size,
        side,
        overlap: 0.25,
        stamp: (10, 20),
        tags: vec![],
        tile: 0,
        valid: None,
        is_empty: false,
    }
}

/// The class of a pixel: a chessboard of 100 pixels.
fn class(x: u32, y: u32) -> u16 {
    ((x / 100 + y / 100) % 3) as u16
}

/// Whether a pixel holds something: not in the corner.
fn holds(x: u32, y: u32) -> bool {
    x + y > 150
}

/// What a network that looks at pixels would answer; `None` where there is nothing to see.
fn answer(window: Window, ids: [u16; 2]) -> Option<(Ended, Vec<u8>)> {
    let pixels = || {
        (window.y..window.y + window.height)
            .flat_map(move |y| (window.x..window.x + window.width).map(move |x| (x, y)))
    };
    let valid: Vec<u8> = pixels()
        .map(|(x, y)| if holds(x, y) { 255 } else { 0 })
        .collect();
    let all = valid.iter().all(|pixel| *pixel > 0);
    if valid.iter().all(|pixel| *pixel == 0) {
        return None;
    }
    let planes = (1..3u16)
        .flat_map(|wanted| pixels().map(move |(x, y)| if class(x, y) == wanted { 255 } else { 0 }));
    let mut data: Vec<u8> = planes.collect();
    if !all {
        data.extend(&valid);
    }
    let done = Ended::Done {
        classes: ids.map(leaf).to_vec(),
        side: window.width,
        threshold: 0.5,
        valid: (!all).then_some((window.width, window.height)),
    };
    Some((done, data))
}

fn keep(work: &mut Work, tile: u32, ids: [u16; 2]) {
    let window = work.grid().tile(tile).unwrap().window;
    match answer(window, ids) {
        Some((how, data)) => work.keep(tile, &how, &data).unwrap(),
        None => work.keep(tile, &Ended::Empty, &[]).unwrap(),
    }
}

fn finished(work: &Work, to: &Path) -> [Vec<u8>; 2] {
    [Layer::Mask, Layer::Confidence].map(|layer| {
        finish::write(work, layer, vec![], to).unwrap();
        fs::read(to).unwrap()
    })
}

const SIZE: (u32, u32) = (1300, 900);

#[test]
fn answers_in_any_order_with_breaks_between_give_the_same_bytes_and_the_right_pixels() {
    let dir = tempfile::tempdir().unwrap();
    let placement = placement(SIZE, 256);
    let folder = work::folder(dir.path(), "a/field");
    let mut work = Work::open(&folder, "key", &placement).unwrap();
    for tile in 0..work.grid().len() {
        keep(&mut work, tile, [1, 7]);
        while work.write_row().unwrap() {}
    }
    assert!(work.is_whole() && work.holds_something());
    let [mask, confidence] = finished(&work, &dir.path().join("one.tif"));
    let classes = work.classes();
    assert_eq!(
        classes
            .iter()
            .map(|found| found.class.id)
            .collect::<Vec<_>>(),
        [1, 7]
    );

    // Backwards, opened anew for each, with a torn tail every time.
    let other = work::folder(dir.path(), "other");
    let count = work.grid().len();
    for tile in (0..count).rev() {
        let mut work = Work::open(&other, "key", &placement).unwrap();
        keep(&mut work, tile, [1, 7]);
        while tile % 5 == 0 && work.write_row().unwrap() {}
        for torn in ["rows.jsonl", "mask.blocks", "confidence.blocks"] {
            let path = other.join(torn);
            let mut bytes = fs::read(&path).unwrap();
            bytes.extend(b"{\"mask\":[1");
            fs::write(path, bytes).unwrap();
        }
        fs::write(other.join("tiles").join("000001.part"), b"torn").unwrap();
    }
    let ended = work::ended(&other, "key", &placement).unwrap();
    assert_eq!(ended.len() as u32, count, "all have ended");
    let mut work = Work::open(&other, "key", &placement).unwrap();
    while work.write_row().unwrap() {}
    assert_eq!(
        finished(&work, &dir.path().join("two.tif")),
        [mask, confidence]
    );

    let map = Map::open(&dir.path().join("two.tif"), None).unwrap();
    assert_eq!((map.size(), map.levels()), (SIZE, 3));
    fs::write(
        dir.path().join("mask.tif"),
        fs::read(dir.path().join("one.tif")).unwrap(),
    )
    .unwrap();
    assert_eq!(work::ended(&other, "another", &placement).unwrap().len(), 0);
    let replaced = Placement {
        stamp: (11, 20),
        ..placement
    };
    assert_eq!(work::ended(&other, "key", &replaced).unwrap().len(), 0);
    assert_eq!(Work::open(&other, "key", &replaced).unwrap().ended(), 0);
}

#[test]
fn masks_say_the_class_of_each_pixel_and_where_there_is_nothing() {
    for ids in [[1, 7], [2, 300]] {
        let dir = tempfile::tempdir().unwrap();
        let mut work = Work::open(&dir.path().join("w"), "", &placement(SIZE, 256)).unwrap();
        for tile in 0..work.grid().len() {
            keep(&mut work, tile, ids);
        }
        while work.write_row().unwrap() {}
        let path = dir.path().join("mask.tif");
        let scale = Tag {
            code: 33_550,
            kind: 12,
            data: [0.5f64, 0.5, 0.0].map(f64::to_le_bytes).concat(),
        };
        finish::write(&work, Layer::Mask, vec![scale.clone()], &path).unwrap();
        let map = Map::open(&path, Some(Nodata::None)).unwrap();
        assert_eq!(map.tags(), [scale]);
        assert_eq!(map.metres_of_pixel(), Some(0.5));
        let whole = Window {
            x: 0,
            y: 0,
            width: SIZE.0,
            height: SIZE.1,
        };
        let samples = map.read(0, whole, &mut Cache::new(0)).unwrap();
        let nothing = if ids[1] > 254 { 65_535 } else { 255 };
        let found: Vec<u16> = match samples {
            seggpt_tiff::Samples::Bytes(values) => values.into_iter().map(u16::from).collect(),
            seggpt_tiff::Samples::Words(values) => values,
            seggpt_tiff::Samples::Wide(_) => panic!("neither 8 nor 16 bits"),
        };
        for (at, id) in found.iter().enumerate() {
            let (x, y) = (at as u32 % SIZE.0, at as u32 / SIZE.0);
            let wanted = match (holds(x, y), class(x, y)) {
                (false, _) => nothing,
                (true, 0) => 0,
                (true, class) => ids[usize::from(class) - 1],
            };
            assert_eq!(*id, wanted, "at {x} {y}");
        }
        let classes = work.classes();
        let wanted = found.iter().filter(|id| **id == ids[0]).count() as u64;
        assert_eq!((classes[0].pixels, classes[0].sure), (wanted, wanted * 255));
        let [empty, failed] = [0, 1].map(|which| {
            work.rows()
                .iter()
                .map(|row| [row.empty, row.failed][which])
                .sum::<u32>()
        });
        assert_eq!((empty, failed), (0, 0));
    }
}

#[test]
fn a_tile_that_failed_is_a_hole_and_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let mut work = Work::open(&dir.path().join("w"), "", &placement((600, 600), 256)).unwrap();
    for tile in 0..work.grid().len() {
        match tile {
            4 => work
                .keep(
                    tile,
                    &Ended::Failed {
                        error: "no".to_owned(),
                    },
                    &[],
                )
                .unwrap(),
            tile => keep(&mut work, tile, [1, 2]),
        }
    }
    while work.write_row().unwrap() {}
    assert!(work.is_whole());
    assert_eq!(work.rows().iter().map(|row| row.failed).sum::<u32>(), 1);
    let middle = work.grid().tile(4).unwrap().window;
    let only = |x: u32, y: u32| {
        work.grid()
            .touching(Window {
                x,
                y,
                width: 1,
                height: 1,
            })
            .count()
            == 1
    };
    let lost = (middle.y..middle.y + middle.height)
        .flat_map(|y| (middle.x..middle.x + middle.width).map(move |x| (x, y)))
        .filter(|(x, y)| only(*x, *y))
        .count() as u64;
    let corner = (0..600u32)
        .map(|y| (0..600u32).filter(|x| !holds(*x, y)).count() as u64)
        .sum::<u64>();
    assert_eq!(
        work.rows().iter().map(|row| row.nothing).sum::<u64>(),
        lost + corner
    );
}

/// A picture of bytes, written as this project writes its own.
fn grey(path: &Path, size: (u32, u32), nodata: Option<u32>, value: impl Fn(u32, u32) -> u8) {
    let mut level = Level {
        width: size.0,
        height: size.1,
        lengths: vec![],
    };
    let mut tiles = vec![];
    for row in 0..level.tiles().1 {
        for column in 0..level.tiles().0 {
            let pixels: Vec<u8> = (0..cog::SIDE)
                .flat_map(|y| (0..cog::SIDE).map(move |x| (x, y)))
                .map(|(x, y)| (column * cog::SIDE + x, row * cog::SIDE + y))
                .map(|(x, y)| {
                    if x < size.0 && y < size.1 {
                        value(x, y)
                    } else {
                        9
                    }
                })
                .collect();
            let packed = cog::pack(&pixels).unwrap();
            level.lengths.push(packed.len() as u32);
            tiles.extend(packed);
        }
    }
    let kind = Kind {
        bits: 8,
        colors: None,
        nodata,
        tags: vec![],
    };
    let mut out = fs::File::create(path).unwrap();
    cog::write(&mut out, &kind, &[level], &mut [&tiles[..]]).unwrap();
}

#[test]
fn a_tile_is_seen_with_its_valid_pixels_and_the_median_in_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.tif");
    grey(&path, (700, 600), Some(0), |x, y| {
        if x < 100 { 0 } else { (y / 10 + 1) as u8 }
    });
    let map = Map::open(&path, None).unwrap();
    let renderer = View::default().of(&map).unwrap();
    let window = Window {
        x: 50,
        y: 480,
        width: 100,
        height: 100,
    };
    let seen = renderer
        .tile(&map, window, (100, 100), &mut Cache::new(1 << 22))
        .unwrap();
    assert_eq!(seen.valid, 5000);
    let pixel = |x: usize, y: usize| &seen.rgba[(y * 100 + x) * 4..][..4];
    assert_eq!(pixel(50, 0), [49, 49, 49, 255]);
    assert_eq!(pixel(99, 99), [58, 58, 58, 255]);
    assert_eq!(pixel(0, 0), [53, 53, 53, 0]);
    let half = renderer
        .tile(&map, window, (50, 50), &mut Cache::new(1 << 22))
        .unwrap();
    assert_eq!((half.width, half.valid), (50, 2500 / 2));
    assert_eq!(half.rgba[(49 * 50 + 49) * 4..][..4], [58, 58, 58, 255]);
    let all = Map::open(&path, Some(Nodata::None)).unwrap();
    let seen = renderer
        .tile(&all, window, (100, 100), &mut Cache::new(0))
        .unwrap();
    assert_eq!(seen.valid, 10_000);
    assert_eq!(
        Stretch::of(&[all], &View::default()).unwrap(),
        None,
        "bytes need none"
    );
    assert!(ValidBits::of(1, 1, [0].into_iter()).is_some());
}

#[test]
fn what_is_no_map_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.tif");
    for bytes in [&b"no tiff"[..], b"II\x2a\0\x08\0\0\0", b""] {
        fs::write(&path, bytes).unwrap();
        let error = Map::open(&path, None).unwrap_err().to_string();
        assert!(error.contains("a.tif"), "{error}");
    }
    assert!(Map::open(&dir.path().join("none.tif"), None).is_err());
    grey(&path, (20, 20), None, |x, _| x as u8);
    let view = View {
        bands: Some("1,2,3".parse().unwrap()),
        ..View::default()
    };
    let error = view
        .of(&Map::open(&path, None).unwrap())
        .unwrap_err()
        .to_string();
    assert!(error.contains("band 3"), "{error}");
    assert!(Grid::new(10, 10, 4, 0.7).unwrap_err().contains("0.25"));
}
