use std::sync::Arc;

use seggpt_contract::SegType;
use seggpt_datasets::Role;

use super::{QueryDraft, refuse};
use crate::{BenchmarkError, Protocol, opened::Opened};

pub(super) fn queries(
    opened: &Opened,
    protocol: &Protocol,
) -> Result<Vec<QueryDraft>, BenchmarkError> {
    let set = &*opened.dataset;
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
        .subset(with(Role::Query))
        .map(|query| {
            Ok(QueryDraft {
                name: set.sample(query)?.name.clone(),
                class: None,
                classes: Arc::new([]),
                sample: query,
                pool: Arc::clone(&pool),
                seg_type: SegType::Semantic,
                after: None,
            })
        })
        .collect()
}
