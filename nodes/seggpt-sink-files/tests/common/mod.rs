//! Messages made of the drawn pictures in `tests/fixtures/ground`, as the nodes upstream would send them.
#![allow(clippy::unwrap_used, dead_code)]

use std::{
    fs,
    io::BufReader,
    path::{Path, PathBuf},
};

use clap::Parser;
use image::RgbImage;
use seggpt_contract::{
    Class, ClassIds, ClassResult, Encoding, Example, Failure, Identity, Instance, Instances, Mask,
    Message, Parameter, Picture, Prompted, Provenance, SegType, Square,
};
use seggpt_imaging::{read, resize};
use seggpt_sink_files::Settings;

pub const CANVAS: u32 = 128;

pub fn settings(out: &Path, more: &[&str]) -> Settings {
    let out = out.to_str().unwrap();
    Settings::try_parse_from(["seggpt-sink-files", "--out", out].iter().chain(more)).unwrap()
}

fn ground(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/ground")
        .join(file)
}

pub fn classes() -> Vec<Class> {
    let class = |id, name: &str, color| Class {
        id,
        name: name.into(),
        color,
    };
    vec![
        class(1, "pebble", [255, 255, 255]),
        class(2, "leaf", [0, 255, 0]),
    ]
}

/// The class ids of a palette PNG, and its size.
pub fn palette_ids(path: &Path) -> (Vec<u8>, (u32, u32)) {
    let mut decoder = png::Decoder::new(BufReader::new(fs::File::open(path).unwrap()));
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().unwrap();
    assert_eq!(reader.info().color_type, png::ColorType::Indexed);
    assert_eq!(reader.info().bit_depth, png::BitDepth::Eight);
    let mut ids = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut ids).unwrap();
    (ids, (info.width, info.height))
}

pub fn identity(n: u32, total: u64) -> Identity {
    let (_, size) = palette_ids(&ground(&format!("ground_{n}_classes.png")));
    let mut identity = Identity::new(format!("ground_{n}.jpg"), u64::from(n) - 1, size);
    identity.name = format!("ground_{n}");
    identity.source = format!("/pictures/ground_{n}.jpg");
    identity.total = Some(total);
    identity
        .extra
        .insert("file_size".into(), Parameter::Integer(1000 + i64::from(n)));
    identity.extra.insert(
        "file_mtime".into(),
        Parameter::Integer(1_700_000_000_000_000_000),
    );
    identity
}

fn paint(ids: &[u8], (width, height): (u32, u32), side: u32) -> Square {
    let colors = [[0; 3], classes()[0].color, classes()[1].color];
    let pixels = ids.iter().flat_map(|&id| colors[usize::from(id)]).collect();
    let picture = RgbImage::from_raw(width, height, pixels).unwrap();
    Square::from_rgb(resize::nearest_rgb(&picture, side, side)).unwrap()
}

/// What the network would answer if it knew: sure inside, unsure along the edges.
pub fn mask(n: u32) -> Mask {
    let (ids, (width, height)) = palette_ids(&ground(&format!("ground_{n}_classes.png")));
    let at = |x: i64, y: i64| {
        let (x, y) = (
            x.clamp(0, i64::from(width) - 1),
            y.clamp(0, i64::from(height) - 1),
        );
        ids[(y * i64::from(width) + x) as usize]
    };
    let confidence: Vec<u8> = (0..i64::from(height))
        .flat_map(|y| (0..i64::from(width)).map(move |x| (x, y)))
        .map(|(x, y)| {
            let differs = |d: i64| {
                [(d, 0), (-d, 0), (0, d), (0, -d)]
                    .iter()
                    .any(|(i, j)| at(x + i, y + j) != at(x, y))
            };
            let edge = (1..8).find(|&d| differs(d)).unwrap_or(8);
            (60 + edge * 22 + i64::from(at(x, y)) * 8 - 8 * i64::from(n % 3)) as u8
        })
        .collect();
    let results = classes().into_iter().map(|class| {
        let own: Vec<_> = ids
            .iter()
            .zip(&confidence)
            .filter(|(id, _)| u16::from(**id) == class.id)
            .collect();
        let sum: u64 = own.iter().map(|(_, c)| u64::from(**c)).sum();
        ClassResult {
            class,
            pixels: own.len() as u64,
            confidence: sum as f32 / 255.0 / own.len().max(1) as f32,
        }
    });
    Mask {
        width,
        height,
        classes: results.collect(),
        painted: paint(&ids, (width, height), CANVAS),
        confidence: confidence.into(),
        ids: ClassIds::U8(ids.into()),
        instances: None,
        shares: None,
        provenance: provenance(),
    }
}

pub fn with_instances(mut mask: Mask) -> Mask {
    let map: Vec<u16> = mask.ids.iter().map(|id| u16::from(id == 2)).collect();
    let pixels = map.iter().map(|&at| u64::from(at)).sum();
    let instance = Instance {
        class: 2,
        bbox: [0, 0, mask.width, mask.height],
        pixels,
        confidence: 0.75,
    };
    mask.instances = Some(Instances {
        map: map.into(),
        table: vec![instance],
    });
    mask
}

pub fn provenance() -> Provenance {
    Provenance {
        model: "seggpt-small".into(),
        trained: true,
        device: "cpu".into(),
        dtype: "f32".into(),
        ensemble: "feature".into(),
        r#type: "semantic".into(),
        prompts: vec![("ground_1".into(), 0.9)],
        milliseconds: [("network".into(), 812.5), ("decode".into(), 14.25)].into(),
        version: "0.1.0".into(),
    }
}

fn example(n: u32, score: f32) -> Example {
    let name = format!("ground_{n}");
    let image = read::open(ground(&format!("{name}.jpg"))).unwrap();
    let (ids, size) = palette_ids(&ground(&format!("{name}_classes.png")));
    Example {
        image: Square::from_rgb(resize::bicubic(&image, CANVAS, CANVAS)).unwrap(),
        mask: paint(&ids, size, CANVAS),
        name,
        score,
    }
}

pub fn prompted(n: u32) -> Prompted {
    let (_, (width, height)) = palette_ids(&ground(&format!("ground_{n}_classes.png")));
    let bytes = fs::read(ground(&format!("ground_{n}.jpg"))).unwrap();
    Prompted {
        image: Picture::new(width, height, Encoding::Jpeg, bytes).unwrap(),
        examples: vec![example(1, 0.9), example(2 + n % 2, 0.7)],
        classes: classes(),
        kind: SegType::Semantic,
        selection: "nearest".into(),
        warnings: vec![],
    }
}

pub fn failed<P>(n: u32, error: &str) -> Message<P> {
    let failure = Failure {
        node: "source".into(),
        error: error.into(),
    };
    Message::Failed(identity(n, 6), failure)
}

/// All files below a folder, the report's own left out.
pub fn files(folder: &Path) -> Vec<String> {
    fn walk(folder: &Path, at: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                walk(folder, &entry, found);
            } else {
                found.push(
                    entry
                        .strip_prefix(folder)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned(),
                );
            }
        }
    }
    let mut found = vec![];
    walk(folder, folder, &mut found);
    found.retain(|file| !file.starts_with(".seggpt/"));
    found.sort();
    found
}
