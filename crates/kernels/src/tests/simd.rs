//! Each instruction against plain arithmetic, with numbers that instructions treat apart.

use super::{Numbers, gelu};
use crate::{
    Isa, math,
    simd::{Kernel, Simd, portable::bf16},
};

const ODD: [f32; 16] = [
    0.0,
    -0.0,
    1.0,
    -1.5,
    f32::NAN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::MIN_POSITIVE,
    f32::MAX,
    -1e-20,
    3.0e38,
    65_280.5,
    0.333,
    -7.77,
    1e-8,
    255.5,
];

fn same(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

struct Floats;
impl Kernel for Floats {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd, const M: usize, const V: usize>(self, s: S) {
        let mut shifted = ODD;
        for turn in 0..16 {
            shifted.rotate_left(1);
            for (a, b) in S::rows(&ODD).iter().zip(S::rows(&shifted)) {
                let (x, y) = (s.load(a), s.load(b));
                let all = |found: S::F, expected: &dyn Fn(f32, f32) -> f32| {
                    let mut row = *a;
                    s.store(found, &mut row);
                    for ((found, a), b) in row.as_ref().iter().zip(a.as_ref()).zip(b.as_ref()) {
                        let expected = expected(*a, *b);
                        assert!(
                            same(*found, expected),
                            "turn {turn}: {a} {b}: {found} {expected}"
                        );
                    }
                };
                all(s.add(x, y), &|a, b| a + b);
                all(s.sub(x, y), &|a, b| a - b);
                all(s.mul(x, y), &|a, b| a * b);
                all(s.div(x, y), &|a, b| a / b);
                all(s.sqrt(x), &|a, _| a.sqrt());
                all(s.max(x, y), &|a, b| if a > b { a } else { b });
                all(s.min(x, y), &|a, b| if a < b { a } else { b });
                all(s.splat(2.5), &|_, _| 2.5);
                // With 1 added, rounding once or twice is the same for these.
                all(s.fma(x, y, s.splat(1.0)), &|a, b| a.mul_add(b, 1.0));
                all(s.scale(x, s.splat(f32::from_bits(3))), &|a, _| {
                    f32::from_bits(a.to_bits().wrapping_add(3 << 23))
                });
            }
        }
    }
}

struct Words;
impl Kernel for Words {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd, const M: usize, const V: usize>(self, s: S) {
        let mut numbers = Numbers::new(5);
        let mut word =
            || (numbers.next() * 2e9) as i32 as u32 ^ (numbers.next() * 3e4) as i32 as u32;
        for round in 0..200 {
            let mut b: [u32; 16] = std::array::from_fn(|_| word());
            let mut a = word();
            if round == 0 {
                (a, b) = (0xffff_ffff, [0x8080_8080; 16]);
            }
            let row = &S::rows(&b)[0];
            let float = |sum: S::I| {
                let mut lanes = [0f32; 16];
                s.store(s.to_float(sum), &mut S::rows_mut(&mut lanes)[0]);
                lanes
            };
            let start = s.splat_word(7);
            let (bytes, i16s) = (
                float(s.dot_bytes(start, a, row)),
                float(s.dot_i16(start, a & 0x7fff_7fff, row)),
            );
            let loaded = float(s.load_words(row));
            let mut widened = [[0u32; 16]; 2];
            let [even, odd] = widened.each_mut().map(|x| &mut S::rows_mut(x)[0]);
            s.widen_bytes(row, even, odd);
            let mut floats = [[0f32; 16]; 2];
            let [low, high] = floats.each_mut().map(|x| &mut S::rows_mut(x)[0]);
            s.widen_bf16(row, low, high);
            for (lane, b) in row.as_ref().iter().enumerate() {
                assert_eq!(floats[0][lane].to_bits(), b << 16);
                assert_eq!(floats[1][lane].to_bits(), b & 0xffff_0000);
                let pair = |low: u8, high: u8| {
                    let [low, high] = [low, high].map(|x| (x as i8 as i16 as u16).to_le_bytes());
                    u32::from_le_bytes([low[0], low[1], high[0], high[1]])
                };
                let [b0, b1, b2, b3] = b.to_le_bytes();
                assert_eq!(widened[0][lane], pair(b0, b2));
                assert_eq!(widened[1][lane], pair(b1, b3));
                let products = a.to_le_bytes().into_iter().zip(b.to_le_bytes());
                let sum: i32 = products
                    .map(|(a, b)| i32::from(a) * i32::from(b as i8))
                    .sum();
                assert_eq!(bytes[lane], (7 + sum) as f32);
                let half = |x: u32| i64::from(x as u16 as i16);
                let a = a & 0x7fff_7fff;
                let sum = half(a) * half(*b) + half(a >> 16) * half(b >> 16) + 7;
                assert_eq!(i16s[lane], sum as i32 as f32);
                assert_eq!(loaded[lane], b.cast_signed() as f32);
            }
        }
    }
}

struct Bf16;
impl Kernel for Bf16 {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd, const M: usize, const V: usize>(self, s: S) {
        let mut shifted = ODD;
        for _ in 0..16 {
            shifted.rotate_left(1);
            for (even, odd) in S::rows(&ODD).iter().zip(S::rows(&shifted)) {
                let mut words = [0u32; 16];
                s.pair_bf16(s.load(even), s.load(odd), &mut S::rows_mut(&mut words)[0]);
                let pairs = even.as_ref().iter().zip(odd.as_ref());
                for (word, (even, odd)) in words.iter().zip(pairs) {
                    for (found, x) in [(word << 16, even), (word & 0xffff_0000, odd)] {
                        let (found, expected) = (f32::from_bits(found), f32::from_bits(bf16(*x)));
                        assert!(same(found, expected), "{x}: {found} {expected}");
                        let reference = half::bf16::from_f32(*x).to_f32();
                        assert!(same(expected, reference), "{x}: {expected} {reference}");
                    }
                }
            }
        }
        let mut numbers = Numbers::new(9);
        let mut pair = || bf16(numbers.next()) >> 16 | bf16(numbers.next());
        for _ in 0..100 {
            let (a, b): (u32, [u32; 16]) = (pair(), std::array::from_fn(|_| pair()));
            let mut lanes = [0f32; 16];
            let found = s.dot_bf16(s.splat(0.25), a, &S::rows(&b)[0]);
            s.store(found, &mut S::rows_mut(&mut lanes)[0]);
            for (found, b) in lanes[..S::LANES].iter().zip(b) {
                let halves = |x: u32| [f32::from_bits(x << 16), f32::from_bits(x & 0xffff_0000)];
                let ([a0, a1], [b0, b1]) = (halves(a), halves(b));
                assert!((found - (0.25 + a0 * b0 + a1 * b1)).abs() < 1e-6);
            }
        }
    }
}

struct Functions;
impl Kernel for Functions {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd, const M: usize, const V: usize>(self, s: S) {
        let apply = |f: &dyn Fn(S::F) -> S::F, x: f32| {
            let mut lanes = [x; 16];
            let row = &mut S::rows_mut(&mut lanes)[0];
            s.store(f(s.load(row)), row);
            lanes[0]
        };
        for i in -126_000..=127_000 {
            let x = i as f32 / 1000.0;
            let (found, expected) = (apply(&|x| math::exp2(s, x), x), f64::from(x).exp2());
            let error = (f64::from(found) - expected).abs() / expected;
            assert!(error < 2e-7, "2^{x}: {found} {expected} {error}");
        }
        for i in -100_000..=100_000 {
            let x = i as f32 / 10_000.0;
            let (found, expected) = (apply(&|x| math::gelu(s, x), x), gelu(f64::from(x)));
            let error = (f64::from(found) - expected).abs() / f64::from(x.abs()).max(1.0);
            assert!(error < 1e-6, "gelu {x}: {found} {expected}");
        }
        assert_eq!(apply(&|x| math::exp2(s, x), -1e30), f32::MIN_POSITIVE);
        assert_eq!(
            apply(&|x| math::exp2(s, x), f32::NEG_INFINITY),
            f32::MIN_POSITIVE
        );
        assert!(apply(&|x| math::exp2(s, x), f32::NAN).is_nan());
        assert!(apply(&|x| math::gelu(s, x), f32::NAN).is_nan());
        assert_eq!(apply(&|x| math::gelu(s, x), 0.0), 0.0);
        assert!((apply(&|x| math::gelu(s, x), 1e30) / 1e30 - 1.0).abs() < 1e-6);
    }
}

#[test]
fn arithmetic_is_the_plain_one_bit_for_bit() {
    Isa::available()
        .into_iter()
        .for_each(|isa| isa.run_even(Floats));
}

#[test]
fn products_of_bytes_and_of_words_are_exact() {
    Isa::available()
        .into_iter()
        .for_each(|isa| isa.run_even(Words));
}

#[test]
fn bf16_is_rounded_and_multiplied_as_the_library_s() {
    Isa::available()
        .into_iter()
        .for_each(|isa| isa.run_even(Bf16));
}

#[test]
fn powers_of_two_and_gelu_keep_their_bounds() {
    Isa::available()
        .into_iter()
        .for_each(|isa| isa.run_even(Functions));
}

#[test]
fn plain_rust_is_always_there() {
    let names: Vec<_> = Isa::available().into_iter().map(Isa::name).collect();
    assert!(names.contains(&"portable"));
    #[allow(clippy::print_stdout)] // so that a log says what was tested
    {
        println!("instruction sets under test: {names:?}");
    }
}
