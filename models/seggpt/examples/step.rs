//! Times a training step of the small network: `cargo run --example step -- SIZE BATCH [STEPS]`.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::time::Instant;

use seggpt::{Canvases, Config, DType, Device, Random, SegType, Tensor, Trainable, start};

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|text| text.parse::<usize>().unwrap());
    let mut next = |default| arguments.next().unwrap_or(default);
    let (size, batch, steps) = (next(64), next(16), next(5));
    let config = Config::small();
    let weights = start::random(&config, 1).unwrap();
    let network = Trainable::new(config.clone(), weights, &Device::Cpu, DType::F32).unwrap();
    let mut random = Random::new(1);
    let mut noise = |shape: &[usize]| {
        let values: Vec<f32> = (0..shape.iter().product())
            .map(|_| random.normal() as f32)
            .collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    };
    let half = (size / config.patch_size).pow(2);
    let masked = (0..batch * 2 * half)
        .map(|i| if i % (2 * half) < half { 0f32 } else { 1.0 })
        .collect();
    let batch = Canvases {
        pictures: noise(&[batch, 2, 3, size, size]),
        masks: noise(&[batch, 2, 3, size, size]),
        masked: Tensor::from_vec(masked, (batch, 2 * half), &Device::Cpu).unwrap(),
        kinds: vec![SegType::Instance; batch],
    };
    for _ in 0..steps {
        let start = Instant::now();
        let loss = network
            .forward(&batch, None)
            .unwrap()
            .sqr()
            .unwrap()
            .mean_all()
            .unwrap();
        let forward = start.elapsed();
        let gradients = loss.backward().unwrap();
        let all = start.elapsed();
        println!(
            "forward {forward:.3?}, backward {:.3?}, {:.1} samples/s, {} gradients",
            all - forward,
            batch.kinds.len() as f64 / all.as_secs_f64(),
            network
                .weights()
                .values()
                .filter(|var| gradients.get(var).is_some())
                .count()
        );
    }
}
