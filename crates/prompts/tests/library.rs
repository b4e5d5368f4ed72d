//! Libraries of the drawn pictures, good and bad.
#![allow(clippy::unwrap_used)]

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

use seggpt_contract::{Class, SegType};
use seggpt_imaging::{RgbImage, annotation::MaskMode, read, resize, write, write::MaskFormat};
use seggpt_prompt_library::{
    Choice, ClassSetting, EmbedError, Embedding, Entry, Library, LibraryError, Nearest, Query,
    STRATEGIES, Settings, Strategy, save, strategy,
};

fn ground(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/ground")
        .join(name)
}

fn pairs(mask: &str, pictures: impl IntoIterator<Item = u32>) -> Vec<(PathBuf, PathBuf)> {
    let pair = |n| {
        (
            ground(&format!("ground_{n}.jpg")),
            ground(&format!("ground_{n}_{mask}.png")),
        )
    };
    pictures.into_iter().map(pair).collect()
}

fn open(pairs: &[(PathBuf, PathBuf)]) -> Library {
    let (library, problems) = Library::from_pairs(pairs, &Settings::default()).unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    library
}

/// A folder with two prompts and this `prompts.yml`.
fn folder(yaml: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for n in [1, 6] {
        for (from, to) in [("", "jpg"), ("_pebbles", "png"), ("_classes", "png")] {
            let name = format!("ground_{n}{from}.{to}");
            std::fs::copy(ground(&name), folder.path().join(name)).unwrap();
        }
    }
    std::fs::write(folder.path().join("prompts.yml"), yaml).unwrap();
    folder
}

/// A grey id mask for a 6 x 4 picture of one colour, as two files.
fn tiny(folder: &Path, name: &str, ids: [u16; 6]) -> (PathBuf, PathBuf) {
    let (image, mask) = (
        folder.join(format!("{name}.png")),
        folder.join(format!("{name}_mask.png")),
    );
    let picture = RgbImage::from_pixel(6, 4, image_rgb(90));
    std::fs::write(&image, write::rgb_png(&picture).unwrap()).unwrap();
    let ids: Vec<u16> = ids.iter().cycle().take(24).copied().collect();
    std::fs::write(
        &mask,
        write::mask_png(&ids, (6, 4), &[], MaskFormat::Ids).unwrap(),
    )
    .unwrap();
    (image, mask)
}

fn image_rgb(grey: u8) -> image::Rgb<u8> {
    image::Rgb([grey; 3])
}

#[test]
fn a_folder_opens_with_its_settings_and_names() {
    let folder = folder(
        "type: semantic\n\
         classes:\n\
         \x20 - {id: 2, name: leaf}\n\
         \x20 - {id: 1, name: pebble, color: [255, 255, 255]}\n\
         prompts:\n\
         \x20 - {image: ground_1.jpg, mask: ground_1_classes.png}\n\
         \x20 - {image: ground_6.jpg, mask: ground_6_classes.png, name: small}\n",
    );
    let (library, problems) = Library::open(folder.path()).unwrap();
    assert!(problems.is_empty() && library.warnings().is_empty());
    assert_eq!(library.kind(), SegType::Semantic);
    let classes: Vec<_> = library
        .classes()
        .iter()
        .map(|c| (c.id, &c.name[..], c.color))
        .collect();
    assert_eq!(
        classes,
        [(1, "pebble", [255; 3]), (2, "leaf", [240, 170, 40])]
    );
    let names: Vec<_> = library
        .prompts()
        .iter()
        .map(|p| (&p.name[..], p.size))
        .collect();
    assert_eq!(names, [("ground_1", (640, 480)), ("small", (300, 200))]);
}

#[test]
fn a_written_prompt_shows_its_shades_and_means_its_classes() {
    let folder = tempfile::tempdir().unwrap();
    let shades =
        |a: u32, b: u32| RgbImage::from_fn(8, 8, |x, y| image::Rgb([(a * x + b * y) as u8; 3]));
    let (image, painted) = (shades(20, 3), shades(7, 19));
    let ids: Vec<u16> = (0..64).map(|i| if i % 8 < 4 { 3 } else { 0 }).collect();
    let class = Class {
        id: 3,
        name: "leaf".into(),
        color: [0, 200, 40],
    };
    let entry = Entry {
        name: "tuned",
        image: &image,
        ids: &ids,
        painted: Some(&painted),
    };
    let classes = std::slice::from_ref(&class);
    save(folder.path(), &[entry], classes, SegType::Semantic).unwrap();

    let (library, problems) = Library::open(folder.path()).unwrap();
    assert!(problems.is_empty() && library.warnings().is_empty());
    assert_eq!(
        (library.kind(), library.classes()),
        (SegType::Semantic, classes)
    );
    let planes = library.planes(0).unwrap();
    assert_eq!(
        (&planes.ids, planes.painted.as_ref()),
        (&ids, Some(&painted))
    );
    let examples = library.examples(8).unwrap();
    assert_eq!(examples[0].image.bytes(), image.as_raw().as_slice());
    assert_eq!(examples[0].mask.bytes(), painted.as_raw().as_slice());

    let small = shades(1, 1);
    let small = resize::bicubic(&small, 4, 4);
    std::fs::write(
        folder.path().join("tuned_painted.png"),
        write::rgb_png(&small).unwrap(),
    )
    .unwrap();
    let error = Library::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("tuned_painted.png has 4 x 4"), "{error}");
}

#[test]
fn a_mistake_in_the_file_is_named_with_its_place() {
    for (yaml, parts) in [
        (
            "prompts: []\nmask_mod: ids\n",
            &["prompts.yml", "mask_mod", "line 2"][..],
        ),
        (
            "prompts:\n  - {image: a.png}\n",
            &["prompts[0]", "missing field `mask`", "line 2"],
        ),
        (
            "mask_mode: colour\nprompts: []\n",
            &[
                "mask_mode",
                "unknown variant `colour`, expected one of `auto`",
                "line 1",
            ],
        ),
        (
            "classes: [{id: 0}]\nprompts: []\n",
            &["classes[0].id", "line 1"],
        ),
        (
            "type: panoptic\nprompts: []\n",
            &["type", "panoptic", "line 1"],
        ),
    ] {
        let folder = folder(yaml);
        let error = Library::open(folder.path()).unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "`{part}` is not in: {error}");
        }
    }
    let error = Library::open("nowhere").unwrap_err();
    assert!(matches!(error, LibraryError::Read { .. }), "{error}");
}

#[test]
fn every_bad_prompt_is_named_and_the_rest_can_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.png");
    std::fs::write(&text, "not a picture").unwrap();
    let mut pairs = pairs("pebbles", [1, 2]);
    pairs.push((ground("ground_3.jpg"), ground("ground_1_pebbles.png")));
    pairs.push((text, ground("ground_1_pebbles.png")));
    pairs.push((ground("ground_3.jpg"), folder.path().join("missing.png")));
    let (library, problems) = Library::from_pairs(&pairs, &Settings::default()).unwrap();
    assert_eq!(library.len(), 2);
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(
        said[0].starts_with("prompt `ground_3`: the mask "),
        "{}",
        said[0]
    );
    assert!(
        said[0].contains("has 640 x 480 pixels, but the image "),
        "{}",
        said[0]
    );
    assert!(said[1].contains("it holds text"), "{}", said[1]);
    assert!(
        said[2].contains("missing.png: cannot be read: No such file"),
        "{}",
        said[2]
    );

    let error = Library::from_pairs(&pairs[2..], &Settings::default())
        .unwrap_err()
        .to_string();
    assert_eq!(error.lines().count(), 4, "{error}");
}

#[test]
fn examples_are_what_the_original_engine_feeds_the_network() {
    let library = open(&pairs("classes", [1, 6]));
    let examples = library.examples(64).unwrap();
    for (example, n) in examples.iter().zip([1, 6]) {
        let image = read::open(ground(&format!("ground_{n}.jpg"))).unwrap();
        let mask = read::open(ground(&format!("ground_{n}_classes.png"))).unwrap();
        assert!(example.image.to_rgb() == resize::bicubic(&image, 64, 64));
        assert!(example.mask.to_rgb() == resize::nearest_rgb(&mask, 64, 64));
        assert_eq!(example.name, format!("ground_{n}"));
    }
    assert!(
        std::sync::Arc::ptr_eq(&examples, &library.examples(64).unwrap()),
        "kept"
    );
    assert_eq!(library.examples(32).unwrap()[0].image.size(), 32);
    assert!(library.examples(0).is_err());
}

#[test]
fn black_and_white_masks_are_one_white_class() {
    let library = open(&pairs("pebbles", 1..=6));
    let classes: Vec<_> = library
        .classes()
        .iter()
        .map(|c| (c.id, &c.name[..], c.color))
        .collect();
    assert_eq!(classes, [(1, "class 1", [255; 3])]);
    assert!(library.prompts().iter().all(|prompt| prompt.classes == [1]));
}

#[test]
fn ids_have_the_same_colour_in_every_mask_whichever_of_them_it_shows() {
    let folder = tempfile::tempdir().unwrap();
    let library = open(&[
        tiny(folder.path(), "a", [0, 2, 2, 2, 0, 0]),
        tiny(folder.path(), "b", [0, 1, 2, 5, 5, 0]),
    ]);
    let ids: Vec<u16> = library.classes().iter().map(|class| class.id).collect();
    assert_eq!(ids, [1, 2, 5]);
    assert_eq!(library.prompts()[0].classes, [2]);
    let examples = library.examples(12).unwrap();
    let two = library.classes()[1].color;
    assert_eq!(examples[0].mask.to_rgb().get_pixel(3, 0).0, two);
    assert_eq!(examples[1].mask.to_rgb().get_pixel(5, 0).0, two);
}

#[test]
fn a_table_may_give_some_colours_and_leave_others_open() {
    let folder = tempfile::tempdir().unwrap();
    let class = |id: u16, color| ClassSetting {
        id: id.try_into().unwrap(),
        name: None,
        color,
    };
    let settings = Settings {
        classes: vec![class(1, Some([255, 0, 0])), class(2, None), class(9, None)],
        mask_mode: MaskMode::Ids,
        ..Settings::default()
    };
    let pair = tiny(folder.path(), "a", [0, 1, 2, 5, 5, 0]);
    let (library, _) = Library::from_pairs(&[pair], &settings).unwrap();
    let colors: Vec<_> = library.classes().iter().map(|class| class.color).collect();
    assert_eq!(colors, [[255, 0, 0], [255, 255, 255]]);
    let warnings = library.warnings().join("\n");
    assert!(
        warnings.contains("class 9 is in the class table, but in no mask"),
        "{warnings}"
    );
    assert!(
        warnings.contains("not in the class table, painted black: id 5"),
        "{warnings}"
    );
}

#[test]
fn masks_that_disagree_on_a_class_are_an_error_that_names_both() {
    let mut mixed = pairs("classes", [1]);
    mixed.extend(pairs("pebbles", [2]));
    let error = Library::from_pairs(&mixed, &Settings::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the masks of prompts `ground_1` and `ground_2` disagree: class 1 is #4287f5 in one and #ffffff in the other; \
         give a class table or a mask mode"
    );
}

#[test]
fn a_table_that_contradicts_itself_is_an_error() {
    let class = |id: u16, color| ClassSetting {
        id: id.try_into().unwrap(),
        name: None,
        color,
    };
    for classes in [
        vec![class(1, None), class(1, None)],
        vec![class(1, Some([9; 3])), class(2, Some([9; 3]))],
        vec![class(1, Some([0; 3]))],
    ] {
        let settings = Settings {
            classes,
            ..Settings::default()
        };
        let error = Library::from_pairs(&pairs("pebbles", [1]), &settings).unwrap_err();
        assert!(matches!(error, LibraryError::Classes { .. }), "{error}");
    }
}

fn select(
    strategy: &mut dyn Strategy,
    library: &Library,
    item: &str,
    picture: u32,
    k: usize,
) -> Vec<usize> {
    let picture = read::open(ground(&format!("ground_{picture}.jpg"))).unwrap();
    let selected = strategy
        .select(
            &Query {
                item,
                picture: &|| Ok(Cow::Borrowed(&picture)),
            },
            library,
            k,
        )
        .unwrap();
    selected.iter().map(|selected| selected.index).collect()
}

#[test]
fn an_unknown_strategy_is_refused_with_the_known_ones() {
    let error = strategy("best", &Choice::default()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "unknown strategy `best`; there are fixed, coverage, random, nearest"
    );
}

#[test]
fn every_strategy_gives_k_different_prompts_or_all_there_are() {
    let library = open(&pairs("pebbles", 1..=4));
    for name in STRATEGIES {
        let mut strategy = strategy(name, &Choice { seed: 3 }).unwrap();
        for k in [0, 1, 3, 4, 9] {
            let mut chosen = select(strategy.as_mut(), &library, "item", 5, k);
            assert_eq!(
                chosen,
                select(strategy.as_mut(), &library, "item", 5, k),
                "{name} twice"
            );
            chosen.sort_unstable();
            chosen.dedup();
            assert_eq!(chosen.len(), k.min(4), "{name} {k}");
        }
    }
}

#[test]
fn fixed_takes_the_first_in_order() {
    let library = open(&pairs("pebbles", [4, 2, 6]));
    let mut fixed = strategy("fixed", &Choice::default()).unwrap();
    assert_eq!(select(fixed.as_mut(), &library, "a", 1, 2), [0, 1]);
}

#[test]
fn random_follows_seed_and_item_and_nothing_else() {
    let library = open(&pairs("pebbles", 1..=6));
    let draws = |seed: u64, items: &[&str]| -> Vec<Vec<usize>> {
        let mut random = strategy("random", &Choice { seed }).unwrap();
        items
            .iter()
            .map(|item| select(random.as_mut(), &library, item, 6, 2))
            .collect()
    };
    let forward = draws(1, &["a", "b", "c"]);
    let mut backward = draws(1, &["c", "b", "a"]);
    backward.reverse();
    assert_eq!(forward, backward);
    let items: Vec<String> = (0..60).map(|n| n.to_string()).collect();
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    let many = draws(1, &items);
    assert_ne!(many, draws(2, &items));
    for prompt in 0..6 {
        assert!(
            many.iter().any(|draw| draw[0] == prompt),
            "prompt {prompt} never comes first"
        );
    }
}

#[test]
fn nearest_finds_the_picture_itself_and_scores_fall() {
    let library = open(&pairs("pebbles", 1..=6));
    let mut nearest = strategy("nearest", &Choice::default()).unwrap();
    for n in 1..=6 {
        let picture = read::open(ground(&format!("ground_{n}.jpg"))).unwrap();
        let picture = resize::bicubic(&picture, 200, 160);
        let chosen = nearest
            .select(
                &Query {
                    item: "q",
                    picture: &|| Ok(Cow::Borrowed(&picture)),
                },
                &library,
                3,
            )
            .unwrap();
        assert_eq!(chosen[0].index as u32, n - 1);
        assert!(
            chosen[0].score > 0.98 && chosen.is_sorted_by(|a, b| a.score >= b.score),
            "{chosen:?}"
        );
    }
}

#[test]
fn an_embedding_that_fails_says_for_which_picture() {
    struct Broken;
    impl Embedding for Broken {
        fn embed(&mut self, _: &RgbImage) -> Result<Vec<f32>, EmbedError> {
            Err("out of memory".into())
        }
    }
    let library = open(&pairs("pebbles", [6]));
    let picture = RgbImage::new(2, 2);
    let error = Nearest::new(Broken)
        .select(
            &Query {
                item: "q",
                picture: &|| Ok(Cow::Borrowed(&picture)),
            },
            &library,
            1,
        )
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "prompt selection: embedding of `ground_6` failed"
    );
}

#[test]
fn colours_are_written_as_in_css_or_as_numbers() {
    let library = |color: &str| {
        folder(&format!(
            "classes:\n  - {{id: 1, name: pebble, color: {color}}}\n\
             prompts:\n  - {{image: ground_1.jpg, mask: ground_1_pebbles.png}}\n"
        ))
    };
    for color in ["\"#ff8000\"", "\"#FF8000\"", "[255, 128, 0]"] {
        let (library, _) = Library::open(library(color).path()).unwrap();
        assert_eq!(library.classes()[0].color, [255, 128, 0], "{color}");
    }
    for color in ["red", "\"#ff80\"", "[1, 2]", "300"] {
        let error = Library::open(library(color).path())
            .unwrap_err()
            .to_string();
        assert!(error.contains("#rrggbb"), "{color}: {error}");
    }
}

#[test]
fn a_list_may_have_the_mark_and_the_line_breaks_of_an_editor() {
    let folder =
        folder("\u{feff}prompts:\r\n  - {image: ground_1.jpg, mask: ground_1_pebbles.png}\r\n");
    assert_eq!(Library::open(folder.path()).unwrap().0.len(), 1);
}

#[test]
fn examples_of_one_file_name_are_told_apart_by_their_folders() {
    let out = tempfile::tempdir().unwrap();
    let pairs: Vec<_> = ["cam1", "cam2"]
        .iter()
        .map(|camera| {
            let folder = out.path().join(camera);
            std::fs::create_dir(&folder).unwrap();
            tiny(&folder, "0001", [0, 1, 1, 0, 0, 0])
        })
        .collect();
    let library = open(&pairs);
    let names: Vec<_> = library
        .prompts()
        .iter()
        .map(|prompt| &prompt.name)
        .collect();
    assert!(
        names[0].ends_with("cam1/0001") && names[1].ends_with("cam2/0001"),
        "{names:?}"
    );
}

/// A COCO file of two pictures, on the first of which two classes are drawn.
fn exported() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        tiny(folder.path(), name, [0; 6]);
    }
    let text = r#"{"images": [{"id": 1, "file_name": "a.png", "width": 6, "height": 4},
                              {"id": 2, "file_name": "b.png", "width": 6, "height": 4}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 4, "segmentation": [[0, 0, 3, 0, 3, 4, 0, 4]]},
            {"id": 2, "image_id": 1, "category_id": 9, "segmentation": [[4, 0, 6, 0, 6, 2, 4, 2]]},
            {"id": 3, "image_id": 1, "category_id": 9, "segmentation": []}],
        "categories": [{"id": 4, "name": "ball"}, {"id": 7, "name": "unused"}, {"id": 9, "name": "plum"}]}"#;
    std::fs::write(folder.path().join("instances.json"), text).unwrap();
    folder
}

#[test]
fn what_a_labelling_tool_exported_is_a_library() {
    let folder = exported();
    let path = folder.path().join("instances.json");
    let (library, problems) = Library::open(&path).unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    let classes: Vec<_> = library
        .classes()
        .iter()
        .map(|class| (class.id, class.name.as_str()))
        .collect();
    assert_eq!(classes, [(4, "ball"), (9, "plum")]);
    assert_eq!(library.len(), 1);
    let planes = library.planes(0).unwrap();
    assert_eq!(planes.ids[..6], [4, 4, 4, 0, 9, 9]);
    let warnings = library.warnings().join("\n");
    assert!(warnings.contains("annotation 3 is left out"), "{warnings}");
    assert!(
        warnings.contains("nothing is drawn are no examples: 1 of 2"),
        "{warnings}"
    );
    assert_eq!(library.examples(32).unwrap()[0].name, "a");
    let files = seggpt_prompt_library::files(&path, None).unwrap();
    assert_eq!(files, [folder.path().join("a.png"), path.clone()]);
}

#[test]
fn pictures_of_an_exported_file_may_lie_elsewhere() {
    let folder = exported();
    let elsewhere = tempfile::tempdir().unwrap();
    let moved = elsewhere.path().join("instances.json");
    std::fs::rename(folder.path().join("instances.json"), &moved).unwrap();
    let error = Library::open(&moved).unwrap_err().to_string();
    assert!(error.contains("there is no such picture"), "{error}");
    let (library, _) = Library::open_with(&moved, Some(folder.path()), |_| {}).unwrap();
    assert_eq!(library.len(), 1);
}

#[test]
fn what_is_neither_a_list_nor_exported_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    std::fs::write(&path, "{\"shapes\": 3}").unwrap();
    let error = Library::open(&path).unwrap_err().to_string();
    assert!(
        error.contains("neither a prompts.yml nor what CVAT"),
        "{error}"
    );
}

#[test]
fn sd_scripts_1269_an_example_that_marks_all_or_nothing_is_warned_about() {
    let folder = tempfile::tempdir().unwrap();
    let said = |ids: [u16; 6]| {
        let pair = tiny(folder.path(), "a", ids);
        let (library, _) = Library::from_pairs(&[pair], &Settings::default()).unwrap();
        library.warnings().join(" ")
    };
    assert!(
        said([1; 6]).contains("everything (100.0 %"),
        "{}",
        said([1; 6])
    );
    assert!(said([0; 6]).contains("marks nothing"));
    assert_eq!(said([0, 0, 1, 1, 1, 1]), "");
    assert_eq!(
        said([1, 2, 1, 2, 1, 2]),
        "",
        "two classes may cover a picture"
    );
}
