//! Running a dataflow: [`validate`], start, watch, judge.

mod check;
mod engine;
mod environment;
mod fingerprint;
mod flaw;
pub mod nodes;
pub mod progress;
pub mod settings;
pub mod shm;
mod stall;
mod transport;
pub(crate) mod types;
pub mod validate;
mod verdict;
mod watch;
mod wiring;
mod written;

use std::time::Duration;

pub use flaw::Flaw;
use seggpt_store::Claim;
pub use validate::Flow;

use crate::{
    Exit,
    args::{RunArgs, View},
    console::Console,
};

/// `seggpt run`.
///
/// # Errors
/// The dataflow is flawed; nothing was started.
pub fn command(args: &RunArgs) -> miette::Result<Exit> {
    let flow = validate::load(&args.flow, &args.settings)?;
    Ok(run(flow, args.replace, args.stop_after, &args.view)?)
}

/// Runs a checked dataflow to its end and says how it went. `replace`: results of other settings are moved aside.
///
/// # Errors
/// A folder of results is another run's, or of other settings; nothing was started.
pub fn run(
    mut flow: Flow,
    replace: bool,
    stop_after: Option<Duration>,
    view: &View,
) -> Result<Exit, Flaw> {
    // Held while the dataflow runs.
    let claims = flow
        .owned
        .iter()
        .map(|root| Claim::take(root, &flow.spec, replace));
    let claims: Vec<Claim> = claims
        .collect::<Result<_, _>>()
        .map_err(|refusal| Flaw::new(refusal.to_string()))?;
    environment::tell(&mut flow);
    if view.verbose > 1 {
        // Fails only if a log is set up already.
        let _ = tracing_subscriber::fmt()
            .with_writer(std::io::stderr)
            .with_max_level(tracing_subscriber::filter::LevelFilter::INFO)
            .try_init();
    }
    let logs = flow.dir.join("out");
    let console = Console::new(view);
    for warning in &flow.warnings {
        console.note(&format!("warning: {warning}"));
    }
    // Held while nodes may start.
    let _patience = transport::be_patient().inspect_err(|error| {
        console.note(&format!(
            "warning: messages may have to be sent twice: {error:#}"
        ));
    });
    let mut watch = watch::Watch::new(console, stall::Stall::new(&flow.descriptor));
    let ending = engine::run(flow, stop_after, |sign| watch.take(sign));

    if watch.lost_in_shared_memory && !shm::is_off() {
        watch
            .console
            .note("messages are lost in shared memory: going on without it");
        drop(claims);
        let error = shm::start_without();
        return Err(
            Flaw::new(format!("cannot go on without shared memory: {error}")).after_start(),
        );
    }
    let events = verdict::Events {
        interrupted: ending.as_ref().is_ok_and(|ending| ending.interrupted),
        timed: stop_after.is_some(),
        engine: ending
            .and_then(|ending| ending.result)
            .map(|result| verdict::deaths(&result))
            .map_err(|error| format!("{error:#}")),
    };
    let mut verdict = verdict::judge(&events, &watch.tally, &watch.last_lines);
    if let (Exit::Engine, Some(id)) = (verdict.exit, &watch.run_id) {
        verdict
            .summary
            .push(format!("full logs: {}", logs.join(id).display()));
    }
    let progress = watch.tally.progress();
    watch.console.end(
        verdict.exit,
        &verdict.summary,
        &watch.tally.reports,
        &progress,
    );
    Ok(verdict.exit)
}
