//! A camera of other people's: a white ball on black, in dora-hub's dialect, a frame a tick, `COUNT` of them.

use std::sync::Arc;

use arrow::array::UInt8Array;
use dora_node_api::{DoraArray, DoraNode, Event, Parameter};
use eyre::{Result, WrapErr, eyre};

const WIDTH: i64 = 64;
const HEIGHT: i64 = 48;

fn main() -> Result<()> {
    let count: u32 = std::env::var("COUNT")
        .wrap_err("COUNT")?
        .parse()
        .wrap_err("COUNT")?;
    let (mut node, mut events) = DoraNode::init_from_env()?;
    let mut number = 0;
    while number < count {
        match events.recv() {
            Some(Event::Input { .. }) => {}
            Some(Event::Stop(_)) | None => break,
            Some(_) => continue,
        }
        let parameters = [
            ("encoding", Parameter::String("bgr8".into())),
            ("width", Parameter::Integer(WIDTH)),
            ("height", Parameter::Integer(HEIGHT)),
        ];
        let parameters = parameters.map(|(key, value)| (key.to_owned(), value));
        let pixels = Arc::new(UInt8Array::from(ball(number.into())));
        node.send_output(
            "image".to_owned().into(),
            parameters.into(),
            DoraArray::from(pixels as arrow::array::ArrayRef),
        )
        .map_err(|error| eyre!("{error:?}"))?;
        number += 1;
    }
    Ok(())
}

/// A ball of radius 8 that wanders over a picture.
fn ball(number: i64) -> Vec<u8> {
    let (x, y) = (8 + number % (WIDTH - 16), 8 + number / 3 % (HEIGHT - 16));
    let pixels = (0..HEIGHT).flat_map(|row| (0..WIDTH).map(move |column| (column, row)));
    pixels
        .flat_map(|(column, row)| {
            let inside = (column - x).pow(2) + (row - y).pow(2) <= 64;
            [if inside { 255 } else { 0 }; 3]
        })
        .collect()
}
