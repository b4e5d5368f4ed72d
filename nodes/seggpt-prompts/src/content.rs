//! What lies behind the settings: the examples' files, by what is in them.

use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr, eyre};
use seggpt_files::hash::short_of_file;
use seggpt_node::Values;
use seggpt_prompt_library::files;

use crate::Pairs;

/// A hash of every file of the library, by its place in it, or of each pair.
pub(crate) fn of(values: &Values, dir: &Path) -> Result<Values> {
    let named: Vec<(String, PathBuf)> = match (values.get("PROMPTS"), values.get("PROMPT_PAIRS")) {
        (Some(library), _) => {
            let images = values.get("IMAGES").map(|images| dir.join(images));
            let library = dir.join(library);
            let files = files(&library, images.as_deref())?;
            let folder = match library.is_dir() {
                true => library,
                false => library.parent().unwrap_or(dir).to_owned(),
            };
            let name = |file: PathBuf| (place(&file, &folder), file);
            files.into_iter().map(name).collect()
        }
        (None, Some(pairs)) => {
            let Pairs(pairs) = pairs.parse().map_err(|error: String| eyre!(error))?;
            let numbered = (1..).zip(pairs);
            let files = numbered.flat_map(|(number, (image, mask))| {
                [("image", image), ("mask", mask)]
                    .map(|(kind, file)| (format!("example {number} {kind}"), dir.join(file)))
            });
            files.collect()
        }
        (None, None) => vec![],
    };
    let mut content = Values::new();
    for (name, path) in named {
        // A file that is not there is a prompt that cannot be used, of which the node warns.
        let hash = match path.is_file() {
            true => short_of_file(&path)
                .wrap_err_with(|| format!("{}: cannot be read", path.display()))?,
            false => "missing".into(),
        };
        content.insert(name, hash);
    }
    Ok(content)
}

/// A library that moves as a whole stays the same.
fn place(file: &Path, folder: &Path) -> String {
    let inside = file.strip_prefix(folder).unwrap_or(file);
    inside.display().to_string()
}
