//! Writing a dataflow: a template filled in, its file and the types beside it.

use std::{fs, path::Path};

use crate::{Diagnostic, Setting, shm::DEFAULT_POOL, types::TYPES};

/// A node's variables, with those of `--set` in their place or behind.
pub fn with_settings<'a>(
    node: &str,
    variables: &'a [(&'static str, String)],
    settings: &'a [Setting],
) -> Vec<(&'a str, &'a str)> {
    let mut all: Vec<_> = variables
        .iter()
        .map(|(key, value)| (*key, value.as_str()))
        .collect();
    for set in settings.iter().filter(|set| set.node == node) {
        match all.iter_mut().find(|(key, _)| *key == set.key) {
            Some((_, value)) => *value = &set.value,
            None => all.push((&set.key, &set.value)),
        }
    }
    all
}

/// Replaces markers in one pass, so that a path that looks like a marker stays a path.
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match values.iter().find(|(marker, _)| rest.starts_with(marker)) {
            Some((marker, value)) => {
                out.push_str(value);
                rest = &rest[marker.len()..];
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out + rest
}

/// The lines of an `env:` block.
pub fn env(indent: usize, variables: &[(&str, &str)]) -> String {
    let lines = variables
        .iter()
        .map(|(key, value)| format!("{:indent$}{}: {}", "", scalar(key), scalar(value)));
    lines.collect::<Vec<_>>().join("\n")
}

/// A YAML scalar that dora reads as exactly this text: plain where that is safe, else quoted; `$` would be expanded.
fn scalar(value: &str) -> String {
    let is_plain = value.starts_with(|c: char| c.is_ascii_alphanumeric())
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if is_plain {
        value.to_owned()
    } else {
        serde_json::Value::from(value.replace('$', "$$")).to_string()
    }
}

/// Seconds after which a picture is sent again: a published-size network on a slow CPU takes about a minute an example,
/// and the last picture of the window waits for all before it.
pub fn resend_timeout(window: u32, k: u32) -> u32 {
    (60 * window * k).max(600)
}

/// Bytes of shared memory for a node that sends whole pictures, and for the one that sends canvases.
#[derive(Debug, PartialEq, Eq)]
pub struct Pools {
    /// Of each of the three nodes that send pictures.
    pub pictures: u64,
    /// Of the one that sends canvases.
    pub canvases: u64,
}

/// A large picture, or a mask with its confidence: planes beyond 16 MiB travel encoded, and Arrow adds an eighth.
const PICTURE: u64 = 40 << 20;
const SMALLEST: u64 = DEFAULT_POOL;

impl Pools {
    /// Room for a message that is read, one that waits and one that is written, within `room` bytes for all.
    pub fn of(k: u32, canvas: usize, room: Option<u64>) -> Self {
        let square = (canvas * canvas * 3) as u64;
        // Prompts and their masks, the query, and the eighth.
        let canvases = square * (2 * u64::from(k) + 1) * 9 / 8;
        let wanted = Self {
            pictures: 3 * (PICTURE + canvases),
            canvases: (3 * canvases).max(SMALLEST),
        };
        // Three nodes send pictures, one canvases; the sink has the default.
        let total = 3 * wanted.pictures + wanted.canvases;
        let budget = room.map_or(total, |bytes| bytes.saturating_sub(DEFAULT_POOL));
        if total <= budget {
            return wanted;
        }
        let share = u128::from(wanted.canvases) * u128::from(budget) / u128::from(total);
        let canvases = (share as u64).max(SMALLEST);
        let pictures = (budget.saturating_sub(canvases) / 3).max(SMALLEST);
        Self { pictures, canvases }
    }
}

/// As dora writes sizes.
pub fn megabytes(bytes: u64) -> String {
    format!("{}MB", bytes >> 20)
}

/// Makes the folder in which dataflows are written, with our types where dora looks for them. Logs of an earlier run of
/// them go.
///
/// # Errors
/// The folder cannot be written to.
pub fn prepare(folder: &Path) -> Result<(), Diagnostic> {
    let types = folder.join("types/seggpt/flow");
    create(&types)?;
    // It may not be there.
    let _ = fs::remove_dir_all(folder.join("out"));
    put(&types.join("v1.yml"), TYPES)
}

/// Makes a folder and all above it.
///
/// # Errors
/// It cannot be made.
pub fn create(folder: &Path) -> Result<(), Diagnostic> {
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))
}

/// Writes a file.
///
/// # Errors
/// It cannot be written.
pub fn put(path: &Path, text: impl AsRef<[u8]>) -> Result<(), Diagnostic> {
    fs::write(path, text).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new(format!("cannot write {}: {error}", path.display()))
        .help("choose a folder for --out that you may write to")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_hold_three_messages_and_shrink_to_the_room_there_is() {
        let pools = |room| Pools::of(1, 64, room);
        let roomy = pools(None);
        assert!(roomy.pictures >= 3 * PICTURE);
        assert_eq!(roomy.canvases, SMALLEST);
        assert!(pools(Some(250 << 20)).pictures < roomy.pictures);
        assert_eq!(
            pools(Some(16 << 20)),
            Pools {
                pictures: SMALLEST,
                canvases: SMALLEST
            }
        );
    }

    #[test]
    fn pools_with_the_sinks_own_fit_the_room() {
        for (k, canvas) in [(1, 64), (4, 448), (16, 896)] {
            for room in [64, 100, 250, 400, 4000].map(|megabytes| megabytes << 20) {
                let pools = Pools::of(k, canvas, Some(room));
                let sum = 3 * pools.pictures + pools.canvases + DEFAULT_POOL;
                assert!(sum <= room, "{k} of {canvas} in {room}: {pools:?}");
            }
        }
    }

    #[test]
    fn the_timeout_grows_with_the_work() {
        assert_eq!(resend_timeout(4, 1), 600);
        assert_eq!(resend_timeout(4, 9), 2160);
    }
}
