//! A page of samples: `cargo run -p seggpt-samples --example preview -- OUT.html|OUT.png [COUNT] [SIZE] [DATA_ROOT] [SOURCE]`
#![allow(clippy::print_stdout, missing_docs)]

use seggpt_samples::{Mix, Sample, Settings, Source as _, Weights, preview};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, default: u32| {
        arguments
            .get(index)
            .and_then(|a| a.parse().ok())
            .unwrap_or(default)
    };
    let out = arguments
        .first()
        .cloned()
        .unwrap_or_else(|| "samples.html".to_owned());
    let (count, size) = (u64::from(number(1, 60)), number(2, 96));
    let mut settings = match arguments.get(3).filter(|root| *root != "-") {
        Some(root) => Settings::with_data(size, root),
        None => Settings::synthetic(size),
    };
    if let Some(only) = arguments.get(4) {
        let off = Weights {
            synthetic: 0.0,
            cutouts: 0.0,
            materials: 0.0,
            labelled: 0.0,
            segments: 0.0,
        };
        settings.weights = match only.as_str() {
            "synthetic" => Weights {
                synthetic: 1.0,
                ..off
            },
            "cutouts" => Weights {
                cutouts: 1.0,
                ..off
            },
            "materials" => Weights {
                materials: 1.0,
                ..off
            },
            "labelled" => Weights {
                labelled: 1.0,
                ..off
            },
            "segments" => Weights {
                segments: 1.0,
                ..off
            },
            other => {
                return Err(format!(
                    "{other}: not synthetic, cutouts, materials, labelled or segments"
                )
                .into());
            }
        };
    }
    let mut mix = Mix::new(&settings)?;
    if out.ends_with(".html") {
        std::fs::write(&out, preview::page(&mut mix, 0..count))?;
    } else {
        let samples: Vec<Sample> = (0..count).map(|seed| mix.sample(seed)).collect();
        preview::sheet(&samples, 3).save(&out)?;
        for (seed, sample) in samples.iter().enumerate() {
            println!("{seed:3} {}", sample.origin);
        }
    }
    Ok(())
}
