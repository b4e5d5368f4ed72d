//! The commands of README and docs, run as they stand there, in a folder where the files that they name are.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use image::{GrayImage, Luma, Rgb, RgbImage};
use seggpt_tests::{Scratch, binary, ground, root};
use serde_json::json;

use crate::maps;

/// What cannot be run here, by a part of the command, and why.
const NOT_RUN: [(&str, &str); 7] = [
    ("--camera", "needs a camera; video.rs has one"),
    ("--device cuda", "needs a GPU"),
    (
        "model verify",
        "compares with the published checkpoint's answers",
    ),
    ("--minutes 90", "takes 90 minutes"),
    (
        "train preview",
        "shows training data that are not part of the repository",
    ),
    (
        "train pack",
        "packs training data that are not part of the repository",
    ),
    ("seggpt tune", "takes minutes; tuning.rs tunes"),
];

/// The lines of a page's shell blocks that start with `seggpt`, without comments.
fn commands(page: &str) -> Vec<String> {
    let mut commands = Vec::new();
    for block in page.split("\n```").skip(1).step_by(2) {
        let Some((language, text)) = block.split_once('\n') else {
            continue;
        };
        if ["bash", "sh"].contains(&language.trim()) {
            let text = text.replace("\\\n", " ");
            commands.extend(
                text.lines()
                    .filter(|line| line.starts_with("seggpt "))
                    .map(str::to_owned),
            );
        }
    }
    commands
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(from, to).unwrap();
}

/// Everything that the pages speak of, as small as it may be.
fn stand_ins(scratch: &Scratch) {
    let picture = |n: u32, to: &str| copy(&ground(&format!("ground_{n}.png")), &scratch.path(to));
    let mask = |n: u32, to: &str| {
        copy(
            &ground(&format!("ground_{n}_pebbles.png")),
            &scratch.path(to),
        )
    };
    for (n, name) in [
        (1, "a"),
        (2, "b"),
        (1, "tile_1"),
        (2, "tile_2"),
        (1, "cell"),
    ] {
        picture(n, &format!("{name}.png"));
        mask(n, &format!("{name}_mask.png"));
    }
    for folder in ["photographs", "flight", "scans"] {
        picture(4, &format!("{folder}/one.png"));
    }
    let map = root().join("tests/fixtures/maps/field.tif");
    copy(&map, &scratch.path("ortho/one.tif"));
    copy(&map, &scratch.path("north.tif"));
    copy(
        &ground("ground_6_classes.png"),
        &scratch.path("north_labels.tif"),
    );
    let squares = [("tree", [2.0, 2.0]), ("roof", [12.0, 8.0])];
    maps::labels(&scratch.path("north_labels.geojson"), squares);
    for n in [1, 2] {
        picture(n, &format!("frames/{n:06}.png"));
    }
    mask(1, "first_mask.png");
    for n in [3, 4] {
        picture(n, &format!("field/{n}.png"));
        mask(n, &format!("field_masks/{n}.png"));
    }
    for (library, [one, two]) in [
        ("field", ["field_01", "field_07"]),
        ("tuned", ["x", "y"]),
        ("shared", ["x", "y"]),
    ] {
        let mut list = "type: semantic\nmask_mode: binary\nprompts:\n".to_owned();
        for (n, name) in [(1, one), (2, two), (4, "third"), (6, "fourth")] {
            picture(n, &format!("library-{library}/{name}.png"));
            mask(n, &format!("library-{library}/{name}_mask.png"));
            list += &format!("  - {{image: {name}.png, mask: {name}_mask.png}}\n");
        }
        fs::write(scratch.path(format!("library-{library}/prompts.yml")), list).unwrap();
    }
    fs::rename(scratch.path("library-tuned"), scratch.path("tuned")).unwrap();
    fs::rename(scratch.path("library-shared"), scratch.path("library")).unwrap();
    for set in ["data/nuclei", "data/roads", "data/crops", "sets/one"] {
        for (n, role) in [(1, "prompt"), (2, "prompt"), (3, "query")] {
            picture(n, &format!("{set}/images/{n}.png"));
            let pebbles = image::open(ground(&format!("ground_{n}_pebbles.png")))
                .unwrap()
                .into_luma8();
            let ids = GrayImage::from_fn(pebbles.width(), pebbles.height(), |x, y| {
                Luma([u8::from(pebbles.get_pixel(x, y).0[0] > 127)])
            });
            fs::create_dir_all(scratch.path(format!("{set}/masks"))).unwrap();
            ids.save(scratch.path(format!("{set}/masks/{n}.png")))
                .unwrap();
            let split = scratch.path(format!("{set}/split.tsv"));
            let text = fs::read_to_string(&split).unwrap_or_default();
            fs::write(&split, text + &format!("{n}\t{role}\n")).unwrap();
        }
        fs::write(scratch.path(format!("{set}/classes.tsv")), "1\tpebble\n").unwrap();
    }
    drawn_with_tools(scratch);
    let volume = root().join("tests/fixtures/volume");
    for (from, to) in [
        ("scan.nii.gz", "volumes/ct.nii.gz"),
        ("truth/scan.nii.gz", "truth/ct.nii.gz"),
        ("two_slices.nii.gz", "two_slices.nii.gz"),
    ] {
        copy(&volume.join(from), &scratch.path(to));
    }
    for file in fs::read_dir(root().join("tests/fixtures/series")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none() {
            let name = path.file_name().unwrap().to_str().unwrap();
            copy(&path, &scratch.path(format!("exported/series_4/{name}")));
        }
    }
    let davis = root().join("crates/datasets/tests/fixtures/datasets/davis");
    let copied = Command::new("cp")
        .arg("-r")
        .arg(davis)
        .arg(scratch.path("DAVIS"))
        .status()
        .unwrap();
    assert!(copied.success());
    let tiny = root().join("models/untrained-tiny/model.safetensors");
    for model in [
        "seggpt.safetensors",
        "a.safetensors",
        "b.safetensors",
        "seggpt_vit_large.pth",
    ] {
        copy(&tiny, &scratch.path(model));
    }
}

/// What labelling tools export: COCO's JSON, and CVAT's coloured masks with their table.
fn drawn_with_tools(scratch: &Scratch) {
    let json = |images: &[u32]| {
        let (mut pictures, mut things) = (Vec::new(), Vec::new());
        for n in images {
            let (width, height) =
                image::image_dimensions(ground(&format!("ground_{n}.png"))).unwrap();
            let file = format!("{n}.png");
            pictures.push(json!({"id": n, "file_name": file, "width": width, "height": height}));
            let outline = [[40, 40, 200, 40, 200, 150, 40, 150]];
            things.push(json!({"id": n, "image_id": n, "category_id": 1, "segmentation": outline}));
        }
        let categories = [json!({"id": 1, "name": "pebble"})];
        json!({"images": pictures, "annotations": things, "categories": categories}).to_string()
    };
    for n in [1, 2, 3, 4, 6] {
        let picture = ground(&format!("ground_{n}.png"));
        for folder in ["labelled", "annotated", "photographs"] {
            copy(&picture, &scratch.path(format!("{folder}/{n}.png")));
        }
        let mask = image::open(ground(&format!("ground_{n}_pebbles.png"))).unwrap();
        let mask = mask.into_luma8();
        let red = RgbImage::from_fn(mask.width(), mask.height(), |x, y| {
            Rgb([
                if mask.get_pixel(x, y).0[0] > 127 {
                    200
                } else {
                    0
                },
                0,
                0,
            ])
        });
        let to = scratch.path(format!("task/SegmentationClass/{n}.png"));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        red.save(to).unwrap();
        copy(&picture, &scratch.path(format!("task/JPEGImages/{n}.png")));
    }
    let table = "# label:color_rgb:parts:actions\nbackground:0,0,0::\npebble:200,0,0::\n";
    fs::write(scratch.path("task/labelmap.txt"), table).unwrap();
    let all = json(&[1, 2, 3, 4, 6]);
    for file in ["instances.json", "annotated/instances.json"] {
        fs::write(scratch.path(file), &all).unwrap();
    }
    fs::create_dir_all(scratch.path("masks")).unwrap();
    fs::write(scratch.path("masks/coco.json"), &all).unwrap();
}

/// Runs the commands of a page in their order.
fn run(page: &Path) -> usize {
    let scratch = Scratch::new();
    stand_ins(&scratch);
    let folder = binary("seggpt").parent().unwrap().to_owned();
    let path = format!(
        "{}:{}",
        folder.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let commands = commands(&fs::read_to_string(page).unwrap());
    let commands = commands
        .iter()
        .filter(|line| !NOT_RUN.iter().any(|(part, _)| line.contains(part)));
    let mut ran = 0;
    for line in commands {
        // Folders that a page uses for two things are of the second kind from then on.
        if line.contains("--prompts field/") && scratch.path("library-field").exists() {
            fs::remove_dir_all(scratch.path("field")).unwrap();
            fs::rename(scratch.path("library-field"), scratch.path("field")).unwrap();
        }
        let output = Command::new("bash")
            .args(["-c", line])
            .env("PATH", &path)
            .current_dir(scratch.path(""))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}: {line}\n{}{}",
            page.display(),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        ran += 1;
    }
    ran
}

#[test]
fn every_command_that_the_docs_name_does_what_they_say() {
    let docs = fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let pages: Vec<PathBuf> = docs
        .filter(|path| path.extension().is_some_and(|kind| kind == "md"))
        .chain([root().join("README.md")])
        .collect();
    let ran: usize = pages.iter().map(|page| run(page)).sum();
    assert!(ran >= 10, "{ran} commands were found");
}
