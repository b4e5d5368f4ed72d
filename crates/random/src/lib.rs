//! The random generator of everything that is drawn: the same seed gives the same numbers on every machine and in every
//! version.

/// SplitMix64 (Steele, Lea and Flood 2014): small and fast; every seed starts a stream of its own.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The stream of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The stream that follows from a seed and any number of further keys.
    #[must_use]
    pub fn with_keys(seed: u64, keys: &[u64]) -> Self {
        let mut rng = Self(seed);
        for &key in keys {
            rng.0 = rng.bits() ^ key;
        }
        rng
    }

    /// The seed of a stream within the stream of another seed, such as that of one sample of a run.
    #[must_use]
    pub fn derive(seed: u64, index: u64) -> u64 {
        let mut outer = Self::new(seed);
        let mut inner = Self::new(outer.bits() ^ index.wrapping_mul(0xd134_2543_de82_ef95));
        inner.bits()
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in 0..1, 24 bits of it.
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u32 << 24) as f32
    }

    /// Uniform in 0..1, 53 bits of it.
    pub fn unit_f64(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in `0..count`; 0 if `count` is. No value is favoured by more than `count` / 2^64.
    pub fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.bits()) * count as u128) >> 64) as usize
    }

    /// Normal, with mean 0 and deviation 1.
    pub fn normal(&mut self) -> f64 {
        // Box and Muller; 1 - u is never 0.
        (-2.0 * (1.0 - self.unit_f64()).ln()).sqrt()
            * (std::f64::consts::TAU * self.unit_f64()).cos()
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
    fn the_stream_is_splitmix64() {
        let mut rng = Rng::new(1_234_567);
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!([(); 3].map(|()| rng.bits()), published);
    }

    #[test]
    fn what_is_taken_is_different_and_all_of_it_is_reached() {
        let mut rng = Rng::with_keys(7, &[1, 2]);
        let mut all = rng.take((0..10).collect::<Vec<_>>(), 20);
        all.sort_unstable();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
        assert_eq!(rng.take(vec![1, 2, 3], 2).len(), 2);
    }

    #[test]
    fn numbers_stay_in_their_range() {
        let mut rng = Rng::new(3);
        for _ in 0..1000 {
            assert!((0.0..1.0).contains(&rng.unit()));
            assert!((0.0..1.0).contains(&rng.unit_f64()));
            assert!(rng.below(3) < 3);
            assert!(rng.normal().abs() < 10.0);
        }
        assert_eq!(rng.below(0), 0);
    }
}
