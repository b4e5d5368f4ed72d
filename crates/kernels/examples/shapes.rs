//! How fast this CPU runs the kernels at the sizes of SegGPT's ViT-L: GFLOP/s (int8: GOP/s) for each shape and
//! precision, one block, and an estimate of the whole forward pass from these.
//!
//! `cargo run --release -p seggpt-kernels --example shapes [-- THREADS]`; without a number, on one thread and on all.
//! Times are CPU time of the thread where there is one, wall clock else: the median of three.
#![allow(clippy::print_stdout)] // a report for people

use std::time::{Duration, Instant};

use seggpt_kernels::{
    Attention, AttentionShape, Epilogue, Isa, KernelError, LayerNorm, PackedLinear, Painter,
    PainterWeights, PatchGrid, Precision, Queries, Sharing, Weight,
};

const PRECISIONS: [Precision; 3] = [Precision::F32, Precision::Bf16, Precision::Int8];
/// An eighth of the decoder's embedding, so that the report takes seconds.
const EMBED_OUTPUTS: usize = 2048;
/// Canvas of 896 x 448 in patches of 16.
const TOKENS: usize = 1568;
const SHAPE: AttentionShape = AttentionShape {
    heads: 16,
    width: 64,
    rows: 28,
    columns: 28,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let threads = match std::env::args().nth(1) {
        Some(threads) => vec![threads.parse()?],
        None => vec![1, std::thread::available_parallelism()?.get()],
    };
    println!("instruction set: {:?}", Isa::detect());
    for threads in threads {
        println!("\n{threads} threads");
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()?
            .install(|| report(threads))?;
    }
    Ok(())
}

fn report(threads: usize) -> Result<(), KernelError> {
    let clock = Clock { cpu: threads == 1 };
    println!("{:24}{:>10}{:>10}{:>10}", "", "F32", "Bf16", "Int8");
    let mut shapes = Vec::new();
    for (inputs, outputs, epilogue) in [
        (1024, 3072, "store"),
        (1024, 1024, "add"),
        (1024, 4096, "gelu"),
        (4096, 1024, "add"),
    ] {
        let seconds = linear(&clock, [TOKENS, inputs, outputs], epilogue)?;
        let giga = 2e-9 * (TOKENS * inputs * outputs) as f64;
        row(
            &format!("{inputs} -> {outputs} {epilogue}"),
            seconds.map(|s| giga / s),
        );
        shapes.push(seconds);
    }
    let embed = linear(&clock, [784, 4096, EMBED_OUTPUTS], "store")?;
    let giga = 2e-9 * (784 * 4096 * EMBED_OUTPUTS) as f64;
    row("4096 -> 16384, an eighth", embed.map(|s| giga / s));

    let attention = attention(&clock, Queries::All)?;
    let giga = 4e-9 * (TOKENS * TOKENS * 1024) as f64;
    row("attention", attention.map(|s| giga / s));
    row("attention, ms", attention.map(|s| 1e3 * s));
    let half = self::attention(&clock, Queries::From(756))?;
    row("  lower half only, ms", half.map(|s| 1e3 * s));
    let norm = norm(&clock)?;
    row("layer norm, ms", [1e3 * norm; 3]);
    let paint = paint(&clock)?;
    row("convolutions, half, ms", [1e3 * paint; 3]);

    let block: [f64; 3] = std::array::from_fn(|i| {
        shapes.iter().map(|seconds| seconds[i]).sum::<f64>() + attention[i] + 2.0 * norm
    });
    row("one block, ms", block.map(|s| 1e3 * s));
    // The prompt's target stream is known: 3 of its blocks, and half of the last block, are left out.
    let forward = |blocks: f64| -> [f64; 3] {
        std::array::from_fn(|i| blocks * block[i] + 8.0 * embed[i] + paint)
    };
    row("forward, 26.5 blocks, s", forward(26.5));
    row("  targets known, 23.5, s", forward(23.5));
    Ok(())
}

fn row(name: &str, values: [f64; 3]) {
    let [f32, bf16, int8] = values.map(|x| {
        if x < 50.0 {
            format!("{x:.2}")
        } else {
            format!("{x:.0}")
        }
    });
    println!("{name:24}{f32:>10}{bf16:>10}{int8:>10}");
}

struct Clock {
    cpu: bool,
}

impl Clock {
    fn now(&self) -> Duration {
        let spent = || -> Option<u64> {
            let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
            stat.split(' ').next()?.parse().ok()
        };
        match spent().filter(|_| self.cpu) {
            Some(nanoseconds) => Duration::from_nanos(nanoseconds),
            None => START.with(Instant::elapsed),
        }
    }

    /// Seconds, the median of three, each of enough rounds for the clock's ticks.
    fn time(&self, mut work: impl FnMut() -> Result<(), KernelError>) -> Result<f64, KernelError> {
        let start = Instant::now();
        work()?;
        let rounds = (0.1 / start.elapsed().as_secs_f64()).ceil().clamp(1.0, 1e3);
        let mut times = [0.0; 3];
        for time in &mut times {
            let start = self.now();
            for _ in 0..rounds as usize {
                work()?;
            }
            *time = (self.now() - start).as_secs_f64() / rounds;
        }
        times.sort_by(f64::total_cmp);
        Ok(times[1])
    }
}

thread_local! {
    static START: Instant = Instant::now();
}

/// Numbers in -0.5..0.5.
fn numbers(count: usize) -> Vec<f32> {
    (0..count)
        .map(|i| (i * 7919 % 1009) as f32 / 1009.0 - 0.5)
        .collect()
}

fn linear(
    clock: &Clock,
    [rows, inputs, outputs]: [usize; 3],
    epilogue: &str,
) -> Result<[f64; 3], KernelError> {
    let (x, weight, bias) = (
        numbers(rows * inputs),
        numbers(outputs * inputs),
        numbers(outputs),
    );
    let mut y = vec![0.0; rows * outputs];
    let epilogue = match epilogue {
        "gelu" => Epilogue::Gelu,
        "add" => Epilogue::Add,
        _ => Epilogue::Store,
    };
    let mut seconds = [0.0; 3];
    for (seconds, precision) in seconds.iter_mut().zip(PRECISIONS) {
        let weight = Weight::Floats(&weight);
        let layer = PackedLinear::pack(
            Isa::detect(),
            precision,
            weight,
            Some(&bias),
            [outputs, inputs],
        )?;
        *seconds = clock.time(|| layer.forward(&x, &mut y, epilogue))?;
    }
    Ok(seconds)
}

fn attention(clock: &Clock, queries: Queries) -> Result<[f64; 3], KernelError> {
    let qkv = numbers(TOKENS * 3 * SHAPE.channels());
    let rows = match queries {
        Queries::All => TOKENS,
        Queries::From(first) => TOKENS - first,
    };
    let mut out = vec![0.0; rows * SHAPE.channels()];
    let (row_table, column_table) = (numbers(111 * 64), numbers(55 * 64));
    let mut seconds = [0.0; 3];
    for (seconds, precision) in seconds.iter_mut().zip(PRECISIONS) {
        let layer = Attention::new(
            Isa::detect(),
            precision,
            SHAPE,
            Some([&row_table, &column_table]),
        )?;
        *seconds = clock.time(|| layer.forward(&qkv, &mut out, queries, Sharing::Average))?;
    }
    Ok(seconds)
}

fn norm(clock: &Clock) -> Result<f64, KernelError> {
    let x = numbers(TOKENS * 1024);
    let mut y = vec![0.0; x.len()];
    let norm = LayerNorm::new(Isa::detect(), &[1.0; 1024], &[0.0; 1024], 1e-6)?;
    clock.time(|| norm.forward(&x, &mut y))
}

fn paint(clock: &Clock) -> Result<f64, KernelError> {
    let grid = PatchGrid {
        rows: 28,
        columns: 28,
        patch: 16,
    };
    let (embedded, above) = (numbers(448 * 448 * 64), numbers(448 * 64));
    let weights = PainterWeights {
        convolution: &numbers(9 * 64 * 64),
        convolution_bias: &[0.1; 64],
        norm: &[1.0; 64],
        norm_bias: &[0.0; 64],
        epsilon: 1e-6,
        head: &numbers(3 * 64),
        head_bias: &[0.0; 3],
    };
    let painter = Painter::pack(Isa::detect(), weights)?;
    let mut out = vec![0.0; 3 * 448 * 448];
    clock.time(|| painter.forward(Some(&above), &embedded, grid, &mut out))
}
