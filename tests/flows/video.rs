//! Clips and cameras: nothing is lost of the one, only the newest of the other is answered, and both are remembered.

use std::{
    collections::BTreeMap,
    fs,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use image::{GrayImage, Luma, Rgb, RgbImage};
use seggpt_tests::{Ran, Scratch, binary, faults::Death};

use crate::{
    endings::{child_named, signal},
    text, words,
};

/// Frames of a disc that wanders over grass, and the mask of the first.
fn clip(scratch: &Scratch, count: u32) {
    let folder = scratch.path("walk");
    fs::create_dir(&folder).unwrap();
    let inside = |n: u32, x: u32, y: u32| {
        let (dx, dy) = (x as i32 - 12 - n as i32, y as i32 - 16);
        dx * dx + dy * dy <= 64
    };
    for n in 0..count {
        let frame = RgbImage::from_fn(48, 32, |x, y| match inside(n, x, y) {
            true => Rgb([230, 200, 40]),
            false => Rgb([40, 100 + (x * 7 + y * 5) as u8 % 30, 50]),
        });
        frame.save(folder.join(format!("f_{n:03}.png"))).unwrap();
    }
    let mask = GrayImage::from_fn(48, 32, |x, y| Luma([u8::from(inside(0, x, y)) * 255]));
    mask.save(scratch.path("mask.png")).unwrap();
}

fn line(out: &str) -> Vec<String> {
    words(&format!(
        "video --prompt-frame 0=mask.png --memory fifo --memory-k 2 --model untrained-tiny --out {out} walk"
    ))
}

/// Every mask by its name.
fn masks(scratch: &Scratch, out: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = fs::read_dir(scratch.path(out).join("walk")).unwrap();
    let paths = folder.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| text(path.clone()).ends_with(".mask.png"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(path).unwrap())
        })
        .collect()
}

fn command(scratch: &Scratch, out: &str) -> Command {
    let mut command = Command::new(binary("seggpt"));
    command
        .args(line(out))
        .current_dir(scratch.path(""))
        .env(seggpt_fault::FOLDER, scratch.path("faults"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

#[test]
fn nodes_that_die_change_nothing_in_what_frames_are_remembered_and_answered() {
    let scratch = Scratch::new();
    clip(&scratch, 20);
    scratch.seggpt(line("whole")).expect_code(0);
    let whole = masks(&scratch, "whole");
    assert_eq!(whole.len(), 20);
    let guides = &scratch.report("whole")["items"][7]["prompts"];
    let names: Vec<_> = (0..3)
        .map(|n| guides[n]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["f_000", "walk/000006", "walk/000005"]);

    fs::create_dir(scratch.path("faults")).unwrap();
    let deaths = [
        ("seggpt-prompts", "before-work", 3),
        ("seggpt-prompts", "before-send", 5),
        ("seggpt-prompts", "at-mask", 7),
        ("seggpt-infer", "before-send", 9),
        ("seggpt-sink-files", "after-rename", 11),
        ("seggpt-sink-files", "after-journal", 13),
        ("seggpt-source-video", "after-send", 15),
        ("seggpt-ensemble-feature", "in-work", 17),
    ];
    for (program, moment, frame) in deaths {
        let item = format!("walk/{frame:06}");
        let death = Death::once(program, moment, "kill", &item);
        let file = scratch.path("faults").join(program);
        let before = fs::read_to_string(&file).unwrap_or_default();
        let next = format!("{} {} {}\n", death.moment, death.how, death.item);
        fs::write(&file, before + &next).unwrap();
    }
    let status = command(&scratch, "killed").status().unwrap();
    assert_eq!(status.code(), Some(0));
    let died = fs::read_to_string(scratch.path("faults").join(seggpt_fault::DEATHS)).unwrap();
    assert_eq!(died.lines().count(), deaths.len(), "{died}");
    assert_eq!(masks(&scratch, "killed"), whole);
    let journal = fs::read_to_string(scratch.path("killed/.seggpt/journal.jsonl")).unwrap();
    assert_eq!(journal.matches(r#""status":"done""#).count(), 20);
}

#[test]
fn a_run_that_is_killed_whole_goes_on_with_what_it_remembered() {
    let scratch = Scratch::new();
    clip(&scratch, 16);
    scratch.seggpt(line("whole")).expect_code(0);
    let records = || {
        let journal = fs::read_to_string(scratch.path("cut/.seggpt/journal.jsonl"));
        journal.map_or(0, |text| text.lines().count().saturating_sub(1))
    };
    for stop in [3, 9] {
        let mut child = command(&scratch, "cut").spawn().unwrap();
        let patience = Instant::now() + Duration::from_secs(60);
        while records() < stop {
            assert!(
                Instant::now() < patience,
                "no {stop} frames within a minute"
            );
            sleep(Duration::from_millis(5));
        }
        let prompts = child_named("prompts", child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        // Orphans would go on for a while.
        signal("-KILL", &prompts);
    }
    scratch.seggpt(line("cut")).expect_code(0);
    assert_eq!(masks(&scratch, "cut"), masks(&scratch, "whole"));
}

#[test]
fn a_camera_is_answered_with_its_newest_frames_and_none_goes_uncounted() {
    let scratch = Scratch::new();
    clip(&scratch, 1);
    let camera = text(binary("seggpt-test-camera"));
    // The network gets more to do than it can at thirty frames a second.
    let ran: Ran = scratch
        .seggpt(words(&format!(
            "video -v --prompt walk/f_000.png=mask.png --model untrained-tiny --out out --camera {camera} --keep 4 \
             --set camera.COUNT=300 --set prompts.CANVAS_SIZE=256"
        )))
        .expect_code(0);
    let said = ran.text();
    let counted = said
        .lines()
        .find_map(|line| line.split_once(" frames came: "))
        .unwrap_or_else(|| panic!("{said}"));
    let numbers: Vec<u64> = format!("{} {}", counted.0, counted.1)
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|word| word.parse().ok())
        .collect();
    let [came, sent, skipped, answered, lost] = numbers[numbers.len() - 5..] else {
        panic!("{counted:?}")
    };
    assert_eq!(
        (came, sent + skipped, answered, lost),
        (300, 300, sent, 0),
        "{said}"
    );
    assert!(skipped > 20, "the network kept up: {said}");
    assert!(said.contains("frames/s in"), "{said}");

    let report = scratch.report("out");
    let items = report["items"].as_array().unwrap();
    assert_eq!(items.len(), 4, "the last ones stay");
    let names: Vec<_> = items
        .iter()
        .map(|item| item["item"].as_str().unwrap())
        .collect();
    assert!(names.is_sorted(), "{names:?}");
    let last = names[3].rsplit('/').next().unwrap();
    assert_eq!(last.parse(), Ok(sent - 1));
    let folder = scratch
        .path("out")
        .join(names[3].split('/').next().unwrap());
    let masks = fs::read_dir(folder).unwrap();
    let masks = masks.filter(|entry| text(entry.as_ref().unwrap().path()).ends_with(".mask.png"));
    assert_eq!(masks.count(), 4);
}

#[test]
fn a_cameras_nodes_that_are_killed_by_turns_come_back_and_numbers_rise() {
    let scratch = Scratch::new();
    clip(&scratch, 1);
    let camera = text(binary("seggpt-test-camera"));
    let line = words(&format!(
        "video --prompt walk/f_000.png=mask.png --model untrained-tiny --memory fifo --out out --camera {camera} \
         --set camera.COUNT=100000"
    ));
    let mut child = Command::new(binary("seggpt"))
        .args(line)
        .current_dir(scratch.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let numbers = || -> Vec<u64> {
        let journal = scratch.path("out/.seggpt/journal.jsonl");
        let text = fs::read_to_string(journal).unwrap_or_default();
        let records = text.lines().skip(1).filter_map(|line| {
            let record: serde_json::Value = serde_json::from_str(line).ok()?;
            record["index"].as_u64()
        });
        records.collect()
    };
    let answers = |count: usize, after: &str| {
        let patience = Instant::now() + Duration::from_secs(90);
        while numbers().len() < count {
            assert!(Instant::now() < patience, "no answers after {after}");
            sleep(Duration::from_millis(20));
        }
    };
    answers(3, "the start");
    for node in ["infer", "prompts", "gate", "sink-files"] {
        signal("-KILL", &child_named(node, child.id()));
        let before = numbers().len();
        answers(before + 4, node);
    }
    signal("-INT", &child.id().to_string());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let numbers = numbers();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    assert!(
        numbers.iter().any(|number| *number >= 1_000_000_000),
        "the second gate"
    );
}

#[test]
fn what_is_no_clip_or_no_frame_is_told_before_anything_starts() {
    let scratch = Scratch::new();
    clip(&scratch, 3);
    fs::create_dir(scratch.path("empty")).unwrap();
    fs::write(scratch.path("clip.mp4"), "").unwrap();
    for (arguments, said) in [
        (
            "--prompt-frame 0=mask.png --out out empty",
            "holds no pictures",
        ),
        (
            "--prompt-frame 0=mask.png --out out none",
            "no such file or folder",
        ),
        ("--prompt-frame 0=mask.png --out out clip.mp4", "ffmpeg -i"),
        ("--prompt-frame 3=mask.png --out out walk", "frames 0 to 2"),
        (
            "--prompt-frame 0=none.png --out out walk",
            "no mask none.png",
        ),
        (
            "--prompt-frame 0=mask.png --from 3 --out out walk",
            "takes none of them",
        ),
        (
            "--prompt-frame 0=mask.png --out walk/out walk",
            "lies in the clip's folder",
        ),
        ("--out out walk", "--prompt"),
        (
            "--prompt walk/f_000.png=mask.png --camera no-such-camera --out out",
            "no executable `no-such-camera`",
        ),
    ] {
        scratch
            .seggpt(words(&format!("video {arguments}")))
            .expect_code(2)
            .expect_text(said);
    }
}

#[test]
fn a_gap_in_the_numbers_is_said_and_read_over() {
    let scratch = Scratch::new();
    clip(&scratch, 5);
    fs::remove_file(scratch.path("walk/f_002.png")).unwrap();
    scratch
        .seggpt(words(
            "video --prompt-frame 0=mask.png --model untrained-tiny --out out walk/f_%03d.png",
        ))
        .expect_code(0)
        .expect_text("numbers are missing between its frames (2)");
    assert_eq!(scratch.report("out")["counts"]["done"], 4);
}
