//! Rows without a network: what a user gets for nothing.

use rayon::prelude::*;
use seggpt_imaging::{LabelPlane, RgbImage, resize};

use crate::{
    Benchmark, BenchmarkError, Predictor, Query, QueryScore, Row,
    baselines::{Baseline, ColorNeighbours, CopiedMask, Example, Fitted, Forest},
    prompt_labels::prompt_labels,
};

/// All baselines: a copied mask, nearest colours, a random forest on colour and texture.
#[must_use]
pub fn all() -> Vec<Box<dyn Baseline>> {
    vec![
        Box::new(CopiedMask),
        Box::new(ColorNeighbours::default()),
        Box::new(Forest::default()),
    ]
}

/// Lets a baseline predict what a row has not yet, with the first prompts of each pool. `go_on` is told how many are done
/// and says whether to.
///
/// # Errors
/// A picture or mask that cannot be read; a row that cannot be written.
pub fn predict(
    benchmark: &Benchmark,
    baseline: &dyn Baseline,
    row: &mut Row,
    mut go_on: impl FnMut(usize) -> bool,
) -> Result<(), BenchmarkError> {
    let mut done = 0;
    let of_one_task = |a: &Query, b: &Query| {
        (a.split, a.class, &a.classes, &a.pool) == (b.split, b.class, &b.classes, &b.pool)
    };
    let mut first = 0;
    for task in benchmark.queries.chunk_by(of_one_task) {
        let open: Vec<usize> = (first..first + task.len())
            .filter(|&at| !row.has(&benchmark.queries[at].item))
            .collect();
        first += task.len();
        done += task.len() - open.len();
        if open.is_empty() {
            continue;
        }
        let (fitted, prompts) = fit(benchmark, baseline, &task[0])?;
        // A few at a time, so that an interrupted row keeps what it has.
        for some in open.chunks(rayon::current_num_threads().max(1) * 4) {
            let stored = row.stored();
            let predictor = Predictor {
                model: baseline.name().to_owned(),
                trained: true,
                ensemble: String::new(),
                device: "cpu".to_owned(),
            };
            let scored = some.par_iter().map(|&at| {
                let query = &benchmark.queries[at];
                let (picture, truth) = scaled(benchmark, query)?;
                let prediction = fitted.predict(&picture);
                let score = QueryScore {
                    prompts: prompts.clone(),
                    predictor: predictor.clone(),
                    ..benchmark.compare(query, &prediction, &truth, stored)?
                };
                Ok((at, score, prediction))
            });
            for (at, score, prediction) in scored.collect::<Result<Vec<_>, BenchmarkError>>()? {
                row.add(benchmark, at, &score, &prediction)?;
            }
            done += some.len();
            if !go_on(done) {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn fit(
    benchmark: &Benchmark,
    baseline: &dyn Baseline,
    query: &Query,
) -> Result<(Box<dyn Fitted>, Vec<String>), BenchmarkError> {
    let split = &benchmark.splits[query.split];
    let count = match split.introduced.is_empty() {
        true => benchmark.shots,
        false => query.pool.len(),
    };
    let chosen = &query.pool[..count.min(query.pool.len())];
    let example = |&sample: &usize| {
        let labels = prompt_labels(split, query, sample)?;
        let size = benchmark.eval_size(query.split, labels.size());
        let picture = split.dataset.picture(sample)?;
        Ok(Example {
            picture: resize::bicubic(&picture, size.0 as u32, size.1 as u32),
            labels: labels.resized(size),
        })
    };
    let examples = chosen
        .iter()
        .map(example)
        .collect::<Result<Vec<_>, BenchmarkError>>()?;
    let names = chosen
        .iter()
        .map(|&sample| Ok(split.dataset.sample(sample)?.name.clone()));
    Ok((
        baseline.fit(&examples)?,
        names.collect::<Result<_, BenchmarkError>>()?,
    ))
}

/// The query and its truth at the size at which predictions are compared.
fn scaled(benchmark: &Benchmark, query: &Query) -> Result<(RgbImage, LabelPlane), BenchmarkError> {
    let truth = benchmark.truth(query)?;
    let size = benchmark.eval_size(query.split, truth.size());
    let picture = benchmark.splits[query.split]
        .dataset
        .picture(query.sample)?;
    let picture = resize::bicubic(&picture, size.0 as u32, size.1 as u32);
    Ok((picture, truth.resized(size)))
}
