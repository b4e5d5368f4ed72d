//! How the bytes of a raw picture lie.

use arrow::buffer::Buffer;

use super::MESSAGE;
use crate::ContractError;

/// Width, height, bytes from row to row (where the sender says), and whether samples of 16 bits are big-endian.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub width: u32,
    pub height: u32,
    pub step: Option<usize>,
    pub big_endian: bool,
}

/// Rows of `row` bytes each, without what the sender put between them.
pub(super) fn without_padding(
    encoding: &str,
    layout: Layout,
    row: usize,
    data: Buffer,
) -> Result<Buffer, ContractError> {
    let Layout { width, height, .. } = layout;
    let step = layout.step.unwrap_or(row);
    let expected = step.saturating_mul(height as usize);
    if step < row || data.len() != expected {
        let what = format!("a {width} x {height} {encoding} picture in rows of {step} bytes");
        return Err(ContractError::SizeMismatch {
            message: MESSAGE,
            what,
            found: data.len(),
            expected: expected.max(row.saturating_mul(height as usize)),
        });
    }
    if step == row {
        return Ok(data);
    }
    let rows = data.chunks_exact(step).flat_map(|padded| &padded[..row]);
    Ok(rows.copied().collect::<Vec<u8>>().into())
}
