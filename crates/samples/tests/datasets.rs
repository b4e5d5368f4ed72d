//! Pairs from labelled sets in formats of their own.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{fs, path::Path};

use image::{GrayImage, Luma, Rgb, RgbImage};
use seggpt_samples::{
    Augmentation, DatasetSettings, Format, Mix, Sample, SamplesError, SegType, Settings, Source,
    Weights,
};

const SIZE: u32 = 32;

/// A red disc and a green square on blue, somewhere; their classes are 1 and 2.
fn scene(number: u32) -> (RgbImage, GrayImage) {
    let (x, y) = (14 + 5 * (number % 4), 12 + 7 * (number % 3));
    let label = |u: u32, v: u32| {
        let disc = (u as i32 - x as i32).pow(2) + (v as i32 - y as i32).pow(2) < 70;
        let square = (44..60).contains(&u) && (30 + number..46).contains(&v);
        if disc { 1 } else { 2 * u8::from(square) }
    };
    let colors = [[40, 60, 180], [200, 50, 40], [60, 190, 70]];
    let picture = RgbImage::from_fn(64, 48, |u, v| Rgb(colors[usize::from(label(u, v))]));
    (
        picture,
        GrayImage::from_fn(64, 48, |u, v| Luma([label(u, v)])),
    )
}

/// `images/` and `masks/`, the latter as `mask` draws a class.
fn folder<const N: usize>(root: &Path, mask: impl Fn(u8) -> [u8; N]) {
    for part in ["images", "masks"] {
        fs::create_dir_all(root.join(part)).unwrap();
    }
    for number in 0..5 {
        let (picture, labels) = scene(number);
        picture
            .save(root.join(format!("images/{number}.png")))
            .unwrap();
        let pixels: Vec<u8> = labels
            .as_raw()
            .iter()
            .flat_map(|&label| mask(label))
            .collect();
        let path = root.join(format!("masks/{number}.png"));
        match N {
            3 => RgbImage::from_raw(64, 48, pixels).unwrap().save(path),
            _ => GrayImage::from_raw(64, 48, pixels).unwrap().save(path),
        }
        .unwrap();
    }
}

fn mix(datasets: Vec<DatasetSettings>, augmentation: Augmentation) -> Result<Mix, SamplesError> {
    Mix::new(&Settings {
        size: SIZE,
        datasets,
        weights: Weights {
            datasets: 1.0,
            ..Weights::NONE
        },
        augmentation,
        ..Settings::default()
    })
}

fn set(format: Format) -> DatasetSettings {
    DatasetSettings {
        format,
        weight: 1.0,
        upright: true,
    }
}

/// Whether every coloured pixel of the answer lies on the colours that the prompt's colour lies on.
fn assert_means_the_same(sample: &Sample) {
    let lies_on = |picture: &RgbImage, mask: &RgbImage, color: [u8; 3]| {
        let marked = picture.pixels().zip(mask.pixels());
        let marked = marked.filter(|(_, mask)| mask.0 == color);
        let mut sum = [0u32; 3];
        let mut count = 0;
        for (pixel, _) in marked {
            sum.iter_mut()
                .zip(pixel.0)
                .for_each(|(sum, value)| *sum += u32::from(value));
            count += 1;
        }
        // Less is a border, where colours mix.
        (count > 40).then(|| (0..3).max_by_key(|&channel| sum[channel]).unwrap())
    };
    for color in [&sample.prompts[0].mask, &sample.query_mask]
        .map(|mask| mask.pixels().map(|p| p.0).max().unwrap())
    {
        let (shown, asked) = (
            lies_on(&sample.prompts[0].picture, &sample.prompts[0].mask, color),
            lies_on(&sample.query, &sample.query_mask, color),
        );
        if let (Some(shown), Some(asked)) = (shown, asked) {
            assert_eq!(shown, asked, "{}", sample.origin);
        }
    }
}

#[test]
fn masks_as_people_draw_them_make_pairs_of_a_class() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    folder(&path("binary"), |label| [if label == 1 { 255 } else { 0 }]);
    folder(&path("colours"), |label| {
        [[0; 3], [250, 10, 10], [10, 10, 250]][usize::from(label)]
    });
    folder(&path("ids"), |label| [label]);
    fs::write(path("ids/classes.tsv"), "1\tdisc\n2\tsquare\n").unwrap();
    folder(&path("task"), |label| {
        [[0; 3], [250, 10, 10], [10, 10, 250]][usize::from(label)]
    });
    for (from, to) in [("images", "JPEGImages"), ("masks", "SegmentationClass")] {
        fs::rename(path("task").join(from), path("task").join(to)).unwrap();
    }
    let table = "background:0,0,0::\ndisc:250,10,10::\nsquare:10,10,250::\n";
    fs::write(path("task/labelmap.txt"), table).unwrap();
    let exported = Format::Exported {
        annotations: path("task"),
        images: None,
    };
    for (format, names) in [
        (exported, &["task, disc", "task, square"][..]),
        (Format::Pictures(path("binary")), &["binary, class 1"]),
        (Format::Pictures(path("colours")), &["class 1", "class 2"]),
        (Format::Folder(path("ids")), &["disc", "square"]),
    ] {
        let mut mix = mix(vec![set(format)], Augmentation::none()).unwrap();
        let samples: Vec<Sample> = (0..40).map(|seed| mix.sample(seed, 1)).collect();
        for sample in &samples {
            assert!(!sample.origin.contains("gave up"), "{}", sample.origin);
            assert_eq!(sample.kind, SegType::Semantic);
            assert_means_the_same(sample);
        }
        for name in names {
            assert!(
                samples.iter().any(|sample| sample.origin.ends_with(name)),
                "{name}"
            );
        }
        assert_eq!(samples[7], mix.sample(7, 1));
    }
}

#[test]
fn single_things_and_objects_of_a_video_are_instances() {
    let root = tempfile::tempdir().unwrap();
    let video = root.path().join("videos/one");
    folder(&video, |label| [label]);
    fs::write(
        root.path().join("videos/classes.tsv"),
        "1\tdisc\n2\tsquare\n",
    )
    .unwrap();
    let format = Format::Folder(root.path().join("videos"));
    let mut frames = mix(vec![set(format)], Augmentation::none()).unwrap();
    assert!((0..10).all(|seed| frames.sample(seed, 1).kind == SegType::Instance));

    folder(&root.path().join("set"), |label| [label]);
    let things = Augmentation {
        same_picture: 1.0,
        instance: 1.0,
        ..Augmentation::none()
    };
    let format = Format::Pictures(root.path().join("set"));
    let mut things = mix(vec![set(format)], things).unwrap();
    for sample in (0..10).map(|seed| things.sample(seed, 1)) {
        assert_eq!(sample.kind, SegType::Instance);
        assert!(
            sample.origin.ends_with("one thing in several views"),
            "{}",
            sample.origin
        );
    }
}

#[test]
fn what_is_wrong_with_a_set_is_said_with_its_place() {
    let refused = |datasets| {
        mix(datasets, Augmentation::none())
            .err()
            .unwrap()
            .to_string()
    };
    assert!(refused(Vec::new()).contains("lists none"));
    let error = refused(vec![set(Format::Pictures("nowhere".into()))]);
    assert!(error.contains("nowhere"), "{error}");
}

#[test]
fn settings_name_a_format_and_a_weight_and_nothing_else() {
    let read = |json: &str| serde_json::from_str::<DatasetSettings>(json);
    let voc = read(r#"{"voc": {"root": "VOC2012", "split": "train"}, "weight": 2}"#).unwrap();
    assert_eq!(voc.weight, 2.0);
    assert!(matches!(voc.format, Format::Voc { .. }));
    assert_eq!(
        read(r#"{"pictures": "a"}"#).unwrap(),
        set(Format::Pictures("a".into()))
    );
    assert!(read(r#"{"pictures": "a", "wieght": 2}"#).is_err());
    assert!(read(r#"{"weight": 2}"#).is_err());
}
