//! One run of very many tiny pictures: memory of every process and time per item must not grow.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read,
    path::PathBuf,
    thread::sleep,
    time::{Duration, Instant},
};

use seggpt_tests::faults::{Flow, family};

/// What a tenth of the run came to.
struct Tenth {
    time: Duration,
    /// Mebibytes by program, at its end.
    memory: BTreeMap<String, u64>,
}

/// Runs it with so many pictures; prints the table, and says whether all are done.
pub fn run(items: usize) -> bool {
    let flow = Flow::new(items);
    let out = File::create(flow.scratch.path("said")).expect("it can be written");
    let err = out.try_clone().expect("a file can be opened twice");
    let child = flow.command().stdout(out).stderr(err).spawn();
    let mut child = child.expect("seggpt can be started");
    let started = Instant::now();
    let mut records = Records::of(flow.scratch.path("out/.seggpt/journal.jsonl"));
    let mut tenths: Vec<Tenth> = vec![];
    let mut since = None;
    let status = loop {
        sleep(Duration::from_millis(100));
        let done = records.count();
        if done > 0 {
            let since = since.get_or_insert_with(Instant::now);
            if done * 10 >= items * (tenths.len() + 1) && tenths.len() < 10 {
                tenths.push(Tenth {
                    time: since.elapsed(),
                    memory: memory(child.id()),
                });
                *since = Instant::now();
            }
        }
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            break status;
        }
    };
    let programs: Vec<String> = tenths
        .iter()
        .flat_map(|tenth| tenth.memory.keys().cloned())
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    println!(
        "| items | ms an item | {} |",
        programs.join(", MiB | ") + ", MiB"
    );
    println!("|---|---|{}", "---|".repeat(programs.len()));
    for (number, tenth) in tenths.iter().enumerate() {
        let each = tenth.time.as_secs_f64() * 1e4 / items as f64;
        let memory: Vec<_> = programs
            .iter()
            .map(|program| tenth.memory.get(program).map_or("".into(), u64::to_string))
            .collect();
        println!(
            "| {} | {each:.2} | {} |",
            items * (number + 1) / 10,
            memory.join(" | ")
        );
    }
    let result = flow.judge(&[]);
    println!(
        "{items} items in {:.0} s, from start to end; {} lost, {} doubled, {} falsely failed; {status}",
        started.elapsed().as_secs_f64(),
        result.lost,
        result.doubled,
        result.wrong
    );
    let good = status.success() && result.is_good();
    if !good {
        println!(
            "{}",
            fs::read_to_string(flow.scratch.path("said")).unwrap_or_default()
        );
    }
    good
}

/// Resident memory by program: of the run itself and of its nodes.
fn memory(pid: u32) -> BTreeMap<String, u64> {
    let resident = |pid: u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
        Some(kib >> 10)
    };
    let programs = family(pid).into_iter();
    programs
        .filter_map(|(pid, program)| Some((program, resident(pid)?)))
        .collect()
}

/// Counts the lines of a journal as it grows.
struct Records {
    path: PathBuf,
    file: Option<File>,
    lines: usize,
}

impl Records {
    fn of(path: PathBuf) -> Self {
        Self {
            path,
            file: None,
            lines: 0,
        }
    }

    /// The header is none.
    fn count(&mut self) -> usize {
        if self.file.is_none() {
            self.file = File::open(&self.path).ok();
        }
        let mut new = vec![];
        if let Some(file) = &mut self.file {
            let _ = file.read_to_end(&mut new);
        }
        self.lines += new.iter().filter(|byte| **byte == b'\n').count();
        self.lines.saturating_sub(1)
    }
}
