//! What the commands that write models say.

use std::path::Path;

use seggpt_flow::Diagnostic;

use crate::console::{self, grouped};

/// What is wrong with a model.
pub(super) fn diagnostic(error: seggpt::Error) -> Diagnostic {
    Diagnostic::new(error.to_string())
}

/// Says what was written.
pub(super) fn announce(output: &Path) -> Result<(), Diagnostic> {
    let written = seggpt::inspect(output).map_err(diagnostic)?;
    console::result(&format!(
        "{}: {} parameters in {}, {} bytes, sha256 {}",
        output.display(),
        grouped(written.parameters as u64),
        written.dtype,
        grouped(written.bytes),
        written.sha256
    ));
    Ok(())
}
