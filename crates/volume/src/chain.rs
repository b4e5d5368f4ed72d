//! Which slices of a volume are asked, and which answers each may build on.

use std::{collections::BTreeSet, fmt, str::FromStr};

/// Which way a chain runs along the slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// To higher numbers.
    Up,
    /// To lower numbers.
    Down,
}

impl Way {
    /// `+` or `-`.
    pub fn sign(self) -> char {
        match self {
            Self::Up => '+',
            Self::Down => '-',
        }
    }
}

/// A question: which slice, and which way it was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Number of the slice.
    pub slice: usize,
    /// The way of its chain.
    pub way: Way,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}{}", self.slice, self.way.sign())
    }
}

/// Who answers the slices between two labelled ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gap {
    /// Chains from both sides, each through all of them; both answers are mixed by distance. Twice the work.
    #[default]
    Both,
    /// Chains from both sides, which meet in the middle.
    Meet,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Both => "both",
            Self::Meet => "meet",
        })
    }
}

impl FromStr for Gap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "both" => Ok(Self::Both),
            "meet" => Ok(Self::Meet),
            _ => Err(format!(
                "`{text}`: slices between labelled ones are asked from `both` sides, or those chains `meet`"
            )),
        }
    }
}

/// Slices that are asked one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The slices in their order.
    pub slices: Vec<usize>,
    /// Which way it runs.
    pub way: Way,
    /// The answer that it begins from, where that is no labelled slice.
    pub root: Option<Key>,
}

impl Chain {
    /// The questions in their order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = Key> + ExactSizeIterator + '_ {
        let key = |slice: &usize| Key {
            slice: *slice,
            way: self.way,
        };
        self.slices.iter().map(key)
    }

    /// The questions whose answers a question may build on, the last first.
    pub fn before(&self, at: usize) -> impl Iterator<Item = Key> + '_ {
        self.keys().take(at).rev().chain(self.root)
    }
}

/// All questions of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Slices that are given.
    pub labelled: BTreeSet<usize>,
    /// Together they ask every other slice.
    pub chains: Vec<Chain>,
}

impl Plan {
    /// Asks all slices of a volume but the labelled ones, outwards from the nearest of these, in both directions.
    /// `start`: where to begin in a volume without labelled slices.
    ///
    /// # Panics
    /// If `start` is not below `count`.
    pub fn new(count: usize, labelled: BTreeSet<usize>, gap: Gap, start: usize) -> Self {
        let mut chains = Vec::new();
        let mut add = |slices: Vec<usize>, way, root| {
            if !slices.is_empty() {
                chains.push(Chain { slices, way, root });
            }
        };
        let (Some(first), Some(last)) = (labelled.first(), labelled.last()) else {
            assert!(start < count, "the start is one of the slices");
            add((start..count).collect(), Way::Up, None);
            let root = Key {
                slice: start,
                way: Way::Up,
            };
            add((0..start).rev().collect(), Way::Down, Some(root));
            return Self { labelled, chains };
        };
        add((0..*first).rev().collect(), Way::Down, None);
        for (low, high) in labelled.iter().zip(labelled.iter().skip(1)) {
            let (low, high) = (low + 1, *high);
            let (up, down) = match gap {
                Gap::Both => (high, low),
                Gap::Meet => {
                    let middle = low + (high - low).div_ceil(2);
                    (middle, middle)
                }
            };
            add((low..up).collect(), Way::Up, None);
            add((down..high).rev().collect(), Way::Down, None);
        }
        add((last + 1..count).collect(), Way::Up, None);
        Self { labelled, chains }
    }

    /// How many questions there are.
    pub fn questions(&self) -> usize {
        self.chains.iter().map(|chain| chain.slices.len()).sum()
    }

    /// The labelled slices next to a slice: below it and above it.
    pub fn beside(&self, slice: usize) -> (Option<usize>, Option<usize>) {
        let below = self.labelled.range(..slice).next_back().copied();
        let above = self.labelled.range(slice + 1..).next().copied();
        (below, above)
    }

    /// How much the answer from below counts for a slice between two labelled ones, 0 to 1: the nearer it is, the more.
    /// `None` for one that is not between two.
    pub fn share(&self, slice: usize) -> Option<f64> {
        match self.beside(slice) {
            (Some(below), Some(above)) => Some((above - slice) as f64 / (above - below) as f64),
            _ => None,
        }
    }

    /// Slices from a slice to the nearest labelled one; `None` where none is.
    pub fn distance(&self, slice: usize) -> Option<usize> {
        if self.labelled.contains(&slice) {
            return Some(0);
        }
        let (below, above) = self.beside(slice);
        let apart = [
            below.map(|below| slice - below),
            above.map(|above| above - slice),
        ];
        apart.into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(plan: &Plan) -> Vec<(Vec<usize>, char)> {
        let told = |chain: &Chain| (chain.slices.clone(), chain.way.sign());
        plan.chains.iter().map(told).collect()
    }

    #[test]
    fn gaps_are_asked_from_both_sides_or_halfway() {
        let labelled = BTreeSet::from([2, 6]);
        let both = Plan::new(9, labelled.clone(), Gap::Both, 0);
        let outside = [(vec![1, 0], '-'), (vec![7, 8], '+')];
        assert_eq!(
            asked(&both),
            [
                outside[0].clone(),
                (vec![3, 4, 5], '+'),
                (vec![5, 4, 3], '-'),
                outside[1].clone()
            ]
        );
        let meet = Plan::new(9, labelled, Gap::Meet, 0);
        assert_eq!(asked(&meet)[1..3], [(vec![3, 4], '+'), (vec![5], '-')]);
        assert_eq!(
            (both.share(3), both.share(5), both.share(1)),
            (Some(0.75), Some(0.25), None)
        );
        assert_eq!(
            [0, 2, 4, 8].map(|slice| both.distance(slice)),
            [2, 0, 2, 2].map(Some)
        );
    }

    #[test]
    fn without_labelled_slices_both_directions_begin_from_one_answer() {
        let plan = Plan::new(4, BTreeSet::new(), Gap::Both, 2);
        let root = Key {
            slice: 2,
            way: Way::Up,
        };
        assert_eq!(asked(&plan), [(vec![2, 3], '+'), (vec![1, 0], '-')]);
        assert_eq!(plan.chains[1].root, Some(root));
        let before: Vec<Key> = plan.chains[1].before(1).collect();
        assert_eq!(
            before,
            [
                Key {
                    slice: 1,
                    way: Way::Down
                },
                root
            ]
        );
        assert_eq!((plan.distance(0), plan.share(0)), (None, None));
    }

    proptest! {
        #[test]
        fn every_slice_is_asked_or_given(
            count in 1..40_usize, marks in proptest::collection::btree_set(0..40_usize, 0..6), start in 0..40_usize, meet: bool
        ) {
            let labelled: BTreeSet<usize> = marks.into_iter().filter(|slice| *slice < count).collect();
            let gap = if meet { Gap::Meet } else { Gap::Both };
            let plan = Plan::new(count, labelled.clone(), gap, start % count);
            let mut times = vec![0; count];
            for key in plan.chains.iter().flat_map(Chain::keys) {
                times[key.slice] += 1;
            }
            for (slice, times) in times.into_iter().enumerate() {
                let wanted = match (labelled.contains(&slice), plan.share(slice), gap) {
                    (true, ..) => 0,
                    (false, Some(_), Gap::Both) => 2,
                    _ => 1,
                };
                prop_assert_eq!(times, wanted, "slice {}", slice);
            }
            for chain in &plan.chains {
                let steps: Vec<_> = chain.slices.windows(2).map(|pair| pair[1] as i64 - pair[0] as i64).collect();
                let step = if chain.way == Way::Up { 1 } else { -1 };
                prop_assert_eq!(&steps, &vec![step; steps.len()]);
            }
            let mut keys: Vec<Key> = plan.chains.iter().flat_map(Chain::keys).collect();
            keys.sort_unstable();
            keys.dedup();
            prop_assert_eq!(keys.len(), plan.questions());
        }
    }
}
