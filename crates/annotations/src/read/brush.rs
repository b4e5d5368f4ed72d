//! Label Studio's brush: RGBA pixels as thi.ng's bit-packed runs.

/// The alpha of each of so many pixels, not 0.
pub(super) fn decode(bytes: &[u8], pixels: usize) -> Result<Vec<bool>, String> {
    let mut bits = Bits { bytes, at: 0 };
    let cut = || "its brush is cut short".to_owned();
    let length = bits.take(32).ok_or_else(cut)? as usize;
    if length != pixels * 4 {
        return Err(format!(
            "its brush has {length} values, but the picture {pixels} pixels of four"
        ));
    }
    let word = bits.take(5).ok_or_else(cut)? + 1;
    let mut sizes = [0; 4];
    for size in &mut sizes {
        *size = bits.take(4).ok_or_else(cut)? + 1;
    }
    let mut values = vec![false; pixels];
    let mut at = 0;
    while at < length {
        let is_run = bits.take(1).ok_or_else(cut)? == 1;
        let size = sizes[bits.take(2).ok_or_else(cut)? as usize];
        let end = (at + 1 + bits.take(size).ok_or_else(cut)? as usize).min(length);
        let mut value = 0;
        for (step, place) in (at..end).enumerate() {
            if step == 0 || !is_run {
                value = bits.take(word).ok_or_else(cut)?;
            }
            if place % 4 == 3 {
                values[place / 4] = value > 0;
            }
        }
        at = end;
    }
    Ok(values)
}

/// Bits, the highest of a byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }
}
