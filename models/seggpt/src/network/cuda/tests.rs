//! The kernels against candle's operations in f32 on the CPU, given the same rounded numbers.
#![allow(clippy::unwrap_used)]

use candle_core::{DType, Device, Tensor};

use super::{
    super::{
        Canvas, Rows,
        attention::{Relative, attended},
        positions,
    },
    Painter, add_depthwise, attention, bias, bias_gelu, bias_residual, layer_norm,
};
use crate::{Ensemble, ops};

const TYPES: [DType; 2] = [DType::BF16, DType::F16];

/// The device, or none, said aloud.
#[allow(clippy::print_stderr)]
fn device() -> Option<Device> {
    let device = Device::new_cuda(0);
    if let Err(error) = &device {
        eprintln!("skipped: no CUDA device ({error})");
    }
    device.ok()
}

fn random(shape: &[usize], scale: f64, dtype: DType) -> Tensor {
    let x = Tensor::randn(0f32, 1.0, shape, &Device::Cpu).unwrap();
    (x * scale).unwrap().to_dtype(dtype).unwrap()
}

fn wide(x: &Tensor) -> Tensor {
    x.to_dtype(DType::F32).unwrap()
}

/// Largest difference, in units of the most that rounding to `dtype` costs a number of its size.
fn roundings(found: &Tensor, expected: &Tensor, dtype: DType) -> f32 {
    assert_eq!(found.dtype(), dtype);
    assert_eq!(found.dims(), expected.dims());
    let found = wide(&found.to_device(&Device::Cpu).unwrap());
    let flat = |x: &Tensor| x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let unit = if dtype == DType::BF16 {
        2f32.powi(-8)
    } else {
        2f32.powi(-11)
    };
    flat(&found)
        .iter()
        .zip(flat(expected))
        .map(|(found, expected)| (found - expected).abs() / (expected.abs().max(1.0) * unit))
        // A maximum that does not lose what is no number.
        .fold(
            0.0,
            |most, x| if x <= most || most.is_nan() { most } else { x },
        )
}

#[test]
fn attention_equals_the_portable_one() {
    let Some(device) = device() else { return };
    for dtype in TYPES {
        for (heads, d, rows, columns, n, groups) in [
            (1, 64, 1, 1, 1, 1),
            (2, 64, 3, 5, 1, 2),
            (3, 64, 7, 9, 2, 1),
            (2, 64, 12, 13, 3, 2),
            (1, 64, 5, 70, 1, 1),
            (16, 64, 28, 28, 1, 1),
            (2, 64, 28, 28, 8, 1),
            (4, 32, 32, 32, 4, 1),
            (2, 32, 40, 7, 1, 3),
        ] {
            let canvas = Canvas { rows, columns };
            let qkv = random(&[groups, n + 1, rows * columns, 3, heads, d], 1.5, dtype);
            let stored = [
                wide(&random(&[4 * rows - 1, d], 0.3, dtype)),
                wide(&random(&[2 * columns - 1, d], 0.3, dtype)),
            ];
            let keys = positions::one_hot_keys(canvas, DType::F32, &Device::Cpu).unwrap();
            for (relative, wanted) in [
                (true, Rows::All),
                (true, Rows::Answer),
                (false, Rows::Answer),
            ] {
                let on = |dtype, device: &Device| {
                    relative.then(|| Relative::of(&stored, canvas, dtype, device).unwrap())
                };
                let plain = on(DType::F32, &Device::Cpu);
                let expected = attended(
                    &wide(&qkv),
                    canvas,
                    plain.as_ref(),
                    &keys,
                    Ensemble::Feature,
                    wanted,
                );
                let ours = on(dtype, &device);
                let tables = ours.as_ref().map(|relative| &relative.distances);
                let qkv = qkv.to_device(&device).unwrap();
                let found = attention(&qkv, tables, canvas, wanted).unwrap().unwrap();
                let worst = roundings(&found, &expected.unwrap(), dtype);
                assert!(
                    worst < 6.0,
                    "{dtype:?} {heads} x {d}, {rows} x {columns}, {n} prompts, {groups} groups, {relative}: {worst}"
                );
            }
        }
    }
}

#[test]
fn what_follows_a_product_equals_the_portable_way() {
    let Some(device) = device() else { return };
    for dtype in TYPES {
        for shape in [[1, 1, 8], [2, 33, 72], [1, 1568, 4096]] {
            let [x, y] = [random(&shape, 1.0, dtype), random(&shape, 1.0, dtype)];
            let b = random(&shape[2..], 1.0, dtype);
            let [on_x, on_y, on_b] = [&x, &y, &b].map(|x| x.to_device(&device).unwrap());
            let sum = wide(&x).broadcast_add(&wide(&b)).unwrap();
            let found = bias(&on_x, &on_b).unwrap().unwrap();
            assert!(roundings(&found, &sum, dtype) < 1.1, "{shape:?}");
            let found = bias_gelu(&on_x, &on_b).unwrap().unwrap();
            assert!(roundings(&found, &sum.gelu_erf().unwrap(), dtype) < 1.1);
            let found = bias_residual(&on_x, &on_b, &on_y).unwrap().unwrap();
            let expected = (wide(&y) + sum).unwrap();
            assert!(roundings(&found, &expected, dtype) < 1.1, "{shape:?}");
        }
    }
}

#[test]
fn layer_norm_equals_the_portable_one() {
    let Some(device) = device() else { return };
    for dtype in TYPES {
        for (rows, width) in [(1, 8), (5, 72), (7, 264), (1568, 1024)] {
            let x = (random(&[rows, width], 2.0, dtype) + 3.0).unwrap();
            let [weight, offset] = [(); 2].map(|()| random(&[width], 1.0, DType::F32));
            let expected = ops::layer_norm(&wide(&x), &weight, &offset, 1e-6).unwrap();
            let [on_x, weight, offset] =
                [&x, &weight, &offset].map(|x| x.to_device(&device).unwrap());
            let found = layer_norm(&on_x, &weight, &offset, 1e-6).unwrap().unwrap();
            let worst = roundings(&found, &expected, dtype);
            assert!(worst < 1.1, "{dtype:?} {rows} x {width}: {worst}");
        }
    }
}

#[test]
fn depthwise_convolution_equals_the_portable_one() {
    let Some(device) = device() else { return };
    for dtype in TYPES {
        for (grids, rows, columns, channels, edge) in
            [(1, 1, 1, 8, 3), (3, 5, 7, 24, 5), (2, 32, 32, 128, 5)]
        {
            let x = random(&[grids, rows, columns, channels], 1.0, dtype);
            let weight = random(&[channels, 1, edge, edge], 0.2, dtype);
            let offset = random(&[channels], 1.0, dtype);
            let expected = ops::add_depthwise(&wide(&x), &wide(&weight), &wide(&offset)).unwrap();
            let [x, weight, offset] = [&x, &weight, &offset].map(|x| x.to_device(&device).unwrap());
            let found = add_depthwise(&x, &weight, &offset).unwrap().unwrap();
            assert!(
                roundings(&found, &expected, dtype) < 1.1,
                "{rows} x {columns}"
            );
        }
    }
}

#[test]
fn painting_equals_the_portable_layers() {
    let Some(device) = device() else { return };
    let d = 64;
    for dtype in TYPES {
        for (height, width) in [(1, 1), (3, 5), (9, 131), (448, 448)] {
            let pixels = random(&[height + 2, width, d], 1.0, dtype);
            let kernel = random(&[d, d, 3, 3], 0.05, dtype);
            let head = random(&[3, d], 0.2, DType::F32);
            let [offset, norm_weight, norm_bias] = [(); 3].map(|()| random(&[d], 1.0, DType::F32));
            let head_bias = random(&[3], 1.0, DType::F32);

            // The rows above and below are there; the columns beside are zeros.
            let planes = wide(&pixels)
                .permute((2, 0, 1))
                .unwrap()
                .unsqueeze(0)
                .unwrap();
            let planes = planes
                .pad_with_zeros(3, 1, 1)
                .unwrap()
                .contiguous()
                .unwrap();
            let convolved = planes.conv2d(&wide(&kernel), 0, 1, 1, 1).unwrap();
            let convolved = convolved.squeeze(0).unwrap().permute((1, 2, 0)).unwrap();
            let convolved = convolved
                .contiguous()
                .unwrap()
                .broadcast_add(&offset)
                .unwrap();
            let hidden = ops::layer_norm(&convolved, &norm_weight, &norm_bias, 1e-6).unwrap();
            let hidden = hidden.gelu_erf().unwrap().flatten_to(1).unwrap();
            let painted = hidden.matmul(&head.t().unwrap()).unwrap();
            let painted = painted.broadcast_add(&head_bias).unwrap().t().unwrap();
            let expected = painted.reshape((1, 3, height, width)).unwrap();

            let weights = [
                &kernel,
                &offset,
                &norm_weight,
                &norm_bias,
                &head,
                &head_bias,
            ];
            let [kernel, offset, norm_weight, norm_bias, head, head_bias] =
                weights.map(|x| x.to_device(&device).unwrap());
            let painter = Painter::new(
                [&kernel, &offset],
                [&norm_weight, &norm_bias],
                [&head, &head_bias],
                1e-6,
            );
            let pixels = pixels.to_device(&device).unwrap();
            let found = painter.unwrap().paint(&pixels).unwrap().unwrap();
            let worst = roundings(&found, &expected, dtype);
            assert!(worst < 2.0, "{dtype:?} {height} x {width}: {worst}");
        }
    }
}

#[test]
fn what_no_kernel_fits_is_left_to_the_portable_way() {
    let x = random(&[2, 8], 1.0, DType::F32);
    let b = random(&[8], 1.0, DType::F32);
    assert!(bias(&x, &b).unwrap().is_none());
    assert!(layer_norm(&x, &b, &b, 1e-6).unwrap().is_none());
}
