//! A row's dataflow runs in a process of its own: dora's daemon can be embedded once in a process.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
};

use seggpt_flow::{Diagnostic, Exit};

use crate::console::View;

/// Hears that the user wants to stop, and tells the process that is running.
#[derive(Clone, Default)]
pub(super) struct Interrupts {
    raised: Arc<AtomicBool>,
    child: Arc<AtomicU32>,
}

impl Interrupts {
    /// Starts listening. Without a thread for it, Ctrl-C ends this process at once, which loses nothing: predictions are
    /// written down as they come.
    pub fn listen() -> Self {
        let interrupts = Self::default();
        let heard = interrupts.clone();
        let _ = thread::Builder::new()
            .name("ctrl-c".into())
            .spawn(move || heard.serve());
        interrupts
    }

    /// Whether the user wants to stop.
    pub fn raised(&self) -> bool {
        self.raised.load(Ordering::Relaxed)
    }

    fn serve(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            while let Some(signal) = next().await {
                self.raised.store(true, Ordering::Relaxed);
                forward(self.child.load(Ordering::Relaxed), signal);
            }
        });
    }
}

#[cfg(unix)]
type Signal = nix::sys::signal::Signal;
#[cfg(not(unix))]
type Signal = ();

#[cfg(unix)]
async fn next() -> Option<Signal> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).ok()?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.ok().map(|()| Signal::SIGINT),
        _ = terminate.recv() => Some(Signal::SIGTERM),
    }
}

#[cfg(not(unix))]
async fn next() -> Option<Signal> {
    tokio::signal::ctrl_c().await.ok()
}

#[cfg(unix)]
fn forward(child: u32, signal: Signal) {
    use nix::{sys::signal::kill, unistd::Pid};
    if let Some(pid) = i32::try_from(child).ok().filter(|pid| *pid > 0) {
        // It may have ended meanwhile.
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

/// Elsewhere the console tells all its processes by itself.
#[cfg(not(unix))]
fn forward(_: u32, _: Signal) {}

/// `seggpt run FLOW`, shown as this command was asked to show itself. Returns how it ended.
pub(super) fn run(flow: &Path, view: &View, interrupts: &Interrupts) -> Result<Exit, Diagnostic> {
    let failed =
        |error: std::io::Error| Diagnostic::new(format!("the dataflow cannot be run: {error}"));
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.arg("run").arg(flow);
    if view.json {
        command.arg("--json");
    } else {
        // What a row came to stands in the table.
        command.stdout(Stdio::null());
    }
    command.args((0..view.verbose).map(|_| "-v"));
    // Of a process group of its own, it hears Ctrl-C once: from here.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child: Child = command.spawn().map_err(failed)?;
    interrupts.child.store(child.id(), Ordering::Relaxed);
    let status = child.wait().map_err(|error| failed(error).after_start());
    interrupts.child.store(0, Ordering::Relaxed);
    Ok(match status?.code() {
        Some(0) => Exit::Done,
        Some(1) => Exit::SomeFailed,
        Some(2) => Exit::Usage,
        Some(130) => Exit::Interrupted,
        _ => Exit::Engine,
    })
}
