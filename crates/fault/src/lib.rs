//! Deaths on command. Nodes call [`at`] at moments that have a name; a test that sets [`FOLDER`] says at which of them a
//! process dies, over which item, and how. In builds without debug assertions [`at`] is empty.
//!
//! The folder has a file for each program that is to die, called as the program: a death a line, `MOMENT HOW ITEM`, where
//! HOW is one of [`HOWS`]. A death is taken out of the file before it happens, unless HOW has a `+` in front: such an item
//! is poison. Every death is noted in [`DEATHS`].

use std::path::Path;

/// The variable that names the folder.
pub const FOLDER: &str = "SEGGPT_FAULTS";

/// The file in the folder that has every death: `PROGRAM MOMENT HOW ITEM`.
pub const DEATHS: &str = "deaths";

/// The ways to die: by SIGKILL, by SIGABRT, with exit code 1, and by a panic of the thread that is there.
pub const HOWS: [&str; 4] = ["kill", "abort", "exit", "panic"];

/// What a process is called, by its command line: as its program, or as the node that `seggpt node NAME` is.
pub fn program(words: impl IntoIterator<Item = String>) -> Option<String> {
    let mut words = words.into_iter();
    let called = words.next()?;
    let stem = Path::new(&called).file_stem()?.to_str()?;
    match (words.next(), words.next()) {
        (Some(word), Some(node)) if (stem, word.as_str()) == ("seggpt", "node") => {
            Some(format!("seggpt-{node}"))
        }
        _ => Some(stem.to_owned()),
    }
}

/// Dies here if a test wants it.
#[inline]
pub fn at(moment: &str, item: &str) {
    #[cfg(debug_assertions)]
    plan::at(moment, item);
    #[cfg(not(debug_assertions))]
    let _ = (moment, item);
}

/// As [`at`], for every one of the items.
#[inline]
pub fn at_any<'a>(moment: &str, items: impl IntoIterator<Item = &'a str>) {
    items.into_iter().for_each(|item| at(moment, item));
}

#[cfg(debug_assertions)]
mod plan {
    use std::{
        env,
        fs::{self, OpenOptions},
        io::Write,
        path::PathBuf,
        process,
        sync::{Mutex, OnceLock, PoisonError},
    };

    use super::{DEATHS, FOLDER};

    struct Plan {
        folder: PathBuf,
        program: String,
        lines: Mutex<Vec<String>>,
    }

    fn read() -> Option<Plan> {
        let folder = PathBuf::from(env::var_os(FOLDER)?);
        let words = env::args_os().map(|word| word.to_string_lossy().into_owned());
        let program = super::program(words)?;
        let text = fs::read_to_string(folder.join(&program)).ok()?;
        let lines = Mutex::new(text.lines().map(str::to_owned).collect());
        Some(Plan {
            folder,
            program,
            lines,
        })
    }

    pub(super) fn at(moment: &str, item: &str) {
        static PLAN: OnceLock<Option<Plan>> = OnceLock::new();
        let Some(plan) = PLAN.get_or_init(read) else {
            return;
        };
        let how = {
            let mut lines = plan.lines.lock().unwrap_or_else(PoisonError::into_inner);
            let Some((index, how)) = due(&lines, moment, item) else {
                return;
            };
            if !how.1 {
                lines.remove(index);
                plan.keep(&lines);
            }
            how.0
        };
        plan.note(&format!("{} {moment} {how} {item}\n", plan.program));
        die(&how);
    }

    /// The line that is due, how to die, and whether the line stays.
    fn due(lines: &[String], moment: &str, item: &str) -> Option<(usize, (String, bool))> {
        lines.iter().enumerate().find_map(|(index, line)| {
            let mut words = line.splitn(3, ' ');
            let (at, how, of) = (words.next()?, words.next()?, words.next()?);
            let how = (how.trim_start_matches('+').to_owned(), how.starts_with('+'));
            (at == moment && of == item).then_some((index, how))
        })
    }

    impl Plan {
        fn keep(&self, lines: &[String]) {
            let (new, file) = (self.folder.join("new"), self.folder.join(&self.program));
            fs::write(&new, lines.join("\n"))
                .and_then(|()| fs::rename(&new, &file))
                .expect("the test's folder can be written");
        }

        fn note(&self, line: &str) {
            let deaths = self.folder.join(DEATHS);
            OpenOptions::new()
                .append(true)
                .create(true)
                .open(deaths)
                .and_then(|mut file| file.write_all(line.as_bytes()))
                .expect("the test's folder can be written");
        }
    }

    fn die(how: &str) {
        match how {
            "kill" => {
                // Nothing in the standard library sends SIGKILL to itself.
                let _ = process::Command::new("kill")
                    .args(["-KILL", &process::id().to_string()])
                    .status();
                process::abort();
            }
            "abort" => process::abort(),
            "exit" => process::exit(1),
            _ => panic!("a test wants it"),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_first_line_of_the_moment_and_item_is_due() {
            let lines = ["a kill x", "b kill x y", "b +exit x"].map(str::to_owned);
            assert_eq!(due(&lines, "b", "x y"), Some((1, ("kill".into(), false))));
            assert_eq!(due(&lines, "b", "x"), Some((2, ("exit".into(), true))));
            assert_eq!(due(&lines, "a", "y"), None);
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_process_is_called_as_its_program_or_as_the_node_that_it_is() {
        let of = |line: &str| super::program(line.split(' ').map(str::to_owned));
        let called = |line: &str| of(line).expect("it has a name");
        assert_eq!(called("/bin/seggpt node infer --model x"), "seggpt-infer");
        assert_eq!(called("/opt/links/seggpt-infer"), "seggpt-infer");
        assert_eq!(called("seggpt run node.yml"), "seggpt");
        assert_eq!(
            called("/x/seggpt-test-relay node infer"),
            "seggpt-test-relay"
        );
        assert_eq!(of(""), None);
    }
}
