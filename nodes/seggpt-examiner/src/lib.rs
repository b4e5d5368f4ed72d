//! Source and sink in one: asks questions whose answers are known, and marks the answers.
//!
//! * [`Settings`]: which sets, which questions, where results go;
//! * `reader`: prepares one question ahead, so that decoding and inference overlap;
//! * `examination`: the event loop.
//!
//! Which questions a set asks and what answers are worth, `seggpt-exam` knows.

mod content;
mod examination;
mod reader;
mod settings;

pub use settings::Settings;

use std::sync::Arc;

use clap::CommandFactory;
use dora_node_api::{DoraNode, EventStream};
use eyre::{Result, WrapErr};
use seggpt_contract::{Mask, Payload, Prompted};
use seggpt_exam::{Asker, Exam, Row, remembered, report};
use seggpt_node::{Careful, Io, Manual, Port, outcome};

use crate::{examination::Examination, reader::Reader};

/// Ports and parameters, for manifest, README and reference.
pub fn manual() -> Manual {
    Manual {
        name: "seggpt-examiner",
        category: "recorder",
        inputs: &[Port {
            name: "mask",
            urn: Mask::URN,
            required: true,
            description: "The answers.",
        }],
        outputs: &[Port {
            name: "prompted",
            urn: Prompted::URN,
            required: false,
            description: "The questions: pictures and their examples, at most WINDOW unanswered at a time.",
        }],
        command: Settings::command(),
        content: Some(content::of),
        check: None,
        owns: None,
    }
}

/// Asks until everything is answered or the user stops the dataflow, then adds up what has been answered.
///
/// # Errors
/// Sets that cannot be read; OUT that cannot be written; answers that end early; the engine is gone.
pub fn run(node: DoraNode, events: EventStream, settings: Settings) -> Result<()> {
    let protocol = settings.questions();
    let mut exam = Exam::open(&settings.sources()?, &protocol, settings.k as usize)
        .wrap_err("the questions cannot be listed")?;
    if let Some(policy) = remembered(&settings.select) {
        exam.remember(policy)?;
    }
    let exam = Arc::new(exam);
    let out = std::path::absolute(&settings.out)
        .wrap_err_with(|| format!("OUT `{}`", settings.out.display()))?;
    if node.is_restart() {
        tracing::warn!("this node was started again, and goes on from the journal");
    }
    let run = node.dataflow_id().to_string();
    let row = Row::open(&out, &settings.row, &settings.run_key, &run)?;
    let open = row.open_questions(&exam)?;
    if open.len() < exam.questions.len() {
        tracing::info!(
            "{} of {} questions are answered already",
            exam.questions.len() - open.len(),
            exam.questions.len()
        );
    }
    let asker = Asker::new(
        Arc::clone(&exam),
        settings.canvas_size,
        &settings.select,
        settings.r#type,
        row.kept().clone(),
    )?;
    let io = Io::new(node, events);
    let careful = Arc::new(Careful::new(io.id(), io.crumbs()));
    let reader = Reader::start(Arc::clone(&exam), asker, Arc::clone(&careful))?;
    let mut examination = Examination::new(io, &exam, row, reader, &open, &careful, &settings);
    let outcome = examination.hold();
    careful.close();
    // What was answered counts, however it ended.
    let (row, failed) = examination.end();
    row.finish(&exam, &settings.select, failed)?;
    outcome::say_report(&report::write(&out, &protocol)?);
    outcome
}
