use std::time::Duration;

use seggpt_store::Claim;

use crate::{Console, Diagnostic, Exit, Flow, engine, environment, outcome, shm, transport, watch};

/// How to run a dataflow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Move results of other settings aside.
    pub replace: bool,
    /// End it after this time.
    pub stop_after: Option<Duration>,
}

/// Runs a checked dataflow to its end and says how it went.
///
/// # Errors
/// A folder of results is another run's, or of other settings; nothing was started.
pub fn run(
    mut flow: Flow,
    options: Options,
    console: &mut dyn Console,
) -> Result<Exit, Diagnostic> {
    // Held while the dataflow runs.
    let claims = flow
        .owned
        .iter()
        .map(|root| Claim::take(root, &flow.spec, options.replace));
    let claims: Vec<Claim> = claims
        .collect::<Result<_, _>>()
        .map_err(|refusal| Diagnostic::new(refusal.to_string()))?;
    for root in &flow.owned {
        let written = flow.setup.write(root);
        written.map_err(|refusal| Diagnostic::new(refusal.to_string()))?;
    }
    environment::tell(&mut flow);
    if console.verbosity() > 1 {
        // Fails only if a log is set up already.
        let _ = tracing_subscriber::fmt()
            .with_writer(std::io::stderr)
            .with_max_level(tracing_subscriber::filter::LevelFilter::INFO)
            .try_init();
    }
    let logs = flow.dir.join("out");
    for warning in &flow.warnings {
        console.note(&format!("warning: {warning}"));
    }
    console.note(&flow.resources.line());
    // Held while nodes may start.
    let _zenoh = transport::wait_for_room().inspect_err(|error| {
        console.note(&format!(
            "warning: messages may have to be sent twice: {error:#}"
        ));
    });
    let mut watch = watch::Watch::new(console, &flow.descriptor);
    let ending = engine::run(flow, options.stop_after, |event| watch.take(event));

    if watch.lost_in_shared_memory && !shm::is_off() {
        watch
            .console
            .note("messages are lost in shared memory: going on without it");
        drop(claims);
        let error = shm::start_without();
        return Err(
            Diagnostic::new(format!("cannot go on without shared memory: {error}")).after_start(),
        );
    }
    let events = outcome::Events {
        interrupted: ending.as_ref().is_ok_and(|ending| ending.interrupted),
        timed: options.stop_after.is_some(),
        gave_up: watch.gave_up.take(),
        late: std::mem::take(&mut watch.late),
        silent: watch.silent.clone(),
        engine: ending
            .and_then(|ending| ending.result)
            .map(|result| outcome::node_failures(&result))
            .map_err(|error| format!("{error:#}")),
    };
    let mut outcome = outcome::conclude(&events, &watch.tally, &watch.last_lines);
    if let (Exit::Engine, Some(id)) = (outcome.exit, &watch.run_id) {
        outcome
            .summary
            .push(format!("full logs: {}", logs.join(id).display()));
    }
    let progress = watch.tally.progress();
    watch.console.end(
        outcome.exit,
        &outcome.summary,
        &watch.tally.reports,
        &progress,
    );
    Ok(outcome.exit)
}
