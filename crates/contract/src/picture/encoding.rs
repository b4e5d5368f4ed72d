use std::{fmt, str::FromStr};

use crate::ContractError;

/// How a picture's bytes are to be read. Names are compared without regard to case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// R, G, B.
    Rgb8,
    /// B, G, R (OpenCV's order, dora-hub cameras' default).
    Bgr8,
    /// R, G, B, alpha; alpha is dropped.
    Rgba8,
    /// B, G, R, alpha; alpha is dropped.
    Bgra8,
    /// Grey.
    Mono8,
    /// Grey, 16 bit little-endian; reduced to 8 bits as pictures in files are.
    Mono16,
    /// Planar 4:2:0 (I420: Y, U, V), BT.601 limited range, as OpenCV writes it.
    Yuv420,
    /// Semi-planar 4:2:0 (Y, then UV interleaved), BT.601 limited range.
    Nv12,
    /// Packed 4:2:2, Y0 U Y1 V, BT.601 limited range.
    Yuyv,
    /// Packed 4:2:2, U Y0 V Y1, BT.601 limited range.
    Uyvy,
    /// The bytes of a JPEG file (or an MJPG frame).
    Jpeg,
    /// The bytes of a PNG file.
    Png,
    /// The bytes of a WebP file.
    Webp,
    /// The bytes of a BMP file.
    Bmp,
    /// The bytes of a TIFF file.
    Tiff,
}

impl Encoding {
    /// Every encoding, in the order of their declaration.
    pub const ALL: [Self; 15] = [
        Self::Rgb8,
        Self::Bgr8,
        Self::Rgba8,
        Self::Bgra8,
        Self::Mono8,
        Self::Mono16,
        Self::Yuv420,
        Self::Nv12,
        Self::Yuyv,
        Self::Uyvy,
        Self::Jpeg,
        Self::Png,
        Self::Webp,
        Self::Bmp,
        Self::Tiff,
    ];

    /// Whether the bytes are those of an encoded file.
    pub fn is_file(self) -> bool {
        self.raw_len(2, 2).is_none()
    }

    /// Bytes of a raw picture; `None` for encoded files. Chroma of odd sides is rounded up.
    pub fn raw_len(self, width: u32, height: u32) -> Option<usize> {
        let (w, h) = (width as usize, height as usize);
        let pixels = w.saturating_mul(h);
        match self {
            Self::Mono8 => Some(pixels),
            Self::Mono16 => Some(pixels.saturating_mul(2)),
            Self::Rgb8 | Self::Bgr8 => Some(pixels.saturating_mul(3)),
            Self::Rgba8 | Self::Bgra8 => Some(pixels.saturating_mul(4)),
            Self::Yuv420 | Self::Nv12 => {
                Some(pixels.saturating_add(2 * w.div_ceil(2).saturating_mul(h.div_ceil(2))))
            }
            Self::Yuyv | Self::Uyvy => Some(w.div_ceil(2).saturating_mul(4).saturating_mul(h)),
            Self::Jpeg | Self::Png | Self::Webp | Self::Bmp | Self::Tiff => None,
        }
    }

    /// Bytes of one row of the first plane.
    pub(crate) fn row_len(self, width: u32) -> usize {
        match self {
            Self::Yuv420 | Self::Nv12 => width as usize,
            _ => self.raw_len(width, 1).unwrap_or_default(),
        }
    }

    /// dora-hub's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rgb8 => "rgb8",
            Self::Bgr8 => "bgr8",
            Self::Rgba8 => "rgba8",
            Self::Bgra8 => "bgra8",
            Self::Mono8 => "mono8",
            Self::Mono16 => "mono16",
            Self::Yuv420 => "yuv420",
            Self::Nv12 => "nv12",
            Self::Yuyv => "yuyv",
            Self::Uyvy => "uyvy",
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Bmp => "bmp",
            Self::Tiff => "tiff",
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Encoding {
    type Err = ContractError;

    /// Reads the names of dora-hub, kornia (`RGB8`, `YUYV`, `MJPG`) and ROS (`8UC3`, `yuv422_yuy2`, ...).
    fn from_str(text: &str) -> Result<Self, ContractError> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "rgb8" | "rgb" => Self::Rgb8,
            "bgr8" | "bgr" | "8uc3" => Self::Bgr8,
            "rgba8" | "rgba" => Self::Rgba8,
            "bgra8" | "bgra" | "8uc4" => Self::Bgra8,
            "mono8" | "gray8" | "grey8" | "8uc1" | "l8" => Self::Mono8,
            "mono16" | "16uc1" | "l16" => Self::Mono16,
            "yuv420" | "i420" | "yuv420p" => Self::Yuv420,
            "nv12" => Self::Nv12,
            "yuyv" | "yuy2" | "yuv422_yuy2" => Self::Yuyv,
            "uyvy" | "yuv422" => Self::Uyvy,
            "jpeg" | "jpg" | "jpe" | "mjpg" | "mjpeg" => Self::Jpeg,
            "png" => Self::Png,
            "webp" => Self::Webp,
            "bmp" => Self::Bmp,
            "tiff" | "tif" => Self::Tiff,
            _ => return Err(ContractError::UnknownEncoding(text.into())),
        })
    }
}
