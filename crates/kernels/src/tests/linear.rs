#![allow(clippy::unwrap_used)]

use half::{bf16, f16};
use proptest::prelude::*;

use super::{Numbers, assert_close, gelu, relative_error};
use crate::{
    Epilogue, Isa, KernelError, PackedLinear, Precision, Weight,
    quantise::{inverse, quantise, scale},
};

struct Case {
    inputs: usize,
    outputs: usize,
    x: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    residual: Vec<f32>,
}

impl Case {
    fn new([rows, inputs, outputs]: [usize; 3]) -> Self {
        let mut numbers = Numbers::new((rows * 1_000_003 + inputs * 1009 + outputs) as u64);
        Self {
            inputs,
            outputs,
            x: numbers.take(rows * inputs),
            weight: numbers.take(outputs * inputs),
            bias: numbers.take(outputs),
            residual: numbers.take(rows * outputs),
        }
    }

    fn pack(&self, isa: Isa, precision: Precision) -> PackedLinear {
        PackedLinear::pack(
            isa,
            precision,
            Weight::Floats(&self.weight),
            Some(&self.bias),
            [self.outputs, self.inputs],
        )
        .unwrap()
    }

    fn run(&self, isa: Isa, precision: Precision, epilogue: Epilogue) -> Vec<f32> {
        let mut y = self.residual.clone();
        self.pack(isa, precision)
            .forward(&self.x, &mut y, epilogue)
            .unwrap();
        y
    }

    /// The product of what `precision` makes of the numbers.
    fn expected(&self, isa: Isa, precision: Precision) -> Vec<f64> {
        let plain = |x: &[f32]| x.iter().map(|x| f64::from(*x)).collect::<Vec<_>>();
        let rounded = |x: &[f32]| x.iter().map(|x| bf16::from_f32(*x).to_f64()).collect();
        let quantised = |x: &[f32]| {
            x.chunks(self.inputs)
                .flat_map(|row| {
                    let scale = scale(row);
                    row.iter()
                        .map(move |x| f64::from(quantise(*x, inverse(scale))) * f64::from(scale))
                })
                .collect()
        };
        let (x, weight) = match precision {
            Precision::F32 => (plain(&self.x), plain(&self.weight)),
            Precision::Bf16 if isa.has_bf16() => (rounded(&self.x), rounded(&self.weight)),
            Precision::Bf16 => (plain(&self.x), rounded(&self.weight)),
            Precision::Int8 => (quantised(&self.x), quantised(&self.weight)),
        };
        x.chunks(self.inputs)
            .flat_map(|x| {
                weight.chunks(self.inputs).zip(&self.bias).map(|(w, bias)| {
                    x.iter().zip(w).map(|(x, w)| x * w).sum::<f64>() + f64::from(*bias)
                })
            })
            .collect()
    }
}

const PRECISIONS: [Precision; 3] = [Precision::F32, Precision::Bf16, Precision::Int8];

fn check(sizes: [usize; 3]) {
    let case = Case::new(sizes);
    let residual = || case.residual.iter().map(|x| f64::from(*x));
    for isa in Isa::available() {
        for precision in PRECISIONS {
            let what = format!("{precision:?} {sizes:?}");
            let plain = case.expected(isa, precision);
            let with_gelu: Vec<f64> = plain.iter().map(|x| gelu(*x)).collect();
            let added: Vec<f64> = plain.iter().zip(residual()).map(|(x, y)| x + y).collect();
            let run = |epilogue| case.run(isa, precision, epilogue);
            assert_close(isa, &what, &run(Epilogue::Store), &plain, 1e-5);
            assert_close(isa, &what, &run(Epilogue::Gelu), &with_gelu, 1e-5);
            assert_close(isa, &what, &run(Epilogue::Add), &added, 1e-5);
            let other = run(Epilogue::Residual(&case.residual));
            assert_close(isa, &what, &other, &added, 1e-5);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_size_gives_the_plain_product(rows in 0usize..40, inputs in 1usize..90, outputs in 1usize..80) {
        check([rows, inputs, outputs]);
    }
}

#[test]
fn sums_longer_than_a_slab_give_the_plain_product() {
    check([5, 1111, 19]);
    check([3, 4101, 5]);
}

#[test]
fn inputs_that_fill_no_word_and_no_rows_at_all_are_fine() {
    check([1, 17, 18]);
    check([0, 5, 3]);
}

#[test]
fn many_rows_give_the_plain_product() {
    check([461, 37, 21]);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let case = Case::new([150, 70, 300]);
    for isa in Isa::available() {
        for precision in PRECISIONS {
            let on = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                let y = pool
                    .unwrap()
                    .install(|| case.run(isa, precision, Epilogue::Gelu));
                y.into_iter().map(f32::to_bits).collect::<Vec<_>>()
            };
            let one = on(1);
            assert!(one == on(2) && one == on(7), "{isa:?} {precision:?}");
        }
    }
}

#[test]
fn bytes_give_the_same_sums_on_every_instruction_set() {
    let case = Case::new([20, 200, 50]);
    let of = |isa| case.run(isa, Precision::Int8, Epilogue::Store);
    let isas = Isa::available();
    let first = of(isas[0]);
    for isa in isas {
        let reference: Vec<f64> = first.iter().map(|x| f64::from(*x)).collect();
        assert_close(isa, "int8", &of(isa), &reference, 1e-6);
    }
}

#[test]
fn lesser_precisions_stay_close_to_the_exact_product() {
    let case = Case::new([40, 512, 64]);
    for isa in Isa::available() {
        let exact = case.expected(isa, Precision::F32);
        let bf16 = relative_error(&case.run(isa, Precision::Bf16, Epilogue::Store), &exact);
        let int8 = relative_error(&case.run(isa, Precision::Int8, Epilogue::Store), &exact);
        assert!(bf16 < 3e-3, "{isa:?} bf16: {bf16}");
        assert!(int8 < 8e-3, "{isa:?} int8: {int8}");
    }
}

#[test]
fn numbers_of_files_are_read_as_they_are() {
    let case = Case::new([7, 33, 18]);
    let b: Vec<bf16> = case.weight.iter().map(|x| bf16::from_f32(*x)).collect();
    let h: Vec<f16> = case.weight.iter().map(|x| f16::from_f32(*x)).collect();
    let wide = |weight: Vec<f32>| Case {
        weight,
        ..Case::new([7, 33, 18])
    };
    let bytes = |bits: Vec<u16>| -> Vec<_> { bits.into_iter().map(u16::to_le_bytes).collect() };
    let floats: Vec<_> = case.weight.iter().map(|x| x.to_le_bytes()).collect();
    let pairs = [
        (Weight::F32(&floats), wide(case.weight.clone())),
        (
            Weight::Bf16(&bytes(b.iter().map(|x| x.to_bits()).collect())),
            wide(b.iter().map(|x| x.to_f32()).collect()),
        ),
        (
            Weight::F16(&bytes(h.iter().map(|x| x.to_bits()).collect())),
            wide(h.iter().map(|x| x.to_f32()).collect()),
        ),
    ];
    for (narrow, wide) in pairs {
        assert_eq!(narrow.to_vec(), wide.weight);
        let isa = Isa::detect();
        let layer = PackedLinear::pack(isa, Precision::F32, narrow, Some(&case.bias), [18, 33]);
        let mut y = vec![0.0; 7 * 18];
        layer
            .unwrap()
            .forward(&case.x, &mut y, Epilogue::Store)
            .unwrap();
        assert_eq!(y, wide.run(isa, Precision::F32, Epilogue::Store));
    }
}

#[test]
fn a_row_that_is_not_finite_spoils_no_other() {
    for bad in [f32::NAN, f32::INFINITY] {
        let mut case = Case::new([9, 40, 20]);
        case.x[3 * 40 + 5] = bad;
        case.weight.iter_mut().for_each(|w| *w = w.abs() + 0.1);
        for isa in Isa::available() {
            for precision in PRECISIONS {
                let y = case.run(isa, precision, Epilogue::Store);
                for (row, y) in y.chunks(20).enumerate() {
                    let finite = y.iter().all(|y| y.is_finite());
                    let spoiled = y.iter().all(|y| !y.is_finite());
                    assert!(
                        if row == 3 { spoiled } else { finite },
                        "{isa:?} {precision:?} {row}"
                    );
                }
            }
        }
    }
}

#[test]
fn rows_and_weights_of_zeros_and_of_the_smallest_numbers_give_the_bias() {
    let mut case = Case::new([3, 40, 20]);
    case.x[..40].fill(0.0);
    case.x[40..80].fill(f32::from_bits(3));
    case.weight[..80].fill(0.0);
    let bias: Vec<f64> = case.bias.iter().map(|x| f64::from(*x)).collect();
    for isa in Isa::available() {
        for precision in PRECISIONS {
            let y = case.run(isa, precision, Epilogue::Store);
            assert_close(isa, "zeros", &y[..20], &bias, 0.0);
            assert_close(isa, "denormals", &y[20..40], &bias, 0.0);
            assert_close(isa, "zero weights", &y[40..42], &bias[..2], 0.0);
        }
    }
}

#[test]
fn the_packed_weight_takes_the_memory_of_its_precision() {
    let case = Case::new([0, 256, 192]);
    for isa in Isa::available() {
        for (precision, each) in [
            (Precision::F32, 4),
            (Precision::Bf16, 2),
            (Precision::Int8, 1),
        ] {
            let bytes = case.pack(isa, precision).bytes();
            let least = 256 * 192 * each;
            assert!(
                (least..least + least / 20 + 3000).contains(&bytes),
                "{isa:?} {precision:?} {bytes}"
            );
        }
    }
}

#[test]
fn wrong_lengths_are_named() {
    let case = Case::new([2, 8, 4]);
    let layer = case.pack(Isa::detect(), Precision::F32);
    let mut y = vec![0.0; 7];
    let error = layer.forward(&case.x, &mut y, Epilogue::Store).unwrap_err();
    assert_eq!(
        error.to_string(),
        "y holds 7 numbers, not 8: pass [rows, outputs]"
    );
    let error = PackedLinear::pack(
        Isa::detect(),
        Precision::F32,
        Weight::Floats(&[]),
        None,
        [0, 4],
    );
    assert!(matches!(error, Err(KernelError::Size { .. })));
}
