use std::sync::Arc;

use seggpt_contract::SegType;
use seggpt_eval::episodes::class_tasks;

use super::{Asked, class_name};
use crate::{ExamError, Protocol, open::Found};

/// The side at which prompts are compared by how much of a class they show.
const PROMPT_SIDE: usize = 448;

pub(super) fn questions(found: &Found, protocol: &Protocol) -> Result<Vec<Asked>, ExamError> {
    let set = &*found.dataset;
    let tasks = class_tasks(set, usize::MAX, PROMPT_SIDE)?;
    let mut asked = Vec::new();
    for task in tasks {
        let pool: Arc<[usize]> = task.prompts.into();
        let class = class_name(set, task.class);
        for query in protocol.some(task.queries) {
            asked.push(Asked {
                name: format!("{class}/{}", set.sample(query)?.name),
                class: Some(task.class),
                wanted: Arc::new([]),
                query,
                pool: Arc::clone(&pool),
                seg_type: SegType::Semantic,
                after: None,
            });
        }
    }
    Ok(asked)
}
