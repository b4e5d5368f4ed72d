//! `seggpt eval`: a dataflow for each row of the table, run one after another, and the table.

mod child;
mod compose;
mod plan;

use seggpt_benchmark::{
    Benchmark, BenchmarkError, Kind, Protocol, Row, RowScores, baseline, baselines::Baseline,
    report, table,
};
use seggpt_store::{OWN, Spec, run_key};

use seggpt_flow::{
    Console, Diagnostic, Exit, Progress,
    compose::{prepare, put},
};

use crate::{
    args::EvalArgs,
    console::{self, Terminal},
    nodes,
};

pub use compose::compose;
pub use plan::{Configuration, Parts, Plan};

use child::Interrupts;

/// `seggpt eval`.
///
/// # Errors
/// Something that was named is missing or cannot be used; nothing was started.
pub fn command(args: &EvalArgs) -> miette::Result<Exit> {
    let plan = Plan::of(args)?;
    if args.print_dataflow {
        let configuration = plan
            .configurations
            .first()
            .ok_or_else(|| Diagnostic::new("--model none has no dataflow").help("name a model"))?;
        console::result(compose(&plan, configuration).trim_end());
        return Ok(Exit::Done);
    }
    let protocol = plan.protocol();
    let benchmark = Benchmark::open(&plan.sources(), &protocol, shots(args)).map_err(diagnostic)?;
    if args.selects.iter().any(|select| select.remembers()) {
        benchmark.check_memory().map_err(diagnostic)?;
    }
    for note in &benchmark.notes {
        console::note(&format!("warning: {note}"));
    }
    note_few_prompts(&benchmark, args);
    let keys = write(&plan)?;
    let interrupts = Interrupts::listen();
    let mut exit = Exit::Done;
    let mut rows = Vec::new();
    for (number, (configuration, key)) in plan.configurations.iter().zip(&keys).enumerate() {
        let ended = start(
            &plan,
            configuration,
            (number + 1, plan.configurations.len()),
            &interrupts,
        )?;
        rows.extend(RowScores::read(&plan.out, &configuration.row, key).map_err(broken)?);
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
            let key = baseline_key(&plan, name, benchmark.shots)?;
            let row =
                baseline_row(&plan, &benchmark, &*baseline, &key, &interrupts).map_err(broken)?;
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
fn note_few_prompts(benchmark: &Benchmark, args: &EvalArgs) {
    let most = args.ks.iter().map(|&k| k as usize).max().unwrap_or(1);
    for split in &benchmark.splits {
        let pools = benchmark.queries[split.queries.clone()].iter();
        let fewest = pools.map(|query| query.pool.len()).min();
        let of_set = matches!(split.kind, Kind::Classes | Kind::Semantic | Kind::Panoptic);
        if let Some(fewest) = fewest.filter(|fewest| of_set && *fewest < most) {
            console::note(&format!(
                "warning: {}: --k {most}, but there are {fewest} prompts; it gets all there are",
                split.name
            ));
        }
    }
}

/// Writes the dataflows of all rows and checks them, before any of them starts. Returns their keys.
fn write(plan: &Plan) -> Result<Vec<String>, Diagnostic> {
    let flow = plan.out.join(OWN).join("flow");
    prepare(&flow)?;
    let ours = nodes::ours();
    let written = plan.configurations.iter().map(|configuration| {
        put(&plan.file(configuration), compose(plan, configuration))?;
        let flow = seggpt_flow::load(&plan.file(configuration), &plan.args.settings, &ours)?;
        Ok(run_key(&flow.spec))
    });
    written.collect()
}

/// The key of a baseline's row: the queries, and what is in the sets.
fn baseline_key(plan: &Plan, name: &str, k: usize) -> Result<String, Diagnostic> {
    let settings = compose::queries(plan).into_iter();
    let mut spec: Spec = settings
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    if let Some(content) = seggpt_evaluator::node_spec().content {
        let content = content(&spec, &plan.out);
        spec.extend(content.map_err(|error| Diagnostic::new(format!("{error:#}")))?);
    }
    spec.insert("baseline".into(), name.to_owned());
    spec.insert("k".into(), k.to_string());
    spec.insert("version".into(), env!("CARGO_PKG_VERSION").into());
    Ok(run_key(&spec))
}

fn start(
    plan: &Plan,
    configuration: &Configuration,
    (number, count): (usize, usize),
    interrupts: &Interrupts,
) -> Result<Exit, Diagnostic> {
    if count > 1 {
        console::note(&format!("row {number} of {count}: {}", configuration.row));
    }
    child::run(&plan.file(configuration), &plan.args.view, interrupts)
}

fn baseline_row(
    plan: &Plan,
    benchmark: &Benchmark,
    baseline: &dyn Baseline,
    key: &str,
    interrupts: &Interrupts,
) -> Result<RowScores, BenchmarkError> {
    let (name, total) = (baseline.name(), benchmark.queries.len() as u64);
    console::note(&format!("baseline: {name}"));
    let mut row = Row::open(&plan.out, name, key, "")?;
    let mut console = Terminal::new(&plan.args.view);
    baseline::predict(benchmark, baseline, &mut row, |done| {
        console.progress(&Progress {
            finished: done as u64,
            total: Some(total),
            ..Progress::default()
        });
        !interrupts.raised()
    })?;
    console.clear();
    row.finish(benchmark, "coverage", 0)
}

/// The table, and where the page is.
fn show(plan: &Plan, protocol: &Protocol, rows: &[RowScores]) -> Result<(), BenchmarkError> {
    if rows.is_empty() {
        return Ok(());
    }
    let page = report::write(&plan.out, protocol)?;
    if plan.args.view.json {
        console::result(&serde_json::json!({ "type": "scores", "rows": rows }).to_string());
        return Ok(());
    }
    console::result(&format!("\n{}\n", table::markdown(rows)));
    if rows.iter().any(|row| row.predictor.is_untrained()) {
        console::note("warning: the weights are untrained, so these scores mean nothing");
    }
    console::result(&format!("report: {}", page.display()));
    Ok(())
}

/// What goes wrong while rows are made.
fn broken(error: BenchmarkError) -> Diagnostic {
    diagnostic(error).after_start()
}

fn diagnostic(error: BenchmarkError) -> Diagnostic {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    Diagnostic::new(text)
}
