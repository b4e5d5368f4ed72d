//! Results in the form that labelling tools import: complete after any number of runs, and exact.
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, path::Path};

use common::{identity, mask, palette_ids, settings, with_instances};
use seggpt_annotations::open;
use seggpt_contract::{Mask, Message};
use seggpt_sink_files::sink::Sink;

/// Runs over these pictures.
fn run(out: &Path, pictures: &[u32], more: &[&str], make: impl Fn(u32) -> Mask) {
    let more = [&["--run-key", "k"], more].concat();
    let name = format!("{pictures:?}");
    let mut sink = Sink::open(settings(out, &more), false, &name).unwrap();
    for n in pictures {
        let message = Message::Item(identity(*n, pictures.len() as u64), make(*n));
        sink.mask(message).unwrap();
    }
    sink.close(0, false, Ok(())).unwrap();
}

/// The pictures that the items are of.
fn pictures() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/ground")
}

const ALL: [&str; 2] = ["--export", "coco,labelme,label-studio"];

#[test]
fn a_run_that_goes_on_exports_what_earlier_ones_left() {
    let out = tempfile::tempdir().unwrap();
    run(out.path(), &[4], &[], mask);
    run(out.path(), &[6], &ALL, mask);
    for file in ["coco.json", "labelme", "label-studio.json"] {
        let read = open(&out.path().join(file), Some(&pictures())).unwrap();
        assert_eq!(read.pictures.len(), 2, "{file}: {:?}", read.notes);
        for picture in &read.pictures {
            let name = picture.name.trim_end_matches(".json");
            let (ids, _) = palette_ids(&out.path().join(format!("{name}.mask.png")));
            let named: Vec<u16> = picture.labels().unwrap();
            let background = |id: &u16| *id == 0;
            let wrong = named
                .iter()
                .zip(&ids)
                .filter(|(a, b)| background(a) != (**b == 0));
            assert_eq!(wrong.count(), 0, "{file} {name}");
        }
    }
    assert!(
        fs::read_to_string(out.path().join("label-studio.xml"))
            .unwrap()
            .contains("<Label value=")
    );
}

#[test]
fn objects_that_were_told_apart_are_things_of_their_own() {
    let out = tempfile::tempdir().unwrap();
    run(out.path(), &[4], &ALL, |n| with_instances(mask(n)));
    let text = fs::read_to_string(out.path().join("ground_4.instances.json")).unwrap();
    let table: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let read = open(&out.path().join("coco.json"), Some(&pictures())).unwrap();
    assert_eq!(read.pictures[0].planes().unwrap().1.len(), table.len());
}

#[test]
fn a_labelme_file_that_somebody_corrected_is_kept() {
    let out = tempfile::tempdir().unwrap();
    run(out.path(), &[4], &ALL, mask);
    let file = out.path().join("labelme/ground_4.json");
    assert!(file.is_file());
    fs::write(&file, "corrected").unwrap();
    run(out.path(), &[6], &ALL, mask);
    assert_eq!(fs::read_to_string(&file).unwrap(), "corrected");
}
