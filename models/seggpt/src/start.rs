//! The weights that training begins with.

use std::collections::BTreeMap;

use candle_core::{Device, Result as Computed, Tensor};
use seggpt_random::Rng;

use crate::{Config, Error, TargetEmbedding, ops};

type Weights = BTreeMap<String, Tensor>;

/// Weights as Painter's code draws them: normal with deviation 0.02 for matrices and tokens, Kaiming for convolutions,
/// zero for biases, relative positions and depthwise convolutions, one for norms.
///
/// # Errors
/// [`Error::Config`] for an impossible configuration; [`Error::Compute`].
pub fn random(config: &Config, seed: u64) -> Result<Weights, Error> {
    config.validate()?;
    let mut rng = Rng::new(seed);
    let mut weights = Weights::new();
    for (name, shape) in config.tensors() {
        let inputs: usize = shape.iter().skip(1).product();
        let deviation = match name.as_str() {
            name if name.contains("rel_pos_")
                || name.ends_with("conv.weight")
                || name.ends_with(".bias") =>
            {
                0.0
            }
            name if name.starts_with("stem.") || name == "decoder_pred.0.weight" => {
                (2.0 / inputs as f64).sqrt()
            }
            _ => 0.02,
        };
        let is_norm = name.contains("norm") || name.starts_with("decoder_pred.1.");
        let count = shape.iter().product();
        let values: Vec<f32> = if is_norm && name.ends_with(".weight") {
            vec![1.0; count]
        } else {
            (0..count)
                .map(|_| (deviation * rng.normal()) as f32)
                .collect()
        };
        weights.insert(name, Tensor::from_vec(values, shape, &Device::Cpu)?);
    }
    Ok(weights)
}

/// What the structured start leaves to be fitted to data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Structure {
    /// Deviation of the scores of unlike patches: the larger, the fewer prompt patches a query patch copies from.
    pub sharpness: f64,
    /// How far the picture features' variances are made equal: 0 not at all, 1 wholly.
    pub whitening: f64,
    /// Factor on the painted colours.
    pub contrast: f64,
}

impl Default for Structure {
    fn default() -> Self {
        Self {
            sharpness: 3.0,
            whitening: 0.5,
            contrast: 1.0,
        }
    }
}

/// Weights that make the untrained network copy the mask colours of prompt patches that look alike, from which training
/// goes on.
///
/// Three quarters of a token's channels hold picture features and one quarter the mask. The stem begins with colours,
/// edges and their energies; the patch embedding decorrelates what the stem makes of `pictures` `[N, 3, S, S]`
/// (normalised), and the target embedding is an orthonormal basis of a patch's pixels. In every head queries and keys
/// are one random projection of the picture features, values read the mask channels and the projection writes them
/// back; masked patches are kept from being keys. The decoder inverts the target embedding. Nothing is frozen.
///
/// # Errors
/// [`Error::Config`] if the configuration has no stem, no target embedding of its own, or too few channels (64 in a
/// token, 8 in the decoder); [`Error::Compute`].
pub fn structured(
    config: &Config,
    seed: u64,
    pictures: &Tensor,
    structure: Structure,
) -> Result<Weights, Error> {
    let mut weights = random(config, seed)?;
    let fits = config.stem_width >= 24
        && config.target_embedding == TargetEmbedding::Separate
        && config.width >= 64
        && config.decoder_width >= 8;
    if !fits {
        return Err(Error::Config(
            "a structured start needs stem_width 24 or more, target_embedding separate, width 64 or more and \
             decoder_width 8 or more"
                .into(),
        ));
    }
    let plan = Plan {
        config,
        image: config.width * 3 / 4,
        structure,
    };
    let mut rng = Rng::new(Rng::derive(seed, 1));
    plan.stem(&mut weights, &mut rng)?;
    plan.image_embedding(&mut weights, pictures)?;
    plan.target_embedding(&mut weights)?;
    for index in 0..config.depth {
        plan.block(&mut weights, &mut rng, index)?;
    }
    plan.decoder(&mut weights, &mut rng)?;
    Ok(weights)
}

struct Plan<'a> {
    config: &'a Config,
    /// Channels of picture features, of which the last tells masked patches; the rest hold the mask.
    image: usize,
    structure: Structure,
}

/// A matrix in rows.
struct Rows {
    values: Vec<f64>,
    columns: usize,
}

impl Rows {
    fn zeros(rows: usize, columns: usize) -> Self {
        Self {
            values: vec![0.0; rows * columns],
            columns,
        }
    }

    fn row(&mut self, row: usize) -> &mut [f64] {
        &mut self.values[row * self.columns..][..self.columns]
    }

    fn tensor(&self, shape: &[usize]) -> Computed<Tensor> {
        let values: Vec<f32> = self.values.iter().map(|value| *value as f32).collect();
        Tensor::from_vec(values, shape, &Device::Cpu)
    }
}

/// Weights of the three colours for brightness and two opponents.
const OPPONENTS: [[f64; 3]; 3] = [[0.6, 0.6, 0.6], [0.7, -0.7, 0.0], [0.4, 0.4, -0.8]];
/// 3x3 kernels: along x, along y, both diagonals, a spot.
const EDGES: [[f64; 9]; 5] = [
    [-1., 0., 1., -2., 0., 2., -1., 0., 1.],
    [-1., -2., -1., 0., 0., 0., 1., 2., 1.],
    [-2., -1., 0., -1., 0., 1., 0., 1., 2.],
    [0., -1., -2., 1., 0., -1., 2., 1., 0.],
    [-1., -2., -1., -2., 12., -2., -1., -2., -1.],
];
const SMOOTH: [f64; 9] = [
    1. / 16.,
    2. / 16.,
    1. / 16.,
    2. / 16.,
    4. / 16.,
    2. / 16.,
    1. / 16.,
    2. / 16.,
    1. / 16.,
];

impl Plan<'_> {
    /// Linear features come in pairs of opposite sign, for `gelu(x) - gelu(-x) = x` and `gelu(x) + gelu(-x)` is about
    /// `|x|`. First layer: 3 pairs of colours, then pairs of edges. Later layers: the colours once more, then energies.
    /// What is left stays random.
    fn stem(&self, weights: &mut Weights, rng: &mut Rng) -> Computed<()> {
        let mut energies = 0;
        for (layer, (input, output)) in self.config.stem().into_iter().enumerate() {
            let mut kernel = Rows::zeros(output, input * 9);
            let deviation = (1.0 / (9 * input) as f64).sqrt();
            kernel.values.fill_with(|| deviation * rng.normal());
            if layer == 0 {
                let edges = EDGES
                    .iter()
                    .flat_map(|edge| OPPONENTS.iter().map(move |colour| (edge, colour)));
                let colours = OPPONENTS.iter().map(|colour| (&SMOOTH, colour));
                let filters = colours.chain(edges).take(output / 2);
                for (pair, (shape, colour)) in filters.enumerate() {
                    let size = shape.iter().map(|tap| tap.abs()).sum::<f64>();
                    for (i, sign) in [(2 * pair, 1.0), (2 * pair + 1, -1.0)] {
                        for (j, value) in kernel.row(i).iter_mut().enumerate() {
                            *value = sign * colour[j / 9] * shape[j % 9] / size
                                * if pair < 3 { 1.0 } else { 3.0 };
                        }
                    }
                    energies = pair + 1 - 3;
                }
            } else {
                for i in 0..6 {
                    let (pair, sign) = (i / 2, if i % 2 == 0 { 1.0 } else { -1.0 });
                    for (j, value) in kernel.row(i).iter_mut().enumerate() {
                        *value = match j / 9 {
                            channel if channel == 2 * pair => sign * SMOOTH[j % 9],
                            channel if channel == 2 * pair + 1 => -sign * SMOOTH[j % 9],
                            _ => 0.0,
                        };
                    }
                }
                // The first time, energies of the edges; after that they are single channels already.
                for energy in 0..energies.min(output - 6) {
                    let sources = if layer == 1 {
                        [6 + 2 * energy, 7 + 2 * energy]
                    } else {
                        [6 + energy, 6 + energy]
                    };
                    for (j, value) in kernel.row(6 + energy).iter_mut().enumerate() {
                        *value = if sources.contains(&(j / 9)) {
                            SMOOTH[j % 9]
                        } else {
                            0.0
                        };
                    }
                }
            }
            weights.insert(
                format!("stem.{layer}.weight"),
                kernel.tensor(&[output, input, 3, 3])?,
            );
        }
        Ok(())
    }

    /// What the stem makes of pictures: rows of features.
    fn features(&self, weights: &Weights, pictures: &Tensor) -> Computed<Vec<Vec<f32>>> {
        let mut x = pictures.permute((0, 2, 3, 1))?.contiguous()?;
        for layer in 0..self.config.stem().len() {
            let [weight, bias] =
                ["weight", "bias"].map(|part| &weights[&format!("stem.{layer}.{part}")]);
            x = ops::gelu(&ops::convolve(&x, weight, bias, 2)?)?;
        }
        x.flatten(0, 2)?.to_vec2()
    }

    /// Principal components of the stem's features, the largest variance first, scaled to be more alike.
    fn image_embedding(&self, weights: &mut Weights, pictures: &Tensor) -> Computed<()> {
        let c = self.config.width;
        let features = self.features(weights, pictures)?;
        let f = features.first().map_or(0, Vec::len);
        let n = features.len().max(1) as f64;
        let mut mean = vec![0.0; f];
        for row in &features {
            mean.iter_mut()
                .zip(row)
                .for_each(|(mean, value)| *mean += f64::from(*value) / n);
        }
        let mut covariance = Rows::zeros(f, f);
        for row in &features {
            let centred: Vec<f64> = row
                .iter()
                .zip(&mean)
                .map(|(value, mean)| f64::from(*value) - mean)
                .collect();
            for (i, a) in centred.iter().enumerate() {
                covariance
                    .row(i)
                    .iter_mut()
                    .zip(&centred)
                    .for_each(|(sum, b)| *sum += a * b / n);
            }
        }
        let mut axes = eigenvectors(covariance);
        axes.truncate(self.image - 1);
        let largest = axes
            .first()
            .map_or(1.0, |(variance, _)| *variance)
            .max(1e-12);
        let scales: Vec<f64> = axes
            .iter()
            .map(|(variance, _)| {
                (variance / largest)
                    .max(1e-4)
                    .powf(-self.structure.whitening / 2.0)
            })
            .collect();
        // Over all picture channels together the mean square is one.
        let power: f64 = axes
            .iter()
            .zip(&scales)
            .map(|((variance, _), scale)| variance.max(0.0) * scale * scale)
            .sum();
        let unit = ((self.image - 1) as f64 / power.max(1e-12)).sqrt();
        let mut embedding = Rows::zeros(c, f);
        let mut bias = vec![0f32; c];
        for (i, ((_, axis), scale)) in axes.iter().zip(&scales).enumerate() {
            for ((value, axis), mean) in embedding.row(i).iter_mut().zip(axis).zip(&mean) {
                *value = unit * scale * axis;
                bias[i] -= (*value * mean) as f32;
            }
        }
        weights.insert(
            "patch_embed.proj.weight".into(),
            embedding.tensor(&[c, f, 1, 1])?,
        );
        weights.insert(
            "patch_embed.proj.bias".into(),
            Tensor::from_vec(bias, c, &Device::Cpu)?,
        );
        Ok(())
    }

    /// An orthonormal basis of the pixels of a patch, cosines of low frequency first, the three colours of each in turn.
    fn basis(&self) -> Rows {
        let p = self.config.patch_size;
        let channels = self.config.width - self.image;
        let mut waves: Vec<(usize, usize)> = (0..p * p).map(|i| (i / p, i % p)).collect();
        waves.sort_by_key(|(v, u)| (v + u, *v));
        let mut basis = Rows::zeros(channels, 3 * p * p);
        for channel in 0..channels.min(3 * p * p) {
            let (v, u) = waves[channel / 3];
            let wave = |frequency: usize, x: usize| {
                let norm = if frequency == 0 { 1.0 } else { 2f64.sqrt() };
                norm * (std::f64::consts::PI * frequency as f64 * (x as f64 + 0.5) / p as f64).cos()
            };
            for y in 0..p {
                for x in 0..p {
                    basis.row(channel)[(channel % 3) * p * p + y * p + x] =
                        wave(v, y) * wave(u, x) / p as f64;
                }
            }
        }
        basis
    }

    fn target_embedding(&self, weights: &mut Weights) -> Computed<()> {
        let (c, p) = (self.config.width, self.config.patch_size);
        let mut basis = self.basis();
        let mut embedding = Rows::zeros(c, 3 * p * p);
        for channel in 0..c - self.image {
            // A patch of one colour has that colour as its first three channels.
            for (value, basis) in embedding
                .row(self.image + channel)
                .iter_mut()
                .zip(basis.row(channel))
            {
                *value = *basis / p as f64;
            }
        }
        let mut token = vec![0f32; c];
        token[self.image - 1] = 4.0;
        weights.insert(
            "target_embed.proj.weight".into(),
            embedding.tensor(&[c, 3, p, p])?,
        );
        weights.insert(
            "mask_token".into(),
            Tensor::from_vec(token, (1, 1, 1, c), &Device::Cpu)?,
        );
        Ok(())
    }

    fn block(&self, weights: &mut Weights, rng: &mut Rng, index: usize) -> Computed<()> {
        let (c, heads, d) = (
            self.config.width,
            self.config.heads,
            self.config.head_width(),
        );
        let (features, channels) = (self.image - 1, c - self.image);
        let mut qkv = Rows::zeros(3 * c, c);
        let mut bias = vec![0f32; 3 * c];
        let mut projection = Rows::zeros(c, c);
        let gain = if index < 2 { 1.0 } else { 0.3 };
        // Of random directions in `features` channels of unit power, q · k / √d has the deviation `sharpness`.
        let scale = (self.structure.sharpness / features as f64).sqrt()
            * (d as f64 / (d - 1) as f64).sqrt();
        let share = (channels as f64 / d as f64).max(1.0) / heads as f64;
        for head in 0..heads {
            for i in 0..d - 1 {
                for j in 0..features {
                    let value = scale * rng.normal();
                    qkv.row(head * d + i)[j] = value;
                    qkv.row(c + head * d + i)[j] = value;
                }
            }
            // The last channel keeps masked patches from being keys: by about 10 in the score.
            let last = head * d + d - 1;
            bias[last] = (5.0 * (d as f64).sqrt()) as f32;
            qkv.row(c + last)[self.image - 1] = -1.0;
            for (i, axis) in orthonormal(d.min(channels), channels, rng)
                .iter()
                .enumerate()
            {
                for (j, value) in axis.iter().enumerate() {
                    qkv.row(2 * c + head * d + i)[self.image + j] = *value;
                    projection.row(self.image + j)[head * d + i] = gain * share * value;
                }
            }
        }
        let name = |part: &str| format!("blocks.{index}.{part}");
        weights.insert(name("attn.qkv.weight"), qkv.tensor(&[3 * c, c])?);
        weights.insert(
            name("attn.qkv.bias"),
            Tensor::from_vec(bias, 3 * c, &Device::Cpu)?,
        );
        weights.insert(name("attn.proj.weight"), projection.tensor(&[c, c])?);
        let hidden = self.config.mlp_width;
        for (part, [rows, columns], deviation) in [
            ("mlp.fc1.weight", [hidden, c], (c as f64).powf(-0.5)),
            (
                "mlp.fc2.weight",
                [c, hidden],
                0.05 * (hidden as f64).powf(-0.5),
            ),
        ] {
            let mut matrix = Rows::zeros(rows, columns);
            matrix.values.fill_with(|| deviation * rng.normal());
            weights.insert(name(part), matrix.tensor(&[rows, columns])?);
        }
        Ok(())
    }

    /// Every pixel's colour passes as a pair of opposite signs through the convolution, and the GELU, whose difference
    /// it is. Two large constants beside them keep the layer norm from dividing by the colour.
    fn decoder(&self, weights: &mut Weights, rng: &mut Rng) -> Computed<()> {
        const CONSTANT: f64 = 6.0;
        let (c, p, d) = (
            self.config.width,
            self.config.patch_size,
            self.config.decoder_width,
        );
        let levels = self.config.kept_blocks.len();
        let mut embedding = Rows::zeros(p * p * d, levels * c);
        embedding.values.fill_with(|| 0.02 * rng.normal());
        let mut bias = vec![0f32; p * p * d];
        let mut basis = self.basis();
        for pixel in 0..p * p {
            for channel in 0..6 {
                let (colour, sign) = (channel % 3, if channel < 3 { 1.0 } else { -1.0 });
                let row = embedding.row(pixel * d + channel);
                row.fill(0.0);
                for i in 0..c - self.image {
                    let value = sign
                        * self.structure.contrast
                        * basis.row(i)[colour * p * p + pixel]
                        * p as f64;
                    row[(levels - 1) * c + self.image + i] = value;
                }
            }
            for (channel, sign) in [(6, 1.0), (7, -1.0)] {
                embedding.row(pixel * d + channel).fill(0.0);
                bias[pixel * d + channel] = (sign * CONSTANT) as f32;
            }
        }
        let mut kernel = Rows::zeros(d, d * 9);
        let deviation = 0.3 * (1.0 / (9 * d) as f64).sqrt();
        for i in 0..d {
            if i >= 8 {
                kernel.row(i).fill_with(|| deviation * rng.normal());
            }
            kernel.row(i)[i * 9 + 4] = 1.0;
        }
        // The deviation over channels that a colour of middling strength has.
        let deviation = ((2.0 * CONSTANT * CONSTANT + 2.0 * 10.0) / d as f64).sqrt();
        let mut head = Rows::zeros(3, d);
        for colour in 0..3 {
            head.row(colour)[colour] = deviation;
            head.row(colour)[colour + 3] = -deviation;
        }
        weights.insert(
            "decoder_embed.weight".into(),
            embedding.tensor(&[p * p * d, levels * c])?,
        );
        weights.insert(
            "decoder_embed.bias".into(),
            Tensor::from_vec(bias, p * p * d, &Device::Cpu)?,
        );
        weights.insert(
            "decoder_pred.0.weight".into(),
            kernel.tensor(&[d, d, 3, 3])?,
        );
        weights.insert("decoder_pred.3.weight".into(), head.tensor(&[3, d, 1, 1])?);
        Ok(())
    }
}

/// Random orthonormal rows, at most as many as there are columns.
pub(crate) fn orthonormal(rows: usize, columns: usize, rng: &mut Rng) -> Vec<Vec<f64>> {
    let mut axes: Vec<Vec<f64>> = Vec::with_capacity(rows);
    while axes.len() < rows.min(columns) {
        let mut axis: Vec<f64> = (0..columns).map(|_| rng.normal()).collect();
        for other in &axes {
            let along: f64 = axis.iter().zip(other).map(|(a, b)| a * b).sum();
            axis.iter_mut()
                .zip(other)
                .for_each(|(a, b)| *a -= along * b);
        }
        let length = axis.iter().map(|a| a * a).sum::<f64>().sqrt();
        if length > 1e-6 {
            axis.iter_mut().for_each(|a| *a /= length);
            axes.push(axis);
        }
    }
    axes
}

/// Eigenvalues, largest first, and eigenvectors of a symmetric matrix, by Jacobi's rotations.
fn eigenvectors(mut matrix: Rows) -> Vec<(f64, Vec<f64>)> {
    let n = matrix.columns;
    let mut vectors = Rows::zeros(n, n);
    (0..n).for_each(|i| vectors.row(i)[i] = 1.0);
    let scale = matrix
        .values
        .iter()
        .map(|x| x * x)
        .sum::<f64>()
        .max(f64::MIN_POSITIVE);
    for _ in 0..50 {
        let off: f64 = (0..n * n)
            .filter(|i| i / n != i % n)
            .map(|i| matrix.values[i].powi(2))
            .sum();
        if off <= 1e-26 * scale {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                let apq = matrix.values[p * n + q];
                if apq == 0.0 {
                    continue;
                }
                let theta = (matrix.values[q * n + q] - matrix.values[p * n + p]) / (2.0 * apq);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let t = if theta == 0.0 { 1.0 } else { t };
                let cos = 1.0 / (t * t + 1.0).sqrt();
                let sin = t * cos;
                let rotate = |a: &mut f64, b: &mut f64| {
                    (*a, *b) = (cos * *a - sin * *b, sin * *a + cos * *b)
                };
                for i in 0..n {
                    let (mut a, mut b) = (matrix.values[i * n + p], matrix.values[i * n + q]);
                    rotate(&mut a, &mut b);
                    (matrix.values[i * n + p], matrix.values[i * n + q]) = (a, b);
                }
                for rows in [&mut matrix, &mut vectors] {
                    let (upper, lower) = rows.values.split_at_mut(q * n);
                    upper[p * n..][..n]
                        .iter_mut()
                        .zip(&mut lower[..n])
                        .for_each(|(a, b)| rotate(a, b));
                }
            }
        }
    }
    let mut pairs: Vec<_> = (0..n)
        .map(|i| (matrix.values[i * n + i], vectors.row(i).to_vec()))
        .collect();
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    pairs
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn eigenvectors_diagonalise() {
        let mut rng = Rng::new(3);
        let n = 12;
        let mut matrix = Rows::zeros(n, n);
        for i in 0..n {
            for j in 0..=i {
                let value = rng.normal();
                matrix.row(i)[j] = value;
                matrix.row(j)[i] = value;
            }
        }
        let copy = matrix.values.clone();
        for (value, vector) in eigenvectors(matrix) {
            for i in 0..n {
                let product: f64 = (0..n).map(|j| copy[i * n + j] * vector[j]).sum();
                assert!((product - value * vector[i]).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn the_target_embedding_s_basis_is_orthonormal() {
        let config = Config::small();
        let plan = Plan {
            config: &config,
            image: config.width * 3 / 4,
            structure: Structure::default(),
        };
        let mut basis = plan.basis();
        for i in 0..config.width / 4 {
            let row = basis.row(i).to_vec();
            for j in 0..=i {
                let product: f64 = basis.row(j).iter().zip(&row).map(|(a, b)| a * b).sum();
                assert!((product - if i == j { 1.0 } else { 0.0 }).abs() < 1e-9);
            }
        }
    }
}
