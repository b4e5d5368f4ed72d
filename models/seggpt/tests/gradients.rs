//! Every gradient, against finite differences and against PyTorch.
#![allow(clippy::unwrap_used)]

mod common;

use common::{
    golden, reference, root,
    variants::{all, canvases, noise, trainable},
};
use seggpt::{Canvases, Config, DType, Device, SegType, Tensor, Trainable, Var};

/// Every make of network with one prompt and with three.
fn with_prompts() -> impl Iterator<Item = ((&'static str, Config), usize)> {
    let all = || all().into_iter();
    all()
        .map(|make| (make, 1))
        .chain(all().map(|make| (make, 3)))
}

/// A sum of all that is painted, with a random weight each.
fn score(network: &Trainable, batch: &Canvases) -> Tensor {
    let painted = network.forward(batch, None).unwrap();
    let weights = noise(painted.dims(), 1.0, 77)
        .to_dtype(painted.dtype())
        .unwrap();
    (painted * weights).unwrap().sum_all().unwrap()
}

fn value(tensor: &Tensor) -> f64 {
    tensor.to_dtype(DType::F64).unwrap().to_scalar().unwrap()
}

fn values(tensor: &Tensor) -> Vec<f64> {
    tensor
        .to_dtype(DType::F64)
        .unwrap()
        .flatten_all()
        .unwrap()
        .to_vec1()
        .unwrap()
}

/// The central difference along a direction.
fn slope(network: &Trainable, batch: &Canvases, var: &Var, direction: &Tensor) -> f64 {
    const STEP: f64 = 1e-5;
    let at = var.as_tensor().copy().unwrap();
    let side = |sign: f64| {
        var.set(&(&at + (direction * (sign * STEP)).unwrap()).unwrap())
            .unwrap();
        value(&score(network, batch))
    };
    let slope = (side(1.0) - side(-1.0)) / (2.0 * STEP);
    var.set(&at).unwrap();
    slope
}

#[test]
fn every_weight_s_gradient_is_its_finite_difference() {
    for ((name, config), prompts) in with_prompts() {
        let network = trainable(&config, DType::F64);
        let batch = canvases(&config, 12, prompts);
        let gradients = score(&network, &batch).backward().unwrap();
        for (weight, var) in network.weights() {
            let gradient = gradients
                .get(var)
                .unwrap_or_else(|| panic!("{name}: {weight} has no gradient"));
            // Three random directions, and three single numbers.
            let count = var.elem_count();
            let mut directions: Vec<Tensor> =
                (0..3).map(|seed| noise(var.dims(), 1.0, seed)).collect();
            directions.extend([0, count / 2, count - 1].map(|at| {
                let mut one = vec![0.0; count];
                one[at] = 1.0;
                Tensor::from_vec(one, var.dims(), &Device::Cpu).unwrap()
            }));
            for (i, direction) in directions.iter().enumerate() {
                let expected = slope(&network, &batch, var, direction);
                let found = value(&(gradient * direction).unwrap().sum_all().unwrap());
                // candle's derivative of GELU has a constant of six digits.
                let scale = expected.abs().max(1.0);
                assert!(
                    (found - expected).abs() < 2e-5 * scale,
                    "{name}: {weight}, direction {i}: {found}, {expected}"
                );
            }
        }
    }
}

#[test]
fn the_gradients_of_our_own_operations_are_those_of_candle_s_in_f64() {
    for ((name, config), prompts) in with_prompts() {
        let batch = canvases(&config, 20, prompts);
        let [ours, plain] = [DType::F32, DType::F64].map(|dtype| {
            let network = trainable(&config, dtype);
            let gradients = score(&network, &batch).backward().unwrap();
            let each = network
                .weights()
                .iter()
                .map(|(name, var)| (name.clone(), values(gradients.get(var).unwrap())));
            each.collect::<Vec<_>>()
        });
        for ((weight, ours), (_, plain)) in ours.iter().zip(&plain) {
            let length = plain.iter().map(|x| x * x).sum::<f64>().sqrt();
            let apart = ours
                .iter()
                .zip(plain)
                .map(|(a, b)| (a - b).powi(2))
                .sum::<f64>()
                .sqrt();
            assert!(
                apart < 2e-5 * length.max(1e-3),
                "{name}: {weight}: {apart} of {length}"
            );
        }
    }
}

/// Pictures and masks of a batch as variables, and the batch that is made of them.
fn shown(batch: Canvases) -> ([(&'static str, Var); 2], Canvases) {
    let [pictures, masks] = [&batch.pictures, &batch.masks].map(|x| Var::from_tensor(x).unwrap());
    let batch = Canvases {
        pictures: pictures.as_tensor().clone(),
        masks: masks.as_tensor().clone(),
        ..batch
    };
    ([("pictures", pictures), ("masks", masks)], batch)
}

#[test]
fn what_a_frozen_network_is_shown_has_gradients_and_its_weights_have_none() {
    for (name, config) in all() {
        let network = trainable(&config, DType::F64).frozen();
        let (variables, batch) = shown(canvases(&config, 12, 1));
        let gradients = score(&network, &batch).backward().unwrap();
        for (part, var) in &variables {
            let gradient = gradients.get(var).unwrap();
            for seed in 0..3 {
                let direction = noise(var.dims(), 1.0, seed);
                let expected = slope(&network, &batch, var, &direction);
                let found = value(&(gradient * &direction).unwrap().sum_all().unwrap());
                assert!(
                    (found - expected).abs() < 2e-5 * expected.abs().max(1.0),
                    "{name}: {part}, direction {seed}: {found}, {expected}"
                );
            }
        }
        // Hidden masks have no say.
        let masks = values(gradients.get(&variables[1].1).unwrap());
        let half = masks.len() / 4;
        assert!(masks[half..2 * half].iter().all(|x| *x == 0.0), "{name}");
        assert!(
            network
                .weights()
                .values()
                .all(|var| gradients.get(var).is_none()),
            "{name}"
        );
    }
}

#[test]
fn the_gradients_of_what_is_shown_are_the_same_from_our_own_operations() {
    for (name, config) in all() {
        let [ours, plain] = [DType::F32, DType::F64].map(|dtype| {
            let network = trainable(&config, dtype).frozen();
            let (variables, batch) = shown(canvases(&config, 20, 1));
            let gradients = score(&network, &batch).backward().unwrap();
            variables.map(|(_, var)| values(gradients.get(&var).unwrap()))
        });
        for (ours, plain) in ours.iter().zip(&plain) {
            let length = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
            let apart = length(&mut ours.iter().zip(plain).map(|(a, b)| a - b));
            assert!(apart < 2e-5 * length(&mut plain.iter().copied()), "{name}");
        }
    }
}

#[test]
fn a_computation_in_16_bits_has_about_the_same_gradients_of_the_same_weights() {
    for (name, config) in all() {
        let batch = canvases(&config, 12, 1);
        let [half, full] = [DType::F16, DType::F64].map(|dtype| {
            let network = trainable(&config, DType::F32).computing_in(dtype);
            let gradients = score(&network, &batch).backward().unwrap();
            let each = network.weights().values().map(|var| {
                let gradient = gradients.get(var).unwrap();
                assert_eq!(gradient.dtype(), DType::F32);
                values(gradient)
            });
            each.flatten().collect::<Vec<_>>()
        });
        let length = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
        let apart = length(&mut half.iter().zip(&full).map(|(a, b)| a - b));
        let whole = length(&mut full.iter().copied());
        assert!(apart < 0.02 * whole, "{name}: {apart} of {whole}");
    }
}

/// `loss_of` of tests/parity/gradients.py.
fn loss(painted: &Tensor, batch: &Canvases, patch: usize, beta: f64) -> Tensor {
    let (b, height, width, _) = painted.dims4().unwrap();
    let target = batch
        .masks
        .permute((0, 1, 3, 4, 2))
        .unwrap()
        .contiguous()
        .unwrap()
        .reshape((b, height, width, 3))
        .unwrap();
    let weight = batch
        .masked
        .reshape((b, height / patch, 1, width / patch, 1))
        .unwrap();
    let weight = weight
        .broadcast_as((b, height / patch, patch, width / patch, patch))
        .unwrap();
    let weight = weight
        .contiguous()
        .unwrap()
        .reshape((b, height, width, 1))
        .unwrap();
    let weight = weight
        .broadcast_as((b, height, width, 3))
        .unwrap()
        .contiguous()
        .unwrap();
    let distance = (painted - target).unwrap().abs().unwrap();
    let beyond = (&distance - beta).unwrap().relu().unwrap();
    let within = (&distance - &beyond).unwrap();
    let smooth = ((within.sqr().unwrap() * (0.5 / beta)).unwrap() + beyond).unwrap();
    let total = (weight.sum_all().unwrap() + 1e-2).unwrap();
    (smooth * weight)
        .unwrap()
        .sum_all()
        .unwrap()
        .div(&total)
        .unwrap()
}

#[test]
fn the_golden_network_s_gradients_are_pytorch_s() {
    let network = Trainable::load(&golden("seggpt-tiny"), &Device::Cpu, DType::F32).unwrap();
    let given = reference("seggpt-tiny");
    let first = |name: &str| given[name].narrow(0, 0, 1).unwrap();
    let second = |name: &str| given[name].narrow(0, 1, 1).unwrap();
    let pair = |a: Tensor, b: Tensor| Tensor::stack(&[a, b], 1).unwrap();
    let pictures = [
        pair(first("1.prompt"), first("1.query")),
        pair(second("2.prompt"), first("2.query")),
    ];
    let masks = [
        pair(first("1.mask"), first("2.mask")),
        pair(second("2.mask"), first("1.mask")),
    ];
    let hidden = (0..32)
        .map(|i| i >= 16)
        .chain((0..32).map(|i| (i * 7 + 3) % 4 != 0));
    let hidden: Vec<f32> = hidden.map(|hidden| f32::from(u8::from(hidden))).collect();
    let batch = Canvases {
        pictures: Tensor::cat(&pictures, 0).unwrap(),
        masks: Tensor::cat(&masks, 0).unwrap(),
        masked: Tensor::from_vec(hidden, (2, 32), &Device::Cpu).unwrap(),
        kinds: vec![SegType::Instance, SegType::Semantic],
    };
    let expected =
        candle_core::safetensors::load(root("tests/fixtures/gradients.safetensors"), &Device::Cpu)
            .unwrap();
    let found = loss(&network.forward(&batch, None).unwrap(), &batch, 16, 0.1);
    let wanted = values(&expected["loss"])[0];
    assert!(
        (value(&found) - wanted).abs() < 1e-5 * wanted,
        "{found} instead of {wanted}"
    );
    let gradients = found.backward().unwrap();
    for (name, var) in network.weights() {
        let all = values(gradients.get(var).unwrap());
        let length = values(&expected[&format!("{name}/length")])[0];
        let own = all.iter().map(|x| x * x).sum::<f64>().sqrt();
        assert!(
            (own - length).abs() <= 2e-4 * length + 1e-9,
            "{name}: length {own} instead of {length}"
        );
        let some = all.iter().step_by((all.len() / 64).max(1)).take(64);
        let typical = length / (all.len() as f64).sqrt();
        for (i, (own, wanted)) in some.zip(values(&expected[name])).enumerate() {
            assert!(
                (own - wanted).abs() <= 2e-3 * (typical + wanted.abs()) + 1e-9,
                "{name}, value {i}: {own}, {wanted}"
            );
        }
    }
}
