//! Locks of a folder of results. The system frees those of a process that died.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Seek, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{OWN, Refusal};

/// Held by whoever starts a run.
pub const RUN: &str = "run.lock";
/// Held by the process that writes results.
pub const WRITER: &str = "writer.lock";

const AGAIN: Duration = Duration::from_millis(100);

/// A lock, until dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Who holds a lock: the line in its file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process.
    pub pid: u32,
    /// RFC 3339.
    pub since: String,
}

impl Lock {
    /// Takes the lock `name` of the results in `root`, which is made where it is missing; waits for it up to `timeout`.
    ///
    /// # Errors
    /// [`Refusal::InUse`], [`Refusal::Io`].
    pub fn take(root: &Path, name: &str, timeout: Duration) -> Result<Self, Refusal> {
        let path = path(root, name);
        let own = root.join(OWN);
        fs::create_dir_all(&own).map_err(Refusal::io(&own))?;
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(Refusal::io(&path))?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(Refusal::io(&path)(error)),
                Err(TryLockError::WouldBlock) if started.elapsed() >= timeout => {
                    let Holder { pid, since } = holder(root, name).unwrap_or_default();
                    return Err(Refusal::InUse {
                        pid,
                        since,
                        root: root.to_owned(),
                    });
                }
                Err(TryLockError::WouldBlock) => thread::sleep(AGAIN),
            }
        }
        let holder = Holder {
            pid: std::process::id(),
            since: now(),
        };
        let line = serde_json::to_string(&holder).expect("a number and a text serialise") + "\n";
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(line.as_bytes()))
            .map_err(Refusal::io(&path))?;
        Ok(Self { _file: file })
    }
}

/// Who wrote into the lock last; it may have let go since.
#[must_use]
pub fn holder(root: &Path, name: &str) -> Option<Holder> {
    let line = fs::read(path(root, name)).ok()?;
    serde_json::from_slice(&line).ok()
}

fn path(root: &Path, name: &str) -> PathBuf {
    root.join(OWN).join(name)
}

/// This moment, to the second, as text.
pub(crate) fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
