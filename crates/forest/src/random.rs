//! Reproducible draws: the same seed gives the same numbers on every machine and in every version.

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A sequence that follows from a seed and any number of further keys.
    pub fn new(seed: u64, keys: &[u64]) -> Self {
        let mut random = Self(seed);
        for &key in keys {
            random.0 = random.bits() ^ key;
        }
        random
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which must not be 0. (Multiply and shift: no value is favoured by more
    /// than `end` / 2^64.)
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.bits()) * end as u128) >> 64) as usize
    }

    /// A number of 0.0..1.0.
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u32 << 24) as f32
    }

    /// The first `count` of `values` in a random order; all of them if there are fewer.
    pub fn take<T>(&mut self, mut values: Vec<T>, count: usize) -> Vec<T> {
        let count = count.min(values.len());
        for place in 0..count {
            let from = place + self.below(values.len() - place);
            values.swap(place, from);
        }
        values.truncate(count);
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_splitmix64() {
        let mut random = Random::new(1_234_567, &[]);
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!([(); 3].map(|()| random.bits()), published);
    }
}
