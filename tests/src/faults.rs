//! Runs in which nodes die at named moments of named items, and what is to be there in the end: every item once, done or
//! failed as it should be.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use image::{GrayImage, RgbImage};
use serde_json::Value;

use crate::{Scratch, binary, ground, root};

/// A death: of which program, at which moment of which item, how, and whether each time anew.
#[derive(Clone, Debug)]
pub struct Death {
    /// As `seggpt-infer`.
    pub program: String,
    /// As `in-work`.
    pub moment: String,
    /// One of [`seggpt_fault::HOWS`].
    pub how: String,
    /// The item.
    pub item: String,
    /// Whether the item is poison: the process dies whenever it gets there.
    pub always: bool,
}

impl Death {
    /// Once.
    pub fn once(program: &str, moment: &str, how: &str, item: &str) -> Self {
        let [program, moment, how, item] = [program, moment, how, item].map(str::to_owned);
        Self {
            program,
            moment,
            how,
            item,
            always: false,
        }
    }
}

/// Node, and the moments at which it can die (`crates/fault`).
pub const MOMENTS: [(&str, &[&str]); 5] = [
    (
        "seggpt-source-images",
        &[
            "before-work",
            "in-work",
            "before-send",
            "after-send",
            "at-ack",
        ],
    ),
    ("seggpt-prompts", &["before-work", "in-work", "before-send"]),
    (
        "seggpt-ensemble-feature",
        &["before-work", "in-work", "before-send"],
    ),
    ("seggpt-infer", &["before-work", "in-work", "before-send"]),
    (
        "seggpt-sink-files",
        &[
            "before-work",
            "in-work",
            "after-rename",
            "after-journal",
            "after-ack",
        ],
    ),
];

/// The moments at which `seggpt-evaluator` can die, in [`Flow::benchmark`].
pub const EVALUATOR: (&str, &[&str]) = (
    "seggpt-evaluator",
    &["before-work", "before-send", "in-work", "after-journal"],
);

/// What the queries of a benchmark of pictures and truth are called, before the picture's name.
const BENCHMARK: &str = "pictures/class 1";

/// What an item comes to whose processes die `deaths` times at this moment, as `docs/reliability.md` says.
pub fn is_to_fail(program: &str, moment: &str, deaths: usize) -> bool {
    match (program, moment) {
        // What is on record is not done again.
        ("seggpt-sink-files", "after-journal" | "after-ack") => false,
        // Once in company, and three times alone.
        ("seggpt-sink-files" | "seggpt-test-relay", _) => deaths > 3,
        // What is sent or on record is not done again.
        ("seggpt-source-images", "after-send" | "at-ack") => false,
        ("seggpt-evaluator", "after-journal") => false,
        ("seggpt-source-images" | "seggpt-evaluator", _) => deaths > 1,
        (_, "before-work") => deaths > 3,
        (_, _) => deaths > 1,
    }
}

/// What a run came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Result {
    /// Starts of the command.
    pub starts: usize,
    /// Processes that died.
    pub kills: usize,
    /// Pictures.
    pub items: usize,
    /// Pictures that came to no end.
    pub lost: usize,
    /// Pictures with more than one record.
    pub doubled: usize,
    /// Pictures that failed and should not, or did not fail and should.
    pub wrong: usize,
    /// Of the run.
    pub time: Duration,
}

impl Result {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            starts: self.starts + other.starts,
            kills: self.kills + other.kills,
            items: self.items + other.items,
            lost: self.lost + other.lost,
            doubled: self.doubled + other.doubled,
            wrong: self.wrong + other.wrong,
            time: self.time + other.time,
        }
    }

    /// Whether all is as it should be.
    pub fn is_good(&self) -> bool {
        self.lost + self.doubled + self.wrong == 0
    }
}

/// A folder of tiny pictures and the command that segments it.
pub struct Flow {
    /// Where it is.
    pub scratch: Scratch,
    items: Vec<String>,
    kind: Kind,
    more: Vec<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Segment,
    /// With a node of other people's between ensemble and network.
    Relayed,
    /// `seggpt eval`.
    Benchmark,
}

impl Flow {
    /// `count` pictures of 24 x 16 pixels, each of its own colours.
    pub fn new(count: usize) -> Self {
        let scratch = Scratch::new();
        fs::create_dir(scratch.path("pictures")).expect("the scratch folder is writable");
        let items: Vec<_> = (0..count).map(|n| format!("{n:06}.png")).collect();
        for (n, item) in items.iter().enumerate() {
            let picture = RgbImage::from_fn(24, 16, |x, y| {
                image::Rgb([
                    n as u8,
                    (n >> 8) as u8 ^ (x * 7) as u8,
                    (n >> 16) as u8 ^ (y * 11) as u8,
                ])
            });
            let path = scratch.path("pictures").join(item);
            picture.save(path).expect("the scratch folder is writable");
        }
        Self {
            scratch,
            items,
            kind: Kind::Segment,
            more: vec![],
        }
    }

    /// `count` queries of such pictures, of which the left half is a pebble.
    pub fn benchmark(count: usize) -> Self {
        let flow = Self::new(count);
        let truth = flow.scratch.path("truth");
        fs::create_dir(&truth).expect("the scratch folder is writable");
        for item in &flow.items {
            let mask = GrayImage::from_fn(24, 16, |x, _| image::Luma([u8::from(x < 12) * 255]));
            mask.save(truth.join(item))
                .expect("the scratch folder is writable");
        }
        let query = |item: &String| format!("{BENCHMARK}/{}", item.trim_end_matches(".png"));
        Self {
            items: flow.items.iter().map(query).collect(),
            kind: Kind::Benchmark,
            ..flow
        }
    }

    /// With further options of `seggpt segment`.
    #[must_use]
    pub fn with(mut self, more: &[&str]) -> Self {
        self.more.extend(more.iter().map(|word| (*word).to_owned()));
        self
    }

    /// With `seggpt-test-relay` between ensemble and network.
    #[must_use]
    pub fn relayed(mut self) -> Self {
        self.kind = Kind::Relayed;
        self
    }

    /// The items, in their order.
    pub fn items(&self) -> &[String] {
        &self.items
    }

    /// Says who is to die.
    pub fn plan(&self, deaths: &[Death]) {
        let folder = self.scratch.path("faults");
        fs::create_dir_all(&folder).expect("the scratch folder is writable");
        let mut files: BTreeMap<&str, String> = BTreeMap::new();
        for death in deaths {
            let sign = if death.always { "+" } else { "" };
            *files.entry(&death.program).or_default() +=
                &format!("{} {sign}{} {}\n", death.moment, death.how, death.item);
        }
        for (program, text) in files {
            fs::write(folder.join(program), text).expect("the scratch folder is writable");
        }
    }

    /// How many have died.
    pub fn deaths(&self) -> usize {
        let file = self.scratch.path("faults").join(seggpt_fault::DEATHS);
        fs::read_to_string(file).map_or(0, |text| text.lines().count())
    }

    /// `seggpt segment`, or `seggpt run` where there is a relay.
    pub fn command(&self) -> Command {
        let prompt = format!(
            "{}={}",
            ground("ground_1.png").display(),
            ground("ground_1_pebbles.png").display()
        );
        let mut command = Command::new(binary("seggpt"));
        command
            .current_dir(self.scratch.path(""))
            .env(seggpt_fault::FOLDER, self.scratch.path("faults"))
            .stdin(Stdio::null());
        let model = root().join("models/untrained-tiny");
        let segment = |command: &mut Command| {
            command
                .args(["segment", "--out", "out", "--prompt"])
                .arg(&prompt)
                .arg("--model")
                .arg(&model)
                .args(&self.more)
                .arg("pictures");
        };
        match self.kind {
            Kind::Relayed => {}
            Kind::Segment => {
                segment(&mut command);
                return command;
            }
            Kind::Benchmark => {
                command
                    .args([
                        "eval", "--out", "out", "--images", "pictures", "--truth", "truth",
                    ])
                    .arg(format!("--prompt={prompt}"))
                    .arg("--model")
                    .arg(&model);
                return command;
            }
        }
        let mut print = Command::new(binary("seggpt"));
        print.current_dir(self.scratch.path(""));
        segment(&mut print);
        let printed = print.arg("--print-dataflow").output();
        let yaml = printed.expect("seggpt can be started").stdout;
        let flow = self.scratch.path("flow.yml");
        fs::write(&flow, with_relay(&String::from_utf8_lossy(&yaml)))
            .expect("the scratch folder is writable");
        command.arg("run").arg(flow);
        command
    }

    /// Runs it to its end, or ends it after `patience`.
    pub fn run(&self, patience: Duration) -> Ended {
        let mut command = self.command();
        let started = Instant::now();
        let out =
            fs::File::create(self.scratch.path("said")).expect("the scratch folder is writable");
        let err = out.try_clone().expect("a file can be opened twice");
        let mut child = command
            .stdout(out)
            .stderr(err)
            .spawn()
            .expect("seggpt can be started");
        let mut ended = false;
        while !ended && started.elapsed() < patience {
            std::thread::sleep(Duration::from_millis(20));
            ended = matches!(child.try_wait(), Ok(Some(_)));
        }
        let hung = !ended;
        if hung {
            let _ = child.kill();
        }
        let status = child.wait().ok();
        Ended {
            code: status.and_then(|status| status.code()).filter(|_| !hung),
            hung,
            time: started.elapsed(),
            said: fs::read_to_string(self.scratch.path("said")).unwrap_or_default(),
        }
    }

    /// Counts what is on record against what should be. `to_fail`: these, and no others.
    pub fn judge(&self, to_fail: &[String]) -> Result {
        let text = self
            .journal()
            .and_then(|path| fs::read_to_string(path).ok());
        let text = text.unwrap_or_default();
        let mut records: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for line in text.lines().skip(1) {
            if let Ok(record) = serde_json::from_str::<Value>(line) {
                let item = record["item"].as_str().unwrap_or_default().to_owned();
                records.entry(item).or_default().push(record);
            }
        }
        let mut result = Result {
            items: self.items.len(),
            kills: self.deaths(),
            ..Result::default()
        };
        for item in &self.items {
            let should = to_fail.contains(item);
            let Some(records) = records.get(item) else {
                // What fails in a benchmark has no record: it is sent again the next time.
                result.lost += usize::from(!(should && self.kind == Kind::Benchmark));
                continue;
            };
            result.doubled += usize::from(records.len() > 1);
            let last = &records[records.len() - 1];
            let failed = self.kind != Kind::Benchmark && last["status"] != "done";
            result.wrong += usize::from(failed != should);
            if self.kind == Kind::Benchmark {
                continue;
            }
            let is_whole = |(kind, file): (&String, &Value)| {
                let path = self
                    .scratch
                    .path("out")
                    .join(file.as_str().unwrap_or_default());
                fs::metadata(path).is_ok_and(|it| Some(it.len()) == last["bytes"][kind].as_u64())
            };
            let files = last["files"].as_object();
            let whole = files.is_some_and(|files| files.iter().all(is_whole));
            result.lost += usize::from(!failed && !whole);
        }
        let is_counted = match self.kind {
            Kind::Benchmark => self.is_scored(to_fail.len()),
            _ => self.is_counted(to_fail.len()),
        };
        if !is_counted && result.is_good() {
            result.wrong += 1;
        }
        result
    }

    /// The journal of the results, where there is one.
    fn journal(&self) -> Option<PathBuf> {
        if self.kind != Kind::Benchmark {
            return Some(self.scratch.path("out/.seggpt/journal.jsonl"));
        }
        let only = |folder: PathBuf| Some(fs::read_dir(folder).ok()?.next()?.ok()?.path());
        let row = only(only(self.scratch.path("out/rows"))?)?;
        Some(row.join(".seggpt/journal.jsonl"))
    }

    /// How many records there are.
    pub fn records(&self) -> usize {
        let text = self
            .journal()
            .and_then(|path| fs::read_to_string(path).ok());
        text.map_or(0, |text| text.lines().count().saturating_sub(1))
    }

    /// Whether the summary counts the same; where nothing was left to do, it has no total.
    fn is_counted(&self, failed: usize) -> bool {
        let summary = fs::read_to_string(self.scratch.path("out/run.json")).unwrap_or_default();
        let summary: Value = serde_json::from_str(&summary).unwrap_or_default();
        let counts = &summary["counts"];
        let all = self.items.len();
        counts["done"] == all - failed
            && counts["failed"] == failed
            && (counts["total"] == all || counts["total"].is_null())
    }

    /// Whether the scores are of as many answers.
    fn is_scored(&self, failed: usize) -> bool {
        let scores = fs::read_to_string(self.scratch.path("out/scores.json")).unwrap_or_default();
        let scores: Value = serde_json::from_str(&scores).unwrap_or_default();
        let set = &scores[0]["sets"][0];
        set["asked"] == self.items.len() && set["answered"] == self.items.len() - failed
    }
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` of one that was killed.
    pub code: Option<i32>,
    /// Whether it had to be.
    pub hung: bool,
    /// How long it took.
    pub time: Duration,
    /// Both streams.
    pub said: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            hung: false,
            time: Duration::ZERO,
            said: String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr),
        }
    }
}

const RELAY: &str = "  - id: relay
    path: PATH
    restart_policy: on-failure
    max_restarts: 100
    restart_window: 3600.0
    inputs:
      canvases: { source: ensemble/canvases, queue_size: 64 }
    outputs: [canvases]
    input_types: { canvases: seggpt/flow/v1/Canvases }
    output_types: { canvases: seggpt/flow/v1/Canvases }
    shared_memory_pool_size: 64MB
    finish_grace_secs: 86400.0

  - id: infer
";

fn with_relay(yaml: &str) -> String {
    let relay = RELAY.replace("PATH", &path_text(&binary("seggpt-test-relay")));
    let (before, after) = yaml
        .split_once("  - id: infer\n")
        .expect("the flow has a network");
    let after = after.replacen(
        "canvases: { source: ensemble/canvases",
        "canvases: { source: relay/canvases",
        1,
    );
    format!("{before}{relay}{after}")
}

fn path_text(path: &Path) -> String {
    path.display().to_string()
}

/// Every process below this one, and its own: pid and program, or the node that it is.
pub fn family(pid: u32) -> Vec<(u32, String)> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parents: BTreeMap<u32, u32> = pids
        .filter_map(|pid| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let parent = stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse();
            Some((pid, parent.ok()?))
        })
        .collect();
    let is_below = |mut of: u32| {
        loop {
            if of == pid {
                return true;
            }
            match parents.get(&of) {
                Some(parent) if *parent != 0 => of = *parent,
                _ => return false,
            }
        }
    };
    let below = parents.keys().copied().filter(|of| is_below(*of));
    below
        .filter_map(|pid| {
            let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
            let words = line.split('\0').map(str::to_owned);
            Some((pid, seggpt_fault::program(words)?))
        })
        .collect()
}
