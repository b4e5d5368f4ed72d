//! Source and sink in one: sends the queries of a benchmark through the dataflow and scores the predictions.
//!
//! * [`Settings`]: which sets, which queries, where results go;
//! * `prefetch`: prepares one query ahead, so that decoding and inference overlap;
//! * `evaluation`: the event loop.
//!
//! Which queries a set gives and what predictions are worth, `seggpt-benchmark` knows.

mod content;
mod evaluation;
mod prefetch;
mod settings;

pub use settings::Settings;

use std::sync::Arc;

use clap::CommandFactory;
use dora_node_api::{DoraNode, EventStream};
use eyre::{Result, WrapErr};
use seggpt_benchmark::{Benchmark, QueryBuilder, Row, remembered, report};
use seggpt_contract::{Mask, Payload, Prompted};
use seggpt_node::{CrashGuard, Io, NodeSpec, Port, outcome};

use crate::{evaluation::Evaluation, prefetch::Prefetcher};

/// Ports and parameters, for manifest, README and reference.
pub fn node_spec() -> NodeSpec {
    NodeSpec {
        name: "seggpt-evaluator",
        category: "recorder",
        inputs: &[Port {
            name: "mask",
            urn: Mask::URN,
            required: true,
            description: "The predictions.",
        }],
        outputs: &[Port {
            name: "prompted",
            urn: Prompted::URN,
            required: false,
            description: "The queries: pictures and their examples, at most WINDOW without a prediction at a time.",
        }],
        command: Settings::command(),
        content: Some(content::of),
        check: None,
        owns: None,
    }
}

/// Runs until every query has a prediction or the user stops the dataflow, then adds the scores up.
///
/// # Errors
/// Sets that cannot be read; OUT that cannot be written; predictions that end early; the engine is gone.
pub fn run(node: DoraNode, events: EventStream, settings: Settings) -> Result<()> {
    let protocol = settings.queries();
    let mut benchmark = Benchmark::open(&settings.sources()?, &protocol, settings.k as usize)
        .wrap_err("the queries cannot be listed")?;
    if let Some(policy) = remembered(&settings.select) {
        benchmark.enable_memory(policy)?;
    }
    let benchmark = Arc::new(benchmark);
    let out = std::path::absolute(&settings.out)
        .wrap_err_with(|| format!("OUT `{}`", settings.out.display()))?;
    if node.is_restart() {
        tracing::warn!("this node was started again, and goes on from the journal");
    }
    let run = node.dataflow_id().to_string();
    let row = Row::open(&out, &settings.row, &settings.run_key, &run)?;
    let open = row.open_queries(&benchmark)?;
    if open.len() < benchmark.queries.len() {
        tracing::info!(
            "{} of {} queries have a prediction already",
            benchmark.queries.len() - open.len(),
            benchmark.queries.len()
        );
    }
    let builder = QueryBuilder::new(
        Arc::clone(&benchmark),
        settings.canvas_size,
        &settings.select,
        settings.r#type,
        row.stored().clone(),
    )?;
    let io = Io::new(node, events);
    let guard = Arc::new(CrashGuard::new(io.id(), io.crash_log()));
    let prefetcher = Prefetcher::start(Arc::clone(&benchmark), builder, Arc::clone(&guard))?;
    let mut evaluation = Evaluation::new(io, &benchmark, row, prefetcher, &open, &guard, &settings);
    let outcome = evaluation.run();
    guard.close();
    // Every prediction counts, however it ended.
    let (row, failed) = evaluation.end();
    row.finish(&benchmark, &settings.select, failed)?;
    outcome::report_page(&report::write(&out, &protocol)?);
    outcome
}
