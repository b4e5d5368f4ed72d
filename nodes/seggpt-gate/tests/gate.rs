//! The node's loop against dora's testing mode: which frames go, and what becomes of messages that are none.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::Arc;

use arrow::array::{ArrayRef, NullArray, UInt8Array};
use clap::Parser;
use seggpt_contract::{Ack, Identity, Message, Parameter, Parameters, Status};
use seggpt_gate::{Settings, run};
use seggpt_node::testing::{Sent, run_with};

type Input = (&'static str, (Parameters, ArrayRef));

/// A picture as dora-hub's cameras send it, of this shade.
fn frame(shade: u8) -> Input {
    let metadata = [
        ("encoding", Parameter::String("bgr8".into())),
        ("width", Parameter::Integer(2)),
        ("height", Parameter::Integer(1)),
    ];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value));
    let pixels: ArrayRef = Arc::new(UInt8Array::from(vec![shade; 6]));
    ("image", (metadata.into(), pixels))
}

fn ack(item: &str) -> Input {
    let message = Message::Item(Identity::new(item, 0, (1, 1)), Ack(Status::Done));
    ("ack", message.encode().unwrap())
}

fn images(inputs: Vec<Input>, words: &[&str]) -> Vec<Sent> {
    let words = ["seggpt-gate"].iter().chain(words);
    let settings = Settings::parse_from(words);
    let sent = run_with(inputs, |node, events| run(node, events, settings)).unwrap();
    let images = sent.into_iter().filter(|sent| sent.output == "image");
    images.collect()
}

fn shades(sent: &[Sent]) -> Vec<u64> {
    let first = |sent: &Sent| sent.rows.first()?.as_u64();
    sent.iter().filter_map(first).collect()
}

#[test]
fn without_answers_no_more_frames_go_than_there_are_credits() {
    let frames = (1..=9).map(frame).collect();
    let sent = images(frames, &["--window", "2"]);
    assert_eq!(shades(&sent), [1, 2]);
}

#[test]
fn an_answer_to_a_stranger_is_no_credit() {
    let inputs = vec![frame(1), ack("someone/000000"), frame(2), frame(3)];
    assert_eq!(shades(&images(inputs, &["--window", "1"])), [1]);
}

#[test]
fn what_is_no_picture_is_passed_over() {
    let timer: ArrayRef = Arc::new(NullArray::new(1));
    let (_, (mut short, _)) = frame(0);
    let pixels: ArrayRef = Arc::new(UInt8Array::from(vec![1; 5]));
    let (_, (mut unknown, whole)) = frame(0);
    unknown.insert("encoding".into(), Parameter::String("h265".into()));
    let (_, (mut sizeless, _)) = frame(0);
    sizeless.remove("width");
    short.insert("note".into(), Parameter::String("five bytes".into()));
    let inputs = vec![
        ("image", (Parameters::new(), timer)),
        ("image", (short, pixels)),
        ("image", (unknown, Arc::clone(&whole))),
        ("image", (sizeless, whole)),
        frame(7),
    ];
    assert_eq!(shades(&images(inputs, &[])), [7]);
}
