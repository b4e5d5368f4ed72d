//! Small networks of every make, with weights of which none is zero.

use std::collections::BTreeMap;

use seggpt::{Canvases, Config, DType, Device, SegType, TargetEmbedding, Tensor, Trainable, start};
use seggpt_random::Rng;

/// A network that is a few thousand numbers large, in the published make.
pub fn published() -> Config {
    Config {
        image_size: 12,
        patch_size: 4,
        pretrain_image_size: 8,
        width: 8,
        depth: 3,
        heads: 2,
        mlp_width: 12,
        decoder_width: 4,
        merge_index: Some(0),
        kept_blocks: vec![0, 2],
        ..Config::tiny()
    }
}

/// The make of the small preset.
pub fn stemmed() -> Config {
    Config {
        merge_index: None,
        absolute_positions: false,
        relative_positions: false,
        target_embedding: TargetEmbedding::Separate,
        stem_width: 3,
        depthwise: 5,
        ..published()
    }
}

/// Every option in another mixture.
pub fn all() -> Vec<(&'static str, Config)> {
    vec![
        ("published", published()),
        ("stemmed", stemmed()),
        (
            "stemmed, merged late",
            Config {
                merge_index: Some(1),
                kept_blocks: vec![1, 2],
                ..stemmed()
            },
        ),
        (
            "relative and depthwise",
            Config {
                depthwise: 3,
                absolute_positions: false,
                ..published()
            },
        ),
        (
            "absolute, one stream",
            Config {
                relative_positions: false,
                merge_index: None,
                type_tokens: false,
                ..published()
            },
        ),
        (
            "separate target",
            Config {
                target_embedding: TargetEmbedding::Separate,
                ..published()
            },
        ),
        (
            "merged last",
            Config {
                merge_index: Some(2),
                kept_blocks: vec![2],
                ..stemmed()
            },
        ),
    ]
}

pub fn noise(shape: &[usize], deviation: f64, seed: u64) -> Tensor {
    let mut rng = Rng::new(seed);
    let count = shape.iter().product();
    let values: Vec<f64> = (0..count).map(|_| deviation * rng.normal()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

pub fn weights(config: &Config, seed: u64) -> BTreeMap<String, Tensor> {
    let names = start::random(config, seed).unwrap().into_iter().enumerate();
    let noisy = names.map(|(i, (name, tensor))| {
        let inputs: usize = tensor.dims().iter().skip(1).product();
        let deviation = 0.7 / (inputs as f64).sqrt();
        let noise = noise(tensor.dims(), deviation, seed * 1000 + i as u64);
        (
            name,
            (tensor.to_dtype(DType::F64).unwrap() + noise).unwrap(),
        )
    });
    noisy.collect()
}

pub fn trainable(config: &Config, dtype: DType) -> Trainable {
    Trainable::new(config.clone(), weights(config, 3), &Device::Cpu, dtype).unwrap()
}

/// Two canvases: the query hidden, and every other patch hidden.
pub fn canvases(config: &Config, size: usize, prompts: usize) -> Canvases {
    let half = (size / config.patch_size).pow(2);
    let (halves, tokens) = (prompts + 1, (prompts + 1) * half);
    let hidden = (0..tokens)
        .map(|i| i >= prompts * half)
        .chain((0..tokens).map(|i| i % 2 == 0));
    let hidden: Vec<f32> = hidden.map(|hidden| f32::from(u8::from(hidden))).collect();
    Canvases {
        pictures: noise(&[2, halves, 3, size, size], 1.0, 11),
        masks: noise(&[2, halves, 3, size, size], 1.0, 12),
        masked: Tensor::from_vec(hidden, (2, tokens), &Device::Cpu).unwrap(),
        kinds: vec![SegType::Instance, SegType::Semantic],
    }
}
