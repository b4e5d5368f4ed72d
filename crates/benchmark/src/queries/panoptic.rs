use std::{cmp::Reverse, collections::BTreeSet, sync::Arc};

use seggpt_contract::SegType;
use seggpt_datasets::{Dataset, Role};

use super::{QueryDraft, refuse};
use crate::{BenchmarkError, Protocol, opened::Opened};

/// Where queries are each other's prompts, a pool has no more than this many.
const OTHERS: usize = 256;

/// Two queries a picture: all stuff, then all things. Prompts are the training pictures, or else the other pictures.
pub(super) fn queries(
    opened: &Opened,
    protocol: &Protocol,
) -> Result<Vec<QueryDraft>, BenchmarkError> {
    let set = &*opened.dataset;
    let of = |thing: bool| -> Arc<[u16]> {
        let classes = set.classes().iter();
        let classes = classes.filter(|class| class.thing == Some(thing));
        classes.map(|class| class.id).collect()
    };
    let halves = [
        ("stuff", of(false), SegType::Semantic),
        ("things", of(true), SegType::Instance),
    ];
    if halves.iter().any(|(_, wanted, _)| wanted.is_empty()) {
        return Err(refuse(
            set,
            "it does not tell things from stuff; protocol `panoptic` needs a COCO panoptic set: panoptic_NAME.json, its \
             folder of PNGs, and the pictures",
        ));
    }
    let samples = set.samples().iter().enumerate();
    let without = |role: Role| {
        let fitting = samples.clone().filter(move |(_, s)| s.role != Some(role));
        fitting.map(|(index, _)| index)
    };
    let pictures: Vec<usize> = protocol.subset(without(Role::Prompt)).collect();
    let prompts: Vec<usize> = without(Role::Query).collect();
    let mut queries = Vec::with_capacity(2 * pictures.len());
    for (half, wanted, seg_type) in halves {
        let pool: Arc<[usize]> = covering(set, &prompts, &wanted)?.into();
        for (place, &query) in pictures.iter().enumerate() {
            let sample = set.sample(query)?;
            let pool = match sample.role {
                Some(_) => Arc::clone(&pool),
                None => pool
                    .iter()
                    .copied()
                    .filter(|&prompt| prompt != query)
                    .take(OTHERS)
                    .collect(),
            };
            if pool.is_empty() {
                return Err(refuse(set, "there is no other picture to be the prompt"));
            }
            queries.push(QueryDraft {
                name: format!("{}/{half}", sample.name),
                class: None,
                classes: Arc::clone(&wanted),
                sample: query,
                pool,
                seg_type,
                after: (half == "things").then_some(place),
            });
        }
    }
    Ok(queries)
}

/// Those that together show most of the wanted classes first: each the one that adds most to those before it.
fn covering(
    set: &dyn Dataset,
    samples: &[usize],
    wanted: &[u16],
) -> Result<Vec<usize>, BenchmarkError> {
    let mut missing: BTreeSet<u16> = wanted.iter().copied().collect();
    let mut rest = samples
        .iter()
        .map(|&sample| Ok((sample, set.classes_in(sample)?)))
        .collect::<Result<Vec<_>, BenchmarkError>>()?;
    let mut order = Vec::with_capacity(samples.len());
    loop {
        let gain = |classes: &[u16]| classes.iter().filter(|id| missing.contains(id)).count();
        let best = (0..rest.len()).max_by_key(|&place| (gain(&rest[place].1), Reverse(place)));
        let Some(best) = best.filter(|&best| gain(&rest[best].1) > 0) else {
            order.extend(rest.into_iter().map(|(sample, _)| sample));
            return Ok(order);
        };
        let (sample, classes) = rest.remove(best);
        missing.retain(|id| !classes.contains(id));
        order.push(sample);
    }
}
