use std::collections::{BTreeMap, BTreeSet};

use seggpt_datasets::Truth;
use seggpt_imaging::{
    LabelPlane, Plane,
    components::components,
    panoptic::{PanopticMap, Segment},
};
use seggpt_metrics::{Matches, Panoptic};
use serde::{Deserialize, Serialize};

use crate::{BenchmarkError, Split};

/// The smallest thing in pixels: what `seggpt-infer` calls an instance unless it is told otherwise.
const MIN_AREA: u64 = 16;

/// How the segments of a class in one picture were found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentScore {
    /// The class.
    pub class: u16,
    /// The IoU of those that were found, added up.
    pub iou: f64,
    /// Those that were found.
    pub matched: u64,
    /// Those that are not there.
    pub invented: u64,
    /// Those that were not found.
    pub missed: u64,
}

impl SegmentScore {
    pub(crate) fn matches(self) -> Matches {
        Matches {
            iou: self.iou,
            matched: self.matched,
            invented: self.invented,
            missed: self.missed,
        }
    }
}

/// Nothing counted yet, of the classes of a split.
pub(crate) fn panoptic(split: &Split) -> Panoptic {
    let classes = split.classes.iter().map(|class| class.id);
    Panoptic::new(classes.map(|id| (u32::from(id), split.things.contains(&id))))
}

/// Compares both halves of a prediction, planes of one size, with the truth.
pub(crate) fn scores(
    split: &Split,
    stuff: &LabelPlane,
    things: &LabelPlane,
    truth: &Truth,
) -> Result<Vec<SegmentScore>, BenchmarkError> {
    let mut panoptic = panoptic(split);
    let truth = at_size(truth.panoptic()?, things.size());
    panoptic.add(&merged(split, stuff, things)?, &truth)?;
    let scores = panoptic.matches().filter_map(|(class, found)| {
        Some(SegmentScore {
            class: u16::try_from(class).ok()?,
            iou: found.iou,
            matched: found.matched,
            invented: found.invented,
            missed: found.missed,
        })
    });
    Ok(scores.collect())
}

/// Things lie over stuff. Of a class of things, each connected area is one; of stuff, all areas together are.
fn merged(
    split: &Split,
    stuff: &LabelPlane,
    things: &LabelPlane,
) -> Result<PanopticMap, BenchmarkError> {
    let is_thing = |id: &u16| split.things.contains(id);
    // A copied mask also has pixels of which nothing is said.
    let known: BTreeSet<u16> = split.classes.iter().map(|class| class.id).collect();
    let only = things.map(|id| if is_thing(id) { *id } else { 0 });
    let found = components(only.values(), only.size(), MIN_AREA)?;
    let segment = |id: u32, class: u16| Segment {
        id,
        category: u32::from(class),
        crowd: false,
    };
    let table = found.table.iter();
    let mut segments: Vec<Segment> = table.map(|area| segment(area.id, area.class)).collect();
    let mut ids = found.ids;
    let mut areas: BTreeMap<u16, u32> = BTreeMap::new();
    for (id, &class) in ids.iter_mut().zip(stuff.values()) {
        if *id == 0 && known.contains(&class) && !is_thing(&class) {
            let next = (segments.len() + 1) as u32;
            *id = *areas.entry(class).or_insert_with(|| {
                segments.push(segment(next, class));
                next
            });
        }
    }
    let ids = Plane::new(things.size(), ids)?;
    Ok(PanopticMap { ids, segments })
}

/// The map at another size; segments that have no pixel there are gone.
fn at_size(map: PanopticMap, size: (usize, usize)) -> PanopticMap {
    if map.ids.size() == size {
        return map;
    }
    let ids = map.ids.resized(size);
    let left = |segment: &Segment| ids.values().contains(&segment.id);
    let segments = map.segments.into_iter().filter(left).collect();
    PanopticMap { ids, segments }
}
