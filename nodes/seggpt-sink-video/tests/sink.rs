//! Frames on disk, and what is acknowledged.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{fs, path::Path};

use clap::Parser;
use image::RgbImage;
use seggpt_contract::{Failure, Identity, Image, Message, Picture};
use seggpt_node::testing::{Sent, run_with};
use seggpt_sink_video::{Settings, run};

fn frame(name: &str) -> Message<Image> {
    let picture = Picture::from_rgb(RgbImage::new(3, 2));
    Message::Item(Identity::new(name, 0, (3, 2)), Image(picture))
}

fn write(out: &Path, more: &[&str], messages: &[Message<Image>]) -> eyre::Result<Vec<Sent>> {
    let out = out.display().to_string();
    let words = ["seggpt-sink-video", "--out", &out];
    let settings = Settings::parse_from(words.iter().chain(more));
    let inputs = messages
        .iter()
        .map(|message| ("image", message.encode().unwrap()));
    let inputs: Vec<_> = inputs.collect();
    run_with(inputs, |node, events| run(node, events, settings))
}

fn files(out: &Path, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(out.join(folder)).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn frames_come_under_their_names_and_each_is_acknowledged() {
    let out = tempfile::tempdir().unwrap();
    let failed = Failure {
        node: "source".into(),
        error: "no picture".into(),
    };
    let messages = [
        frame("walk/000000"),
        frame("walk/000001"),
        Message::Failed(Identity::new("walk/000002", 2, (1, 1)), failed),
        frame("../outside"),
    ];
    let sent = write(out.path(), &["--codec", "png"], &messages).unwrap();
    assert_eq!(files(out.path(), "walk"), ["000000.png", "000001.png"]);
    assert_eq!(sent.iter().filter(|sent| sent.output == "ack").count(), 4);
    assert!(!out.path().parent().unwrap().join("outside.png").exists());
}

#[test]
fn the_last_frames_stay() {
    let out = tempfile::tempdir().unwrap();
    let messages: Vec<_> = (0..5).map(|n| frame(&format!("cam/{n}"))).collect();
    write(out.path(), &["--keep", "2"], &messages).unwrap();
    assert_eq!(files(out.path(), "cam"), ["3.jpg", "4.jpg"]);
}

#[test]
fn a_folder_that_cannot_be_made_ends_the_node_by_name() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("file");
    fs::write(&file, "").unwrap();
    let error = write(&file.join("below"), &[], &[frame("a")]).unwrap_err();
    assert!(format!("{error:#}").contains("file/below"), "{error:#}");
}
