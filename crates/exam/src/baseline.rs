//! Rows without a network: what a user gets for nothing.

use rayon::prelude::*;
use seggpt_eval::{
    LabelPlane,
    baselines::{Baseline, ColorNeighbours, CopiedMask, Example, Fitted, Forest},
};
use seggpt_imaging::{RgbImage, resize};

use crate::{Exam, ExamError, Maker, Mark, Question, Row, ask::prompt_labels};

/// All baselines: a copied mask, nearest colours, a random forest on colour and texture.
#[must_use]
pub fn all() -> Vec<Box<dyn Baseline>> {
    vec![
        Box::new(CopiedMask),
        Box::new(ColorNeighbours::default()),
        Box::new(Forest::default()),
    ]
}

/// Lets a baseline answer what a row has not yet, with the first prompts of each pool. `go_on` is told how many are done
/// and says whether to.
///
/// # Errors
/// A picture or mask that cannot be read; a row that cannot be written.
pub fn answer(
    exam: &Exam,
    baseline: &dyn Baseline,
    row: &mut Row,
    mut go_on: impl FnMut(usize) -> bool,
) -> Result<(), ExamError> {
    let mut done = 0;
    let of_one_task = |a: &Question, b: &Question| {
        (a.paper, a.class, &a.wanted, &a.pool) == (b.paper, b.class, &b.wanted, &b.pool)
    };
    let mut first = 0;
    for task in exam.questions.chunk_by(of_one_task) {
        let open: Vec<usize> = (first..first + task.len())
            .filter(|&at| !row.has(&exam.questions[at].item))
            .collect();
        first += task.len();
        done += task.len() - open.len();
        if open.is_empty() {
            continue;
        }
        let (fitted, prompts) = fit(exam, baseline, &task[0])?;
        // A few at a time, so that an interrupted row keeps what it has.
        for some in open.chunks(rayon::current_num_threads().max(1) * 4) {
            let kept = row.kept();
            let maker = Maker {
                model: baseline.name().to_owned(),
                trained: true,
                ensemble: String::new(),
                device: "cpu".to_owned(),
            };
            let marked = some.par_iter().map(|&at| {
                let question = &exam.questions[at];
                let (picture, truth) = scaled(exam, question)?;
                let answer = fitted.answer(&picture);
                let mark = Mark {
                    prompts: prompts.clone(),
                    maker: maker.clone(),
                    ..exam.compare(question, &answer, &truth, kept)?
                };
                Ok((at, mark, answer))
            });
            for (at, mark, answer) in marked.collect::<Result<Vec<_>, ExamError>>()? {
                row.add(exam, at, &mark, &answer)?;
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
    exam: &Exam,
    baseline: &dyn Baseline,
    question: &Question,
) -> Result<(Box<dyn Fitted>, Vec<String>), ExamError> {
    let paper = &exam.papers[question.paper];
    let count = match paper.introduced.is_empty() {
        true => exam.shots,
        false => question.pool.len(),
    };
    let chosen = &question.pool[..count.min(question.pool.len())];
    let example = |&sample: &usize| {
        let labels = prompt_labels(paper, question, sample)?;
        let size = exam.marked_at(question.paper, labels.size());
        let picture = paper.dataset.picture(sample)?;
        Ok(Example {
            picture: resize::bicubic(&picture, size.0 as u32, size.1 as u32),
            labels: labels.resized(size),
        })
    };
    let examples = chosen
        .iter()
        .map(example)
        .collect::<Result<Vec<_>, ExamError>>()?;
    let names = chosen
        .iter()
        .map(|&sample| Ok(paper.dataset.sample(sample)?.name.clone()));
    Ok((
        baseline.fit(&examples)?,
        names.collect::<Result<_, ExamError>>()?,
    ))
}

/// The query and its truth at the size at which answers are compared.
fn scaled(exam: &Exam, question: &Question) -> Result<(RgbImage, LabelPlane), ExamError> {
    let truth = exam.truth(question)?;
    let size = exam.marked_at(question.paper, truth.size());
    let picture = exam.papers[question.paper]
        .dataset
        .picture(question.query)?;
    let picture = resize::bicubic(&picture, size.0 as u32, size.1 as u32);
    Ok((picture, truth.resized(size)))
}
