//! CCITT Group 4: black and white as scanners and fax machines write it.

use tiff_reader::{Ifd, TiffFile};

pub(super) const GROUP_4: u16 = 4;

/// The page's bits, a byte each, as they are stored (0 is the fax's white).
pub(super) fn decode(file: &TiffFile, ifd: &Ifd) -> Result<Vec<u8>, String> {
    const TOO_WIDE: &str = "it is too large for a fax";
    let (offsets, lengths) = ifd
        .strip_offsets()
        .zip(ifd.strip_byte_counts())
        .ok_or("its strips are nowhere")?;
    let (width, height) = (ifd.width(), ifd.height());
    let columns = u16::try_from(width).map_err(|_| TOO_WIDE)?;
    let per_strip = ifd.rows_per_strip().min(height).max(1);
    let mut pixels = Vec::with_capacity(width as usize * height as usize);
    for (strip, (offset, length)) in offsets.into_iter().zip(lengths).enumerate() {
        let above = per_strip.saturating_mul(strip as u32);
        let rows = u16::try_from(per_strip.min(height.saturating_sub(above))).map_err(|_| TOO_WIDE)?;
        let length = usize::try_from(length).map_err(|error| error.to_string())?;
        let read = file.source().read_exact_at(offset, length);
        let mut bytes = read.map_err(|error| error.to_string())?;
        if ifd.fill_order() == 2 {
            bytes.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
        }
        let row = |transitions: &[u16]| {
            let colors = fax::decoder::pels(transitions, columns);
            pixels.extend(colors.map(|color| u8::from(color == fax::Color::Black)));
        };
        fax::decoder::decode_g4(bytes.into_iter(), columns, Some(rows), row)
            .ok_or_else(|| format!("strip {strip} makes no sense"))?;
    }
    Ok(pixels)
}
