//! Answers on request, and says how long it took: one side of the contest in `benches/contest.py`, which explains the
//! requests. `contender CHECKPOINT INPUTS DTYPE THREADS`.
#![allow(clippy::print_stdout)] // the answers

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    io,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use seggpt::{Device, Ensemble, Network, PreparedPrompts, SegType, Tensor};
use tracing::{Subscriber, span};
use tracing_subscriber::{Layer, layer::Context, prelude::*, registry::LookupSpan};

type Inputs = std::collections::HashMap<String, Tensor>;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [checkpoint, inputs, dtype, threads] = &words[..] else {
        return Err("give a checkpoint, the inputs, a number type and threads".into());
    };
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.parse()?)
        .build_global()?;
    let stages = Stages::default();
    tracing_subscriber::registry().with(stages.clone()).init();
    let network = Network::load(Path::new(checkpoint), &Device::Cpu, dtype.parse()?)?;
    let inputs = candle_core::safetensors::load(inputs, &Device::Cpu)?;
    println!("ready");
    for line in io::stdin().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["stages"] => println!("{}", stages.take()),
            [prompts, side, ref more @ ..] => {
                let size = (prompts.parse()?, side.parse()?);
                let ensemble = match more.contains(&"joint") {
                    true => Ensemble::Joint,
                    false => Ensemble::Feature,
                };
                let kept = more.contains(&"kept");
                let queries = more.iter().find_map(|word| word.strip_prefix("queries="));
                let queries = queries.unwrap_or("1").parse()?;
                let (took, answer) = answer(&network, &inputs, size, ensemble, kept, queries)?;
                let sample: Vec<String> = answer
                    .iter()
                    .step_by(997)
                    .map(|x| format!("{x:.5}"))
                    .collect();
                println!("{took:.4} {} {}", peak()?, sample.join(" "));
            }
            _ => return Err(format!("what does `{line}` mean?").into()),
        }
    }
    Ok(())
}

/// Seconds of so many answers with the same prompts, and the lower half of the canvas. Prompts that are kept are prepared
/// before the clock runs.
fn answer(
    network: &Network,
    inputs: &Inputs,
    (prompts, side): (usize, usize),
    ensemble: Ensemble,
    kept: bool,
    queries: usize,
) -> Result<(f64, Vec<f32>), Box<dyn Error>> {
    let pictures = |name: &str, count| {
        let all = inputs.get(name).ok_or(format!("no input {name}"))?;
        let some = all.narrow(0, 0, count)?.narrow(2, 0, side)?;
        Ok::<_, Box<dyn Error>>(some.narrow(3, 0, side)?.contiguous()?)
    };
    let (query, images, masks) = (
        pictures("query", 1)?,
        pictures("prompts", prompts)?,
        pictures("masks", prompts)?,
    );
    let prepare = || -> Result<PreparedPrompts, seggpt::Error> {
        network.prepare(&images, &masks, SegType::Instance, ensemble)
    };
    let already = kept.then(prepare).transpose()?;
    let start = Instant::now();
    let prepared = match already {
        Some(prepared) => prepared,
        None => prepare()?,
    };
    let mut answer = network.forward(&query, &prepared)?;
    for _ in 1..queries {
        answer = network.forward(&query, &prepared)?;
    }
    let took = start.elapsed().as_secs_f64();
    Ok((took, answer.flatten_all()?.to_vec1()?))
}

/// Largest resident memory so far, in KiB; 0 where the system does not say.
fn peak() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    Ok(number.unwrap_or(0))
}

/// Time spent in spans, by name.
#[derive(Clone, Default)]
struct Stages(Arc<Mutex<BTreeMap<&'static str, Duration>>>);

struct Entered(Instant);

impl Stages {
    /// `name=seconds` of all since the last time, with semicolons between.
    fn take(&self) -> String {
        let Ok(mut spent) = self.0.lock() else {
            return String::new();
        };
        let stages = std::mem::take(&mut *spent);
        let stages = stages
            .iter()
            .map(|(name, spent)| format!("{name}={:.4}", spent.as_secs_f64()));
        stages.collect::<Vec<_>>().join(";")
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Stages {
    fn on_enter(&self, id: &span::Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            span.extensions_mut().replace(Entered(Instant::now()));
        }
    }

    fn on_exit(&self, id: &span::Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let entered = span.extensions_mut().remove::<Entered>();
        if let (Some(Entered(start)), Ok(mut spent)) = (entered, self.0.lock()) {
            *spent.entry(span.name()).or_default() += start.elapsed();
        }
    }
}
