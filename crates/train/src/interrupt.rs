use std::{
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// The exit code of what was stopped by Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// Becomes true when the user presses Ctrl-C, for [`Watch::stop`](crate::Watch::stop) to tell; a second time ends the program,
/// which loses nothing but the steps since the last checkpoint. To be asked for once.
pub fn interruption() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = flag.clone();
    // Without a handler, Ctrl-C ends the program at once, which is no harm either.
    let _ = ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::Relaxed) {
            process::exit(INTERRUPTED.into());
        }
    });
    flag
}
