//! The harness of the whole-flow tests: a scratch folder a test, the real binaries, a full report when one fails.
//!
//! * [`faults`]: nodes that die at named moments of named items, and what is to be there in the end.

pub mod faults;

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the root")
        .to_owned()
}

/// The pictures drawn for the project.
pub fn ground(name: &str) -> PathBuf {
    root().join("tests/fixtures/ground").join(name)
}

/// A folder of the data that is not part of the repository, for tests that are ignored for want of it.
///
/// # Panics
/// It is not there.
pub fn shared_data(name: &str) -> PathBuf {
    let path = root().join("../shared/data").join(name);
    assert!(path.exists(), "{} is not there", path.display());
    path
}

/// A built binary of this workspace, beside the running program or in the folder above, where tests lie.
pub fn binary(name: &str) -> PathBuf {
    let program = std::env::current_exe().expect("a running program has a path");
    let folders = program.ancestors().skip(1).take(2);
    let found = folders
        .map(|folder| folder.join(name))
        .find(|path| path.exists());
    found.unwrap_or_else(|| {
        panic!(
            "{name} is not built beside {}: `make build` first",
            program.display()
        )
    })
}

/// The stock `dora` CLI of `.venv`; says so and returns `None` where it is absent.
pub fn stock_dora() -> Option<PathBuf> {
    let path = root().join(".venv/bin/dora");
    let there = path.exists().then_some(path);
    if there.is_none() {
        note("skipped: no .venv/bin/dora; `tools/venv.sh` installs it");
    }
    there
}

#[allow(clippy::print_stderr)]
fn note(text: &str) {
    eprintln!("{text}");
}

/// A folder of its own for each test, removed when the test passes.
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    /// Makes one.
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("the temporary folder is writable"))
    }

    /// A path in it.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `seggpt` here.
    pub fn seggpt<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ran {
        Ran::of(
            Command::new(binary("seggpt"))
                .args(arguments)
                .current_dir(self.0.path()),
        )
    }

    /// Runs `seggpt` here with nothing around it: a copy in this folder, and no environment.
    pub fn seggpt_alone<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ran {
        let (built, copy) = (binary("seggpt"), self.path("alone/seggpt"));
        std::fs::create_dir_all(self.path("alone"))
            .and_then(|()| {
                std::fs::hard_link(&built, &copy)
                    .or_else(|_| std::fs::copy(&built, &copy).map(drop))
            })
            .expect("the temporary folder has room for the program");
        Ran::of(
            Command::new(copy)
                .args(arguments)
                .env_clear()
                .current_dir(self.0.path()),
        )
    }

    /// Runs a dataflow under the stock `dora` CLI, links to our program and what is built beside it on PATH.
    pub fn dora_run(&self, dora: &Path, flow: &Path) -> Ran {
        let links = self.path("links");
        self.seggpt([OsStr::new("link"), links.as_os_str()])
            .expect_code(0);
        let built = binary("seggpt").parent().map(Path::to_owned);
        let own = [links]
            .into_iter()
            .chain(built)
            .chain(dora.parent().map(Path::to_owned));
        let paths = std::env::var_os("PATH")
            .map(|path| std::env::split_paths(&path).collect::<Vec<_>>())
            .unwrap_or_default();
        let path =
            std::env::join_paths(own.chain(paths)).expect("no colon in the build folder's path");
        Ran::of(
            Command::new(dora)
                .arg("run")
                .arg(flow)
                .env("PATH", path)
                .current_dir(self.0.path()),
        )
    }

    /// The `run.json` of an output folder.
    pub fn report(&self, out: impl AsRef<Path>) -> Value {
        let path = self.path(out).join("run.json");
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// What a command did.
pub struct Ran {
    command: String,
    output: Output,
}

impl Ran {
    fn of(command: &mut Command) -> Self {
        let text = format!("{command:?}");
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        Self {
            command: text,
            output,
        }
    }

    /// Fails with everything the command said unless it exited with `code`.
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.output.status.code(), Some(code), "{}", self.told());
        self
    }

    /// Standard output alone.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    /// Both streams.
    pub fn text(&self) -> String {
        format!(
            "{}{}",
            String::from_utf8_lossy(&self.output.stdout),
            String::from_utf8_lossy(&self.output.stderr)
        )
    }

    /// Fails with everything the command said unless it said `part`.
    pub fn expect_text(self, part: &str) -> Self {
        assert!(
            self.text().contains(part),
            "`{part}` was not said\n{}",
            self.told()
        );
        self
    }

    fn told(&self) -> String {
        format!(
            "{}\n{}\n--- output\n{}",
            self.command,
            self.output.status,
            self.text()
        )
    }
}
