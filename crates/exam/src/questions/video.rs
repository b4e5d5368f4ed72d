use std::collections::{BTreeMap, BTreeSet};

use seggpt_contract::SegType;
use seggpt_eval::metrics::Videos;

use super::{Asked, refuse};
use crate::{ExamError, Protocol, open::Found};

type Introduced = BTreeMap<usize, Vec<u16>>;

pub(super) fn questions(
    found: &Found,
    protocol: &Protocol,
) -> Result<(Introduced, Vec<Asked>), ExamError> {
    let set = &*found.dataset;
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
    let mut asked = Vec::new();
    for frames in videos.values() {
        asked.extend(one_video(found, frames, protocol, &mut introduced)?);
    }
    if asked.is_empty() {
        return Err(refuse(
            set,
            "no frame after the first has a mask, so there is nothing to compare with",
        ));
    }
    Ok((introduced, asked))
}

/// The questions of one video: its frames, in their order, after the one in which the first object appears.
fn one_video(
    found: &Found,
    frames: &[usize],
    protocol: &Protocol,
    introduced: &mut Introduced,
) -> Result<Vec<Asked>, ExamError> {
    let set = &*found.dataset;
    // DAVIS leaves out the last frame.
    let last = if found.late {
        frames.len()
    } else {
        Videos::counted(frames.len()).end
    };
    let (mut pool, mut known, mut asked) = (Vec::new(), BTreeSet::new(), Vec::new());
    for &frame in frames.get(..last).unwrap_or_default() {
        if !set.sample(frame)?.annotated {
            continue;
        }
        if !pool.is_empty() {
            asked.push(Asked {
                name: set.sample(frame)?.name.clone(),
                class: None,
                wanted: known.iter().copied().collect(),
                query: frame,
                pool: pool.clone().into(),
                seg_type: SegType::Instance,
                after: None,
            });
        }
        if pool.is_empty() || found.late {
            let shown = set.truth(frame)?.labels.classes();
            let new: Vec<u16> = shown.into_iter().filter(|id| known.insert(*id)).collect();
            if !new.is_empty() {
                pool.push(frame);
                introduced.insert(frame, new);
            }
        }
    }
    Ok(protocol.some(asked).collect())
}
