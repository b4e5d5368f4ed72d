use std::{collections::BTreeMap, sync::Arc};

use seggpt_contract::SegType;
use seggpt_datasets::Dataset;

use super::{QueryDraft, SplitDraft, SplitDrafts, class_name, refuse};
use crate::{
    BenchmarkError, Kind, Protocol,
    episodes::{Episodes, FOLDS, Shots},
    opened::{Opened, Sampling},
};

/// The folds of a set; one draft of all classes where it has none.
pub(super) fn drafts(
    opened: &Opened,
    protocol: &Protocol,
    shots: usize,
) -> Result<SplitDrafts, BenchmarkError> {
    let set = &*opened.dataset;
    let name = set.name().to_owned();
    let mut drafts = SplitDrafts {
        drafts: Vec::new(),
        notes: Vec::new(),
    };
    let Some(classes_of) = opened.folds else {
        let all: Vec<u16> = set.classes().iter().map(|class| class.id).collect();
        drafts.add(opened, name, &all, protocol, shots)?;
        return Ok(drafts);
    };
    let folds = match &protocol.folds[..] {
        [] => (0..FOLDS).collect(),
        folds => folds.to_vec(),
    };
    let mut empty = None;
    for fold in folds {
        let classes = classes_of(fold).ok_or_else(|| {
            let last = FOLDS - 1;
            refuse(
                set,
                format!("there is no fold {fold}; the folds are 0 to {last}"),
            )
        })?;
        match drafts.add(
            opened,
            format!("{name} fold {fold}"),
            &classes,
            protocol,
            shots,
        ) {
            Err(error @ BenchmarkError::Episodes { .. }) => {
                drafts.notes.push(format!("{name} fold {fold}: {error}"));
                empty = Some(error);
            }
            added => added?,
        }
    }
    match empty {
        Some(error) if drafts.drafts.is_empty() => Err(error),
        _ => Ok(drafts),
    }
}

impl SplitDrafts {
    fn add(
        &mut self,
        opened: &Opened,
        name: String,
        classes: &[u16],
        protocol: &Protocol,
        shots: usize,
    ) -> Result<(), BenchmarkError> {
        let set = &*opened.dataset;
        let pixels = protocol.min_pixels.unwrap_or(opened.min_pixels);
        let episodes = Episodes::new(set, classes, Shots::Of(shots), pixels, protocol.seed)?;
        let few = episodes.left_out();
        if !few.is_empty() {
            let few: Vec<_> = few
                .iter()
                .map(|(class, pictures)| format!("{} ({pictures})", class_name(set, *class)))
                .collect();
            self.notes.push(format!(
                "{name}: classes of too few pictures are left out, so this is not the whole benchmark: {}",
                few.join(", ")
            ));
        }
        let left = |class: &u16| episodes.left_out().iter().all(|(few, _)| few != class);
        self.drafts.push(SplitDraft {
            name,
            kind: Kind::Episodes,
            only: Some(classes.iter().copied().filter(left).collect()),
            introduced: BTreeMap::new(),
            queries: queries(set, &episodes, opened.sampling, protocol)?,
        });
        Ok(())
    }
}

fn queries(
    set: &dyn Dataset,
    episodes: &Episodes,
    usual: Sampling,
    protocol: &Protocol,
) -> Result<Vec<QueryDraft>, BenchmarkError> {
    let sampling = match (protocol.episodes, usual) {
        (Some(count), Sampling::Balanced(_) | Sampling::Once) => Sampling::Balanced(count),
        (Some(count), Sampling::Cyclic(_)) => Sampling::Cyclic(count),
        (None, usual) => usual,
    };
    let drawn: Vec<_> = match sampling {
        Sampling::Balanced(count) => episodes.even(count).collect(),
        Sampling::Cyclic(count) => episodes.every_query().cycle().take(count).collect(),
        Sampling::Once => episodes.every_query().collect(),
    };
    protocol
        .subset(drawn.into_iter().enumerate())
        .map(|(number, episode)| {
            let (class, query) = (
                class_name(set, episode.class),
                &set.sample(episode.query)?.name,
            );
            Ok(QueryDraft {
                name: format!("{number:05}/{class}/{query}"),
                class: Some(episode.class),
                classes: Arc::new([]),
                sample: episode.query,
                pool: episode.prompts.into(),
                seg_type: SegType::Semantic,
                after: None,
            })
        })
        .collect()
}
