//! What pictures cost before a network sees them: `cost SIDE PICTURE...` prints the median milliseconds to read and decode
//! one, and to resize it to SIDE x SIDE.
#![allow(clippy::print_stdout, missing_docs)]

use std::time::{Duration, Instant};

use seggpt_imaging::{ImagingError, read, resize::bicubic};

fn main() -> Result<(), ImagingError> {
    let mut arguments = std::env::args().skip(1);
    let side = arguments.next().and_then(|side| side.parse().ok());
    let Some(side) = side else {
        println!("cost SIDE PICTURE...");
        return Ok(());
    };
    let (mut reading, mut resizing) = (Vec::new(), Vec::new());
    for path in arguments {
        let start = Instant::now();
        let picture = read::open(path)?;
        let decoded = Instant::now();
        std::hint::black_box(bicubic(&picture, side, side));
        reading.push(decoded - start);
        resizing.push(decoded.elapsed());
    }
    println!("{} {}", median(reading), median(resizing));
    Ok(())
}

fn median(mut spent: Vec<Duration>) -> f64 {
    spent.sort();
    spent
        .get(spent.len() / 2)
        .map_or(0.0, |median| median.as_secs_f64() * 1e3)
}
