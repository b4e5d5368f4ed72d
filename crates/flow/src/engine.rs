//! dora's daemon, embedded: one dataflow, started, watched and stopped in this process.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use dora_daemon::{Daemon, LogDestination, RunDataflowOptions, flume};
use dora_message::{SessionId, common::LogMessage, coordinator_to_cli::DataflowResult};
use eyre::WrapErr;
use tokio::{
    runtime::{Builder, Handle},
    task::JoinHandle,
};

use crate::Flow;

/// The engine's future outgrows the stack of an ordinary thread.
const STACK: usize = 16 << 20;
/// Records that may wait to be shown before nodes wait for us.
const RECORDS: usize = 1000;
/// How often to look up from the records.
const TICK: Duration = Duration::from_millis(100);
/// Records still on their way when the engine has ended.
const LAST_RECORDS: Duration = Duration::from_millis(300);
/// Closing the transport can hang; by then everything is done.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// What the watcher of a run is told.
pub(crate) enum Event {
    /// A node or the daemon says something.
    Record(Box<LogMessage>),
    /// The user wants to stop: how often they have said so.
    Interrupt(u32),
    /// Time goes by.
    Tick,
}

/// What the watcher answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    /// All is well.
    Continue,
    /// Stop the nodes.
    Stop,
}

/// How the engine ended.
pub(crate) struct Ending {
    /// Each node's result, or what broke the engine.
    pub result: eyre::Result<DataflowResult>,
    /// Whether the user stopped it.
    pub interrupted: bool,
}

type Engine = JoinHandle<eyre::Result<DataflowResult>>;

/// Runs a dataflow to its end.
pub(crate) fn run(
    flow: Flow,
    stop_after: Option<Duration>,
    mut watch: impl FnMut(Event) -> Control,
) -> eyre::Result<Ending> {
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build()
        .wrap_err("cannot start threads")?;
    let (sender, records) = flume::bounded(RECORDS);
    let interrupts = Arc::new(Interrupts::default());
    let engine = runtime.spawn(async move {
        Daemon::run_dataflow_with(
            None,
            &flow.path,
            None,
            None,
            SessionId::generate(),
            false,
            LogDestination::Channel { sender },
            None,
            stop_after,
            false,
            Some(flow.dir),
            Some(flow.descriptor),
            RunDataflowOptions::default().fail_on_lost_backpressure_messages(true),
        )
        .await
    });
    listen_for_termination(runtime.handle(), &interrupts);

    let mut told = 0;
    let mut listening = false;
    while !engine.is_finished() {
        let event = match records.recv_timeout(TICK) {
            Ok(record) => {
                if !listening {
                    // dora sets its own handler, which replaces an earlier one, before it says its first word.
                    listen_for_ctrl_c(runtime.handle(), &interrupts);
                    listening = true;
                }
                Event::Record(record.into())
            }
            Err(flume::RecvTimeoutError::Timeout) => Event::Tick,
            Err(flume::RecvTimeoutError::Disconnected) => {
                // The engine is putting the last things away.
                std::thread::sleep(TICK);
                Event::Tick
            }
        };
        if watch(event) == Control::Stop {
            stop(&engine, &interrupts);
        }
        let count = interrupts.count.load(Ordering::Relaxed);
        if count > told {
            told = count;
            watch(Event::Interrupt(count));
        }
    }
    let deadline = Instant::now() + LAST_RECORDS;
    while let Ok(record) = records.recv_deadline(deadline) {
        watch(Event::Record(record.into()));
    }
    let result = runtime
        .block_on(engine)
        .wrap_err("the engine crashed")
        .flatten();
    runtime.shutdown_timeout(SHUTDOWN);
    Ok(Ending {
        result,
        interrupted: interrupts.count.load(Ordering::Relaxed) > 0,
    })
}

/// The user's wishes to stop.
#[derive(Default)]
struct Interrupts {
    count: AtomicU32,
    /// The next termination is our own doing.
    own: AtomicBool,
}

/// dora acts on these signals by itself; here they are only counted.
fn listen_for_ctrl_c(runtime: &Handle, interrupts: &Arc<Interrupts>) {
    let interrupts = interrupts.clone();
    runtime.spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            interrupts.count.fetch_add(1, Ordering::Relaxed);
        }
    });
}

#[cfg(unix)]
fn listen_for_termination(runtime: &Handle, interrupts: &Arc<Interrupts>) {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupts = interrupts.clone();
    runtime.spawn(async move {
        let (Ok(mut terminate), Ok(mut hangup)) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::hangup()),
        ) else {
            return;
        };
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            if !interrupts.own.swap(false, Ordering::Relaxed) {
                interrupts.count.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
}

#[cfg(not(unix))]
fn listen_for_termination(_: &Handle, _: &Arc<Interrupts>) {}

/// Asks dora to stop the nodes in good order, in the one way that it offers to its own process.
#[cfg(unix)]
fn stop(engine: &Engine, interrupts: &Interrupts) {
    interrupts.own.store(true, Ordering::Relaxed);
    if nix::sys::signal::raise(nix::sys::signal::Signal::SIGTERM).is_err() {
        engine.abort();
    }
}

/// Ends the engine, and with it the nodes.
#[cfg(not(unix))]
fn stop(engine: &Engine, _: &Interrupts) {
    engine.abort();
}
