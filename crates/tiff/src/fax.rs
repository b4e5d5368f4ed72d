//! CCITT Group 4: black and white as scanners and fax machines write it.

use crate::Refusal;

/// Fills `out` with packed bits, as they are stored (0 is the fax's white).
pub(crate) fn decode(data: &[u8], size: (u32, u32), out: &mut [u8]) -> Result<(), Refusal> {
    let side = |side: u32| u16::try_from(side).map_err(|_| "it is too large for a fax".to_owned());
    let (width, height) = (side(size.0)?, side(size.1)?);
    let row_length = usize::from(width).div_ceil(8);
    let mut rows = out.chunks_exact_mut(row_length);
    let fill = |transitions: &[u16]| {
        let Some(row) = rows.next() else { return };
        for (x, color) in fax::decoder::pels(transitions, width)
            .enumerate()
            .take(width.into())
        {
            if color == fax::Color::Black {
                row[x / 8] |= 0x80 >> (x % 8);
            }
        }
    };
    fax::decoder::decode_g4(data.iter().copied(), width, Some(height), fill)
        .ok_or_else(|| Refusal::Damaged("CCITT Group 4: the code makes no sense".to_owned()))
}
