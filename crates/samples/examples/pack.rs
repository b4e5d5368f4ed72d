//! Packs training files for another machine: `cargo run -p seggpt-samples --example pack -- ROOT OUT_FOLDER [LONGEST_SIDE] [WITHOUT...]`
#![allow(clippy::print_stdout, missing_docs)]

use std::path::Path;

use seggpt_samples::pack::{Packing, pack};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [root, out, rest @ ..] = &arguments[..] else {
        return Err("usage: pack ROOT OUT_FOLDER [LONGEST_SIDE] [WITHOUT...]".into());
    };
    let mut how = Packing::default();
    if let Some(side) = rest.first() {
        how.longest_side = side.parse()?;
        how.without = rest[1..].to_vec();
    }
    for path in pack(Path::new(root), Path::new(out), &how)? {
        println!(
            "{:5.1} MB {}",
            std::fs::metadata(&path)?.len() as f32 / 1e6,
            path.display()
        );
    }
    Ok(())
}
