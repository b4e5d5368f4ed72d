#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Parser;
use seggpt::{DTypeChoice, Device, MatchingConfig, matching};
use seggpt_contract::{
    Canvases, Class, Combine, Failure, Identity, Mask, Message, Prompt, SegType, Square,
};
use seggpt_imaging::{
    decode, read,
    resize::{bicubic, nearest_rgb},
};
use seggpt_infer::{Model, Output, RawOutput, Segmenter, Settings, WorkerPool, run};
use seggpt_node::testing::run_with;

const SIZE: u32 = 64;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The tiny random network, on the CPU, with further settings.
fn settings(more: &[&str]) -> Settings {
    let model = repository().join("tests/golden/seggpt-tiny");
    let model = [
        "seggpt-infer",
        "--model",
        model.to_str().unwrap(),
        "--device",
        "cpu",
    ];
    Settings::parse_from(model.iter().chain(more))
}

fn ground(name: &str) -> PathBuf {
    repository().join("tests/fixtures/ground").join(name)
}

fn image(name: &str, size: u32) -> Square {
    Square::from_rgb(bicubic(&read::open(ground(name)).unwrap(), size, size)).unwrap()
}

fn prompt(picture: &str, mask: &str) -> Prompt {
    sized_prompt(picture, mask, SIZE)
}

fn sized_prompt(picture: &str, mask: &str, size: u32) -> Prompt {
    let mask = nearest_rgb(&read::open(ground(mask)).unwrap(), size, size);
    Prompt {
        name: picture.into(),
        image: image(picture, size),
        mask: Square::from_rgb(mask).unwrap(),
        score: 1.0,
    }
}

fn canvases(query: &str, prompts: Vec<Prompt>, kind: SegType) -> Canvases {
    let class = |id, name: &str, color| Class {
        id,
        name: name.into(),
        color,
    };
    Canvases {
        query: image(query, SIZE),
        prompts,
        combine: Combine::Feature,
        ensemble: "feature".into(),
        classes: vec![
            class(7, "pebble", [66, 135, 245]),
            class(300, "leaf", [240, 170, 40]),
        ],
        kind,
    }
}

/// `from` is how many pebbles to learn from: `ground_1`, `ground_2`, ...
fn pebbles(from: usize) -> Canvases {
    let prompts = (1..=from).map(|n| {
        prompt(
            &format!("ground_{n}.png"),
            &format!("ground_{n}_pebbles.png"),
        )
    });
    canvases("ground_3.png", prompts.collect(), SegType::Instance)
}

fn predict(model: &mut Model, canvases: &Canvases) -> RawOutput {
    model.predict(&[canvases]).unwrap().remove(0)
}

fn segment(segmenter: &mut Segmenter, identity: &Identity, canvases: &Canvases) -> Mask {
    let item = [(identity.clone(), canvases.clone())];
    segmenter.segment(&item).remove(0).unwrap()
}

/// The f32 values of a NumPy file of version 1.
fn npy(name: &str) -> Vec<f32> {
    let bytes = fs::read(repository().join("tests/golden/seggpt-tiny").join(name)).unwrap();
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let values = bytes[10 + header..].as_chunks().0.iter();
    values.map(|&value| f32::from_le_bytes(value)).collect()
}

/// The colours that SegGPT predicted.
fn colours(raw: &RawOutput) -> &[Vec<f32>] {
    match &raw.output {
        Output::Colours(answers) => answers,
        Output::Memberships(_) => panic!("the network predicts colours"),
    }
}

/// Largest and mean difference to the golden output, in levels of 255.
fn difference(canvases: &Canvases, golden: &str) -> (f32, f32) {
    let raw = predict(&mut Model::load(&settings(&[])).unwrap(), canvases);
    let golden = npy(golden);
    let answer = &colours(&raw)[0];
    assert_eq!(answer.len(), golden.len());
    let apart = answer.iter().zip(&golden).map(|(a, b)| (a - b).abs());
    let (max, sum) = apart.fold((0f32, 0f32), |(max, sum), d| (max.max(d), sum + d));
    (max, sum / golden.len() as f32)
}

#[test]
fn the_node_predicts_what_the_original_code_predicts() {
    let (max, mean) = difference(&pebbles(1), "ground_3_from_1.painted.npy");
    assert!(max <= 1.0 && mean <= 0.3, "{max} {mean}");

    let prompts = (1..=3).map(|n| {
        prompt(
            &format!("ground_{n}.png"),
            &format!("ground_{n}_classes.png"),
        )
    });
    let three = canvases("ground_6.png", prompts.collect(), SegType::Instance);
    let (max, mean) = difference(&three, "ground_6_from_1_2_3_classes.painted.npy");
    assert!(max <= 1.0 && mean <= 0.3, "{max} {mean}");
}

#[test]
fn prompts_shown_again_are_not_prepared_again_and_give_the_same_answer() {
    let mut model = Model::load(&settings(&[])).unwrap();
    let first = predict(&mut model, &pebbles(2));
    let again = predict(&mut model, &pebbles(2));
    assert_eq!(first.output, again.output);
    let prepared = |raw: &RawOutput| raw.milliseconds.contains_key("prepare");
    assert!(prepared(&first) && !prepared(&again));
    let others = predict(&mut model, &pebbles(1));
    assert_ne!(first.output, others.output);
    assert_eq!(predict(&mut model, &pebbles(2)).output, first.output);
}

#[test]
fn a_mask_has_the_sources_size_and_accounts_for_every_pixel() {
    let settings = settings(&["--instances", "components", "--min-area", "1"]);
    let mut segmenter = Segmenter::load(&settings).unwrap();
    let identity = Identity::new("ground_3.png", 0, (90, 60));
    let mask = segment(&mut segmenter, &identity, &pebbles(1));
    assert_eq!((mask.width, mask.height, mask.ids.len()), (90, 60, 90 * 60));
    assert_eq!(mask.painted.size(), SIZE);

    for result in &mask.classes {
        let pixels = mask.ids.iter().filter(|&id| id == result.class.id).count();
        assert_eq!(result.pixels, pixels as u64);
        assert!((0.0..=1.0).contains(&result.confidence));
    }
    let known = [0, 7, 300];
    assert!(mask.ids.iter().all(|id| known.contains(&id)));

    let instances = mask.instances.unwrap();
    for (at, id) in mask.ids.iter().enumerate() {
        match usize::from(instances.map[at]) {
            0 => assert_eq!(id, 0),
            n => assert_eq!(id, instances.table[n - 1].class),
        }
    }
    assert_eq!(mask.provenance.prompts, [("ground_1.png".to_owned(), 1.0)]);
    let stages: Vec<_> = mask.provenance.milliseconds.keys().collect();
    assert_eq!(stages, ["decode", "forward", "prepare"]);
}

#[test]
fn items_worked_on_at_once_get_the_masks_of_items_on_their_own() {
    let mut workers = WorkerPool::load(&settings(&["--batch", "3"])).unwrap();
    let mut alone = Segmenter::load(&settings(&[])).unwrap();
    let item = |n: u64| {
        let name = format!("ground_{}.png", n + 1);
        let asked = canvases(&name, pebbles(1).prompts, SegType::Instance);
        (Identity::new(name, n, (40, 30)), asked)
    };
    for count in [3, 2, 1] {
        let items: Vec<_> = (0..count).map(item).collect();
        let masks = workers.segment(items.clone());
        assert_eq!(masks.len(), items.len());
        for ((identity, canvases), (of, mask)) in items.iter().zip(masks) {
            assert_eq!(identity, &of);
            let (mask, expected) = (mask.unwrap(), segment(&mut alone, identity, canvases));
            assert_eq!(mask.ids, expected.ids);
            assert_eq!(mask.painted, expected.painted);
        }
    }
}

#[test]
fn items_of_the_same_prompts_go_together_and_get_the_masks_of_items_on_their_own() {
    let [mut together, mut alone] = [0; 2].map(|_| Segmenter::load(&settings(&[])).unwrap());
    let item = |query: &str, prompts: usize| {
        let asked = canvases(query, pebbles(prompts).prompts, SegType::Semantic);
        (Identity::new(query, 0, (40, 30)), asked)
    };
    let items = [
        item("ground_1.png", 1),
        item("ground_2.png", 1),
        item("ground_3.png", 2),
    ];
    let masks = together.segment(&items);
    assert_eq!(masks.len(), items.len());
    let masks: Vec<_> = masks.into_iter().map(Result::unwrap).collect();
    let prepared = |mask: &Mask| mask.provenance.milliseconds.contains_key("prepare");
    assert_eq!(
        masks.iter().map(prepared).collect::<Vec<_>>(),
        [true, false, true]
    );
    for ((identity, canvases), mask) in items.iter().zip(masks) {
        let expected = segment(&mut alone, identity, canvases);
        assert_eq!(mask.ids, expected.ids);
        assert_eq!(mask.painted, expected.painted);
    }
}

#[test]
fn one_that_fails_beside_others_fails_alone() {
    let mut workers = WorkerPool::load(&settings(&["--batch", "2"])).unwrap();
    let mut odd = pebbles(1);
    odd.classes.clear();
    let items = [odd, pebbles(1)].map(|asked| (Identity::new("x", 0, (30, 20)), asked));
    let masks = workers.segment(items.into());
    assert!(masks[0].1.is_err() && masks[1].1.is_ok());
}

#[test]
fn a_vote_of_equals_is_the_answer_of_one() {
    let nearest = settings(&["--upscaling", "nearest"]);
    let mut segmenter = Segmenter::load(&nearest).unwrap();
    let identity = Identity::new("ground_3.png", 0, (SIZE, SIZE));
    let mut vote = pebbles(1);
    vote.prompts = vec![vote.prompts[0].clone(); 3];
    vote.combine = Combine::Vote;
    let raw = predict(&mut Model::load(&nearest).unwrap(), &vote);
    assert_eq!(colours(&raw).len(), 3);
    let together = segment(&mut segmenter, &identity, &vote);
    let alone = segment(&mut segmenter, &identity, &pebbles(1));
    let differing = together
        .ids
        .iter()
        .zip(alone.ids.iter())
        .filter(|(a, b)| a != b);
    // Rounding may tip a pixel on the very border.
    assert!(differing.count() <= 4);
}

#[test]
fn refinement_finds_what_has_the_prompts_colours_at_the_canvases_size() {
    const CANVAS: u32 = 160;
    let class = |id, color| Class {
        id,
        name: format!("{id}"),
        color,
    };
    let large = Canvases {
        query: image("ground_2.png", CANVAS),
        prompts: vec![sized_prompt("ground_2.png", "ground_2_pebbles.png", CANVAS)],
        classes: vec![class(1, [255; 3]), class(2, [255, 0, 0])],
        ..pebbles(1)
    };
    let identity = Identity::new("ground_2.png", 0, (CANVAS, CANVAS));
    let mut segmenter = Segmenter::load(&settings(&["--refine", "forest"])).unwrap();
    let mask = segment(&mut segmenter, &identity, &large);
    assert_eq!(mask.painted.size(), SIZE, "the network saw its own size");
    assert!(mask.provenance.milliseconds.contains_key("refine"));
    // The network is random, the classifier has seen this very picture.
    let truth = large.prompts[0].mask.bytes().as_chunks::<3>().0.iter();
    let right = mask
        .ids
        .iter()
        .zip(truth)
        .filter(|(id, rgb)| (*id == 1) == (rgb[0] > 0));
    let share = right.count() as f64 / f64::from(CANVAS * CANVAS);
    assert!(share > 0.9, "{share}");
}

/// A matching network of drawn weights for pictures of 56 pixels.
fn matching_settings(folder: &Path, more: &[&str]) -> Settings {
    let config = MatchingConfig::tiny();
    let tensors = matching::random(&config, 5).unwrap();
    let network = matching::Trainable::new(config, tensors, &Device::Cpu).unwrap();
    let path = folder.join("model.safetensors");
    network.save(&path, DTypeChoice::F16).unwrap();
    Settings {
        model: path.to_str().unwrap().into(),
        ..settings(more)
    }
}

/// Two classes of a picture, and the picture itself to be answered.
fn itself(size: u32) -> Canvases {
    let shown = sized_prompt("ground_1.png", "ground_1_classes.png", size);
    Canvases {
        query: shown.image.clone(),
        prompts: vec![shown],
        ..pebbles(1)
    }
}

/// The share of pixels whose class is that of the prompt's mask.
fn agreement(mask: &Mask, canvases: &Canvases) -> f64 {
    let truth = canvases.prompts[0].mask.bytes().as_chunks::<3>().0.iter();
    let id_of = |rgb: &[u8; 3]| {
        let class = canvases.classes.iter().find(|class| class.color == *rgb);
        class.map_or(0, |class| class.id)
    };
    let right = mask
        .ids
        .iter()
        .zip(truth)
        .filter(|(id, rgb)| *id == id_of(rgb));
    right.count() as f64 / mask.ids.len() as f64
}

#[test]
fn a_matching_network_answers_in_the_prompts_classes() {
    let folder = tempfile::tempdir().unwrap();
    let mut segmenter = Segmenter::load(&matching_settings(folder.path(), &[])).unwrap();
    let identity = Identity::new("ground_1.png", 0, (56, 56));
    let asked = itself(56);
    let mask = segment(&mut segmenter, &identity, &asked);
    assert_eq!(mask.painted.size(), 28, "half of the canvas");
    let share = agreement(&mask, &asked);
    assert!(
        share > 0.9,
        "every part is most like itself, and yet {share}"
    );
    // Votes of equals.
    let mut vote = asked.clone();
    vote.prompts.push(vote.prompts[0].clone());
    vote.combine = Combine::Vote;
    let voted = segment(&mut segmenter, &identity, &vote);
    let differing = voted
        .ids
        .iter()
        .zip(mask.ids.iter())
        .filter(|(a, b)| a != b);
    assert!(differing.count() <= 4);
    // Other classes for the same colours are other questions.
    let mut renamed = asked.clone();
    renamed.classes.remove(0);
    let leaves = segment(&mut segmenter, &identity, &renamed);
    assert!(leaves.ids.iter().all(|id| id == 0 || id == 300));
}

#[test]
fn a_matching_network_is_refined_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let settings = matching_settings(folder.path(), &["--refine", "forest"]);
    let mut segmenter = Segmenter::load(&settings).unwrap();
    let identity = Identity::new("ground_1.png", 0, (112, 112));
    let asked = itself(112);
    let mask = segment(&mut segmenter, &identity, &asked);
    assert_eq!(mask.painted.size(), 28, "the network saw its own size");
    let share = agreement(&mask, &asked);
    assert!(share > 0.95, "{share}");
}

#[test]
fn canvases_that_fill_no_whole_patches_are_refused_with_the_size_to_set() {
    let mut model = Model::load(&settings(&[])).unwrap();
    let square = |size: u32| Square::new(size, vec![0u8; (size * size * 3) as usize]).unwrap();
    let odd = Canvases {
        query: square(50),
        prompts: vec![Prompt {
            name: "odd".into(),
            image: square(50),
            mask: square(50),
            score: 0.0,
        }],
        ..pebbles(1)
    };
    let error = model.predict(&[&odd]).err().unwrap().to_string();
    assert!(error.contains("set CANVAS_SIZE to 64"), "{error}");
}

#[test]
fn a_model_that_is_not_there_is_named_before_the_first_item() {
    let nowhere = Settings {
        model: "no-such-model".into(),
        ..settings(&[])
    };
    let error = run_with([], |node, events| run(node, events, nowhere)).unwrap_err();
    let error = format!("{error:#}");
    assert!(error.contains("MODEL `no-such-model`"), "{error}");
}

#[test]
fn the_loop_answers_each_item_and_passes_failures_on() {
    let identity = |n: u64| Identity::new(format!("{n}.png"), n, (30, 20));
    let failure = Failure {
        node: "source".into(),
        error: "cannot be read".into(),
    };
    let messages = [
        Message::Item(identity(0), pebbles(1)),
        Message::Failed(identity(1), failure),
        Message::Item(identity(2), pebbles(2)),
    ];
    let inputs = messages.map(|message| ("canvases", message.encode().unwrap()));
    let sent = run_with(inputs, |node, events| run(node, events, settings(&[]))).unwrap();
    let rows_of = |output: &str| -> Vec<usize> {
        let of_output = sent.iter().filter(|s| s.output == output);
        of_output.map(|s| s.rows.len()).collect()
    };
    assert_eq!(rows_of("mask"), [1, 0, 1]);
    // dora-hub's dialect knows no failed items; a plane of 30 x 20 for each of two classes.
    assert_eq!(rows_of("masks"), [1200, 1200]);
    let first = sent.iter().find(|s| s.output == "mask").unwrap();
    assert_eq!(first.rows[0]["width"], 30);
    assert_eq!(first.rows[0]["class_ids"], serde_json::json!([7, 300]));
}

#[test]
fn shares_decide_what_the_mask_says() {
    for more in [&[][..], &["--refine", "forest"]] {
        let more = [more, &["--shares", "true", "--threshold", "0.4"]].concat();
        let mut segmenter = Segmenter::load(&settings(&more)).unwrap();
        let identity = Identity::new("ground_3.png", 0, (90, 60));
        let asked = pebbles(1);
        let mask = segment(&mut segmenter, &identity, &asked);
        let shares = mask.shares.as_ref().unwrap();
        let side = shares.side() as usize;
        assert_eq!((shares.classes(), side), (2, SIZE as usize));
        let threshold = if more.len() > 4 { 0.5 } else { 0.4 };
        assert_eq!(shares.threshold(), threshold);

        let memberships = decode::from_shares(shares.bytes(), 3, (side, side)).unwrap();
        let large = decode::enlarge(&memberships, 3, (side, side), (90, 60)).unwrap();
        let threshold = decode::Threshold::new(threshold).unwrap();
        for (row, line) in large.chunks_exact(90 * 3).enumerate() {
            let planes: Vec<f32> = (0..3)
                .flat_map(|class| line[class..].iter().step_by(3).copied())
                .collect();
            let (mut labels, mut sure) = ([0; 90], [0; 90]);
            decode::decide_row(&planes, threshold, &mut labels, &mut sure);
            let ids = labels.map(|label| [0, 7, 300][usize::from(label)]);
            let said: Vec<u16> = mask.ids.iter().skip(row * 90).take(90).collect();
            assert_eq!(said, ids, "row {row}");
            assert_eq!(&mask.confidence[row * 90..][..90], sure);
        }
    }
}

/// Of a network that was trained: what a random one paints is noise, of which interpolated colours and interpolated shares are
/// different things.
#[test]
fn shares_change_next_to_nothing() {
    let model = repository().join("models/small");
    let identity = Identity::new("ground_3.png", 0, (90, 60));
    let [with, without] = ["true", "false"].map(|shares| {
        let settings = Settings {
            model: model.display().to_string(),
            ..settings(&["--shares", shares])
        };
        let mut segmenter = Segmenter::load(&settings).unwrap();
        segment(&mut segmenter, &identity, &pebbles(1))
    });
    assert!(without.shares.is_none());
    let pairs = with.ids.iter().zip(without.ids.iter());
    let differ = pairs.filter(|(a, b)| a != b).count();
    assert!(differ < 90 * 60 / 50, "{differ} pixels differ");
}
