//! Pixels of one bit: the lowest bit of a byte first, frame after frame without a gap.

/// Pixels of one bit, one after another.
#[derive(Default)]
pub(super) struct Packed {
    bytes: Vec<u8>,
    bits: usize,
}

impl Packed {
    pub(super) fn of(pixels: impl Iterator<Item = bool>) -> Self {
        let mut packed = Self::default();
        pixels.for_each(|is_set| packed.push(is_set));
        packed
    }

    /// Puts the pixels of another behind its own.
    pub(super) fn append(&mut self, other: &Self) {
        match self.bits.is_multiple_of(8) {
            true => {
                self.bytes.extend(&other.bytes);
                self.bits += other.bits;
            }
            false => (0..other.bits).for_each(|bit| self.push(is_set(&other.bytes, bit))),
        }
    }

    fn push(&mut self, is_set: bool) {
        if self.bits.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let (true, Some(last)) = (is_set, self.bytes.last_mut()) {
            *last |= 1 << (self.bits % 8);
        }
        self.bits += 1;
    }

    /// All bytes, an even number of them.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if !self.bytes.len().is_multiple_of(2) {
            self.bytes.push(0);
        }
        self.bytes
    }
}

/// Which of `count` pixels from number `first` are set; `None`: they are not all there.
pub(super) fn unpacked(
    bytes: &[u8],
    first: usize,
    count: usize,
) -> Option<impl Iterator<Item = usize>> {
    let is_there = first + count <= bytes.len() * 8;
    is_there.then(|| (0..count).filter(move |pixel| is_set(bytes, first + pixel)))
}

fn is_set(bytes: &[u8], bit: usize) -> bool {
    bytes[bit / 8] >> (bit % 8) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_follow_each_other_bit_by_bit() {
        let mut packed = Packed::default();
        packed.append(&Packed::of([true, false, false].into_iter()));
        packed.append(&Packed::of(
            [false, true, true, false, false, true].into_iter(),
        ));
        let bytes = packed.finish();
        assert_eq!(bytes, [0b0011_0001, 0b0000_0001]);
        let set = |first, count| unpacked(&bytes, first, count).map(Iterator::collect::<Vec<_>>);
        assert_eq!(set(0, 3), Some(vec![0]));
        assert_eq!(set(3, 6), Some(vec![1, 2, 5]));
        assert_eq!(set(12, 6), None);
    }
}
