#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::{Numbers, assert_close, relative_error};
use crate::{Attention, AttentionShape, Isa, KernelError, Precision, Queries, Sharing};

struct Case {
    shape: AttentionShape,
    prompts: usize,
    sharing: Sharing,
    qkv: Vec<f32>,
    row_table: Vec<f32>,
    column_table: Vec<f32>,
    /// Whether the tables are given; if not, they are zeros.
    relative: bool,
}

impl Case {
    fn new(shape: AttentionShape, prompts: usize) -> Self {
        let seed = shape.tokens() * 100 + shape.width * 7 + shape.heads + prompts;
        let mut numbers = Numbers::new(seed as u64);
        let qkv = numbers.take((prompts + 1) * shape.tokens() * 3 * shape.channels());
        Self {
            shape,
            prompts,
            sharing: Sharing::Average,
            qkv: qkv.into_iter().map(|x| 2.0 * x).collect(),
            row_table: numbers.take((4 * shape.rows - 1) * shape.width),
            column_table: numbers.take((2 * shape.columns - 1) * shape.width),
            relative: true,
        }
    }

    fn without_positions(self) -> Self {
        Self {
            row_table: vec![0.0; self.row_table.len()],
            column_table: vec![0.0; self.column_table.len()],
            relative: false,
            ..self
        }
    }

    fn joint(self) -> Self {
        Self {
            sharing: Sharing::Joint,
            ..self
        }
    }

    fn run(&self, isa: Isa, precision: Precision, queries: Queries) -> Vec<f32> {
        let tables = [&self.row_table[..], &self.column_table];
        let tables = self.relative.then_some(tables);
        let attention = Attention::new(isa, precision, self.shape, tables).unwrap();
        let tokens = self.shape.tokens();
        let wanted = match queries {
            Queries::All => (self.prompts + 1) * tokens,
            Queries::From(first) => 2 * tokens - first,
        };
        let mut out = vec![f32::NAN; wanted * self.shape.channels()];
        attention
            .forward(&self.qkv, &mut out, queries, self.sharing)
            .unwrap();
        out
    }

    /// Canvas by canvas, with a matrix of scores, as the original code has it.
    fn expected(&self, queries: Queries) -> Vec<f64> {
        let AttentionShape {
            heads,
            width,
            rows,
            columns,
        } = self.shape;
        let (tokens, channels) = (self.shape.tokens(), self.shape.channels());
        let at = |token: usize, which: usize, head: usize| {
            let start = token * 3 * channels + which * channels + head * width;
            &self.qkv[start..start + width]
        };
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter()
                .zip(b)
                .map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum()
        };
        let mut out = vec![0f64; (self.prompts + 1) * tokens * channels];
        for prompt in 0..self.prompts {
            // Of the canvas of some prompt to of the group.
            let token = |prompt: usize, i: usize| {
                if i < tokens {
                    prompt * tokens + i
                } else {
                    self.prompts * tokens + i - tokens
                }
            };
            for head in 0..heads {
                for i in 0..2 * tokens {
                    let q = at(token(prompt, i), 0, head);
                    let joint = i >= tokens && self.sharing == Sharing::Joint;
                    let seen = if joint {
                        0..self.prompts
                    } else {
                        prompt..prompt + 1
                    };
                    let mut keys: Vec<(usize, usize)> = seen
                        .flat_map(|prompt| (0..tokens).map(move |j| (prompt, j)))
                        .collect();
                    keys.extend((tokens..2 * tokens).map(|j| (prompt, j)));
                    let scores: Vec<f64> = keys
                        .iter()
                        .map(|&(prompt, j)| {
                            let entry = |table: &'_ [f32], distance: usize| {
                                dot(q, &table[distance * width..(distance + 1) * width])
                            };
                            dot(q, at(token(prompt, j), 1, head)) / (width as f64).sqrt()
                                + entry(&self.row_table, i / columns + 2 * rows - 1 - j / columns)
                                + entry(&self.column_table, i % columns + columns - 1 - j % columns)
                        })
                        .collect();
                    let largest = scores.iter().fold(f64::MIN, |m, x| m.max(*x));
                    let weights: Vec<f64> = scores.iter().map(|x| (x - largest).exp()).collect();
                    let sum: f64 = weights.iter().sum();
                    let share = if i < tokens {
                        1.0
                    } else {
                        1.0 / self.prompts as f64
                    };
                    for (&(of, j), weight) in keys.iter().zip(&weights) {
                        for (c, v) in at(token(of, j), 2, head).iter().enumerate() {
                            out[token(prompt, i) * channels + head * width + c] +=
                                share * weight / sum * f64::from(*v);
                        }
                    }
                }
            }
        }
        if let Queries::From(first) = queries {
            out.drain(tokens * channels..self.prompts * tokens * channels);
            out.drain(..first * channels);
        }
        out
    }
}

fn shape(heads: usize, width: usize, rows: usize, columns: usize) -> AttentionShape {
    AttentionShape {
        heads,
        width,
        rows,
        columns,
    }
}

/// f32 to 1e-5, bf16 to 2e-2 of the largest value and, where there are enough of them to tell, 8e-3 on the whole.
fn check(case: &Case, queries: Queries) {
    let expected = case.expected(queries);
    for isa in Isa::available() {
        let (shape, sharing) = (case.shape, case.sharing);
        let what = format!(
            "{shape:?}, {} prompts, {sharing:?}, {queries:?}",
            case.prompts
        );
        assert_close(
            isa,
            &what,
            &case.run(isa, Precision::F32, queries),
            &expected,
            1e-5,
        );
        let bf16 = case.run(isa, Precision::Bf16, queries);
        assert_close(isa, &what, &bf16, &expected, 2e-2);
        let error = relative_error(&bf16, &expected);
        let few = expected.len() < 64;
        assert!(few || error < 8e-3, "{isa:?} {what}: {error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn every_grid_width_and_number_of_prompts_gives_the_plain_attention(
        heads in 1usize..4, width in 1usize..20, rows in 1usize..7, columns in 1usize..8, prompts in 1usize..4,
        first in 0usize..60,
    ) {
        let case = Case::new(shape(heads, width, rows, columns), prompts);
        check(&case, Queries::All);
        check(&case, Queries::From(first.min(case.shape.tokens())));
        let case = case.joint();
        check(&case, Queries::All);
        check(&case, Queries::From(first.min(case.shape.tokens())));
    }
}

#[test]
fn heads_of_64_over_several_blocks_of_keys_give_the_plain_attention() {
    check(&Case::new(shape(1, 64, 11, 13), 1), Queries::All);
    check(&Case::new(shape(2, 32, 10, 25), 1), Queries::From(225));
}

#[test]
fn without_tables_positions_have_no_say() {
    let case = Case::new(shape(3, 10, 5, 7), 2).without_positions();
    check(&case, Queries::All);
    check(&case, Queries::From(28));
}

/// A canvas is one picture of twice the height, in which all tokens attend to all.
#[test]
fn without_prompts_it_is_plain_attention() {
    let canvas = Case::new(shape(3, 10, 5, 7), 1).without_positions();
    let expected = canvas.expected(Queries::All);
    for sharing in [Sharing::Average, Sharing::Joint] {
        let alone = Case {
            shape: shape(3, 10, 10, 7),
            prompts: 0,
            sharing,
            qkv: canvas.qkv.clone(),
            row_table: Vec::new(),
            column_table: Vec::new(),
            relative: false,
        };
        for isa in Isa::available() {
            let found = alone.run(isa, Precision::F32, Queries::All);
            assert_close(isa, "alone", &found, &expected, 1e-5);
        }
    }
}

#[test]
fn scores_far_apart_do_not_overflow() {
    let mut case = Case::new(shape(2, 8, 5, 6), 2);
    case.qkv.iter_mut().for_each(|x| *x *= 30.0);
    let expected = case.expected(Queries::All);
    for isa in Isa::available() {
        let found = case.run(isa, Precision::F32, Queries::All);
        // Of scores in the thousands the last digits are gone.
        assert_close(isa, "large", &found, &expected, 1e-3);
    }
}

#[test]
fn equal_scores_average_the_values() {
    let mut case = Case::new(shape(1, 8, 3, 5), 1);
    for token in case.qkv.chunks_mut(24) {
        token[..8].fill(0.0);
    }
    let mut mean = [0f64; 8];
    for token in case.qkv.chunks(24) {
        for (mean, v) in mean.iter_mut().zip(&token[16..]) {
            *mean += f64::from(*v) / 30.0;
        }
    }
    for isa in Isa::available() {
        for row in case.run(isa, Precision::F32, Queries::All).chunks(8) {
            assert_close(isa, "mean", row, &mean, 1e-6);
        }
    }
}

#[test]
fn a_query_that_is_not_a_number_spoils_its_own_result_only() {
    let mut case = Case::new(shape(2, 8, 4, 5), 1);
    case.qkv[7 * 48 + 8] = f32::NAN; // the second head's query of token 7
    for isa in Isa::available() {
        let out = case.run(isa, Precision::F32, Queries::All);
        for (i, x) in out.iter().enumerate() {
            let spoiled = i / 16 == 7 && i % 16 >= 8;
            assert_eq!(x.is_nan(), spoiled, "{isa:?} {i}");
        }
    }
}

#[test]
fn a_key_that_is_not_a_number_spoils_everyone_s_result() {
    let mut case = Case::new(shape(1, 8, 4, 5), 1);
    case.qkv[7 * 24 + 8] = f32::NAN;
    for isa in Isa::available() {
        let out = case.run(isa, Precision::F32, Queries::All);
        assert!(out.iter().all(|x| x.is_nan()), "{isa:?}");
    }
}

#[test]
fn wrong_lengths_are_named() {
    let case = Case::new(shape(1, 8, 2, 2), 1);
    let new = |rows: &[f32]| {
        Attention::new(
            Isa::detect(),
            Precision::F32,
            case.shape,
            Some([rows, &case.column_table]),
        )
    };
    assert!(matches!(new(&[0.0; 3]), Err(KernelError::Length { .. })));
    let attention = new(&case.row_table).unwrap();
    let mut out = vec![0.0; 64];
    let mut forward = |tokens: usize, queries| {
        let qkv = &case.qkv[..tokens * 24];
        attention.forward(qkv, &mut out, queries, case.sharing)
    };
    assert!(forward(4, Queries::From(0)).is_err(), "no prompt");
    assert!(
        forward(4, Queries::All).is_err(),
        "out too long for one part"
    );
    assert!(forward(7, Queries::All).is_err(), "half a token row");
    assert!(
        forward(8, Queries::From(5)).is_err(),
        "beyond the first prompt"
    );
    assert!(forward(8, Queries::From(1)).is_err(), "out too long");
    assert!(forward(8, Queries::All).is_ok());
}
