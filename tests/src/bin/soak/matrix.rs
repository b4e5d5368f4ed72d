//! Every node x every moment x 1 to 4 deaths over one item each; the whole run killed and started again; poison.

use std::time::{Duration, Instant};

use seggpt_random::Rng;
use seggpt_tests::faults::{Death, EVALUATOR, Ended, Flow, MOMENTS, Result, family, is_to_fail};

const PATIENCE: Duration = Duration::from_secs(600);

/// Runs all of it with so many pictures a run, or what concerns the program `only`; prints it, and says whether all was as
/// it should be.
pub fn run(items: usize, only: Option<&str>) -> bool {
    println!(
        "| deaths of | at | starts | kills | items | lost | doubled | falsely failed | seconds |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut sum = Result::default();
    let mut good = true;
    let mut row = |name: &str, moment: &str, result: Result, ended: &Ended, code: i32| {
        println!(
            "| {name} | {moment} | {} | {} | {} | {} | {} | {} | {:.0} |",
            result.starts,
            result.kills,
            result.items,
            result.lost,
            result.doubled,
            result.wrong,
            result.time.as_secs_f64()
        );
        if !result.is_good() || ended.code != Some(code) {
            println!(
                "ended with {:?} instead of {code}:\n{}",
                ended.code, ended.said
            );
            good = false;
        }
        sum = sum.and(result);
    };
    let is_asked = |program: &str| only.is_none_or(|only| only == program);
    for (program, moments) in MOMENTS {
        for moment in moments.iter().filter(|_| is_asked(program)) {
            let flow = Flow::new(items);
            let (result, ended, code) = deaths(&flow, program, moment);
            row(program, moment, result, &ended, code);
        }
    }
    let (program, moments) = EVALUATOR;
    for moment in moments.iter().filter(|_| is_asked(program)) {
        let (result, ended, code) = deaths(&Flow::benchmark(items), program, moment);
        row(program, moment, result, &ended, code);
    }
    if is_asked("seggpt-test-relay") {
        let flow = Flow::new(items).relayed();
        let (result, ended, code) = deaths(&flow, "seggpt-test-relay", "in-work");
        row("a node of other people's", "in-work", result, &ended, code);
    }
    if is_asked("seggpt-infer") {
        let (result, ended, code) = poison(items);
        row(
            "seggpt-infer",
            "three pictures are poison",
            result,
            &ended,
            code,
        );
    }
    if is_asked("seggpt") {
        let (result, ended) = cut_off(items);
        row("the whole run", "drawn moments", result, &ended, 0);
    }
    println!(
        "| all | | {} | {} | {} | {} | {} | {} | {:.0} |",
        sum.starts,
        sum.kills,
        sum.items,
        sum.lost,
        sum.doubled,
        sum.wrong,
        sum.time.as_secs_f64()
    );
    good
}

/// Items that cost 1, 2, 3 and 4 deaths, in every way to die.
fn deaths(flow: &Flow, program: &str, moment: &str) -> (Result, Ended, i32) {
    let items = flow.items();
    // A panic in work is a failed item and no death; in the thread that reads pictures it is no death either.
    let reads = ["seggpt-source-images", "seggpt-evaluator"].contains(&program);
    let can_panic = moment != "in-work" && !reads;
    let hows = ["kill", "abort", "exit", "panic"];
    let hows = &hows[..if can_panic { 4 } else { 3 }];
    let mut plan = Vec::new();
    let mut to_fail = Vec::new();
    let mut how = hows.iter().cycle();
    for count in 1..=4 {
        let item = &items[items.len() * count / 5];
        for how in how.by_ref().take(count) {
            plan.push(Death::once(program, moment, how, item));
        }
        if is_to_fail(program, moment, count) {
            to_fail.push(item.clone());
        }
    }
    flow.plan(&plan);
    finish(flow, &to_fail)
}

fn poison(items: usize) -> (Result, Ended, i32) {
    let flow = Flow::new(items);
    let poison: Vec<String> = [5, 6, items / 2].map(|at| flow.items()[at].clone()).into();
    let plan: Vec<_> = poison
        .iter()
        .map(|item| Death {
            always: true,
            ..Death::once("seggpt-infer", "in-work", "kill", item)
        })
        .collect();
    flow.plan(&plan);
    finish(&flow, &poison)
}

fn finish(flow: &Flow, to_fail: &[String]) -> (Result, Ended, i32) {
    let ended = flow.run(PATIENCE);
    let result = Result {
        starts: 1,
        time: ended.time,
        ..flow.judge(to_fail)
    };
    (result, ended, i32::from(!to_fail.is_empty()))
}

/// `kill -9` of the whole run at drawn moments, and the same command again until it is through.
fn cut_off(items: usize) -> (Result, Ended) {
    let flow = Flow::new(items);
    let mut rng = Rng::new(7);
    let (mut kills, mut time) = (0, Duration::ZERO);
    let mut starts = 1;
    for _ in 0..8 {
        let until = flow.records() + rng.below(items / 8);
        let mut command = flow.command();
        let out = std::fs::File::create(flow.scratch.path("said")).expect("it can be written");
        let err = out.try_clone().expect("a file can be opened twice");
        let child = command.stdout(out).stderr(err).spawn();
        let mut child = child.expect("seggpt can be started");
        let started = Instant::now();
        let mut ended = None;
        while ended.is_none() && flow.records() < until && started.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
            ended = child.try_wait().ok().flatten();
        }
        starts += 1;
        time += started.elapsed();
        kills += family(child.id()).len();
        let _ = child.kill();
        let _ = child.wait();
    }
    let ended = flow.run(PATIENCE);
    let result = Result {
        starts,
        kills,
        time: time + ended.time,
        ..flow.judge(&[])
    };
    (result, ended)
}
