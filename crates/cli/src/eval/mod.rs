//! `seggpt eval`: a dataflow for each row of the table, run one after another, and the table.

mod child;
mod compose;
mod plan;

use seggpt_exam::{Exam, ExamError, Kind, Protocol, Row, RowScores, baseline, report, table};
use seggpt_store::{OWN, Spec, run_key};

use seggpt_flow::{
    Console, Exit, Flaw, Progress,
    compose::{prepare, put},
};

use crate::{
    args::EvalArgs,
    console::{self, Terminal},
    nodes,
};

pub use compose::compose;
pub use plan::{Parts, Plan, Way};

use child::Interrupts;

/// `seggpt eval`.
///
/// # Errors
/// Something that was named is missing or cannot be used; nothing was started.
pub fn command(args: &EvalArgs) -> miette::Result<Exit> {
    let plan = Plan::of(args)?;
    if args.print_dataflow {
        let way = plan
            .ways
            .first()
            .ok_or_else(|| Flaw::new("--model none has no dataflow").help("name a model"))?;
        console::result(compose(&plan, way).trim_end());
        return Ok(Exit::Done);
    }
    let protocol = plan.protocol();
    let exam = Exam::open(&plan.sources(), &protocol, shots(args)).map_err(flaw)?;
    if args.selects.iter().any(|select| select.remembers()) {
        exam.check_memory().map_err(flaw)?;
    }
    for note in &exam.notes {
        console::note(&format!("warning: {note}"));
    }
    note_few_prompts(&exam, args);
    let keys = write(&plan)?;
    let interrupts = Interrupts::listen();
    let mut exit = Exit::Done;
    let mut rows = Vec::new();
    for (number, (way, key)) in plan.ways.iter().zip(&keys).enumerate() {
        let ended = start(&plan, way, (number + 1, plan.ways.len()), &interrupts)?;
        rows.extend(RowScores::read(&plan.out, &way.row, key).map_err(broken)?);
        if ended != Exit::Done {
            exit = ended;
        }
        if !matches!(ended, Exit::Done | Exit::SomeFailed) || interrupts.raised() {
            break;
        }
    }
    if args.baselines && matches!(exit, Exit::Done | Exit::SomeFailed) {
        for baseline in baseline::all() {
            let name = baseline.name();
            let key = baseline_key(&plan, name, exam.shots)?;
            let row = baseline_row(&plan, &exam, &*baseline, &key, &interrupts).map_err(broken)?;
            rows.push(row);
            if interrupts.raised() {
                console::note(&format!(
                    "{name}: stopped; the same command goes on from here"
                ));
                break;
            }
        }
    }
    if interrupts.raised() {
        exit = Exit::Interrupted;
    }
    show(&plan, &protocol, &rows).map_err(broken)?;
    Ok(exit)
}

/// What is measured on a command line with several K: baselines get the first.
fn shots(args: &EvalArgs) -> usize {
    args.ks.first().map_or(1, |&k| k as usize)
}

/// Says where there are fewer prompts than were asked for.
fn note_few_prompts(exam: &Exam, args: &EvalArgs) {
    let most = args.ks.iter().map(|&k| k as usize).max().unwrap_or(1);
    for paper in &exam.papers {
        let pools = exam.questions[paper.questions.clone()].iter();
        let fewest = pools.map(|question| question.pool.len()).min();
        let of_set = matches!(paper.kind, Kind::Classes | Kind::Semantic | Kind::Panoptic);
        if let Some(fewest) = fewest.filter(|fewest| of_set && *fewest < most) {
            console::note(&format!(
                "warning: {}: --k {most}, but there are {fewest} prompts; it gets all there are",
                paper.name
            ));
        }
    }
}

/// Writes the dataflows of all rows and checks them, before any of them starts. Returns their keys.
fn write(plan: &Plan) -> Result<Vec<String>, Flaw> {
    let flow = plan.out.join(OWN).join("flow");
    prepare(&flow)?;
    let ours = nodes::ours();
    let written = plan.ways.iter().map(|way| {
        put(&plan.file(way), &compose(plan, way))?;
        let flow = seggpt_flow::load(&plan.file(way), &plan.args.settings, &ours)?;
        Ok(run_key(&flow.spec))
    });
    written.collect()
}

/// The key of a baseline's row: the questions, and what is in the sets.
fn baseline_key(plan: &Plan, name: &str, k: usize) -> Result<String, Flaw> {
    let asked = compose::questions(plan).into_iter();
    let mut spec: Spec = asked
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    if let Some(content) = seggpt_examiner::manual().content {
        let content = content(&spec, &plan.out);
        spec.extend(content.map_err(|error| Flaw::new(format!("{error:#}")))?);
    }
    spec.insert("baseline".into(), name.to_owned());
    spec.insert("k".into(), k.to_string());
    spec.insert("version".into(), env!("CARGO_PKG_VERSION").into());
    Ok(run_key(&spec))
}

fn start(
    plan: &Plan,
    way: &Way,
    (number, count): (usize, usize),
    interrupts: &Interrupts,
) -> Result<Exit, Flaw> {
    if count > 1 {
        console::note(&format!("row {number} of {count}: {}", way.row));
    }
    child::run(&plan.file(way), &plan.args.view, interrupts)
}

fn baseline_row(
    plan: &Plan,
    exam: &Exam,
    baseline: &dyn seggpt_eval::baselines::Baseline,
    key: &str,
    interrupts: &Interrupts,
) -> Result<RowScores, ExamError> {
    let (name, total) = (baseline.name(), exam.questions.len() as u64);
    console::note(&format!("baseline: {name}"));
    let mut row = Row::open(&plan.out, name, key, "")?;
    let mut console = Terminal::new(&plan.args.view);
    baseline::answer(exam, baseline, &mut row, |done| {
        console.progress(&Progress {
            finished: done as u64,
            total: Some(total),
            ..Progress::default()
        });
        !interrupts.raised()
    })?;
    console.clear();
    row.finish(exam, "fixed", 0)
}

/// The table, and where the page is.
fn show(plan: &Plan, protocol: &Protocol, rows: &[RowScores]) -> Result<(), ExamError> {
    if rows.is_empty() {
        return Ok(());
    }
    let page = report::write(&plan.out, protocol)?;
    if plan.args.view.json {
        console::result(&serde_json::json!({ "type": "scores", "rows": rows }).to_string());
        return Ok(());
    }
    console::result(&format!("\n{}\n", table::markdown(rows)));
    if rows.iter().any(|row| row.maker.is_untrained()) {
        console::note("warning: the weights are untrained, so these scores mean nothing");
    }
    console::result(&format!("report: {}", page.display()));
    Ok(())
}

/// What goes wrong while rows are made.
fn broken(error: ExamError) -> Flaw {
    flaw(error).after_start()
}

fn flaw(error: ExamError) -> Flaw {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    Flaw::new(text)
}
