use std::io::{self, Read, Write};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};

/// What was answered for a slice, as it is shown: row by row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Class ids; 0 is background.
    pub ids: Vec<u16>,
    /// How sure each is, 0 to 255.
    pub confidence: Vec<u8>,
}

impl Answer {
    /// Two answers for one slice as one. `share`: how much the first counts, 0 to 1, and the second the rest. Where both
    /// name a class, that it is; elsewhere the one whose confidence, so weighted, is higher, and of equals the first.
    ///
    /// # Panics
    /// If they are of different slices.
    #[must_use]
    pub fn mix(&self, other: &Self, share: f64) -> Self {
        assert_eq!(self.ids.len(), other.ids.len(), "answers for one slice");
        let own = self.ids.iter().zip(&self.confidence);
        let others = other.ids.iter().zip(&other.confidence);
        let mixed = own.zip(others).map(|((id, sure), (other, other_sure))| {
            // A byte of confidence stands for a little more than itself, so that 0 counts by distance, too.
            let weighed = (f64::from(*sure) + 1.0) * share;
            let other_weighed = (f64::from(*other_sure) + 1.0) * (1.0 - share);
            let byte = |value: f64| value.clamp(0.0, 255.0).round() as u8;
            match id == other {
                true => (*id, byte(weighed + other_weighed - 1.0)),
                false if weighed >= other_weighed => (*id, byte(weighed - other_weighed)),
                false => (*other, byte(other_weighed - weighed)),
            }
        });
        let (ids, confidence) = mixed.unzip();
        Self { ids, confidence }
    }

    /// As bytes, with a mark: those of an answer file.
    pub fn to_bytes(&self, mark: bool) -> Vec<u8> {
        // Writing to memory does not fail.
        let packed = (|| {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(&[u8::from(mark)])?;
            gzip.write_all(&self.confidence)?;
            let ids: Vec<u8> = self.ids.iter().flat_map(|id| id.to_le_bytes()).collect();
            gzip.write_all(&ids)?;
            gzip.finish()
        })();
        packed.unwrap_or_default()
    }

    /// From bytes, for a slice of so many pixels; the answer and its mark.
    ///
    /// # Errors
    /// They are not those of an answer for such a slice.
    pub fn from_bytes(bytes: &[u8], pixels: usize) -> io::Result<(Self, bool)> {
        let mut plain = Vec::with_capacity(3 * pixels + 1);
        GzDecoder::new(bytes).read_to_end(&mut plain)?;
        if plain.len() != 3 * pixels + 1 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let (confidence, ids) = plain[1..].split_at(pixels);
        let ids = ids.as_chunks::<2>().0.iter();
        let answer = Self {
            ids: ids.map(|id| u16::from_le_bytes(*id)).collect(),
            confidence: confidence.to_vec(),
        };
        Ok((answer, plain[0] == 1))
    }

    /// Pixels that are not background.
    pub fn area(&self) -> usize {
        self.ids.iter().filter(|id| **id != 0).count()
    }

    /// Mean confidence of the pixels that are not background, 0 to 1; 1 where there are none.
    pub fn surety(&self) -> f64 {
        let pixels = self.ids.iter().zip(&self.confidence);
        let found = pixels.filter(|(id, _)| **id != 0);
        let (sum, count) = found.fold((0_u64, 0_u64), |(sum, count), (_, sure)| {
            (sum + u64::from(*sure), count + 1)
        });
        match count {
            0 => 1.0,
            count => sum as f64 / 255.0 / count as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surer_answer_stands_and_distance_weighs() {
        let of = |pixels: &[(u16, u8)]| {
            let (ids, confidence) = pixels.iter().copied().unzip();
            Answer { ids, confidence }
        };
        let first = of(&[(1, 100), (1, 100), (0, 255), (2, 0)]);
        let second = of(&[(1, 200), (2, 200), (1, 254), (0, 0)]);
        let halves = first.mix(&second, 0.5);
        assert_eq!(halves.ids, [1, 2, 0, 2]);
        assert_eq!(halves.confidence[0], 150);
        assert_eq!(first.mix(&second, 0.9).ids, [1, 1, 0, 2]);
        assert_eq!(first.mix(&second, 0.1).ids, [1, 2, 1, 0]);
        assert_eq!(first.mix(&second, 1.0).ids, first.ids);
        assert_eq!(first.mix(&first, 0.3), first);
    }

    #[test]
    fn bytes_are_those_of_one_slice_and_no_other() {
        let answer = Answer {
            ids: vec![0, 300, 1],
            confidence: vec![9, 255, 0],
        };
        for mark in [false, true] {
            let bytes = answer.to_bytes(mark);
            let read = Answer::from_bytes(&bytes, 3);
            assert!(read.is_ok_and(|(read, marked)| read == answer && marked == mark));
            assert!(Answer::from_bytes(&bytes, 4).is_err());
            assert!(Answer::from_bytes(&bytes[..bytes.len() - 1], 3).is_err());
        }
    }

    #[test]
    fn area_and_surety_are_of_what_was_found() {
        let answer = Answer {
            ids: vec![0, 3, 1],
            confidence: vec![0, 255, 0],
        };
        assert_eq!((answer.area(), answer.surety()), (2, 0.5));
        assert_eq!(Answer::default().surety(), 1.0);
    }
}
