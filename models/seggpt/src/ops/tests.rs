//! Every operation of our own against candle's plain ones in f64: values and gradients.
#![allow(clippy::unwrap_used)]

use candle_core::{DType, Device, Result, Tensor, Var};

use super::*;

/// Numbers that look random.
fn noise(shape: &[usize], seed: u32) -> Tensor {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let values: Vec<f64> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 23) - 1.0
    })
    .take(shape.iter().product())
    .collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn worst(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.dims(), b.dims());
    let difference = (a.to_dtype(DType::F64).unwrap() - b.to_dtype(DType::F64).unwrap()).unwrap();
    difference
        .abs()
        .unwrap()
        .flatten_all()
        .unwrap()
        .max(0)
        .unwrap()
        .to_scalar()
        .unwrap()
}

/// The result of `op` and the gradients of a weighted sum of it.
fn differentiate(
    dtype: DType,
    inputs: &[Tensor],
    op: impl Fn(&[Tensor]) -> Result<Tensor>,
) -> Vec<Tensor> {
    let vars: Vec<Var> = inputs
        .iter()
        .map(|x| Var::from_tensor(&x.to_dtype(dtype).unwrap()).unwrap())
        .collect();
    let tensors: Vec<Tensor> = vars.iter().map(|var| var.as_tensor().clone()).collect();
    let y = op(&tensors).unwrap();
    let weights = noise(y.dims(), 99).to_dtype(dtype).unwrap();
    let gradients = (&y * weights)
        .unwrap()
        .sum_all()
        .unwrap()
        .backward()
        .unwrap();
    let gradients = vars.iter().map(|var| gradients.get(var).unwrap().clone());
    std::iter::once(y.detach()).chain(gradients).collect()
}

fn agrees(shapes: &[&[usize]], op: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let inputs: Vec<Tensor> = shapes
        .iter()
        .zip(1..)
        .map(|(shape, seed)| noise(shape, seed))
        .collect();
    let ours = differentiate(DType::F32, &inputs, &op);
    let plain = differentiate(DType::F64, &inputs, &op);
    for (i, (ours, plain)) in ours.iter().zip(&plain).enumerate() {
        let scale = plain
            .abs()
            .unwrap()
            .flatten_all()
            .unwrap()
            .max(0)
            .unwrap()
            .to_scalar::<f64>()
            .unwrap();
        let found = worst(ours, plain) / scale;
        assert!(
            found < 3e-6,
            "result {i} (0 the value, then the gradients): {found} of {scale}"
        );
    }
}

#[test]
fn the_linear_layer_agrees() {
    agrees(&[&[3, 301, 20], &[33, 20], &[33]], |x| {
        linear(&x[0], &x[1], &x[2])
    });
}

#[test]
fn the_layer_norm_agrees() {
    agrees(&[&[7, 50, 37], &[37], &[37]], |x| {
        layer_norm(&x[0], &x[1], &x[2], 1e-6)
    });
}

#[test]
fn gelu_agrees_on_a_wide_range() {
    agrees(&[&[5, 77]], |x| gelu(&(&x[0] * 6.0)?));
}

#[test]
fn softmax_agrees() {
    agrees(&[&[3, 700, 16]], |x| softmax(&(&x[0] * 5.0)?));
    agrees(&[&[7, 37]], |x| softmax(&x[0]));
}

#[test]
fn attention_agrees_in_one_block_of_rows_and_in_several() {
    agrees(&[&[3, 20, 72]], |x| attention(&x[0], 4));
    agrees(&[&[1, 700, 24]], |x| attention(&(&x[0] * 3.0)?, 2));
}

#[test]
fn attention_of_separate_tensors_agrees() {
    for queries in [30, 7, 41] {
        agrees(
            &[&[2, 3, queries, 11], &[2, 3, 30, 11], &[2, 3, 30, 5]],
            |x| attention_of(&x[0], &x[1], &x[2]),
        );
    }
}

#[test]
fn the_depthwise_convolution_agrees_on_grids_smaller_than_its_kernel_too() {
    agrees(&[&[2, 7, 9, 17], &[17, 1, 5, 5], &[17]], |x| {
        add_depthwise(&x[0], &x[1], &x[2])
    });
    agrees(&[&[2, 2, 1, 4], &[4, 1, 5, 5], &[4]], |x| {
        add_depthwise(&x[0], &x[1], &x[2])
    });
}

#[test]
fn the_convolution_agrees_at_both_strides() {
    for stride in [1, 2] {
        agrees(&[&[2, 6, 8, 3], &[5, 3, 3, 3], &[5]], |x| {
            convolve(&x[0], &x[1], &x[2], stride)
        });
        agrees(&[&[1, 64, 64, 16], &[8, 16, 3, 3], &[8]], |x| {
            convolve(&x[0], &x[1], &x[2], stride)
        });
    }
}

#[test]
fn a_constant_gets_no_gradient_and_a_variable_gets_its_own() {
    let [x, weight, bias] = [noise(&[40, 4], 1), noise(&[3, 4], 2), noise(&[3], 3)]
        .map(|x| Var::from_tensor(&x.to_dtype(DType::F32).unwrap()).unwrap());
    let gradients = |x: &Tensor, weight: &Tensor| {
        let y = linear(x, weight, &bias).unwrap();
        y.sum_all().unwrap().backward().unwrap()
    };
    let of_weight = gradients(&x.as_detached_tensor(), &weight);
    assert!(of_weight.get(&x).is_none() && of_weight.get(&weight).is_some());
    let of_input = gradients(&x, &weight.as_detached_tensor());
    assert!(of_input.get(&x).is_some() && of_input.get(&weight).is_none());
}
