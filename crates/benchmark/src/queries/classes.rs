use std::sync::Arc;

use seggpt_contract::SegType;

use super::{QueryDraft, class_name};
use crate::{BenchmarkError, Protocol, episodes::class_tasks, opened::Opened};

/// The side at which prompts are compared by how much of a class they show.
const PROMPT_SIDE: usize = 448;

pub(super) fn queries(
    opened: &Opened,
    protocol: &Protocol,
) -> Result<Vec<QueryDraft>, BenchmarkError> {
    let set = &*opened.dataset;
    let tasks = class_tasks(set, usize::MAX, PROMPT_SIDE)?;
    let mut queries = Vec::new();
    for task in tasks {
        let pool: Arc<[usize]> = task.prompts.into();
        let class = class_name(set, task.class);
        for query in protocol.subset(task.queries) {
            queries.push(QueryDraft {
                name: format!("{class}/{}", set.sample(query)?.name),
                class: Some(task.class),
                classes: Arc::new([]),
                sample: query,
                pool: Arc::clone(&pool),
                seg_type: SegType::Semantic,
                after: None,
            });
        }
    }
    Ok(queries)
}
