use std::collections::BTreeMap;

use seggpt_datasets::Dataset;
use seggpt_random::Rng;

use crate::BenchmarkError;

/// One query, the class to be found, and the prompts that show it. Numbers are samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Episode {
    /// The class.
    pub class: u16,
    /// The picture to be segmented.
    pub query: usize,
    /// The examples, all different, none of them the query.
    pub prompts: Vec<usize>,
}

/// How many prompts an episode has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shots {
    /// This many.
    Of(usize),
    /// Every other picture of the class.
    All,
}

/// Draws few-shot episodes from a data set.
///
/// Every episode follows from the seed and its own number alone: the same on every machine, and the
/// first hundred of a thousand are those of a hundred.
#[derive(Debug, Clone)]
pub struct Episodes {
    /// The pictures that show each class.
    of_class: BTreeMap<u16, Vec<usize>>,
    left_out: Vec<(u16, usize)>,
    shots: Shots,
    seed: u64,
}

impl Episodes {
    /// Looks up which pictures show which of `classes`.
    ///
    /// A picture shows a class if it has at least `pixels` pixels of it (1 takes all). The lists of
    /// PASCAL-5i and COCO-20i leave out classes of less than 2,048 pixels; such a threshold decodes
    /// every truth once. Classes of too few pictures for a query and its prompts are left out
    /// ([`Episodes::left_out`]).
    ///
    /// # Errors
    /// [`BenchmarkError::Episodes`] if no class is left; what reading the truth can raise.
    pub fn new(
        dataset: &dyn Dataset,
        classes: &[u16],
        shots: Shots,
        pixels: usize,
        seed: u64,
    ) -> Result<Self, BenchmarkError> {
        let mut of_class: BTreeMap<u16, Vec<usize>> =
            classes.iter().map(|&class| (class, Vec::new())).collect();
        for (index, sample) in dataset.samples().iter().enumerate() {
            if !sample.annotated {
                continue;
            }
            let shown = if pixels > 1 {
                let labels = dataset.truth(index)?.labels;
                let mut shown = labels.classes();
                shown.retain(|class| {
                    of_class.contains_key(class) && labels.mask(*class).area() >= pixels
                });
                shown
            } else {
                dataset.classes_in(index)?
            };
            for class in shown {
                of_class
                    .entry(class)
                    .and_modify(|pictures| pictures.push(index));
            }
        }
        let needed = 1 + match shots {
            Shots::Of(shots) => shots.max(1),
            Shots::All => 1,
        };
        let few = of_class.iter().map(|(&class, of)| (class, of.len()));
        let left_out: Vec<(u16, usize)> = few.filter(|(_, found)| *found < needed).collect();
        of_class.retain(|_, pictures| pictures.len() >= needed);
        if of_class.is_empty() {
            let most = left_out.iter().max_by_key(|(_, found)| *found);
            let reason = match most {
                None => "no classes were named".to_owned(),
                Some((class, found)) => format!(
                    "{} has no class of enough pictures: {found} pictures of class {class}, but a query \
                     and its prompts are {needed}; ask for fewer prompts or count smaller objects",
                    dataset.name()
                ),
            };
            return Err(BenchmarkError::Episodes { reason });
        }
        Ok(Self {
            of_class,
            left_out,
            shots,
            seed,
        })
    }

    /// Classes that were named, but have too few pictures: id and number of pictures.
    #[must_use]
    pub fn left_out(&self) -> &[(u16, usize)] {
        &self.left_out
    }

    /// `count` episodes of classes drawn evenly, whatever the number of their pictures, and then of
    /// pictures drawn evenly: the protocol of COCO-20i, usually with 1,000 episodes per fold.
    pub fn even(&self, count: usize) -> impl Iterator<Item = Episode> {
        let classes: Vec<u16> = self.of_class.keys().copied().collect();
        (0..count).map(move |number| {
            let mut rng = Rng::with_keys(self.seed, &[number as u64]);
            let class = classes[rng.below(classes.len())];
            let pictures = &self.of_class[&class];
            let query = pictures[rng.below(pictures.len())];
            self.episode(class, query, &mut rng)
        })
    }

    /// Every picture as the query of every class that it shows, in the order of the data set: the
    /// protocol of FSS-1000, and that of PASCAL-5i if taken round and round up to 1,000.
    pub fn every_query(&self) -> impl Iterator<Item = Episode> + Clone {
        let mut pairs: Vec<(usize, u16)> = Vec::new();
        for (&class, pictures) in &self.of_class {
            pairs.extend(pictures.iter().map(|&picture| (picture, class)));
        }
        pairs.sort_unstable();
        pairs
            .into_iter()
            .enumerate()
            .map(move |(number, (query, class))| {
                self.episode(
                    class,
                    query,
                    &mut Rng::with_keys(self.seed, &[number as u64]),
                )
            })
    }

    fn episode(&self, class: u16, query: usize, rng: &mut Rng) -> Episode {
        let pictures = self.of_class[&class].iter().copied();
        let others: Vec<usize> = pictures.filter(|&picture| picture != query).collect();
        let prompts = match self.shots {
            Shots::Of(shots) => rng.take(others, shots.max(1)),
            Shots::All => others,
        };
        Episode {
            class,
            query,
            prompts,
        }
    }
}
