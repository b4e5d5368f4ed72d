//! Many starts of small flows on a busy machine, each with one node stopped for a while, at the start or in work.

use std::{
    fs,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use seggpt_random::Rng;
use seggpt_tests::faults::{Flow, Result, family};

const ITEMS: usize = 12;
/// How long nothing may be put on record, besides the time for which a node is stopped: on a busy machine a run is slow, and
/// a slow run does not hang.
const PATIENCE: Duration = Duration::from_secs(180);
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

/// At most `count` starts, none after so many seconds; prints the table, and says whether all ended well.
pub fn run(count: usize, seconds: usize) -> bool {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let mut hogs: Vec<Child> = (0..2 * cores).filter_map(|_| hog()).collect();
    let began = Instant::now();
    let mut rows: Vec<(&str, Row)> = NODES.map(|node| (node, Row::default())).into();
    let mut rng = Rng::new(11);
    let mut trouble = Vec::new();
    for number in 0..count {
        if began.elapsed().as_secs() as usize >= seconds {
            break;
        }
        let chosen = rng.below(NODES.len());
        // From 0.1 to 30 s, short ones as often as long ones; the moment from before the first word to the last item.
        let pause = Duration::from_secs_f64(0.1 * 300_f64.powf(rng.unit_f64()));
        let moment = Duration::from_millis(rng.below(4000) as u64);
        let (node, row) = &mut rows[chosen];
        one(number, node, moment, pause, row, &mut trouble);
    }
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
        "{cores} cores, {} busy processes, nice 19, {:.0} s in all",
        2 * cores,
        began.elapsed().as_secs_f64()
    );
    trouble.iter().for_each(|text| println!("{text}"));
    good
}

fn one(
    number: usize,
    node: &str,
    moment: Duration,
    pause: Duration,
    row: &mut Row,
    trouble: &mut Vec<String>,
) {
    let flow = Flow::new(ITEMS);
    let inner = flow.command();
    let mut command = Command::new("nice");
    command
        .args(["-n", "19"])
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
    row.starts += 1;
    let what = format!("start {number}: {node} stopped after {moment:?} for {pause:?}");
    let said = || fs::read_to_string(flow.scratch.path("said")).unwrap_or_default();
    let Some(status) = status else {
        row.hangs += 1;
        trouble.push(format!("{what}: hung\n{}", said()));
        for (pid, _) in family(child.id()) {
            signal("-KILL", pid);
        }
        let _ = child.wait();
        return;
    };
    row.slowest = row.slowest.max(started.elapsed().saturating_sub(pause));
    let result = flow.judge(&[]);
    if !status.success() {
        row.codes += 1;
    }
    if !status.success() || !result.is_good() {
        trouble.push(format!("{what}: {status}, {result:?}\n{}", said()));
    }
    row.sum = row.sum.and(result);
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
