//! Times a training step of the small network: `cargo run --example step -- SIZE BATCH [STEPS]`. `benches/train_step.py`
//! times PyTorch beside it.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::time::Instant;

use seggpt::{Canvases, Config, DType, Device, SegType, Tensor, Trainable, start};
use seggpt_random::Rng;
use seggpt_train::{
    Optimisation, keep_freed,
    loss::smooth_l1,
    optimiser::{AdamW, gradients, length},
};

fn main() {
    keep_freed();
    let mut arguments = std::env::args()
        .skip(1)
        .map(|text| text.parse::<usize>().unwrap());
    let mut next = |default| arguments.next().unwrap_or(default);
    let (size, batch, steps) = (next(64), next(16), next(5));
    let config = Config::small();
    let weights = start::random(&config, 1).unwrap();
    let network = Trainable::new(config.clone(), weights, &Device::Cpu, DType::F32).unwrap();
    let mut rng = Rng::new(1);
    let mut noise = |shape: &[usize]| {
        let values: Vec<f32> = (0..shape.iter().product())
            .map(|_| rng.normal() as f32)
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
    let shape = [batch.kinds.len(), 2 * size, size, 3];
    let (target, weight) = (
        noise(&shape),
        Tensor::ones(&shape[..], DType::F32, &Device::Cpu).unwrap(),
    );
    let mut optimiser = AdamW::new(network.weights()).unwrap();
    let settings = Optimisation::default();
    for number in 1..=steps as u64 {
        let start = Instant::now();
        let painted = network.forward(&batch, None).unwrap();
        let loss = smooth_l1(&painted, &target, &weight, 0.5).unwrap();
        let forward = start.elapsed();
        let gradients = gradients(network.weights(), &loss.backward().unwrap());
        let backward = start.elapsed() - forward;
        let factor = (settings.clip / length(&gradients).unwrap()).min(1.0);
        optimiser
            .step(
                network.weights(),
                &gradients,
                factor,
                |_| 1e-3,
                number,
                &settings,
            )
            .unwrap();
        let all = start.elapsed();
        println!(
            "forward {forward:.3?}, backward {backward:.3?}, update {:.3?}, {:.1} samples/s",
            all - forward - backward,
            batch.kinds.len() as f64 / all.as_secs_f64(),
        );
    }
}
