//! Models by name.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{Error, builtin};

/// Environment variable that names a folder of models to look into first.
pub const MODELS_VARIABLE: &str = "SEGGPT_MODELS";

/// Finds a model: a path that exists, or the name of a bundled model, a folder `NAME/model.safetensors`.
///
/// Names are looked up in the folder of `$SEGGPT_MODELS`, then in `models` beside the program and up to three folders
/// above it, then in `share/dora-seggpt/models` of its installation. The name `default`, or an empty one, stands for the
/// model that the text file `default` in such a folder names, or for the first one in it. What no folder has is looked for
/// among the models inside the program ([`bundle`](crate::bundle)).
///
/// # Errors
/// [`Error::ModelNotFound`] lists where it looked and which names are there.
pub fn find_model(name_or_path: &str) -> Result<PathBuf, Error> {
    let path = Path::new(name_or_path);
    if !name_or_path.is_empty() && path.exists() {
        return Ok(path.to_owned());
    }
    find_in(name_or_path, &folders())
}

fn folders() -> Vec<PathBuf> {
    let beside = env::current_exe()
        .ok()
        .and_then(|exe| exe.parent().map(Path::to_owned));
    let above = [
        "models",
        "../models",
        "../../models",
        "../../../models",
        "../share/dora-seggpt/models",
    ];
    let named = env::var_os(MODELS_VARIABLE)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from);
    let installed = beside
        .iter()
        .flat_map(|folder| above.map(|relative| folder.join(relative)));
    named.into_iter().chain(installed).collect()
}

fn find_in(name: &str, folders: &[PathBuf]) -> Result<PathBuf, Error> {
    for folder in folders {
        let name = match name {
            "" | "default" => default_of(folder),
            name => Some(name.to_owned()),
        };
        let found = name
            .map(|name| folder.join(name))
            .filter(|model| model.join("model.safetensors").is_file());
        if let Some(model) = found {
            return Ok(fs::canonicalize(&model).unwrap_or(model));
        }
    }
    if let Some(place) = builtin::place(name) {
        return Ok(place);
    }
    let inside = builtin::places().into_iter();
    let inside = inside.map(|place| place.display().to_string());
    let known = folders.iter().flat_map(|folder| bundled(folder));
    let known = known.chain(inside).collect();
    let list = |items: Vec<String>| {
        if items.is_empty() {
            "none".to_owned()
        } else {
            items.join(", ")
        }
    };
    Err(Error::ModelNotFound {
        name: name.into(),
        looked: list(
            folders
                .iter()
                .map(|folder| folder.display().to_string())
                .collect(),
        ),
        known: list(known),
    })
}

fn default_of(folder: &Path) -> Option<String> {
    let named = fs::read_to_string(folder.join("default"))
        .ok()
        .map(|text| text.trim().to_owned());
    named
        .filter(|name| !name.is_empty())
        .or_else(|| bundled(folder).into_iter().next())
}

/// Names of the models in a folder, sorted.
fn bundled(folder: &Path) -> Vec<String> {
    let models = fs::read_dir(folder).into_iter().flatten().flatten();
    let models = models.filter(|entry| entry.path().join("model.safetensors").is_file());
    let mut names: Vec<_> = models
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn models(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("model.safetensors"), "").unwrap();
        }
        folder
    }

    #[test]
    fn a_model_is_found_by_name_and_the_default_by_its_file() {
        let folder = models(&["alpha", "beta"]);
        let here = [PathBuf::from("/nowhere"), folder.path().to_owned()];
        assert!(find_in("beta", &here).unwrap().ends_with("beta"));
        assert!(find_in("default", &here).unwrap().ends_with("alpha"));
        fs::write(folder.path().join("default"), "beta\n").unwrap();
        assert!(find_in("", &here).unwrap().ends_with("beta"));
    }

    #[test]
    fn an_unknown_name_is_answered_with_folders_and_names() {
        let folder = models(&["alpha"]);
        let error = find_in("gamma", &[folder.path().to_owned()])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("gamma") && error.contains("alpha"),
            "{error}"
        );
        assert!(
            error.contains(&folder.path().display().to_string()),
            "{error}"
        );
    }

    #[test]
    fn a_path_that_exists_is_taken_as_it_is() {
        let folder = models(&["alpha"]);
        let path = folder.path().join("alpha");
        assert_eq!(find_model(path.to_str().unwrap()).unwrap(), path);
    }
}
