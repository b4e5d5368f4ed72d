use std::collections::{BTreeMap, BTreeSet, HashMap};

use seggpt_imaging::panoptic::{PanopticMap, Segment};

use crate::{MetricsError, error::same_size, number::mean};

/// The id of pixels that belong to no segment.
const VOID: u32 = 0;

/// Panoptic quality, counted over any number of pictures. Equals panopticapi's `pq_compute`.
#[derive(Debug, Clone, PartialEq)]
pub struct Panoptic {
    categories: BTreeMap<u32, (bool, Matches)>,
}

/// How the segments of one category were found.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Matches {
    /// The IoU of all that were found, added up.
    pub iou: f64,
    /// Segments that were found.
    pub matched: u64,
    /// Segments of predictions that are in no truth.
    pub invented: u64,
    /// Segments of truths that are in no prediction.
    pub missed: u64,
}

/// What [`Panoptic`] found; `None` for a group of which nothing occurred.
#[derive(Debug, Clone, PartialEq)]
pub struct PanopticReport {
    /// The mean over all categories that occurred.
    pub all: Option<Quality>,
    /// The mean over those that are things.
    pub things: Option<Quality>,
    /// The mean over those that are stuff.
    pub stuff: Option<Quality>,
    /// One row per category, by ascending id.
    pub categories: Vec<CategoryQuality>,
}

/// Quality of one category or the mean of several, 0.0..=1.0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Panoptic quality: segmentation times recognition quality in one category.
    pub pq: f64,
    /// Segmentation quality: mean IoU of the matched segments.
    pub sq: f64,
    /// Recognition quality: F1 of finding segments.
    pub rq: f64,
    /// How many categories this is the mean of.
    pub categories: usize,
}

/// One category of a [`PanopticReport`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CategoryQuality {
    /// Its id.
    pub category: u32,
    /// Whether it is a thing.
    pub thing: bool,
    /// Its quality; `None` if neither truth nor prediction ever had it.
    pub quality: Option<Quality>,
}

impl Panoptic {
    /// Counts these categories: id, and whether it is a thing.
    #[must_use]
    pub fn new(categories: impl IntoIterator<Item = (u32, bool)>) -> Self {
        let empty = |(id, thing)| (id, (thing, Matches::default()));
        Self {
            categories: categories.into_iter().map(empty).collect(),
        }
    }

    /// Counts one picture.
    ///
    /// # Errors
    /// [`MetricsError::SizesDiffer`]; [`MetricsError::UnknownClass`]; [`MetricsError::Panoptic`] if a segment
    /// has no pixels or pixels have no segment.
    pub fn add(
        &mut self,
        prediction: &PanopticMap,
        truth: &PanopticMap,
    ) -> Result<(), MetricsError> {
        same_size(&prediction.ids, &truth.ids)?;
        let predicted = self.checked("prediction", prediction)?;
        let true_ = self.checked("truth", truth)?;
        let mut overlaps: HashMap<(u32, u32), u64> = HashMap::new();
        for (&t, &p) in truth.ids.values().iter().zip(prediction.ids.values()) {
            *overlaps.entry((t, p)).or_default() += 1;
        }
        let overlap = |t: u32, p: u32| overlaps.get(&(t, p)).copied().unwrap_or(0);

        let (mut found, mut used) = (BTreeSet::new(), BTreeSet::new());
        let mut pairs: Vec<(&(u32, u32), &u64)> = overlaps.iter().collect();
        pairs.sort_unstable(); // sums of floats in one order, whatever the hasher
        for (&(t, p), &both) in pairs {
            let (Some((true_segment, true_area)), Some((segment, area))) =
                (true_.get(&t), predicted.get(&p))
            else {
                continue;
            };
            if true_segment.crowd || true_segment.category != segment.category {
                continue;
            }
            let union = area + true_area - both - overlap(VOID, p);
            let iou = both as f64 / union as f64;
            if iou > 0.5 {
                let matches = self.of(segment.category);
                matches.matched += 1;
                matches.iou += iou;
                found.insert(t);
                used.insert(p);
            }
        }

        let mut crowds = BTreeMap::new();
        for segment in truth
            .segments
            .iter()
            .filter(|segment| !found.contains(&segment.id))
        {
            if segment.crowd {
                crowds.insert(segment.category, segment.id); // of several, the tool knows the last
            } else {
                self.of(segment.category).missed += 1;
            }
        }
        for (id, (segment, area)) in predicted.iter().filter(|(id, _)| !used.contains(*id)) {
            let crowd = crowds
                .get(&segment.category)
                .map_or(0, |&crowd| overlap(crowd, *id));
            let excused = overlap(VOID, *id) + crowd;
            if excused as f64 / *area as f64 <= 0.5 {
                self.of(segment.category).invented += 1;
            }
        }
        Ok(())
    }

    fn of(&mut self, category: u32) -> &mut Matches {
        &mut self.categories.entry(category).or_default().1
    }

    /// What was counted, by ascending id, of the categories that occurred.
    pub fn matches(&self) -> impl Iterator<Item = (u32, Matches)> + '_ {
        let all = self.categories.iter().map(|(&id, &(_, found))| (id, found));
        all.filter(|(_, found)| *found != Matches::default())
    }

    /// Adds what was counted elsewhere.
    ///
    /// # Errors
    /// [`MetricsError::UnknownClass`].
    pub fn add_matches(&mut self, category: u32, found: Matches) -> Result<(), MetricsError> {
        match self.categories.get_mut(&category) {
            Some((_, matches)) => {
                matches.add(found);
                Ok(())
            }
            None => Err(MetricsError::UnknownClass {
                class: category,
                known: self.categories.keys().copied().collect(),
            }),
        }
    }

    /// The segments by id with their areas.
    fn checked(
        &self,
        side: &'static str,
        map: &PanopticMap,
    ) -> Result<BTreeMap<u32, (Segment, u64)>, MetricsError> {
        let refuse = |reason| MetricsError::Panoptic { side, reason };
        let mut segments = BTreeMap::new();
        for segment in &map.segments {
            if !self.categories.contains_key(&segment.category) {
                return Err(MetricsError::UnknownClass {
                    class: segment.category,
                    known: self.categories.keys().copied().collect(),
                });
            }
            if segment.id == VOID || segments.insert(segment.id, (*segment, 0)).is_some() {
                let id = segment.id;
                let reason = format!("segment id {id} is taken twice, or 0, which means none");
                return Err(refuse(reason));
            }
        }
        let mut run: (u32, u64) = (VOID, 0);
        let mut count = |(id, pixels): (u32, u64)| match segments.get_mut(&id) {
            Some((_, area)) => {
                *area += pixels;
                Ok(())
            }
            None if id == VOID => Ok(()),
            None => Err(refuse(format!(
                "{pixels} pixels have id {id}, which no segment has"
            ))),
        };
        for &id in map.ids.values() {
            if id == run.0 {
                run.1 += 1;
            } else {
                count(run)?;
                run = (id, 1);
            }
        }
        count(run)?;
        match segments.values().find(|(_, area)| *area == 0) {
            Some((segment, _)) => Err(refuse(format!("segment {} has no pixels", segment.id))),
            None => Ok(segments),
        }
    }

    /// Adds what another accumulator of the same categories counted.
    ///
    /// # Errors
    /// [`MetricsError::Merge`] if the categories differ.
    pub fn merge(&mut self, other: &Self) -> Result<(), MetricsError> {
        let listed = |panoptic: &Self| -> Vec<(u32, bool)> {
            panoptic
                .categories
                .iter()
                .map(|(&id, &(thing, _))| (id, thing))
                .collect()
        };
        let (mine, theirs) = (listed(self), listed(other));
        if mine != theirs {
            return Err(MetricsError::Merge {
                what: "panoptic scores",
                reason: format!("categories {mine:?} against {theirs:?}"),
            });
        }
        for ((_, mine), (_, theirs)) in self.categories.values_mut().zip(other.categories.values())
        {
            mine.add(*theirs);
        }
        Ok(())
    }

    /// The scores of everything that was counted.
    #[must_use]
    pub fn finish(&self) -> PanopticReport {
        let row = |(&category, &(thing, matches)): (&u32, &(bool, Matches))| CategoryQuality {
            category,
            thing,
            quality: matches.quality(),
        };
        let categories: Vec<CategoryQuality> = self.categories.iter().map(row).collect();
        let group = |member: fn(&CategoryQuality) -> bool| {
            let of = categories.iter().filter(|row| member(row));
            let qualities: Vec<Quality> = of.filter_map(|row| row.quality).collect();
            Some(Quality {
                pq: mean(qualities.iter().map(|quality| quality.pq))?,
                sq: mean(qualities.iter().map(|quality| quality.sq))?,
                rq: mean(qualities.iter().map(|quality| quality.rq))?,
                categories: qualities.len(),
            })
        };
        PanopticReport {
            all: group(|_| true),
            things: group(|row| row.thing),
            stuff: group(|row| !row.thing),
            categories,
        }
    }
}

impl Matches {
    fn add(&mut self, other: Self) {
        self.iou += other.iou;
        self.matched += other.matched;
        self.invented += other.invented;
        self.missed += other.missed;
    }

    fn quality(self) -> Option<Quality> {
        let weight = self.matched as f64 + 0.5 * (self.invented + self.missed) as f64;
        (weight > 0.0).then(|| Quality {
            pq: self.iou / weight,
            sq: if self.matched == 0 {
                0.0
            } else {
                self.iou / self.matched as f64
            },
            rq: self.matched as f64 / weight,
            categories: 1,
        })
    }
}
