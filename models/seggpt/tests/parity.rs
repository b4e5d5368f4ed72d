//! The network against what the original code answered on the golden weights (`tests/golden`).
#![allow(clippy::unwrap_used)]

mod common;

use common::{difference, golden, load, lower, reference, root, tiny};
use seggpt::{DTypeChoice, Device, Ensemble, Network, Reference, SegType, convert};

/// Largest difference to the original code on its random weights, whose answers have a deviation of about 0.7.
const TOLERANCE: f32 = 2e-4;

fn answers_like_the_original(network: &Network) {
    let plain = Reference::load(&network.info().path, &Device::Cpu).unwrap();
    let reference = reference("seggpt-tiny");
    for n in [1, 2, 3] {
        let [query, prompt, mask] =
            ["query", "prompt", "mask"].map(|part| &reference[&format!("{n}.{part}")]);
        for kind in [SegType::Instance, SegType::Semantic] {
            let expected = &reference[&format!("{n}_{kind}.pred_baai")];
            let prompts = network
                .prepare(prompt, mask, kind, Ensemble::Feature)
                .unwrap();
            let answer = network.forward(query, &prompts).unwrap();
            let found = difference(&answer, &lower(expected));
            assert!(found <= TOLERANCE, "{n} prompts, {kind}: {found}");
            let plain = plain
                .forward(query, prompt, mask, kind, Ensemble::Feature)
                .unwrap();
            let found = difference(&plain, expected);
            assert!(
                found <= TOLERANCE,
                "{n} prompts, {kind}, reference path: {found}"
            );
        }
    }
}

#[test]
fn the_original_checkpoint_answers_as_in_the_original_code() {
    answers_like_the_original(&tiny());
}

#[test]
fn the_transformers_folder_and_its_file_answer_as_in_the_original_code() {
    answers_like_the_original(&load(&golden("seggpt-tiny")));
    answers_like_the_original(&load(&golden("seggpt-tiny/model.safetensors")));
}

#[test]
fn the_bundled_untrained_model_answers_as_in_the_original_code() {
    answers_like_the_original(&load(&root("models/untrained-tiny")));
}

#[test]
fn a_converted_checkpoint_answers_as_in_the_original_code() {
    let folder = tempfile::tempdir().unwrap();
    for dtype in [DTypeChoice::Auto, DTypeChoice::F32] {
        let file = folder.path().join(format!("{dtype}.safetensors"));
        convert(&golden("seggpt-tiny"), &file, dtype).unwrap();
        answers_like_the_original(&load(&file));
    }
}

#[test]
fn painter_answers_as_in_the_original_code() {
    let network = load(&golden("painter-tiny/painter_tiny.pth"));
    assert_eq!(network.info().family, "Painter");
    let reference = reference("painter-tiny");
    let [query, prompt, mask] = ["query", "prompt", "mask"].map(|part| &reference[part]);
    for kind in [SegType::Instance, SegType::Semantic] {
        let prompts = network
            .prepare(prompt, mask, kind, Ensemble::Feature)
            .unwrap();
        let found = difference(
            &network.forward(query, &prompts).unwrap(),
            &lower(&reference["pred"]),
        );
        assert!(found <= TOLERANCE, "{found}");
    }
}

#[test]
fn several_prompts_follow_the_original_rule_and_not_that_of_transformers() {
    let reference = reference("seggpt-tiny");
    let rules = difference(
        &reference["2_instance.pred_baai"],
        &reference["2_instance.pred_hf"],
    );
    assert!(
        rules > 0.05,
        "the golden file does not tell the rules apart: {rules}"
    );
}
