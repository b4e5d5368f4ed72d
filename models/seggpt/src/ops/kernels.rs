//! What the operations share: matrix products, loops compiled for the processor at hand, sums in a fixed order.

use gemm::Parallelism;
use rayon::prelude::*;

/// A matrix in a slice: element (i, j) lies at `i * strides[0] + j * strides[1]`.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub(super) values: &'a [f32],
    pub(super) strides: [usize; 2],
}

impl<'a> Matrix<'a> {
    /// Rows one after the other, `stride` apart.
    pub(super) fn rows(values: &'a [f32], stride: usize) -> Self {
        Self {
            values,
            strides: [stride, 1],
        }
    }

    /// The transpose.
    pub(super) fn t(self) -> Self {
        Self {
            values: self.values,
            strides: [self.strides[1], self.strides[0]],
        }
    }

    fn holds(self, rows: usize, columns: usize) -> bool {
        reach(self.strides, rows, columns) <= self.values.len()
    }
}

fn reach(strides: [usize; 2], rows: usize, columns: usize) -> usize {
    match (rows, columns) {
        (0, _) | (_, 0) => 0,
        _ => (rows - 1) * strides[0] + (columns - 1) * strides[1] + 1,
    }
}

/// `out = keep * out + factor * a b` for `a` `[m, k]` and `b` `[k, n]`, on the calling thread. `out` has rows `stride`
/// apart; with `keep` 0 its values are not read.
///
/// # Panics
/// If a slice is too short for its matrix.
pub(super) fn product(
    [m, n, k]: [usize; 3],
    a: Matrix,
    b: Matrix,
    factor: f32,
    (out, stride): (&mut [f32], usize),
    keep: f32,
) {
    assert!(a.holds(m, k) && b.holds(k, n) && reach([stride, 1], m, n) <= out.len() && stride >= n);
    // SAFETY: the assertion keeps all that is read and written inside the slices, and `out` is borrowed mutably, so it
    // overlaps neither `a` nor `b`.
    #[allow(unsafe_code)]
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            stride as isize,
            keep != 0.0,
            a.values.as_ptr(),
            a.strides[1] as isize,
            a.strides[0] as isize,
            b.values.as_ptr(),
            b.strides[1] as isize,
            b.strides[0] as isize,
            keep,
            factor,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// Rows of a task in loops over rows.
pub(super) const ROWS: usize = 256;

/// Adds up what `part(i)` adds into its own zeros, for `i` in `0..parts`, in that order whatever the threads do.
pub(super) fn summed(
    parts: usize,
    length: usize,
    part: impl Fn(usize, &mut [f32]) + Sync,
) -> Vec<f32> {
    let partial: Vec<Vec<f32>> = (0..parts)
        .into_par_iter()
        .map(|i| {
            let mut sum = vec![0.0; length];
            part(i, &mut sum);
            sum
        })
        .collect();
    let mut partial = partial.into_iter();
    let mut total = partial.next().unwrap_or_else(|| vec![0.0; length]);
    for sum in partial {
        vectorised(
            #[inline(always)]
            || {
                total
                    .iter_mut()
                    .zip(&sum)
                    .for_each(|(total, value)| *total += value)
            },
        );
    }
    total
}

/// Runs a loop in a version compiled for the widest vectors of this processor. The closure and what it calls must be
/// inlined into that version, which takes `#[inline(always)]` on them.
#[inline(always)]
pub(super) fn vectorised<R>(body: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(body)
}

const LANES: usize = 16;

/// A sum in lanes, which, unlike a plain one, the compiler may put into vectors.
#[inline(always)]
pub(super) fn sum(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

/// The sum of products, in lanes.
#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut lanes = [0.0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            lanes[i] += a[i] * b[i];
        }
    }
    lanes.iter().sum::<f32>() + rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum::<f32>()
}

/// The largest value, in lanes.
#[inline(always)]
pub(super) fn largest(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane = if *value > *lane { *value } else { *lane };
        }
    }
    lanes
        .iter()
        .chain(rest)
        .fold(f32::NEG_INFINITY, |a, b| a.max(*b))
}

/// The softmax of a row, in its place.
#[inline(always)]
pub(super) fn softmax(row: &mut [f32]) {
    let top = largest(row);
    row.iter_mut().for_each(|x| *x = exp(*x - top));
    let factor = 1.0 / sum(row);
    row.iter_mut().for_each(|x| *x *= factor);
}

/// `eˣ` for x <= 0 to within two units of the last place: the polynomial of Cephes, without branches.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it leaves no bits for a fraction
    let x = if x > -87.0 { x } else { -87.0 };
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_6e-1;
    let p = p * r + 0.5;
    let p = p * r * r + r + 1.0;
    // The last bits of `rounded` are the integer n: shifted into the exponent, 2ⁿ.
    p * f32::from_bits((rounded.to_bits() << 23).wrapping_add(127 << 23))
}

/// The error function to within 6e-7: the rational approximation of Eigen and XLA (`ErfImpl32`), which, unlike libm's,
/// has no branches and so becomes vector instructions.
#[inline(always)]
pub(super) fn erf(x: f32) -> f32 {
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
    let x = x.clamp(-4.0, 4.0);
    let square = x * x;
    let numerator = ALPHA.iter().fold(0.0, |sum, a| sum * square + a);
    let denominator = BETA.iter().fold(0.0, |sum, b| sum * square + b);
    x * numerator / denominator
}
