//! Every kernel on every instruction set of this CPU, against the plain thing in f64.

mod attention;
mod decoder;
mod depthwise;
mod linear;
mod norm;
mod simd;

use crate::Isa;

/// Numbers in -1..1, the same every time.
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn next(&mut self) -> f32 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40) as f32;
        bits / 8_388_608.0 - 1.0
    }

    pub(super) fn take(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// Whether every number is within `tolerance` of the largest expected one, which counts as 1 if smaller.
#[track_caller]
pub(super) fn assert_close(isa: Isa, what: &str, found: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(1f64, |m, x| m.max(x.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs();
        assert!(
            error <= tolerance * largest,
            "{isa:?} {what}: {found} instead of {expected} at {i}"
        );
    }
}

/// The root of the mean squared difference, over that of the expected.
pub(super) fn relative_error(found: &[f32], expected: &[f64]) -> f64 {
    let square: f64 = expected.iter().map(|x| x * x).sum();
    let differences = found.iter().zip(expected);
    let error: f64 = differences.map(|(a, b)| (f64::from(*a) - b).powi(2)).sum();
    (error / square).sqrt()
}

pub(super) fn gelu(x: f64) -> f64 {
    0.5 * x * (1.0 + erf(x / std::f64::consts::SQRT_2))
}

/// By its series, or its continued fraction in the tail: to 1e-12.
fn erf(x: f64) -> f64 {
    let a = x.abs();
    let value = if a < 3.0 {
        let mut term = a;
        let mut sum = a;
        for n in 1..80 {
            let n = f64::from(n);
            term *= -a * a / n;
            sum += term / (2.0 * n + 1.0);
        }
        2.0 / std::f64::consts::PI.sqrt() * sum
    } else {
        let fraction = (1..60).rev().fold(a, |f, n| a + f64::from(n) / 2.0 / f);
        1.0 - (-a * a).exp() / std::f64::consts::PI.sqrt() / fraction
    };
    value.copysign(x)
}
