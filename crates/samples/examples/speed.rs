//! Samples per second on one core: `cargo run -p seggpt-samples --example speed -- [SIZE] [SECONDS] [DATA_ROOT]`
//!
//! With files, it takes some thousand samples until most of them are decoded: the second figure counts.
#![allow(clippy::print_stdout, missing_docs)]

use std::time::{Duration, Instant};

use seggpt_samples::{Mix, SamplesError, Settings, Source as _};

fn main() -> Result<(), SamplesError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let size = arguments.first().and_then(|a| a.parse().ok()).unwrap_or(64);
    let seconds = arguments.get(1).and_then(|a| a.parse().ok()).unwrap_or(3.0);
    let settings = match arguments.get(2) {
        Some(root) => Settings::with_data(size, root),
        None => Settings::synthetic(size),
    };
    let mut mix = Mix::new(&settings)?;
    let limit = Duration::from_secs_f32(seconds / 2.0);
    let (mut seed, mut sum) = (0u64, 0u64);
    for half in ["first", "second"] {
        let (start, before) = (Instant::now(), seed);
        while start.elapsed() < limit {
            sum += u64::from(mix.sample(seed, 1).query_mask.as_raw()[0]);
            seed += 1;
        }
        let rate = (seed - before) as f32 / start.elapsed().as_secs_f32();
        println!("{half} half: {rate:.0} samples/s of {size} x {size}");
    }
    println!("{seed} samples, check {sum}");
    Ok(())
}
