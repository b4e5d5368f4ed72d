//! What every sample promises, whatever it is made of.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
};

use image::{GrayImage, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use seggpt_samples::{
    Augmentation, Data, Labelled, Mix, Part, Sample, SamplesError, Settings, Source, Synthetic,
    Weights,
    pack::{Packing, pack},
};

const BLACK: [u8; 3] = [0; 3];

/// The training data, for tests that are ignored for want of it.
fn data() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/train");
    assert!(root.is_dir(), "{} is not there", root.display());
    root
}

fn colors(mask: &RgbImage) -> HashMap<[u8; 3], usize> {
    let mut colors = HashMap::new();
    for pixel in mask.pixels() {
        *colors.entry(pixel.0).or_default() += 1;
    }
    colors
}

fn assert_is_a_task(sample: &Sample, size: u32) {
    let origin = &sample.origin;
    let prompts = || sample.prompts.iter();
    let examples = prompts().flat_map(|prompt| [&prompt.picture, &prompt.mask]);
    for picture in examples.chain([&sample.query, &sample.query_mask]) {
        assert_eq!(picture.dimensions(), (size, size), "{origin}");
    }
    // Of each colour, where it is seen best.
    let mut shown = HashMap::new();
    for (color, count) in prompts().flat_map(|prompt| colors(&prompt.mask)) {
        let most: &mut usize = shown.entry(color).or_default();
        *most = count.max(*most);
    }
    let asked = colors(&sample.query_mask);
    let classes: Vec<_> = shown.keys().filter(|&&color| color != BLACK).collect();
    assert!((1..=3).contains(&classes.len()), "{origin}: {classes:?}");
    assert!(
        asked
            .keys()
            .all(|color| *color == BLACK || shown.contains_key(color)),
        "{origin}: a colour only in the answer"
    );
    let enough = size as usize * size as usize / 200;
    let shared = classes
        .iter()
        .any(|color| shown[*color] > enough && asked.get(*color).is_some_and(|&n| n > enough));
    assert!(
        shared || asked.keys().all(|color| *color == BLACK),
        "{origin}: the query is not empty, and no class has more than 0.5 % in it and in a prompt"
    );
    if let Some(valid) = &sample.valid {
        assert_eq!(valid.dimensions(), (size, size));
        assert!(valid.pixels().all(|p| p.0[0] == 0 || p.0[0] == 255));
    }
}

fn assert_seed_decides(settings: &Settings) {
    let (mut one, mut other) = (Mix::new(settings).unwrap(), Mix::new(settings).unwrap());
    let forwards: Vec<Sample> = (0..24).map(|seed| one.sample(seed, 1)).collect();
    let mut backwards: Vec<Sample> = (0..24).rev().map(|seed| other.sample(seed, 1)).collect();
    backwards.reverse();
    assert!(
        forwards == backwards,
        "the order of sampling changed a sample"
    );
    assert_ne!(forwards[0], forwards[1]);
}

#[test]
fn drawn_samples_are_tasks() {
    for size in [32, 64, 96] {
        let mut mix = Mix::new(&Settings::synthetic(size)).unwrap();
        (0..120).for_each(|seed| assert_is_a_task(&mix.sample(seed, 1), size));
    }
}

#[test]
fn samples_have_as_many_prompts_as_are_wanted() {
    let mut mix = Mix::new(&Settings::synthetic(32)).unwrap();
    for (seed, prompts) in (0..60).zip([2, 3, 5].into_iter().cycle()) {
        let sample = mix.sample(seed, prompts);
        assert_eq!(sample.prompts.len(), prompts, "{}", sample.origin);
        assert_is_a_task(&sample, 32);
    }
}

#[test]
fn drawn_samples_without_augmentation_are_tasks() {
    let mut source = Synthetic::new(64).unwrap();
    (0..120).for_each(|seed| assert_is_a_task(&source.sample(seed, 1), 64));
}

#[test]
fn the_seed_decides_a_drawn_sample() {
    assert_seed_decides(&Settings::synthetic(48));
}

#[test]
#[ignore = "needs ../shared/data/train"]
fn the_seed_decides_a_sample_from_files() {
    let root = data();
    assert_seed_decides(&Settings::with_data(48, root));
}

#[test]
#[ignore = "needs ../shared/data/train"]
fn every_source_makes_tasks_from_files() {
    let root = data();
    for weights in [
        Weights {
            cutouts: 1.0,
            ..Weights::NONE
        },
        Weights {
            materials: 1.0,
            ..Weights::NONE
        },
        Weights {
            labelled: 1.0,
            ..Weights::NONE
        },
        Weights {
            segments: 1.0,
            ..Weights::NONE
        },
    ] {
        let settings = Settings {
            weights,
            ..Settings::with_data(64, root.clone())
        };
        let mut mix = Mix::new(&settings).unwrap();
        for seed in 0..40 {
            let sample = mix.sample(seed, 1 + seed as usize % 4);
            assert_is_a_task(&sample, 64);
            assert!(!sample.origin.contains("gave up"), "{}", sample.origin);
        }
    }
}

#[test]
fn one_to_three_classes_are_asked_for_and_white_is_frequent() {
    let mut source = Synthetic::new(48).unwrap();
    let white = |s: &Sample| colors(&s.prompts[0].mask).contains_key(&[255; 3]);
    let samples: Vec<Sample> = (0..200).map(|seed| source.sample(seed, 1)).collect();
    let share = samples.iter().filter(|s| white(s)).count();
    assert!(
        (20..120).contains(&share),
        "{share} of 200 have white, which is frequent but not the rule"
    );
    let classes = samples
        .iter()
        .filter(|s| colors(&s.prompts[0].mask).len() > 2)
        .count();
    assert!(
        (30..150).contains(&classes),
        "{classes} of 200 have several classes"
    );
}

#[test]
fn a_clone_for_another_thread_makes_the_same_samples() {
    let mut mix = Mix::new(&Settings::synthetic(32)).unwrap();
    let mut other = mix.clone();
    let there = std::thread::spawn(move || {
        (0..10)
            .map(|seed| other.sample(seed, 1))
            .collect::<Vec<_>>()
    });
    let here: Vec<Sample> = (0..10).map(|seed| mix.sample(seed, 1)).collect();
    assert!(here == there.join().unwrap());
}

/// A small tree of training files: red and green discs as objects and labels.
fn small_tree(root: &Path) {
    for folder in [
        "objects/discs/red",
        "objects/discs/green",
        "backgrounds/grey",
        "labelled/set/images",
        "labelled/set/masks",
    ] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    let inside = |x: u32, y: u32| (x as i32 - 32).pow(2) + (y as i32 - 32).pow(2) < 600;
    for (name, color) in [("red", [200, 30, 20]), ("green", [20, 180, 40])] {
        let disc = RgbaImage::from_fn(64, 64, |x, y| {
            Rgba([
                color[0],
                color[1],
                color[2],
                if inside(x, y) { 255 } else { 0 },
            ])
        });
        (0..2).for_each(|n| {
            disc.save(root.join(format!("objects/discs/{name}/{n}.png")))
                .unwrap()
        });
    }
    for n in 0..2 {
        let picture = RgbImage::from_fn(64, 64, |x, y| {
            Rgb(if inside(x, y) {
                [200, 30, 20]
            } else {
                [90 + (x % 7) as u8; 3]
            })
        });
        picture
            .save(root.join(format!("backgrounds/grey/{n}.png")))
            .unwrap();
        picture
            .save(root.join(format!("labelled/set/images/{n}.png")))
            .unwrap();
        let mask = GrayImage::from_fn(64, 64, |x, y| {
            Luma([u8::from(inside(x, y)) * if y < 30 { 255 } else { 1 }])
        });
        mask.save(root.join(format!("labelled/set/masks/{n}.png")))
            .unwrap();
    }
}

fn from_files(root: &Path) -> Settings {
    let weights = Weights {
        materials: 0.0,
        synthetic: 0.0,
        ..Settings::with_data(32, root).weights
    };
    Settings {
        weights,
        ..Settings::with_data(32, root)
    }
}

#[test]
fn a_pack_gives_the_samples_of_its_folder() {
    let (root, packs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    small_tree(root.path());
    let written = pack(
        root.path(),
        packs.path(),
        &Packing {
            largest: 6_000,
            ..Packing::default()
        },
    )
    .unwrap();
    assert!(written.len() > 1, "{written:?}");
    assert!(
        written
            .iter()
            .all(|path| path.metadata().unwrap().len() <= 6_000)
    );
    let (mut folder, mut packed) = (
        Mix::new(&from_files(root.path())).unwrap(),
        Mix::new(&from_files(packs.path())).unwrap(),
    );
    for seed in 0..12 {
        let sample = folder.sample(seed, 1);
        assert_is_a_task(&sample, 32);
        assert!(sample == packed.sample(seed, 1), "{}", sample.origin);
    }
}

#[test]
fn what_is_unknown_does_not_count() {
    let root = tempfile::tempdir().unwrap();
    small_tree(root.path());
    let mut source = Labelled::new(32, root.path()).unwrap();
    let unknown = (0..20)
        .filter(|&seed| source.sample(seed, 1).valid.is_some())
        .count();
    assert!(
        unknown > 5,
        "{unknown} of 20 samples have pixels that do not count"
    );
}

#[test]
fn a_mask_that_does_not_fit_is_left_out_and_a_missing_one_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    small_tree(root.path());
    let mask = root.path().join("labelled/set/masks/1.png");
    GrayImage::new(5, 5).save(&mask).unwrap();
    let mut source = Labelled::new(32, root.path()).unwrap();
    (0..10).for_each(|seed| assert_is_a_task(&source.sample(seed, 1), 32));
    std::fs::remove_file(&mask).unwrap();
    let error = Labelled::new(32, root.path()).err().unwrap().to_string();
    assert!(
        error.contains("1.png") && error.contains("no mask"),
        "{error}"
    );
}

#[test]
fn missing_data_is_named() {
    let empty = tempfile::tempdir().unwrap();
    let settings = Settings::with_data(64, empty.path());
    let error = Mix::new(&settings).err().unwrap();
    assert!(matches!(error, SamplesError::NoFolder { .. }), "{error}");
    assert!(error.to_string().contains("objects"), "{error}");

    let nowhere = empty.path().join("nowhere");
    let error = Mix::new(&Settings::with_data(64, &nowhere)).err().unwrap();
    assert!(
        error.to_string().contains(&nowhere.display().to_string()),
        "{error}"
    );
}

#[test]
fn bad_settings_are_refused_by_name() {
    let refused = |settings: Settings| Mix::new(&settings).err().unwrap().to_string();
    assert!(refused(Settings::synthetic(63)).contains("size is 63"));
    let weights = Weights {
        synthetic: 1.0,
        cutouts: 0.5,
        ..Weights::default()
    };
    assert!(
        refused(Settings {
            weights,
            ..Settings::default()
        })
        .contains("weights.cutouts")
    );
    let augmentation = Augmentation {
        jpeg: 1.5,
        ..Augmentation::default()
    };
    assert!(
        refused(Settings {
            augmentation,
            ..Settings::default()
        })
        .contains("augmentation.jpeg")
    );
    let unknown = serde_json::from_str::<Settings>(r#"{"wieghts": {}}"#).unwrap_err();
    assert!(unknown.to_string().contains("wieghts"), "{unknown}");
    let size = serde_json::from_str::<Settings>(r#"{"size": 64}"#).unwrap_err();
    assert!(size.to_string().contains("unknown field `size`"), "{size}");
}

/// Twenty labelled pictures, each of a grey of its own.
fn greys(root: &Path) {
    for folder in ["images", "masks"] {
        std::fs::create_dir_all(root.join("labelled/set").join(folder)).unwrap();
    }
    for n in 0..20 {
        let file = |folder| root.join(format!("labelled/set/{folder}/{n}.png"));
        RgbImage::from_pixel(64, 64, Rgb([10 * n + 20; 3]))
            .save(file("images"))
            .unwrap();
        let half = GrayImage::from_fn(64, 64, |x, y| Luma([u8::from((x / 8 + y / 8) % 2 == 0)]));
        half.save(file("masks")).unwrap();
    }
}

#[test]
fn no_file_is_both_trained_on_and_validated_on() {
    let root = tempfile::tempdir().unwrap();
    greys(root.path());
    let settings = Settings {
        weights: Weights {
            labelled: 1.0,
            ..Weights::NONE
        },
        augmentation: Augmentation::none(),
        ..Settings::with_data(32, root.path())
    };
    let data = Data::open(&settings).unwrap();
    let seen = |part| {
        let mut mix = data.mix(32, part).unwrap();
        let samples = (0..300).map(|seed| mix.sample(seed, 1));
        samples
            .flat_map(|sample| [sample.query, sample.prompts[0].picture.clone()])
            .map(|picture| (picture.get_pixel(16, 16).0[0] + 5) / 10)
            .collect::<BTreeSet<u8>>()
    };
    let (training, validation) = (seen(Part::Training), seen(Part::Validation));
    assert_eq!((training.len(), validation.len()), (18, 2));
    assert!(training.is_disjoint(&validation));
}

#[test]
fn where_nothing_can_be_held_out_validation_is_on_all_files() {
    let root = tempfile::tempdir().unwrap();
    small_tree(root.path());
    let data = Data::open(&from_files(root.path())).unwrap();
    let mut mix = data.mix(32, Part::Validation).unwrap();
    (0..10).for_each(|seed| assert_is_a_task(&mix.sample(seed, 1), 32));
}

#[test]
fn some_queries_show_nothing_of_what_is_asked_for() {
    let mut mix = Mix::new(&Settings::synthetic(32)).unwrap();
    let empty = |seed| {
        let sample = mix.sample(seed, 1);
        sample.query_mask.pixels().all(|pixel| pixel.0 == BLACK)
    };
    let count = (0..600).map(empty).filter(|empty| *empty).count();
    assert!((12..=60).contains(&count), "{count} of 600");
}
