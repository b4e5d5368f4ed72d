#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::{Numbers, assert_close};
use crate::{Depthwise, Isa, KernelError};

/// By its definition.
fn plain(x: &[f32], weight: &[f32], bias: &[f32], [rows, columns, edge]: [usize; 3]) -> Vec<f64> {
    let (channels, reach) = (bias.len(), edge / 2);
    let at = |grid: usize, row: usize, column: usize, channel: usize| {
        let x = x[((grid * rows + row) * columns + column) * channels + channel];
        f64::from(x)
    };
    let mut y = Vec::new();
    for i in 0..x.len() {
        let (channel, column) = (i % channels, i / channels % columns);
        let (row, grid) = (i / channels / columns % rows, i / channels / columns / rows);
        let mut sum = at(grid, row, column, channel) + f64::from(bias[channel]);
        for tap in 0..edge * edge {
            let (down, right) = (row + tap / edge, column + tap % edge);
            let inside =
                (reach..rows + reach).contains(&down) && (reach..columns + reach).contains(&right);
            if inside {
                let weight = f64::from(weight[channel * edge * edge + tap]);
                sum += weight * at(grid, down - reach, right - reach, channel);
            }
        }
        y.push(sum);
    }
    y
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_grid_and_kernel_gives_the_plain_sum(
        grids in 0usize..3, rows in 1usize..6, columns in 1usize..6, channels in 1usize..40, reach in 0usize..4,
    ) {
        let edge = 2 * reach + 1;
        let mut numbers = Numbers::new((rows * 100 + columns * 10 + channels) as u64);
        let x = numbers.take(grids * rows * columns * channels);
        let (weight, bias) = (numbers.take(channels * edge * edge), numbers.take(channels));
        let expected = plain(&x, &weight, &bias, [rows, columns, edge]);
        for isa in Isa::available() {
            let layer = Depthwise::pack(isa, &weight, &bias, edge).unwrap();
            let mut y = vec![f32::NAN; x.len()];
            layer.forward(&x, &mut y, rows, columns).unwrap();
            assert_close(isa, "depthwise", &y, &expected, 1e-5);
        }
    }
}

#[test]
fn wrong_sizes_are_named() {
    let isa = Isa::detect();
    assert!(matches!(
        Depthwise::pack(isa, &[0.0; 16], &[0.0; 4], 2),
        Err(KernelError::Size { found: 2, .. })
    ));
    assert!(matches!(
        Depthwise::pack(isa, &[0.0; 16], &[0.0; 4], 3),
        Err(KernelError::Length { expected: 36, .. })
    ));
    let layer = Depthwise::pack(isa, &[0.0; 36], &[0.0; 4], 3).unwrap();
    assert!(layer.forward(&[0.0; 17], &mut [0.0; 17], 2, 2).is_err());
    assert!(layer.forward(&[0.0; 16], &mut [0.0; 12], 2, 2).is_err());
}
