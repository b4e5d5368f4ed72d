//! How samples draw: the distributions over the one random generator.

/// A stream of draws. A seed decides every number that follows.
#[derive(Debug, Clone)]
pub(crate) struct Rng(seggpt_random::Rng);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = seggpt_random::Rng::new(seed ^ 0x5e66_9f7a_11c0_ffee);
        rng.bits();
        Self(rng)
    }

    /// A stream of its own, so that what one part draws does not shift what the next one draws.
    pub(crate) fn fork(&mut self) -> Self {
        Self::new(self.bits())
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.bits()
    }

    pub(crate) fn seed(&mut self) -> u32 {
        (self.bits() >> 32) as u32
    }

    /// 0 <= x < 1.
    pub(crate) fn unit(&mut self) -> f32 {
        self.0.unit()
    }

    pub(crate) fn range(&mut self, from: f32, to: f32) -> f32 {
        from + (to - from) * self.unit()
    }

    /// Evenly spread over orders of magnitude.
    pub(crate) fn log_range(&mut self, from: f32, to: f32) -> f32 {
        self.range(from.ln(), to.max(from).ln()).exp()
    }

    pub(crate) fn angle(&mut self) -> f32 {
        self.range(0.0, std::f32::consts::TAU)
    }

    /// 0 <= i < count; 0 for a count of 0.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.0.below(count)
    }

    /// Both ends included.
    pub(crate) fn between(&mut self, from: usize, to: usize) -> usize {
        from + self.below(to.saturating_sub(from) + 1)
    }

    pub(crate) fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    pub(crate) fn sign(&mut self) -> f32 {
        if self.chance(0.5) { 1.0 } else { -1.0 }
    }

    /// Mean 0, deviation 1, never beyond 3.5: the sum of four evenly spread numbers.
    pub(crate) fn normal(&mut self) -> f32 {
        let sum: f32 = (0..4).map(|_| self.unit()).sum();
        (sum - 2.0) * 3f32.sqrt()
    }

    /// One of a list that is not empty.
    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// An index, in proportion to the weights.
    pub(crate) fn weighted(&mut self, weights: &[f32]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f32>();
        for (index, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return index;
            }
        }
        weights.iter().rposition(|&w| w > 0.0).unwrap_or(0)
    }

    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.below(last + 1));
        }
    }
}
