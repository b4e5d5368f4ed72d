//! `seggpt model`: inspect, convert, import-encoder, verify.

mod import;
mod written;

use std::path::{Path, PathBuf};

use seggpt::{Architecture, DTypeChoice, Device, Inspection, Reference, verify};
use seggpt_imaging::{RgbImage, read, resize};
use serde_json::json;

use seggpt_flow::{Diagnostic, Exit};

use crate::{
    args::ModelCommand,
    console::{self, grouped},
};
use written::{announce, diagnostic};

/// Runs one of the model commands.
///
/// # Errors
/// A file that is missing, unreadable or no model.
pub fn command(command: &ModelCommand) -> miette::Result<Exit> {
    let exit = match command {
        ModelCommand::Inspect {
            model,
            json,
            tensors,
        } => inspect(model, *json, *tensors),
        ModelCommand::Convert {
            input,
            output,
            dtype,
            force,
        } => convert(input, output, *dtype, *force),
        ModelCommand::ImportEncoder {
            input,
            output,
            blocks,
            size,
            dtype,
            force,
        } => {
            writable(output, *force)?;
            import::encoder(input, output, (blocks, *size), *dtype, *force)
        }
        ModelCommand::Verify { model, examples } => verify(model, examples),
    };
    Ok(exit?)
}

fn find(name: &str) -> Result<PathBuf, Diagnostic> {
    seggpt::find_model(name).map_err(diagnostic)
}

fn inspect(model: &str, as_json: bool, tensors: bool) -> Result<Exit, Diagnostic> {
    let found = seggpt::inspect(&find(model)?).map_err(diagnostic)?;
    let text = if as_json {
        machine(&found, tensors)
    } else {
        human(&found, tensors)
    };
    console::result(&text);
    Ok(Exit::Done)
}

fn human(found: &Inspection, tensors: bool) -> String {
    let mut lines = vec![
        format!("file          {}", found.path.display()),
        format!("kind          {}, {}", found.family, found.format),
        format!(
            "trained       {}",
            if seggpt::Card::beside(&found.path).trained {
                "yes, or not said otherwise"
            } else {
                "no: random weights"
            }
        ),
        format!("parameters    {}", grouped(found.parameters as u64)),
        format!("number type   {}", found.dtype),
        format!("size          {} bytes", grouped(found.bytes)),
        format!("sha256        {}", found.sha256),
        format!(
            "picture       {0} x {0} pixels in patches of {1}",
            found.architecture.image_size(),
            found.architecture.patch_size()
        ),
    ];
    lines.extend(parts(&found.architecture));
    if !found.unused.is_empty() {
        lines.push(format!("not used      {}", found.unused.join(", ")));
    }
    if tensors {
        lines.push(String::new());
        lines.extend(
            found.tensors.iter().map(|tensor| {
                format!("{:<44} {:<5} {:?}", tensor.name, tensor.dtype, tensor.shape)
            }),
        );
    }
    lines.join("\n")
}

/// What a network consists of.
fn parts(architecture: &Architecture) -> Vec<String> {
    match architecture {
        Architecture::SegGpt(config) => vec![
            format!(
                "blocks        {}, {} channels, {} heads, MLP of {}",
                config.depth, config.width, config.heads, config.mlp_width
            ),
            format!(
                "decoder       {} channels, from blocks {:?}",
                config.decoder_width, config.kept_blocks
            ),
        ],
        Architecture::Matching(config) => {
            let (encoder, head) = (&config.encoder, &config.head);
            vec![
                format!(
                    "encoder       {} blocks of {} channels, {} heads, MLP of {}; features from blocks {:?}",
                    encoder.depth,
                    encoder.width,
                    encoder.heads,
                    encoder.mlp_width,
                    encoder.kept_blocks
                ),
                format!(
                    "head          {} blocks of {} channels, {} heads; tokens are compared in {} channels",
                    head.depth, head.width, head.heads, head.match_width
                ),
            ]
        }
    }
}

fn machine(found: &Inspection, tensors: bool) -> String {
    let mut all = json!({
        "path": found.path,
        "family": found.family,
        "format": found.format.to_string(),
        "trained": seggpt::Card::beside(&found.path).trained,
        "parameters": found.parameters,
        "dtype": found.dtype,
        "bytes": found.bytes,
        "sha256": found.sha256,
        "config": config(&found.architecture),
        "unused": found.unused,
    });
    if tensors {
        let listed = found.tensors.iter().map(
            |tensor| json!({ "name": tensor.name, "dtype": tensor.dtype, "shape": tensor.shape }),
        );
        all["tensors"] = listed.collect();
    }
    format!("{all:#}")
}

fn config(architecture: &Architecture) -> serde_json::Value {
    match architecture {
        Architecture::SegGpt(config) => json!(config),
        Architecture::Matching(config) => json!(config),
    }
}

fn convert(
    input: &str,
    output: &Path,
    dtype: DTypeChoice,
    force: bool,
) -> Result<Exit, Diagnostic> {
    writable(output, force)?;
    let input = find(input)?;
    seggpt::convert(&input, output, dtype).map_err(diagnostic)?;
    announce(output)?;
    Ok(Exit::Done)
}

/// Whether a model may be written there.
fn writable(output: &Path, force: bool) -> Result<(), Diagnostic> {
    if output.is_dir() {
        return Err(Diagnostic::new(format!("{} is a folder", output.display()))
            .help("name the file to write, such as model.safetensors"));
    }
    let is_safetensors = output
        .extension()
        .is_some_and(|extension| extension == "safetensors");
    if !is_safetensors {
        return Err(
            Diagnostic::new(format!("{} does not end in .safetensors", output.display()))
                .help("that is the format that is written"),
        );
    }
    if output.exists() && !force {
        return Err(
            Diagnostic::new(format!("{} is there already", output.display()))
                .help("--force replaces it"),
        );
    }
    Ok(())
}

fn verify(model: &str, examples: &Path) -> Result<Exit, Diagnostic> {
    let network = Reference::load(&find(model)?, &Device::Cpu).map_err(diagnostic)?;
    let size = u32::try_from(network.config().image_size).unwrap_or(u32::MAX);
    let [prompt, mask, query] = verify::EXAMPLES.map(|name| example(examples, name));
    let squares = verify::Squares {
        prompt: resize::bicubic(&prompt?, size, size).into_raw(),
        mask: resize::nearest_rgb(&mask?, size, size).into_raw(),
        query: resize::bicubic(&query?, size, size).into_raw(),
    };
    let report = verify::verify(&network, &squares).map_err(diagnostic)?;
    let (verdict, exit) = if report.passed() {
        ("good", Exit::Done)
    } else {
        ("NOT the published network's answer", Exit::SomeFailed)
    };
    console::result(&format!(
        "{verdict}: {} values differ from the published ones by at most {:.1e} (passes up to {:.0e})",
        report.compared, report.max_difference, report.tolerance
    ));
    Ok(exit)
}

/// Reads one of the example pictures, whose copies come as .png or .jpg.
fn example(folder: &Path, name: &str) -> Result<RgbImage, Diagnostic> {
    let named = folder.join(name);
    let candidates = ["png", "jpg", "jpeg"].map(|extension| named.with_extension(extension));
    let Some(file) = candidates.iter().find(|file| file.is_file()) else {
        return Err(Diagnostic::new(format!("there is no {} in {}", named.with_extension("{png,jpg}").file_name().unwrap_or_default().display(), folder.display()))
            .help("--examples DIR: your copy of SegGPT/SegGPT_inference/examples from github.com/baaivision/Painter"));
    };
    read::open(file).map_err(|error| Diagnostic::new(error.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_missing_example_names_itself_and_the_fix() {
        let folder = tempfile::tempdir().unwrap();
        let error = format!(
            "{:?}",
            miette::Report::new(example(folder.path(), "hmbb_1.png").unwrap_err())
        );
        assert!(
            error.contains("hmbb_1") && error.contains("--examples"),
            "{error}"
        );
    }

    #[test]
    fn a_model_is_not_overwritten_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("out.safetensors");
        std::fs::write(&output, "").unwrap();
        let error = convert("default", &output, DTypeChoice::Auto, false).unwrap_err();
        assert!(error.to_string().contains("there already"));
        assert!(
            convert(
                "default",
                &folder.path().join("out.pth"),
                DTypeChoice::Auto,
                false
            )
            .is_err()
        );
    }
}
