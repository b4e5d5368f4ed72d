//! What a file is by its first bytes, where it is none of the formats that are read; and how many frames those have.

use image::ImageFormat;

const HEIC: &str = "a HEIC or AVIF picture (phones write them); convert it to JPEG or PNG, e.g. `magick photo.heic photo.png`";

/// What a file that is not read holds, and what to do about it.
pub(super) fn describe(bytes: &[u8]) -> String {
    let begins = |signature: &[u8]| bytes.starts_with(signature);
    let at = |offset: usize, signature: &[u8]| {
        bytes
            .get(offset..)
            .is_some_and(|rest| rest.starts_with(signature))
    };
    let known = if begins(b"GIF8") {
        "a GIF picture; convert it to PNG, e.g. `magick picture.gif picture.png`"
    } else if at(4, b"ftyphei") || at(4, b"ftypmif1") || at(4, b"ftypavi") || at(4, b"ftyphev") {
        HEIC
    } else if begins(b"\0\0\0\x0cjP  ") || begins(b"\xff\x4f\xff\x51") {
        "a JPEG 2000 picture; convert it to TIFF, e.g. `gdal_translate picture.jp2 picture.tif`"
    } else if begins(b"\xff\x0a") || begins(b"\0\0\0\x0cJXL ") {
        "a JPEG XL picture; convert it to PNG, e.g. `djxl picture.jxl picture.png`"
    } else if begins(b"8BPS") {
        "a Photoshop document; export it as PNG"
    } else if begins(b"%PDF") {
        "a PDF document; render its pages, e.g. `pdftoppm -png document.pdf page`"
    } else if at(128, b"DICM") {
        "a DICOM file; convert it to PNG, e.g. `dcm2img slice.dcm slice.png`"
    } else if begins(b"\x93NUMPY") {
        "a NumPy array; save it as PNG or TIFF"
    } else if begins(b"\x89HDF") {
        "an HDF5 file; export its pictures as PNG or TIFF"
    } else if begins(b"SIMPLE  =") {
        "a FITS file; convert it to TIFF"
    } else if begins(b"P1\n") || begins(b"P2\n") || begins(b"P3\n") || netpbm(bytes) {
        "a Netpbm picture; convert it to PNG, e.g. `magick picture.ppm picture.png`"
    } else if begins(b"version https://git-lfs") {
        "a pointer to a file that Git LFS has not fetched; run `git lfs pull`"
    } else if begins(b"PK\x03\x04") {
        "a ZIP archive; unpack it first"
    } else if begins(b"\x1f\x8b") {
        "a gzip file; unpack it first"
    } else if at(4, b"ftyp") || begins(b"\x1aE\xdf\xa3") {
        "a video; take its frames out first, e.g. `ffmpeg -i video.mp4 frame_%05d.png`"
    } else if begins(b"\0\0\x01\0") {
        "an icon; convert it to PNG first"
    } else if begins(b"DDS ") || begins(b"\x76\x2f\x31\x01") || begins(b"#?RADIANCE") {
        "a texture or HDR picture; convert it to PNG first"
    } else if looks_like_text(bytes) {
        return "it holds text".to_owned();
    } else {
        return format!(
            "it starts with the bytes {:02x?}",
            &bytes[..bytes.len().min(8)]
        );
    };
    format!("it is {known}")
}

fn netpbm(bytes: &[u8]) -> bool {
    matches!(bytes, [b'P', b'4'..=b'7', b'\n' | b' ', ..])
}

fn looks_like_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(512)];
    head.iter()
        .all(|&b| b >= 0x20 && b != 0x7f || matches!(b, b'\t' | b'\n' | b'\r' | 0x0c))
}

/// How many frames an animated PNG or WebP announces; 1 for a still picture.
pub(super) fn frames(bytes: &[u8], format: ImageFormat) -> usize {
    match format {
        ImageFormat::Png => {
            let chunks = Chunks {
                bytes,
                at: 8,
                big_endian: true,
            };
            let mut before_pixels = chunks.take_while(|(kind, _)| kind != b"IDAT");
            let announced = before_pixels.find(|(kind, _)| kind == b"acTL");
            let count =
                announced.and_then(|(_, data)| Some(u32::from_be_bytes(*data.first_chunk()?)));
            count.map_or(1, |count| count.max(1) as usize)
        }
        ImageFormat::WebP => {
            let chunks = Chunks {
                bytes,
                at: 12,
                big_endian: false,
            };
            chunks.filter(|(kind, _)| kind == b"ANMF").count().max(1)
        }
        _ => 1,
    }
}

/// The chunks of a PNG (length, kind, data, sum) or a RIFF file (kind, length, data to an even length).
struct Chunks<'a> {
    bytes: &'a [u8],
    at: usize,
    big_endian: bool,
}

impl<'a> Iterator for Chunks<'a> {
    type Item = ([u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let head: [u8; 8] = *self.bytes.get(self.at..)?.first_chunk()?;
        let [a, b, c, d, e, f, g, h] = head;
        let (kind, length) = if self.big_endian {
            ([e, f, g, h], u32::from_be_bytes([a, b, c, d]))
        } else {
            ([a, b, c, d], u32::from_le_bytes([e, f, g, h]))
        };
        let (start, length) = (self.at + 8, length as usize);
        let data = self.bytes.get(start..start.checked_add(length)?)?;
        self.at = start + length + if self.big_endian { 4 } else { length % 2 };
        Some((kind, data))
    }
}
