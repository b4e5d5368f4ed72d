//! The model that programs carry inside, for where no folder of models is found.

use std::path::{Path, PathBuf};

/// What it is called among the bundled models.
pub(crate) const NAME: &str = "small";

/// What stands for its path. A name that dataflows may say as well: `MODEL: builtin:small`.
const PLACE: &str = "builtin:small";

static WEIGHTS: &[u8] = include_bytes!("../../small/model.safetensors");
const CARD: &str = include_str!("../../small/MODEL_CARD.md");

/// Where [`find_model`](crate::find_model) says that it is: no place on disk, but understood wherever a model's path is.
pub(crate) fn place() -> PathBuf {
    PLACE.into()
}

/// The name of the model inside the program, where a path that [`find_model`](crate::find_model) returned stands for that:
/// such a path is no place on disk, and not to be made absolute or looked into.
pub fn builtin_name(path: &Path) -> Option<&'static str> {
    (path.as_os_str() == PLACE).then_some(NAME)
}

/// The bytes of its file.
pub(crate) fn weights(path: &Path) -> Option<&'static [u8]> {
    builtin_name(path).map(|_| WEIGHTS)
}

/// The text of its card.
pub(crate) fn card(path: &Path) -> Option<&'static str> {
    builtin_name(path).map(|_| CARD)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;
    use crate::{Card, Device, Ensemble, Network, SegType, inspect, pixels};

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(NAME)
    }

    #[test]
    fn the_model_inside_is_the_one_that_the_repository_has_as_its_default() {
        let default = fs::read_to_string(folder().join("../default")).unwrap();
        assert_eq!(default.trim(), NAME);
        let [inside, outside] = [place(), folder()].map(|path| inspect(&path).unwrap());
        assert_eq!(inside.sha256, outside.sha256);
        assert_eq!(Card::beside(&inside.path), Card::beside(&outside.path));
        assert!(Card::beside(&inside.path).refine.is_some());
    }

    #[test]
    fn it_answers_as_its_file_does() {
        let answer = |path: &Path| {
            let network = Network::load(path, &Device::Cpu, crate::DTypeChoice::F32).unwrap();
            assert_eq!(network.info().name, NAME);
            let side = 64;
            let picture = |step: usize| {
                let bytes: Vec<_> = (0..side * side * 3).map(|at| (at * step) as u8).collect();
                pixels::normalise(&bytes, 1, side, side, &Device::Cpu).unwrap()
            };
            let prompts = network
                .prepare(
                    &picture(7),
                    &picture(3),
                    SegType::Semantic,
                    Ensemble::Feature,
                )
                .unwrap();
            pixels::painted(&network.forward(&picture(5), &prompts).unwrap()).unwrap()
        };
        assert_eq!(answer(&place()), answer(&folder()));
    }
}
