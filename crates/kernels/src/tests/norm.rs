#![allow(clippy::unwrap_used)]

use super::{Numbers, assert_close};
use crate::{Isa, LayerNorm};

#[test]
fn every_width_gives_the_plain_norm_wherever_it_is_put() {
    for (rows, width) in [(0, 5), (1, 1), (3, 7), (70, 33), (5, 64), (2, 1024)] {
        let mut numbers = Numbers::new(width as u64);
        let x: Vec<f32> = numbers
            .take(rows * width)
            .iter()
            .map(|x| 3.0 * x + 10.0)
            .collect();
        let (weight, bias) = (numbers.take(width), numbers.take(width));
        let expected: Vec<f64> = x
            .chunks(width)
            .flat_map(|x| {
                let n = width as f64;
                let mean = x.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
                let variance = x
                    .iter()
                    .map(|x| (f64::from(*x) - mean).powi(2))
                    .sum::<f64>()
                    / n;
                let one = move |x: f32| (f64::from(x) - mean) / (variance + 1e-6).sqrt();
                let affine = weight.iter().zip(&bias);
                x.iter()
                    .zip(affine)
                    .map(move |(x, (w, b))| one(*x) * f64::from(*w) + f64::from(*b))
            })
            .collect();
        for isa in Isa::available() {
            let norm = LayerNorm::new(isa, &weight, &bias, 1e-6).unwrap();
            let mut y = vec![0.0; rows * width];
            norm.forward(&x, &mut y).unwrap();
            // The mean is three times the spread: a digit is lost.
            assert_close(isa, "norm", &y, &expected, 1e-5);
            let mut wide = vec![7.0; rows * (width + 5)];
            norm.forward_into(&x, &mut wide, width + 5, 2).unwrap();
            for (wide, y) in wide.chunks(width + 5).zip(y.chunks(width)) {
                assert_eq!(wide[2..2 + width], *y);
                assert_eq!((wide[1], wide[2 + width]), (7.0, 7.0));
            }
        }
    }
}

#[test]
fn a_row_of_equal_numbers_gives_the_bias() {
    let bias = [1.0, 2.0, 3.0, 4.0, 5.0];
    for isa in Isa::available() {
        let norm = LayerNorm::new(isa, &[1.0; 5], &bias, 1e-6).unwrap();
        let mut y = [0.0; 5];
        norm.forward(&[0.5; 5], &mut y).unwrap();
        assert_eq!(y, bias, "{isa:?}");
    }
}

#[test]
fn wrong_lengths_are_refused() {
    let isa = Isa::detect();
    assert!(LayerNorm::new(isa, &[], &[], 1e-6).is_err());
    assert!(LayerNorm::new(isa, &[1.0], &[], 1e-6).is_err());
    let norm = LayerNorm::new(isa, &[1.0; 4], &[0.0; 4], 1e-6).unwrap();
    assert!(norm.forward(&[0.0; 8], &mut [0.0; 4]).is_err());
    assert!(norm.forward_into(&[0.0; 4], &mut [0.0; 6], 6, 3).is_err());
}
