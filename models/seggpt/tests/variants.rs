//! Networks that differ from the published ones: the exact savings hold for them too.
#![allow(clippy::unwrap_used)]

mod common;

use common::{
    difference, lower,
    variants::{all, canvases, noise, stemmed, trainable, weights},
};
use seggpt::{
    Architecture, Config, DType, DTypeChoice, Device, Ensemble, Network, Reference, SegType,
    Tensor, Trainable, inspect,
};

/// Answers have a deviation of about 1, and the layer norms of so few channels amplify what rounding leaves.
const TOLERANCE: f32 = 2e-4;

fn pictures(n: usize, size: [usize; 2], seed: u64) -> Tensor {
    noise(&[n, 3, size[0], size[1]], 1.0, seed)
        .to_dtype(DType::F32)
        .unwrap()
}

#[test]
fn the_fast_path_equals_the_reference_path_in_every_make() {
    for (name, config) in all() {
        let trainable = trainable(&config, DType::F32);
        let network = Network::from_trainable(&trainable).unwrap();
        let reference = Reference::from_trainable(&trainable).unwrap();
        for (n, ensemble, size) in [
            (1, Ensemble::Feature, [12, 12]),
            (3, Ensemble::Feature, [16, 8]),
            (3, Ensemble::Joint, [16, 8]),
            (2, Ensemble::Independent, [20, 20]),
        ] {
            let (query, prompts, masks) = (
                pictures(1, size, 1),
                pictures(n, size, 2),
                pictures(n, size, 3),
            );
            let kind = SegType::Semantic;
            let plain = reference
                .forward(&query, &prompts, &masks, kind, ensemble)
                .unwrap();
            let prepared = network.prepare(&prompts, &masks, kind, ensemble).unwrap();
            let found = difference(&network.forward(&query, &prepared).unwrap(), &lower(&plain));
            assert!(
                found <= TOLERANCE,
                "{name}, {n} prompts, {ensemble}: {found}"
            );
        }
    }
}

#[test]
fn training_paints_what_inference_paints() {
    for (name, config) in all() {
        let trainable = trainable(&config, DType::F32);
        let reference = Reference::from_trainable(&trainable).unwrap();
        for (size, prompts) in [(12, 1), (20, 1), (12, 3)] {
            let batch = canvases(&config, size, prompts);
            let painted = trainable
                .forward(&batch, None)
                .unwrap()
                .permute((0, 3, 1, 2))
                .unwrap();
            let halves = |x: &Tensor, first, count| {
                x.get(0)
                    .unwrap()
                    .narrow(0, first, count)
                    .unwrap()
                    .to_dtype(DType::F32)
                    .unwrap()
            };
            let [shown, query, masks] = [
                halves(&batch.pictures, 0, prompts),
                halves(&batch.pictures, prompts, 1),
                halves(&batch.masks, 0, prompts),
            ];
            let (kind, ensemble) = (SegType::Instance, Ensemble::Joint);
            let plain = reference.forward(&query, &shown, &masks, kind, ensemble);
            let found = difference(&painted.narrow(0, 0, 1).unwrap(), &plain.unwrap());
            assert!(
                found <= TOLERANCE,
                "{name}, {prompts} prompts of {size}: {found}"
            );
        }
    }
}

#[test]
fn a_saved_network_keeps_its_make_and_its_answers() {
    let folder = tempfile::tempdir().unwrap();
    for (name, config) in all() {
        let trainable = trainable(&config, DType::F32);
        let file = folder.path().join("model.safetensors");
        trainable.save(&file, DTypeChoice::F32).unwrap();
        let made = Architecture::SegGpt(config.clone());
        assert_eq!(inspect(&file).unwrap().architecture, made, "{name}");
        let again = Trainable::load(&file, &Device::Cpu, DType::F32).unwrap();
        let batch = canvases(&config, 12, 1);
        let (a, b) = (
            trainable.forward(&batch, None).unwrap(),
            again.forward(&batch, None).unwrap(),
        );
        assert_eq!(difference(&a, &b), 0.0, "{name}");
        assert!(Network::load(&file, &Device::Cpu, DTypeChoice::F32).is_ok());
    }
}

#[test]
fn the_published_configuration_is_written_as_it_always_was() {
    let json = serde_json::to_string(&Config::vit_large()).unwrap();
    for field in [
        "stem_width",
        "depthwise",
        "target_embedding",
        "absolute_positions",
        "relative_positions",
    ] {
        assert!(!json.contains(field), "{json}");
    }
    assert!(json.contains("\"merge_index\":2"));
    let small = serde_json::to_string(&Config::small()).unwrap();
    assert_eq!(
        serde_json::from_str::<Config>(&small).unwrap(),
        Config::small()
    );
}

#[test]
fn contradicting_options_are_refused() {
    for (config, field) in [
        (
            Config {
                depthwise: 4,
                ..stemmed()
            },
            "depthwise",
        ),
        (
            Config {
                patch_size: 6,
                pretrain_image_size: 12,
                ..stemmed()
            },
            "stem_width",
        ),
        (
            Config {
                target_embedding: seggpt::TargetEmbedding::Shared,
                ..stemmed()
            },
            "stem_width",
        ),
        (
            Config {
                merge_index: Some(1),
                ..stemmed()
            },
            "merge_index",
        ),
    ] {
        let error = config.validate().unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
    }
}

#[test]
fn a_missing_weight_is_named() {
    let config = stemmed();
    let mut weights = weights(&config, 1);
    weights.remove("blocks.1.conv.bias");
    let error = Trainable::new(config, weights, &Device::Cpu, DType::F32)
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("blocks.1.conv.bias"), "{error}");
}
