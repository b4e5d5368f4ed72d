//! Raw encodings to 8-bit RGB.

use image::RgbImage;

use super::{Encoding, Picture};

pub(super) fn to_rgb(picture: &Picture) -> RgbImage {
    let (width, height) = (picture.width(), picture.height());
    let bytes = picture.bytes();
    let w = width as usize;
    let rgb = match picture.encoding() {
        Encoding::Rgb8 => bytes.to_vec(),
        Encoding::Bgr8 => bytes
            .chunks_exact(3)
            .flat_map(|p| [p[2], p[1], p[0]])
            .collect(),
        Encoding::Rgba8 => bytes
            .chunks_exact(4)
            .flat_map(|p| [p[0], p[1], p[2]])
            .collect(),
        Encoding::Bgra8 => bytes
            .chunks_exact(4)
            .flat_map(|p| [p[2], p[1], p[0]])
            .collect(),
        Encoding::Mono8 => bytes.iter().flat_map(|&grey| [grey; 3]).collect(),
        Encoding::Mono16 => {
            let (pairs, _) = bytes.as_chunks::<2>();
            let values: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
            let grey = seggpt_imaging::read::reduced(&values);
            grey.into_iter().flat_map(|grey| [grey; 3]).collect()
        }
        Encoding::Yuv420 => {
            let (luma, chroma) = bytes.split_at(w * height as usize);
            let (u, v) = chroma.split_at(chroma.len() / 2);
            planar(width, height, |x, y| {
                let at = (y / 2) * w.div_ceil(2) + x / 2;
                (luma[y * w + x], u[at], v[at])
            })
        }
        Encoding::Nv12 => {
            let (luma, chroma) = bytes.split_at(w * height as usize);
            planar(width, height, |x, y| {
                let at = 2 * ((y / 2) * w.div_ceil(2) + x / 2);
                (luma[y * w + x], chroma[at], chroma[at + 1])
            })
        }
        Encoding::Yuyv => planar(width, height, |x, y| {
            let pair = &bytes[4 * (y * w.div_ceil(2) + x / 2)..][..4];
            (pair[2 * (x % 2)], pair[1], pair[3])
        }),
        Encoding::Uyvy => planar(width, height, |x, y| {
            let pair = &bytes[4 * (y * w.div_ceil(2) + x / 2)..][..4];
            (pair[1 + 2 * (x % 2)], pair[0], pair[2])
        }),
        Encoding::Jpeg | Encoding::Png | Encoding::Webp | Encoding::Bmp | Encoding::Tiff => {
            unreachable!("encoded files are decoded elsewhere")
        }
    };
    RgbImage::from_raw(width, height, rgb).expect("length checked on construction")
}

fn planar(width: u32, height: u32, at: impl Fn(usize, usize) -> (u8, u8, u8)) -> Vec<u8> {
    let at = &at;
    (0..height as usize)
        .flat_map(|y| (0..width as usize).flat_map(move |x| bt601(at(x, y))))
        .collect()
}

/// BT.601, luma 16..235, chroma 16..240, in 8-bit fixed point (ITU-R BT.601-7, section 2.5.3).
fn bt601((y, u, v): (u8, u8, u8)) -> [u8; 3] {
    let (y, u, v) = (
        298 * (i32::from(y) - 16),
        i32::from(u) - 128,
        i32::from(v) - 128,
    );
    let byte = |value: i32| ((value + 128) >> 8).clamp(0, 255) as u8;
    [
        byte(y + 409 * v),
        byte(y - 100 * u - 208 * v),
        byte(y + 516 * u),
    ]
}
