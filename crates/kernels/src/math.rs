//! Elementary functions on vectors.

use crate::simd::Simd;

/// `2^x` for `x` in -126..=127, to a relative error of 2e-7; below -126 it is `2^-126`, beyond 127 it is wrong.
#[inline(always)]
pub(crate) fn exp2<S: Simd>(s: S, x: S::F) -> S::F {
    // Adding 1.5 * 2^23 rounds to an integer, which then stands in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    // 2^f on -0.5..=0.5: minimax, weighed for the relative error.
    #[allow(clippy::approx_constant)] // near ln 2, but not it
    const POLYNOMIAL: [f32; 5] = [
        1.326_472_7e-3,
        9.671_513e-3,
        5.550_733_6e-2,
        2.402_224_2e-1,
        6.931_47e-1,
    ];
    let x = s.max(s.splat(-126.0), x);
    let n = s.add(x, s.splat(ROUND));
    let f = s.sub(x, s.sub(n, s.splat(ROUND)));
    let mut p = s.splat(POLYNOMIAL[0]);
    for c in &POLYNOMIAL[1..] {
        p = s.fma(p, f, s.splat(*c));
    }
    s.scale(s.fma(p, f, s.splat(1.0)), n)
}

/// The exact GELU, `x Φ(x)`, to 1e-6 of the larger of 1 and |x|: with the error function of Eigen and XLA
/// (`ErfImpl32`), a rational function that is 1 beyond 4.
#[inline(always)]
pub(crate) fn gelu<S: Simd>(s: S, x: S::F) -> S::F {
    const ALPHA: [f32; 7] = [
        -2.726_142_3e-10,
        2.770_681_4e-8,
        -2.101_024e-6,
        -5.692_506_5e-5,
        -7.349_906_3e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ];
    const BETA: [f32; 5] = [
        -1.456_607_2e-5,
        -2.133_740_5e-4,
        -1.682_827e-3,
        -7.373_329e-3,
        -1.426_474e-2,
    ];
    let t = s.mul(x, s.splat(std::f32::consts::FRAC_1_SQRT_2));
    let t = s.max(s.splat(-4.0), s.min(s.splat(4.0), t));
    let square = s.mul(t, t);
    let (mut numerator, mut denominator) = (s.splat(ALPHA[0]), s.splat(BETA[0]));
    for a in &ALPHA[1..] {
        numerator = s.fma(numerator, square, s.splat(*a));
    }
    for b in &BETA[1..] {
        denominator = s.fma(denominator, square, s.splat(*b));
    }
    let erf = s.div(s.mul(t, numerator), denominator);
    let half = s.mul(x, s.splat(0.5));
    s.fma(half, erf, half)
}
