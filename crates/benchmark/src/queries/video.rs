use std::collections::{BTreeMap, BTreeSet};

use seggpt_contract::SegType;
use seggpt_metrics::Videos;

use super::{QueryDraft, refuse};
use crate::{BenchmarkError, Protocol, opened::Opened};

type Introduced = BTreeMap<usize, Vec<u16>>;

pub(super) fn queries(
    opened: &Opened,
    protocol: &Protocol,
) -> Result<(Introduced, Vec<QueryDraft>), BenchmarkError> {
    let set = &*opened.dataset;
    let mut videos: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, sample) in set.samples().iter().enumerate() {
        if let Some(frame) = &sample.frame {
            videos.entry(&frame.video).or_default().push(index);
        }
    }
    if videos.is_empty() {
        return Err(refuse(
            set,
            "it has no videos; leave the protocol out, or name another set",
        ));
    }
    let mut introduced = BTreeMap::new();
    let mut queries = Vec::new();
    for frames in videos.values() {
        queries.extend(one_video(opened, frames, protocol, &mut introduced)?);
    }
    if queries.is_empty() {
        return Err(refuse(
            set,
            "no frame after the first has a mask, so there is nothing to compare with",
        ));
    }
    Ok((introduced, queries))
}

/// The queries of one video: its frames, in their order, after the one in which the first object appears.
fn one_video(
    opened: &Opened,
    frames: &[usize],
    protocol: &Protocol,
    introduced: &mut Introduced,
) -> Result<Vec<QueryDraft>, BenchmarkError> {
    let set = &*opened.dataset;
    // DAVIS leaves out the last frame.
    let last = if opened.late {
        frames.len()
    } else {
        Videos::counted(frames.len()).end
    };
    let (mut pool, mut known, mut queries) = (Vec::new(), BTreeSet::new(), Vec::new());
    for &frame in frames.get(..last).unwrap_or_default() {
        if !set.sample(frame)?.annotated {
            continue;
        }
        if !pool.is_empty() {
            queries.push(QueryDraft {
                name: set.sample(frame)?.name.clone(),
                class: None,
                classes: known.iter().copied().collect(),
                sample: frame,
                pool: pool.clone().into(),
                seg_type: SegType::Instance,
                after: None,
            });
        }
        if pool.is_empty() || opened.late {
            let shown = set.truth(frame)?.labels.classes();
            let new: Vec<u16> = shown.into_iter().filter(|id| known.insert(*id)).collect();
            if !new.is_empty() {
                pool.push(frame);
                introduced.insert(frame, new);
            }
        }
    }
    Ok(protocol.subset(queries).collect())
}
