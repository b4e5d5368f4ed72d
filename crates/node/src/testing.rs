//! Runs a node's loop without a dataflow, in dora's testing mode: for the tests of nodes.

use arrow::{
    array::{ArrayRef, RecordBatch},
    ipc::writer::FileWriter,
};
use dora_node_api::{
    DoraNode, EventStream,
    integration_testing::{
        TestingInput, TestingOptions, TestingOutput, drain_outputs,
        integration_testing_format::{
            IncomingEvent, InputData, IntegrationTestInput, TimedIncomingEvent,
        },
        output_channel,
    },
};
use eyre::Result;
use seggpt_contract::Parameters;
use serde_json::Value;

/// What a node sent. dora's testing mode keeps no metadata of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// The output it was sent to.
    pub output: String,
    /// The rows of the payload as JSON, bytes in hexadecimal; empty for a failed item.
    pub rows: Vec<Value>,
}

/// Feeds `inputs` (input's name; metadata and payload, as `Message::encode` makes them) to a node, closes the inputs, and
/// returns what the node sent.
///
/// # Errors
/// The node's own, or a temporary file cannot be written.
pub fn run_with<'a>(
    inputs: impl IntoIterator<Item = (&'a str, (Parameters, ArrayRef))>,
    node: impl FnOnce(DoraNode, EventStream) -> Result<()>,
) -> Result<Vec<Sent>> {
    let folder = tempfile::tempdir()?;
    let mut events = Vec::new();
    for (number, (id, (parameters, array))) in inputs.into_iter().enumerate() {
        // dora encodes what it reads: an Arrow file is the one form that keeps every type.
        let path = folder.path().join(format!("{number}.arrow"));
        let batch = RecordBatch::try_from_iter([("payload", array)])?;
        let mut file = FileWriter::try_new(std::fs::File::create(&path)?, &batch.schema())?;
        file.write(&batch)?;
        file.finish()?;
        let data = InputData::ArrowFile {
            path,
            batch_index: 0,
            column: Some("payload".into()),
        };
        events.push(IncomingEvent::Input {
            id: id.to_owned().into(),
            metadata: Some(parameters),
            data: Some(Box::new(data)),
        });
    }
    events.push(IncomingEvent::AllInputsClosed);
    let events = events
        .into_iter()
        .enumerate()
        .map(|(number, event)| TimedIncomingEvent {
            time_offset_secs: number as f64 * 1e-3,
            event,
        })
        .collect();

    let (sender, mut receiver) = output_channel();
    let (dora, stream) = DoraNode::init_testing(
        TestingInput::Input(IntegrationTestInput::new(
            "test-node"
                .parse()
                .map_err(|error| eyre::eyre!("{error}"))?,
            events,
        )),
        TestingOutput::ToChannel(sender),
        TestingOptions {
            skip_output_time_offsets: true,
        },
    )?;
    node(dora, stream)?;
    Ok(drain_outputs(&mut receiver)
        .into_iter()
        .map(|mut sent| Sent {
            output: sent["id"].as_str().unwrap_or_default().to_owned(),
            rows: match sent.remove("data") {
                Some(Value::Array(rows)) => rows,
                _ => Vec::new(),
            },
        })
        .collect())
}
