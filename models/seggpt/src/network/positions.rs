//! Tables of absolute and relative positions, resized to a grid of patches.

use candle_core::{DType, Device, Result, Tensor};

use super::Canvas;

/// Splits a table of the whole canvas `[1, 2 L, C]` into its halves.
pub(super) fn halves(table: &Tensor) -> Result<[Tensor; 2]> {
    let half = table.dim(1)? / 2;
    Ok([
        table.narrow(1, 0, half)?.contiguous()?,
        table.narrow(1, half, half)?.contiguous()?,
    ])
}

/// One-hot rows and columns of every token of the canvas, halved: a key's feature that picks, out of a query's
/// products with the relative positions, those of the key's own row and column.
pub(super) fn one_hot_keys(canvas: Canvas, dtype: DType, device: &Device) -> Result<[Tensor; 2]> {
    let (rows, columns) = (2 * canvas.rows, canvas.columns);
    let features = rows + columns;
    let mut table = vec![0f32; rows * columns * features];
    for (token, features) in table.chunks_exact_mut(features).enumerate() {
        features[token / columns] = 1.0;
        features[rows + token % columns] = 1.0;
    }
    let table = Tensor::from_vec(table, (1, rows * columns, features), &Device::Cpu)?
        .to_dtype(dtype)?
        .to_device(device)?;
    let [upper, lower] = halves(&table)?;
    Ok([upper.squeeze(0)?, lower.squeeze(0)?])
}

/// `get_abs_pos` of the original code: drops the class token of `table` `[1 + g², C]` and resizes the rest to
/// `[rows * columns, C]`.
pub(super) fn absolute(table: &[f32], channels: usize, rows: usize, columns: usize) -> Vec<f32> {
    grid(&table[channels..], channels, rows, columns)
}

/// A square grid of positions `[g², C]` as `[rows * columns, C]`.
pub(crate) fn grid(grid: &[f32], channels: usize, rows: usize, columns: usize) -> Vec<f32> {
    let side = (grid.len() / channels).isqrt();
    if (side, side) == (rows, columns) {
        return grid.to_vec();
    }
    bicubic(grid, side, channels, rows, columns)
}

/// The weights that [`absolute`] resizes with, `[rows * columns, side²]`.
pub(super) fn absolute_weights(side: usize, rows: usize, columns: usize) -> Result<Tensor> {
    let cells = side * side;
    let identity = Tensor::eye(cells, DType::F32, &Device::Cpu)?;
    if (side, side) == (rows, columns) {
        return Ok(identity);
    }
    let identity = identity.flatten_all()?.to_vec1::<f32>()?;
    let weights = bicubic(&identity, side, cells, rows, columns);
    Tensor::from_vec(weights, (rows * columns, cells), &Device::Cpu)
}

/// [`relative`] in differentiable steps, on the table's device.
pub(super) fn relative_of(table: &Tensor, size: usize) -> Result<Tensor> {
    let (stored, channels) = table.dims2()?;
    let wanted = 2 * size - 1;
    let resized = if stored == wanted {
        table.clone()
    } else {
        let identity = Tensor::eye(stored, DType::F32, &Device::Cpu)?;
        let identity = identity.flatten_all()?.to_vec1::<f32>()?;
        let weights = linear(&identity, stored, stored, wanted);
        Tensor::from_vec(weights, (wanted, stored), &Device::Cpu)?
            .to_dtype(table.dtype())?
            .to_device(table.device())?
            .matmul(table)?
    };
    resized
        .index_select(&distances(size)?.to_device(table.device())?, 0)?
        .reshape((size, size, channels))
}

/// For every query and key of an axis the entry of their distance, `[size²]`.
fn distances(size: usize) -> Result<Tensor> {
    let distances: Vec<u32> = (0..size)
        .flat_map(|query| (0..size).map(move |key| (query + size - 1 - key) as u32))
        .collect();
    Tensor::new(distances, &Device::Cpu)
}

/// `F.interpolate(mode="bicubic", align_corners=False)` of PyTorch, from `[side, side, C]` to `[rows, columns, C]`:
/// cubic convolution with a = -0.75, borders repeated, no antialias.
fn bicubic(table: &[f32], side: usize, channels: usize, rows: usize, columns: usize) -> Vec<f32> {
    let wide: Vec<f32> = (0..side)
        .flat_map(|row| (0..columns).map(move |column| (row, column)))
        .flat_map(|(row, column)| {
            let taps = cubic_taps(column, side, columns);
            (0..channels).map(move |c| {
                taps.iter()
                    .map(|(i, w)| w * table[(row * side + i) * channels + c])
                    .sum::<f32>()
            })
        })
        .collect();
    (0..rows)
        .flat_map(|row| {
            let (taps, wide) = (cubic_taps(row, side, rows), &wide);
            let stride = columns * channels;
            (0..stride).map(move |x| {
                taps.iter()
                    .map(|(i, w)| w * wide[i * stride + x])
                    .sum::<f32>()
            })
        })
        .collect()
}

/// The four sources of one target index and their weights.
fn cubic_taps(target: usize, from: usize, to: usize) -> [(usize, f32); 4] {
    const A: f64 = -0.75;
    let source = (target as f64 + 0.5) * from as f64 / to as f64 - 0.5;
    let near = |x: f64| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let far = |x: f64| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    let t = source - source.floor();
    let weights = [far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)];
    let first = source.floor() as isize - 1;
    std::array::from_fn(|i| {
        let index = (first + i as isize).clamp(0, from as isize - 1);
        (index as usize, weights[i] as f32)
    })
}

/// The first half of `get_rel_pos` of the original code: the table `[2 s - 1, d]` resized to `[2 size - 1, d]`.
pub(super) fn resized(table: &[f32], channels: usize, size: usize) -> Vec<f32> {
    match (table.len() / channels, 2 * size - 1) {
        (stored, wanted) if stored == wanted => table.to_vec(),
        (stored, wanted) => linear(table, channels, stored, wanted),
    }
}

/// [`resized`], of a tensor.
pub(super) fn by_distance(table: &Tensor, size: usize) -> Result<Tensor> {
    let channels = table.dim(1)?;
    let resized = resized(&table.flatten_all()?.to_vec1()?, channels, size);
    Tensor::from_vec(resized, ((), channels), &Device::Cpu)
}

/// `get_rel_pos` of the original code: the table `[2 s - 1, d]` resized, then looked up for every query and key,
/// `[size, size, d]` with the entry of their distance `query - key`.
pub(super) fn relative(table: &Tensor, size: usize) -> Result<Tensor> {
    by_distance(table, size)?
        .index_select(&distances(size)?, 0)?
        .reshape((size, size, table.dim(1)?))
}

/// `F.interpolate(mode="linear")` of PyTorch, from `[from, C]` to `[to, C]`: half-pixel centres, borders repeated.
fn linear(table: &[f32], channels: usize, from: usize, to: usize) -> Vec<f32> {
    (0..to)
        .flat_map(|target| {
            let source = ((target as f64 + 0.5) * from as f64 / to as f64 - 0.5).max(0.0);
            let low = (source as usize).min(from - 1);
            let high = (low + 1).min(from - 1);
            let weight = (source - low as f64) as f32;
            (0..channels).map(move |c| {
                table[low * channels + c] * (1.0 - weight) + table[high * channels + c] * weight
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// Tables resized by OpenCV, whose cubic and linear kernels are PyTorch's: see `tests/parity/interpolation.py`.
    fn fixture(name: &str) -> Tensor {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/interpolation.safetensors"
        );
        candle_core::safetensors::load(path, &Device::Cpu)
            .unwrap()
            .remove(name)
            .unwrap()
    }

    fn worst(a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len());
        a.iter()
            .zip(b)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max)
    }

    #[test]
    fn absolute_positions_are_resized_as_by_the_reference_tool() {
        let table = fixture("absolute");
        let channels = table.dim(2).unwrap();
        for (rows, columns) in [(56, 28), (8, 4), (20, 14), (14, 14), (3, 31)] {
            let expected = fixture(&format!("absolute_{rows}x{columns}"));
            let found = absolute(&values(&table), channels, rows, columns);
            assert!(worst(&found, &values(&expected)) < 2e-6, "{rows}x{columns}");
        }
    }

    #[test]
    fn relative_positions_are_resized_as_by_the_reference_tool() {
        let table = fixture("relative");
        for size in [14, 28, 10, 5] {
            let expected = values(&fixture(&format!("relative_{}", 2 * size - 1)));
            let resized = linear(&values(&table), 6, 27, 2 * size - 1);
            // The tool holds source positions in f32, of which 2e-6 is the last digit.
            let found = worst(&resized, &expected);
            assert!(found < 1e-5, "{size}: {found}");
        }
    }

    #[test]
    fn a_cubic_phase_has_the_weights_of_the_kernel_by_hand() {
        // 14 to 28: the first phase lies a quarter left of its source, so t = 0.75 between sources -1 and 0.
        let taps = cubic_taps(2, 14, 28);
        let expected = [
            (0, -0.035_156_25),
            (0, 0.261_718_75),
            (1, 0.878_906_25),
            (2, -0.105_468_75),
        ];
        for ((index, weight), (wanted, value)) in taps.iter().zip(expected) {
            assert_eq!(*index, wanted);
            assert!((weight - value).abs() < 1e-7, "{taps:?}");
        }
        assert!((taps.iter().map(|(_, weight)| weight).sum::<f32>() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn relative_positions_are_looked_up_by_distance() {
        let table = Tensor::arange(0f32, 5.0, &Device::Cpu)
            .unwrap()
            .reshape((5, 1))
            .unwrap();
        assert_eq!(
            values(&relative(&table, 3).unwrap()),
            [2., 1., 0., 3., 2., 1., 4., 3., 2.]
        );
    }

    #[test]
    fn every_key_knows_its_row_and_column() {
        let [upper, lower] = one_hot_keys(
            Canvas {
                rows: 1,
                columns: 2,
            },
            DType::F32,
            &Device::Cpu,
        )
        .unwrap();
        assert_eq!(values(&upper), [1., 0., 1., 0., 1., 0., 0., 1.]);
        assert_eq!(values(&lower), [0., 1., 1., 0., 0., 1., 0., 1.]);
    }
}
