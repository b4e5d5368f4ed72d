//! Between 8-bit RGB and the network's own units, in which every channel has ImageNet's mean 0 and deviation 1.

use candle_core::{DType, Device, Result as Computed, Tensor};

use crate::Error;

/// ImageNet's mean per channel, of values in 0..1 (`imagenet_mean` of the original engine).
pub const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// ImageNet's standard deviation per channel, of values in 0..1 (`imagenet_std` of the original engine).
pub const STD: [f32; 3] = [0.229, 0.224, 0.225];

/// Turns `n` pictures of interleaved RGB bytes, `n * height * width * 3`, into `[n, 3, height, width]` f32:
/// `(value / 255 - mean) / std`. Masks are normalised like pictures. A GPU is sent the bytes and does the rest.
///
/// # Errors
/// [`Error::Shape`] if `rgb` has another length; [`Error::Compute`] if the device has no room.
pub fn normalise(
    rgb: &[u8],
    n: usize,
    height: usize,
    width: usize,
    device: &Device,
) -> Result<Tensor, Error> {
    if rgb.len() != n * height * width * 3 {
        return Err(Error::Shape {
            what: "rgb",
            found: vec![rgb.len()],
            expected: format!("{n} pictures x {height} x {width} x 3 bytes"),
        });
    }
    if !device.is_cpu() {
        let bytes = Tensor::from_slice(rgb, (n, height, width, 3), device)?;
        return Ok(normalise_there(&bytes)?);
    }
    let levels: [[f32; 256]; 3] = std::array::from_fn(|c| {
        std::array::from_fn(|level| (level as f32 / 255.0 - MEAN[c]) / STD[c])
    });
    let area = height * width;
    let mut planes = vec![0f32; rgb.len()];
    if area > 0 {
        for (picture, planes) in rgb
            .chunks_exact(3 * area)
            .zip(planes.chunks_exact_mut(3 * area))
        {
            for (c, plane) in planes.chunks_exact_mut(area).enumerate() {
                for (value, pixel) in plane.iter_mut().zip(picture.chunks_exact(3)) {
                    *value = levels[c][usize::from(pixel[c])];
                }
            }
        }
    }
    Ok(Tensor::from_vec(planes, (n, 3, height, width), device)?)
}

/// [`normalise`] of `[n, height, width, 3]` bytes on their device.
fn normalise_there(bytes: &Tensor) -> Computed<Tensor> {
    let [mean, deviation] = scale(bytes.device())?;
    let shares = (bytes.permute((0, 3, 1, 2))?.to_dtype(DType::F32)? / 255.0)?;
    shares.broadcast_sub(&mean)?.broadcast_div(&deviation)
}

/// [`MEAN`] and [`STD`] per channel, `[3, 1, 1]` each.
///
/// # Errors
/// The device has no room.
pub fn scale(device: &Device) -> Computed<[Tensor; 2]> {
    let channels = |values: [f32; 3]| Tensor::from_slice(&values, (3, 1, 1), device);
    Ok([channels(MEAN)?, channels(STD)?])
}

/// Turns an answer `[B, 3, height, width]` into painted colours: per picture `height * width * 3` interleaved RGB,
/// `clip((value * std + mean) * 255, 0, 255)`, not rounded (as the original engine has it before its display).
///
/// # Errors
/// [`Error::Shape`] if there are not three channels; [`Error::Compute`] if the tensor cannot be read back.
pub fn painted(answer: &Tensor) -> Result<Vec<Vec<f32>>, Error> {
    let &[n, 3, height, width] = answer.dims() else {
        return Err(Error::Shape {
            what: "answer",
            found: answer.dims().to_vec(),
            expected: "[B, 3, height, width]".into(),
        });
    };
    if !answer.device().is_cpu() {
        let colours = painted_there(&answer.to_dtype(DType::F32)?)?;
        return Ok(colours.flatten_from(1)?.to_vec2()?);
    }
    let flat = answer
        .to_dtype(DType::F32)?
        .flatten_all()?
        .to_vec1::<f32>()?;
    let area = height * width;
    let colour = |planes: &[f32], pixel: usize, c: usize| {
        ((planes[c * area + pixel] * STD[c] + MEAN[c]) * 255.0).clamp(0.0, 255.0)
    };
    Ok((0..n)
        .map(|i| {
            let planes = &flat[i * 3 * area..(i + 1) * 3 * area];
            (0..area)
                .flat_map(|pixel| (0..3).map(move |c| colour(planes, pixel, c)))
                .collect()
        })
        .collect())
}

/// [`painted`] on the answer's device: `[B, height, width, 3]`.
fn painted_there(answer: &Tensor) -> Computed<Tensor> {
    let [mean, deviation] = scale(answer.device())?;
    let shares = answer.broadcast_mul(&deviation)?.broadcast_add(&mean)?;
    (shares * 255.0)?
        .clamp(0f32, 255f32)?
        .permute((0, 2, 3, 1))?
        .contiguous()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn black_and_white_have_the_known_values() {
        let tensor = normalise(&[0, 0, 0, 255, 255, 255], 1, 1, 2, &Device::Cpu).unwrap();
        let values = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for (value, expected) in values
            .iter()
            .zip([-2.1179, 2.2489, -2.0357, 2.4286, -1.8044, 2.6400])
        {
            assert!((value - expected).abs() < 1e-4, "{values:?}");
        }
    }

    #[test]
    fn painting_undoes_normalising() {
        let rgb: Vec<u8> = (0..2 * 4 * 5 * 3).map(|i| (i * 37 % 256) as u8).collect();
        let back = painted(&normalise(&rgb, 2, 4, 5, &Device::Cpu).unwrap()).unwrap();
        assert_eq!(back.len(), 2);
        for (value, level) in back.concat().iter().zip(&rgb) {
            assert!((value - f32::from(*level)).abs() < 1e-3);
        }
    }

    #[test]
    fn a_gpu_is_asked_for_the_same() {
        let rgb: Vec<u8> = (0..2 * 4 * 5 * 3).map(|i| (i * 37 % 256) as u8).collect();
        let planes = normalise(&rgb, 2, 4, 5, &Device::Cpu).unwrap();
        let bytes = Tensor::from_vec(rgb, (2, 4, 5, 3), &Device::Cpu).unwrap();
        let there = normalise_there(&bytes).unwrap();
        assert_eq!(there.dims(), planes.dims());
        let apart = (there - &planes).unwrap().abs().unwrap().max_all().unwrap();
        assert!(apart.to_scalar::<f32>().unwrap() < 1e-6);
        let wide = (planes * 1.5).unwrap();
        let there = painted_there(&wide).unwrap().flatten_from(1).unwrap();
        let there = there.to_vec2::<f32>().unwrap().concat();
        for (there, here) in there.iter().zip(painted(&wide).unwrap().concat()) {
            assert!((there - here).abs() < 1e-4, "{there} and {here}");
        }
    }

    #[test]
    fn a_wrong_number_of_bytes_is_an_error() {
        assert!(matches!(
            normalise(&[0; 5], 1, 1, 2, &Device::Cpu),
            Err(Error::Shape { .. })
        ));
    }
}
