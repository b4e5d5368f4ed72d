use std::sync::Arc;

use seggpt_contract::SegType;
use seggpt_eval::data::Role;

use super::{Asked, refuse};
use crate::{ExamError, Protocol, open::Found};

pub(super) fn questions(found: &Found, protocol: &Protocol) -> Result<Vec<Asked>, ExamError> {
    let set = &*found.dataset;
    let with = |role: Role| {
        let samples = set.samples().iter().enumerate();
        samples
            .filter(move |(_, sample)| sample.role == Some(role))
            .map(|(index, _)| index)
    };
    let pool: Arc<[usize]> = with(Role::Prompt).collect();
    if pool.is_empty() {
        return Err(refuse(
            set,
            "no sample is a prompt; protocol `semantic` needs a set with prompts of its own",
        ));
    }
    protocol
        .some(with(Role::Query))
        .map(|query| {
            Ok(Asked {
                name: set.sample(query)?.name.clone(),
                class: None,
                wanted: Arc::new([]),
                query,
                pool: Arc::clone(&pool),
                seg_type: SegType::Semantic,
                after: None,
            })
        })
        .collect()
}
