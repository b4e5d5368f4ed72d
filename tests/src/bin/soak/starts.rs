//! Many starts of small flows on a busy machine, each with one node stopped for a while, at the start or in work.

use std::{
    fs,
    process::{Child, Command, Stdio},
    sync::Mutex,
    thread::{scope, sleep},
    time::{Duration, Instant},
};

use seggpt_random::Rng;
use seggpt_tests::faults::{Flow, Result, family};

const ITEMS: usize = 12;
/// Flows that run at the same time, on each core.
const FLOWS: usize = 8;
/// Processes that take all the time they get, on each core.
const BUSY: usize = 1;
/// How little of a core the flows ask for, drawn for each.
const NICE: [&str; 3] = ["0", "5", "10"];
/// How long nothing may be put on record, besides the time for which a node is stopped: on a busy machine a run is slow, and
/// a slow run does not hang.
const PATIENCE: Duration = Duration::from_secs(600);
const NODES: [&str; 6] = [
    "seggpt-source-images",
    "seggpt-prompts",
    "seggpt-ensemble-feature",
    "seggpt-infer",
    "seggpt-sink-files",
    "seggpt",
];

#[derive(Default)]
struct Row {
    starts: usize,
    sum: Result,
    hangs: usize,
    codes: usize,
    slowest: Duration,
}

/// One start, as drawn.
struct Start {
    number: usize,
    node: usize,
    nice: &'static str,
    moment: Duration,
    pause: Duration,
}

impl Start {
    /// The pause is 0.1 to 30 s, short ones as often as long ones; the moment lies between the first word and the last item.
    fn draw(number: usize, rng: &mut Rng) -> Self {
        Self {
            number,
            node: rng.below(NODES.len()),
            pause: Duration::from_secs_f64(0.1 * 300_f64.powf(rng.unit_f64())),
            moment: Duration::from_millis(rng.below(4000) as u64),
            nice: NICE[rng.below(NICE.len())],
        }
    }
}

/// At most `count` starts, none after so many seconds; prints the table, and says whether all ended well.
pub fn run(count: usize, seconds: usize) -> bool {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let mut hogs: Vec<Child> = (0..BUSY * cores).filter_map(|_| hog()).collect();
    let began = Instant::now();
    let rows: Mutex<Vec<(&str, Row)>> = Mutex::new(NODES.map(|node| (node, Row::default())).into());
    let drawn = Mutex::new((0, Rng::new(11)));
    let trouble = Mutex::new(Vec::new());
    let next = || {
        let mut drawn = drawn.lock().expect("no thread panics with it");
        let (number, rng) = &mut *drawn;
        let goes_on = *number < count && (began.elapsed().as_secs() as usize) < seconds;
        goes_on.then(|| {
            *number += 1;
            Start::draw(*number - 1, rng)
        })
    };
    let work = || {
        while let Some(start) = next() {
            let node = start.node;
            let row = one(&start, &trouble);
            let mut rows = rows.lock().expect("no thread panics with it");
            rows[node].1.add(row);
            let ended: usize = rows.iter().map(|(_, row)| row.starts).sum();
            if ended.is_multiple_of(100) {
                println!(
                    "{ended} starts after {:.0} s",
                    began.elapsed().as_secs_f64()
                );
            }
        }
    };
    scope(|threads| {
        for _ in 0..FLOWS * cores {
            threads.spawn(work);
        }
    });
    let rows = rows.into_inner().expect("no thread panicked with it");
    let trouble = trouble.into_inner().expect("no thread panicked with it");
    for hog in &mut hogs {
        let _ = hog.kill();
        let _ = hog.wait();
    }
    println!(
        "| node that is stopped | starts | items | hangs | other ends than 0 | lost | doubled | falsely failed | slowest, s |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut good = true;
    for (node, row) in &rows {
        let Result {
            items,
            lost,
            doubled,
            wrong,
            ..
        } = row.sum;
        println!(
            "| {node} | {} | {items} | {} | {} | {lost} | {doubled} | {wrong} | {:.0} |",
            row.starts,
            row.hangs,
            row.codes,
            row.slowest.as_secs_f64()
        );
        good &= row.sum.is_good() && row.hangs + row.codes == 0;
    }
    println!(
        "{cores} cores, {} flows at once beside {} busy processes, nice 0 to 10, {:.0} s in all",
        FLOWS * cores,
        BUSY * cores,
        began.elapsed().as_secs_f64()
    );
    trouble.iter().for_each(|text| println!("{text}"));
    good
}

impl Row {
    fn add(&mut self, other: Row) {
        self.starts += other.starts;
        self.hangs += other.hangs;
        self.codes += other.codes;
        self.slowest = self.slowest.max(other.slowest);
        self.sum = self.sum.and(other.sum);
    }
}

fn one(start: &Start, trouble: &Mutex<Vec<String>>) -> Row {
    let Start {
        number,
        nice,
        moment,
        pause,
        ..
    } = *start;
    let node = NODES[start.node];
    let flow = Flow::new(ITEMS);
    let inner = flow.command();
    let mut command = Command::new("nice");
    command
        .args(["-n", nice])
        .arg(inner.get_program())
        .args(inner.get_args())
        .current_dir(flow.scratch.path(""));
    let out = fs::File::create(flow.scratch.path("said")).expect("it can be written");
    let err = out.try_clone().expect("a file can be opened twice");
    let child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn();
    let mut child = child.expect("nice can be started");
    let started = Instant::now();
    sleep(moment);
    let found = family(child.id())
        .into_iter()
        .find(|(_, program)| program == node);
    if let Some((pid, _)) = found {
        signal("-STOP", pid);
        sleep(pause);
        signal("-CONT", pid);
    }
    let mut status = None;
    let (mut records, mut last) = (flow.records(), Instant::now());
    while status.is_none() && last.elapsed() < PATIENCE {
        sleep(Duration::from_millis(50));
        status = child.try_wait().expect("a child can be waited for");
        if flow.records() > records {
            (records, last) = (flow.records(), Instant::now());
        }
    }
    let mut row = Row {
        starts: 1,
        ..Row::default()
    };
    let what =
        format!("start {number}: nice {nice}, {node} stopped after {moment:?} for {pause:?}");
    let say = |text: String| {
        let mut all = trouble.lock().expect("no thread panics with it");
        println!("{text}");
        all.push(text);
    };
    let said = || fs::read_to_string(flow.scratch.path("said")).unwrap_or_default();
    let Some(status) = status else {
        row.hangs += 1;
        say(format!("{what}: hung\n{}", said()));
        for (pid, _) in family(child.id()) {
            signal("-KILL", pid);
        }
        let _ = child.wait();
        return row;
    };
    row.slowest = started.elapsed().saturating_sub(pause);
    let result = flow.judge(&[]);
    if !status.success() {
        row.codes += 1;
    }
    if !status.success() || !result.is_good() {
        say(format!("{what}: {status}, {result:?}\n{}", said()));
    }
    row.sum = result;
    row
}

fn signal(name: &str, pid: u32) {
    // It may have ended meanwhile.
    let _ = Command::new("kill")
        .args([name, &pid.to_string()])
        .stderr(Stdio::null())
        .status();
}

fn hog() -> Option<Child> {
    Command::new("sh")
        .args(["-c", "while :; do :; done"])
        .spawn()
        .ok()
}
