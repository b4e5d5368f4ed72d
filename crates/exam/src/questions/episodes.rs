use std::{collections::BTreeMap, sync::Arc};

use seggpt_contract::SegType;
use seggpt_eval::{
    EvalError,
    data::Dataset,
    episodes::{Episodes, FOLDS, Shots},
};

use super::{Asked, Draft, Drafts, class_name, refuse};
use crate::{
    ExamError, Kind, Protocol,
    open::{Draw, Found},
};

/// The folds of a set; one draft of all classes where it has none.
pub(super) fn drafts(
    found: &Found,
    protocol: &Protocol,
    shots: usize,
) -> Result<Drafts, ExamError> {
    let set = &*found.dataset;
    let name = set.name().to_owned();
    let mut drafts = Drafts {
        drafts: Vec::new(),
        notes: Vec::new(),
    };
    let Some(classes_of) = found.folds else {
        let all: Vec<u16> = set.classes().iter().map(|class| class.id).collect();
        drafts.add(found, name, &all, protocol, shots)?;
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
            found,
            format!("{name} fold {fold}"),
            &classes,
            protocol,
            shots,
        ) {
            Err(ExamError::Eval(error @ EvalError::Episodes { .. })) => {
                drafts.notes.push(format!("{name} fold {fold}: {error}"));
                empty = Some(error);
            }
            added => added?,
        }
    }
    match empty {
        Some(error) if drafts.drafts.is_empty() => Err(error.into()),
        _ => Ok(drafts),
    }
}

impl Drafts {
    fn add(
        &mut self,
        found: &Found,
        name: String,
        classes: &[u16],
        protocol: &Protocol,
        shots: usize,
    ) -> Result<(), ExamError> {
        let set = &*found.dataset;
        let pixels = protocol.min_pixels.unwrap_or(found.min_pixels);
        let episodes = Episodes::new(set, classes, Shots::Of(shots), pixels, protocol.seed)?;
        let few = episodes.left_out();
        if !few.is_empty() {
            let few: Vec<_> = few
                .iter()
                .map(|(class, pictures)| format!("{} ({pictures})", class_name(set, *class)))
                .collect();
            self.notes.push(format!(
                "{name}: classes of too few pictures are not asked for, so this is not the whole benchmark: {}",
                few.join(", ")
            ));
        }
        let left = |class: &u16| episodes.left_out().iter().all(|(few, _)| few != class);
        self.drafts.push(Draft {
            name,
            kind: Kind::Episodes,
            only: Some(classes.iter().copied().filter(left).collect()),
            introduced: BTreeMap::new(),
            asked: questions(set, &episodes, found.draw, protocol)?,
        });
        Ok(())
    }
}

fn questions(
    set: &dyn Dataset,
    episodes: &Episodes,
    usual: Draw,
    protocol: &Protocol,
) -> Result<Vec<Asked>, ExamError> {
    let draw = match (protocol.episodes, usual) {
        (Some(count), Draw::Even(_) | Draw::Once) => Draw::Even(count),
        (Some(count), Draw::Round(_)) => Draw::Round(count),
        (None, usual) => usual,
    };
    let drawn: Vec<_> = match draw {
        Draw::Even(count) => episodes.even(count).collect(),
        Draw::Round(count) => episodes.every_query().cycle().take(count).collect(),
        Draw::Once => episodes.every_query().collect(),
    };
    protocol
        .some(drawn.into_iter().enumerate())
        .map(|(number, episode)| {
            let (class, query) = (
                class_name(set, episode.class),
                &set.sample(episode.query)?.name,
            );
            Ok(Asked {
                name: format!("{number:05}/{class}/{query}"),
                class: Some(episode.class),
                wanted: Arc::new([]),
                query: episode.query,
                pool: episode.prompts.into(),
                seg_type: SegType::Semantic,
                after: None,
            })
        })
        .collect()
}
