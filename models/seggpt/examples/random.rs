//! Writes a checkpoint of random weights, to time networks of which no trained weights are at hand:
//! `cargo run -p seggpt --example random -- large|small OUT.safetensors`.

use std::{env, error::Error, path::Path};

use seggpt::{Config, DType, DTypeChoice, Device, Trainable, start};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [size, out] = &words[..] else {
        return Err("give large or small, and the file to write".into());
    };
    let config = match size.as_str() {
        "large" => Config::vit_large(),
        "small" => Config::small(),
        other => return Err(format!("there is no size {other}").into()),
    };
    let weights = start::random(&config, 1)?;
    let network = Trainable::new(config, weights, &Device::Cpu, DType::F32)?;
    network.save(Path::new(out), DTypeChoice::F32)?;
    Ok(())
}
