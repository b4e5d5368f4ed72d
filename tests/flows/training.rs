//! Training by the command: killed at any moment, and moved to an empty folder.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use image::{GrayImage, RgbImage};
use seggpt_tests::{Scratch, binary};

const NETWORK: &str = "network: {preset: small, image_size: 16, width: 16, depth: 2, heads: 2, mlp_width: 16, decoder_width: 4, \
                       kept_blocks: [1], stem_width: 8}\nstart: random\n";

fn program(folder: &Path, out: &str) -> Command {
    let mut command = Command::new(binary("seggpt"));
    command
        .args(["train", "train.yml", "--device", "cpu", "--out", out])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn tensors(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let bytes = fs::read(path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    file.tensors()
        .into_iter()
        .map(|(name, view)| (name, view.data().to_vec()))
        .collect()
}

#[test]
fn a_run_that_is_killed_again_and_again_ends_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = format!(
        "{NETWORK}stages: [{{steps: 60, size: 16, batch: 2}}, {{steps: 40, size: 24, batch: 1, accumulate: 2}}]\n\
         optimisation: {{warmup: 5, drop_path: 0.2, average: 0.9}}\n\
         validation: {{every: 25, samples: 4}}\ncheckpoint_every: 3\nworkers: 2\n"
    );
    fs::write(folder.path().join("train.yml"), yaml).unwrap();
    assert!(program(folder.path(), "whole").status().unwrap().success());

    let state = folder.path().join("broken/state.safetensors");
    let changed = || fs::metadata(&state).and_then(|about| about.modified()).ok();
    let mut kills = 0;
    loop {
        let before = changed();
        let mut child = program(folder.path(), "broken").spawn().unwrap();
        let started = Instant::now();
        // A new checkpoint, and then some way into the steps after it.
        while changed() == before && child.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < Duration::from_secs(120));
            sleep(Duration::from_millis(2));
        }
        sleep(Duration::from_millis(7 * kills));
        let _ = child.kill();
        if child.wait().unwrap().success() {
            break;
        }
        kills += 1;
    }
    assert!(kills > 2, "it was killed {kills} times");
    for file in ["state", "model", "best"].map(|name| format!("{name}.safetensors")) {
        let of = |run: &str| tensors(&folder.path().join(run).join(&file));
        assert!(of("whole") == of("broken"), "{file}");
    }
}

#[test]
fn ctrl_c_saves_and_ends_with_an_exit_code_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = format!(
        "{NETWORK}stages: [{{steps: 100000, size: 16, batch: 2}}]\nvalidation: {{every: 100000, samples: 4}}\n\
         checkpoint_every: 100000\n"
    );
    fs::write(folder.path().join("train.yml"), yaml).unwrap();
    let mut child = program(folder.path(), "out").spawn().unwrap();
    let started = Instant::now();
    // The first validation has been.
    while !folder.path().join("out/index.html").exists() {
        assert!(started.elapsed() < Duration::from_secs(120));
        sleep(Duration::from_millis(5));
    }
    let interrupt = ["-INT", &child.id().to_string()];
    assert!(
        Command::new("kill")
            .args(interrupt)
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(folder.path().join("out/state.safetensors").exists());
}

#[test]
fn a_pack_the_settings_and_the_program_are_enough() {
    let data = tempfile::tempdir().unwrap();
    let set = data.path().join("labelled/discs");
    for part in ["images", "masks"] {
        fs::create_dir_all(set.join(part)).unwrap();
    }
    for n in 0..4 {
        let inside = |x: u32, y: u32| (x as i32 - 20 - 4 * n).pow(2) + (y as i32 - 24).pow(2) < 150;
        let picture = RgbImage::from_fn(48, 48, |x, y| match inside(x, y) {
            true => image::Rgb([200, 60, 40]),
            false => image::Rgb([40, 90, 160]),
        });
        picture.save(set.join(format!("images/{n}.png"))).unwrap();
        GrayImage::from_fn(48, 48, |x, y| image::Luma([u8::from(inside(x, y))]))
            .save(set.join(format!("masks/{n}.png")))
            .unwrap();
    }
    let source = data.path().join("source.yml");
    let yaml = format!(
        "{NETWORK}stages: [{{steps: 2, size: 16, batch: 2}}]\nvalidation: {{samples: 2}}\n\
         data: {{root: {}, weights: {{synthetic: 0.5, labelled: 0.5}}}}\n",
        data.path().display()
    );
    fs::write(&source, yaml).unwrap();
    let packed = Scratch::new();
    let line = ["train", "pack", source.to_str().unwrap(), "out"];
    let written = packed.seggpt(line).expect_code(0).said();
    assert_eq!(written.lines().count(), 2, "{written}");

    let empty = tempfile::tempdir().unwrap();
    for file in written.lines().map(Path::new) {
        let place = empty.path().join(file.file_name().unwrap());
        fs::copy(packed.path(file), place).unwrap();
    }
    drop((data, packed));
    assert!(program(empty.path(), "out").status().unwrap().success());
    assert!(empty.path().join("out/best.safetensors").is_file());
}
