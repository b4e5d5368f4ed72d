//! What compares a query with prompts: differentiable, on every device.

use candle_core::{D, Result as Computed, Tensor};

use super::{MatchingConfig, Weights};
use crate::{
    network::{Canvas, Owner},
    ops,
};

/// Added to the share of every word, so that one that is rare says little.
const RARE: f64 = 0.01;
const EPSILON: f64 = 1e-6;

/// What of prompts all queries need. `B` canvases, `C` classes, `N` prompts of `L` tokens.
pub struct Prompts {
    /// The network that is to answer; of a head alone, none but itself.
    pub(super) owner: Owner,
    pub(super) canvas: Canvas,
    /// The mean of the prompts' features, `[B, 1, F]`.
    mean: Tensor,
    /// Unit vectors that tokens are compared by, `[B, 1, N L, e]`.
    keys: Tensor,
    /// Masks of the tokens' cells, `[B, 1, N L, C * cells]`.
    masks: Tensor,
    /// Keys and values of every block, each `[B C, heads, N L, d]`.
    blocks: Vec<[Tensor; 2]>,
    /// How much more a word speaks for the class than against it, `[B, C, codebooks * words]`.
    evidence: Tensor,
    classes: usize,
}

impl Prompts {
    /// `C`.
    pub fn classes(&self) -> usize {
        self.classes
    }
}

/// What the head sees of pictures themselves, `G` of them.
pub(super) struct Patterns {
    /// Local patterns, `[G, height / 2, width / 2, s]`.
    stem: Tensor,
    /// How much each pixel is each word, those of a codebook summing to 1: `[G, pixels, codebooks * words]`.
    words: Tensor,
}

impl Patterns {
    /// Those of some pictures, by their numbers.
    pub(super) fn pick(&self, pictures: &Tensor) -> Computed<Self> {
        Ok(Self {
            stem: self.stem.index_select(pictures, 0)?,
            words: self.words.index_select(pictures, 0)?,
        })
    }
}

/// The head with its weights, `head.*`.
pub(super) struct Head<'a> {
    pub(super) config: &'a MatchingConfig,
    pub(super) weights: &'a Weights,
}

impl Head<'_> {
    /// Takes prompts of the grid `canvas`: `features` `[B, N, L, F]`, the [`Head::patterns`] of their `B N` pictures, and `masks`
    /// `[B, C, N, height / 2, width / 2]`, the share of each class in two by two pixels.
    pub(super) fn prompts(
        &self,
        canvas: Canvas,
        features: &Tensor,
        patterns: &Patterns,
        masks: &Tensor,
    ) -> Computed<Prompts> {
        let (b, n, l, f) = features.dims4()?;
        let classes = masks.dim(1)?;
        let features = features.reshape((b, n * l, f))?;
        let mean = features.mean_keepdim(1)?;
        let cells = self.cells(canvas, masks)?;
        let (tokens, c) = (n * l, self.config.head.width);

        let marks = self.linear(&cells, "mask.weight", "mask.prompt")?;
        let mut x = marks
            .broadcast_add(&self.token_features(&features)?.unsqueeze(1)?)?
            .reshape((b * classes, tokens, c))?;
        let mut blocks = Vec::new();
        for index in 0..self.config.head.depth {
            let [q, k, v] = self.queries_keys_values(index, &x)?;
            // Of the last block, the query needs keys and values alone.
            if index + 1 < self.config.head.depth {
                x = self.block(index, &x, &ops::attention_of(&q, &k, &v)?)?;
            }
            blocks.push([k, v]);
        }
        Ok(Prompts {
            owner: Owner::new(),
            canvas,
            keys: self.directions(&features, &mean)?,
            masks: cells.permute((0, 2, 1, 3))?.reshape((b, 1, tokens, ()))?,
            evidence: self.evidence(&patterns.words, masks)?,
            mean,
            blocks,
            classes,
        })
    }

    /// Answers a query of each canvas: `features` `[B, L, F]`, and the patterns of their `B` pictures. Logits of each class
    /// against background, `[B, C, height / 2, width / 2]`.
    pub(super) fn answer(
        &self,
        features: &Tensor,
        patterns: &Patterns,
        prompts: &Prompts,
    ) -> Computed<Tensor> {
        let (b, l, _) = features.dims3()?;
        let (classes, head) = (prompts.classes, &self.config.head);
        let canvas = prompts.canvas;
        let directions = self.directions(features, &prompts.mean)?;
        let sharp = self.weight("match.temperature")?.exp()?;
        let vote = ops::attention_of(
            &directions.broadcast_mul(&sharp.reshape((1, 1, 1, 1))?)?,
            &prompts.keys,
            &prompts.masks,
        )?;
        let vote = vote
            .reshape((b, l, classes, ()))?
            .permute((0, 2, 1, 3))?
            .contiguous()?;

        let marks = self.linear(&vote, "mask.weight", "mask.query")?;
        let mut x = marks
            .broadcast_add(&self.token_features(features)?.unsqueeze(1)?)?
            .reshape((b * classes, l, head.width))?;
        for (index, [keys, values]) in prompts.blocks.iter().enumerate() {
            let [q, k, v] = self.queries_keys_values(index, &x)?;
            let (k, v) = (Tensor::cat(&[keys, &k], 2)?, Tensor::cat(&[values, &v], 2)?);
            x = self.block(index, &x, &ops::attention_of(&q, &k, &v)?)?;
        }
        let x = self.norm(&x, "norm")?;
        let from_tokens = self.linear(&x, "cells.weight", "cells.bias")?;
        let from_tokens = self.pixels(canvas, &from_tokens, head.cell_width)?;

        let stem = &patterns.stem;
        let (_, rows, columns, _) = stem.dims4()?;
        let said = self.said(&patterns.words, &prompts.evidence)?;
        let of_class = |x: &Tensor| x.reshape((b * classes, rows, columns, ()));
        let every_class = (b, classes, rows, columns, head.stem_width);
        let stem = of_class(&stem.unsqueeze(1)?.broadcast_as(every_class)?.contiguous()?)?;
        let vote = self.pixels(canvas, &vote.reshape((b * classes, l, ()))?, 1)?;
        let all = Tensor::cat(&[&from_tokens, &stem, &of_class(&said)?, &vote], 3)?;
        let hidden = ops::gelu(&self.convolve(&all, "decoder.0", 1)?)?;
        let correction = self.convolve(&hidden, "decoder.1", 1)?;

        let number = |name: &str| self.weight(name)?.reshape((1, 1, 1, 1));
        let vote = vote
            .broadcast_sub(&number("match.centre")?)?
            .broadcast_mul(&number("match.scale")?)?;
        (vote + correction)?.reshape((b, classes, rows, columns))
    }

    /// Unit vectors of the projected features, the prompts' mean taken off: `[B, 1, T, e]`.
    fn directions(&self, features: &Tensor, mean: &Tensor) -> Computed<Tensor> {
        let centred = features.broadcast_sub(mean)?;
        let weight = self.weight("match.weight")?;
        let none = Tensor::zeros(weight.dim(0)?, weight.dtype(), weight.device())?;
        let x = ops::linear(&centred, weight, &none)?;
        let length = (x.sqr()?.sum_keepdim(D::Minus1)? + EPSILON)?.sqrt()?;
        x.broadcast_div(&length)?.unsqueeze(1)
    }

    /// `[B, T, F]` to `[B, T, C]`.
    fn token_features(&self, features: &Tensor) -> Computed<Tensor> {
        self.linear(features, "features.weight", "features.bias")
    }

    /// Masks `[B, C, N, rows * s, columns * s]` to those of each token's cells, `[B, C, N L, s²]`.
    fn cells(&self, canvas: Canvas, masks: &Tensor) -> Computed<Tensor> {
        let (b, c, n, _, _) = masks.dims5()?;
        let (side, Canvas { rows, columns }) = (self.config.encoder.patch_size / 2, canvas);
        masks
            .reshape(&[b * c * n, rows, side, columns, side][..])?
            .permute((0, 1, 3, 2, 4))?
            .reshape((b, c, n * canvas.tokens(), side * side))
    }

    /// Cells of tokens `[G, L, s² k]` to pixels `[G, rows * s, columns * s, k]`.
    fn pixels(&self, canvas: Canvas, cells: &Tensor, k: usize) -> Computed<Tensor> {
        let (g, _, _) = cells.dims3()?;
        let (side, Canvas { rows, columns }) = (self.config.encoder.patch_size / 2, canvas);
        cells
            .reshape(&[g, rows, columns, side, side * k][..])?
            .transpose(2, 3)?
            .contiguous()?
            .reshape((g, rows * side, columns * side, k))
    }

    /// What there is to see of pictures `[G, 3, height, width]`.
    pub(super) fn patterns(&self, pictures: &Tensor) -> Computed<Patterns> {
        let x = pictures.permute((0, 2, 3, 1))?.contiguous()?;
        let x = ops::gelu(&self.convolve(&x, "stem.0", 2)?)?;
        let stem = self.convolve(&x, "stem.1", 1)?;
        let (g, rows, columns, _) = stem.dims4()?;
        let x = self.linear(&stem, "words.weight", "words.bias")?;
        let words = ops::softmax(&x.reshape(((), self.config.head.words))?)?;
        Ok(Patterns {
            words: words.reshape((g, rows * columns, ()))?,
            stem,
        })
    }

    /// [`Prompts::evidence`] of the words of `B N` pictures.
    fn evidence(&self, words: &Tensor, masks: &Tensor) -> Computed<Tensor> {
        let (b, c, n, rows, columns) = masks.dims5()?;
        let pixels = n * rows * columns;
        let words = words.reshape((b, pixels, ()))?;
        let masks = masks.reshape((b, c, pixels))?;
        let inside = masks.matmul(&words)?;
        let outside = words.sum_keepdim(1)?.broadcast_sub(&inside)?;
        let area = masks.sum_keepdim(2)?;
        let rest = (pixels as f64 - &area)?;
        let share = |sum: Tensor, of: Tensor| -> Computed<Tensor> {
            sum.broadcast_div(&(of + 1.0)?)? + RARE
        };
        share(inside, area)?.log()? - share(outside, rest)?.log()?
    }

    /// What the words of each pixel say for each class: `[B, pixels, codebooks * words]` to `[B, C, pixels, codebooks]`.
    fn said(&self, words: &Tensor, evidence: &Tensor) -> Computed<Tensor> {
        let (b, c, total) = evidence.dims3()?;
        let (books, each) = (self.config.head.codebooks, self.config.head.words);
        // Every book's words to a column of its own.
        let own: Vec<f32> = (0..total * books)
            .map(|i| f32::from(u8::from(i / books / each == i % books)))
            .collect();
        let own = Tensor::from_vec(own, (1, 1, total, books), evidence.device())?;
        let own = own.to_dtype(evidence.dtype())?;
        let table = evidence.unsqueeze(3)?.broadcast_mul(&own)?;
        let words = words.unsqueeze(1)?;
        let pixels = words.dim(2)?;
        words
            .broadcast_as((b, c, pixels, total))?
            .contiguous()?
            .matmul(&table.contiguous()?)
    }

    /// Queries, scaled, keys and values of a block for tokens `[G, T, C]`, each `[G, heads, T, d]`.
    fn queries_keys_values(&self, index: usize, x: &Tensor) -> Computed<[Tensor; 3]> {
        let heads = self.config.head.heads;
        let name = |part: &str| format!("blocks.{index}.{part}");
        let x = self.norm(x, &name("norm1"))?;
        let qkv = self.linear(&x, &name("attn.qkv.weight"), &name("attn.qkv.bias"))?;
        let (q, k, v) = ops::heads_apart(&qkv, heads)?;
        let scale = ((self.config.head.width / heads) as f64).powf(-0.5);
        Ok([(q * scale)?, k, v])
    }

    /// The rest of a block, after its attention `[G, heads, T, d]`.
    fn block(&self, index: usize, x: &Tensor, attended: &Tensor) -> Computed<Tensor> {
        let name = |part: &str| format!("blocks.{index}.{part}");
        let linear = |x: &Tensor, part: &str| {
            self.linear(
                x,
                &name(&format!("{part}.weight")),
                &name(&format!("{part}.bias")),
            )
        };
        let attended = attended.transpose(1, 2)?.reshape(x.shape())?;
        let x = (x + linear(&attended, "attn.proj")?)?;
        let hidden = linear(&self.norm(&x, &name("norm2"))?, "mlp.fc1")?;
        &x + linear(&ops::gelu(&hidden)?, "mlp.fc2")?
    }

    fn linear(&self, x: &Tensor, weight: &str, bias: &str) -> Computed<Tensor> {
        ops::linear(x, self.weight(weight)?, self.weight(bias)?)
    }

    fn norm(&self, x: &Tensor, name: &str) -> Computed<Tensor> {
        let (weight, bias) = (
            self.weight(&format!("{name}.weight"))?,
            self.weight(&format!("{name}.bias"))?,
        );
        ops::layer_norm(x, weight, bias, EPSILON)
    }

    fn convolve(&self, x: &Tensor, name: &str, stride: usize) -> Computed<Tensor> {
        let (weight, bias) = (
            self.weight(&format!("{name}.weight"))?,
            self.weight(&format!("{name}.bias"))?,
        );
        ops::convolve(x, weight, bias, stride)
    }

    fn weight(&self, name: &str) -> Computed<&Tensor> {
        let name = format!("head.{name}");
        let missing = || candle_core::Error::CannotFindTensor { path: name.clone() }.bt();
        self.weights.get(&name).ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use candle_core::{DType, Device, Var};
    use seggpt_random::Rng;

    use super::*;

    use crate::matching::start;

    const CANVAS: Canvas = Canvas {
        rows: 2,
        columns: 3,
    };

    /// One prompt pair, two classes, and weights none of which are zero.
    struct Case {
        config: MatchingConfig,
        weights: Weights,
        features: Tensor,
        pictures: Tensor,
        masks: Tensor,
    }

    impl Case {
        fn new(dtype: DType) -> Self {
            let config = MatchingConfig::tiny();
            let mut rng = Rng::new(7);
            let mut numbers = |shape: &[usize], scale: f64| {
                let count = shape.iter().product();
                let values: Vec<f64> = (0..count).map(|_| scale * rng.normal()).collect();
                let tensor = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
                tensor
                    .to_dtype(DType::F32)
                    .unwrap()
                    .to_dtype(dtype)
                    .unwrap()
            };
            let voting = start::voting(&config, 3).unwrap();
            let weights = voting.into_iter().map(|(name, tensor)| {
                let noise = numbers(tensor.dims(), 0.1);
                let weight = (tensor.to_dtype(dtype).unwrap() + noise).unwrap();
                (name, weight)
            });
            Self {
                weights: weights.collect(),
                features: numbers(&[1, 3, 6, 64], 1.0),
                pictures: numbers(&[1, 3, 3, 28, 42], 1.0),
                masks: numbers(&[1, 2, 2, 14, 21], 1.0)
                    .ge(0.0)
                    .unwrap()
                    .to_dtype(dtype)
                    .unwrap(),
                config,
            }
        }

        fn logits(&self, weights: &Weights) -> Tensor {
            let head = Head {
                config: &self.config,
                weights,
            };
            let some =
                |x: &Tensor, first, count| x.narrow(1, first, count).unwrap().contiguous().unwrap();
            let patterns = |first, count| {
                let pictures = some(&self.pictures, first, count);
                head.patterns(&pictures.flatten(0, 1).unwrap()).unwrap()
            };
            let features = some(&self.features, 0, 2);
            let prompts = head
                .prompts(CANVAS, &features, &patterns(0, 2), &self.masks)
                .unwrap();
            let query = some(&self.features, 2, 1).squeeze(1).unwrap();
            head.answer(&query, &patterns(2, 1), &prompts).unwrap()
        }
    }

    /// Operations of our own in f32 against candle's in f64.
    #[test]
    fn fused_operations_give_what_plain_ones_give() {
        let (fused, plain) = (Case::new(DType::F32), Case::new(DType::F64));
        let (fused, plain) = (fused.logits(&fused.weights), plain.logits(&plain.weights));
        assert_eq!(fused.dims(), [1, 2, 14, 21]);
        let apart = (fused.to_dtype(DType::F64).unwrap() - plain).unwrap();
        let apart = apart.abs().unwrap().max_all().unwrap();
        assert!(apart.to_scalar::<f64>().unwrap() < 1e-3, "{apart}");
    }

    #[test]
    fn every_weight_has_the_gradient_of_finite_differences() {
        let case = Case::new(DType::F64);
        let loss = |weights: &Weights| (case.logits(weights).sin().unwrap()).sum_all().unwrap();
        let variables: std::collections::BTreeMap<_, _> = case
            .weights
            .iter()
            .map(|(name, tensor)| (name.clone(), Var::from_tensor(tensor).unwrap()))
            .collect();
        let weights = variables
            .iter()
            .map(|(name, var)| (name.clone(), var.as_tensor().clone()))
            .collect();
        let gradients = loss(&weights).backward().unwrap();
        let mut rng = Rng::new(11);
        for (name, var) in &variables {
            let gradient = gradients
                .get(var)
                .unwrap_or_else(|| panic!("{name} has none"));
            let gradient = gradient.flatten_all().unwrap().to_vec1::<f64>().unwrap();
            let values = var.flatten_all().unwrap().to_vec1::<f64>().unwrap();
            let at = rng.below(values.len());
            let moved = |by: f64| {
                let mut values = values.clone();
                values[at] += by;
                let mut weights = case.weights.clone();
                let tensor = Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap();
                weights.insert(name.clone(), tensor);
                loss(&weights).to_scalar::<f64>().unwrap()
            };
            const STEP: f64 = 1e-5;
            let slope = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
            let apart = (slope - gradient[at]).abs();
            assert!(
                apart < 1e-4 * (1.0 + slope.abs()),
                "{name}: {slope} and {}",
                gradient[at]
            );
        }
    }
}
