//! Times answers on a GPU and holds one against the CPU's in f32; prints JSON.
//!
//! `gpu CHECKPOINT [DEVICE [DTYPE [PEAK]]]`, where PEAK is the device's TFLOP/s in that number type, 989 (bf16 on an H100 or
//! H200, dense) unless told. `gpu random OUT.safetensors` writes the published architecture with random weights.
#![allow(clippy::print_stdout)] // the result

use std::{env, error::Error, path::Path, time::Instant};

use seggpt::{
    Config, DType, DTypeChoice, Device, Ensemble, Network, SegType, Tensor, Trainable, device,
    start,
};
use serde_json::{Value, json};

/// Prompts, and queries that are answered one after the other.
const RUNS: [(usize, usize); 4] = [(1, 1), (1, 8), (8, 1), (8, 8)];
const WARM_UP: usize = 3;
const ROUNDS: usize = 11;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let ["random", out] = words[..] {
        return write_random(Path::new(out));
    }
    let Some(checkpoint) = words.first().map(Path::new) else {
        return Err("give a checkpoint, or `random` and a file to write".into());
    };
    let device = device(words.get(1).unwrap_or(&"cuda"))?;
    let dtype = words.get(2).unwrap_or(&"auto").parse()?;
    let peak: f64 = words.get(3).unwrap_or(&"989").parse()?;
    let network = Network::load(checkpoint, &device, dtype)?;
    let runs: Result<Vec<_>, _> = RUNS
        .iter()
        .map(|&(prompts, queries)| timed(&network, prompts, queries, peak))
        .collect();
    let result = json!({
        "checkpoint": checkpoint,
        "device": format!("{device:?}"),
        "dtype": network.dtype().to_string(),
        "peak_tflops": peak,
        "runs": runs?,
        "against_f32_on_cpu": compared(&network, checkpoint)?,
    });
    println!("{result:#}");
    Ok(())
}

fn write_random(out: &Path) -> Result<(), Box<dyn Error>> {
    let config = Config::vit_large();
    let weights = start::random(&config, 1)?;
    let network = Trainable::new(config, weights, &Device::Cpu, DType::F32)?;
    Ok(network.save(out, DTypeChoice::F16)?)
}

fn pictures(network: &Network, count: usize, device: &Device) -> Result<Tensor, seggpt::Error> {
    let side = network.config().image_size;
    let pictures = Tensor::randn(0f32, 1.0, (count, 3, side, side), &Device::Cpu)?;
    Ok(pictures.to_device(device)?)
}

/// Median milliseconds to prepare the prompts and to answer all queries.
fn timed(
    network: &Network,
    prompts: usize,
    queries: usize,
    peak: f64,
) -> Result<Value, seggpt::Error> {
    let device = network.device();
    let [images, masks] = [
        pictures(network, prompts, device)?,
        pictures(network, prompts, device)?,
    ];
    let query = pictures(network, queries, device)?;
    let (mut preparing, mut answering) = (Vec::new(), Vec::new());
    for round in 0..WARM_UP + ROUNDS {
        device.synchronize()?;
        let start = Instant::now();
        let prepared = network.prepare(&images, &masks, SegType::Instance, Ensemble::Feature)?;
        device.synchronize()?;
        let ready = Instant::now();
        network.forward(&query, &prepared)?;
        device.synchronize()?;
        if round >= WARM_UP {
            preparing.push((ready - start).as_secs_f64());
            answering.push(ready.elapsed().as_secs_f64());
        }
    }
    let (preparing, answering) = (median(preparing), median(answering));
    let rate = work(network.config(), prompts as f64) * queries as f64 / answering / 1e12;
    Ok(json!({
        "prompts": prompts,
        "queries": queries,
        "prepare_ms": preparing * 1e3,
        "answer_ms": answering * 1e3,
        "answer_ms_a_query": answering * 1e3 / queries as f64,
        "tflops": rate,
        "percent_of_peak": 100.0 * rate / peak,
    }))
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// Operations, two per multiplication, that an answer takes once its prompts are prepared: those of matrix products.
fn work(config: &Config, n: f64) -> f64 {
    let [c, hidden, p, d, grid] = [
        config.width,
        config.mlp_width,
        config.patch_size,
        config.decoder_width,
        config.grid(),
    ]
    .map(|size| size as f64);
    let half = grid * grid;
    let tokens = (n + 1.0) * half;
    let qkv = 6.0 * c * c * tokens;
    let after = |rows: f64| (2.0 * c * c + 4.0 * c * hidden) * rows;
    // Each score and its share of the values is `4 c` operations over all heads.
    let of_query = 4.0 * c * half * tokens;
    let of_prompts = |rows: f64| 4.0 * c * rows * 2.0 * half;
    let block = qkv + after(tokens) + of_query + of_prompts(n * half);
    let last = qkv + after(grid + half) + of_query + of_prompts(grid);
    let kept = config.kept_blocks.len() as f64 * c;
    let embed = 2.0 * kept * (half * p * p * d + grid * p * d);
    let pixels = half * p * p * (18.0 * d * d + 6.0 * d);
    let patches = 6.0 * p * p * c * half;
    patches + config.last_block() as f64 * block + last + embed + pixels
}

/// How far an answer from two prompts is from that of the CPU in f32.
fn compared(network: &Network, checkpoint: &Path) -> Result<Value, seggpt::Error> {
    let plain = Network::load(checkpoint, &Device::Cpu, DTypeChoice::F32)?;
    let of = |count| pictures(network, count, &Device::Cpu);
    let (query, images, masks) = (of(1)?, of(2)?, of(2)?);
    let answer = |network: &Network| {
        let prompts = network.prepare(&images, &masks, SegType::Instance, Ensemble::Feature)?;
        let answer = network.forward(&query, &prompts)?.to_device(&Device::Cpu)?;
        Ok::<_, seggpt::Error>(answer.flatten_all()?)
    };
    let (found, expected) = (answer(network)?, answer(&plain)?);
    let worst = (found - &expected)?.abs()?.max_all()?.to_scalar::<f32>()?;
    let deviation = expected.var(0)?.sqrt()?.to_scalar::<f32>()?;
    Ok(json!({ "largest_difference": worst, "deviation_of_answer": deviation }))
}
