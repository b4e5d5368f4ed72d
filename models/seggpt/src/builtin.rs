//! Models that programs carry inside, for where no folder of models is found.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// A model inside the program.
#[derive(Debug)]
pub struct Bundled {
    /// What it is called among the bundled models.
    pub name: &'static str,
    /// The bytes of its file.
    pub weights: &'static [u8],
    /// The text of its card.
    pub card: &'static str,
}

static INSIDE: OnceLock<&[Bundled]> = OnceLock::new();

/// What the path of a model inside begins with. Such a name may stand in dataflows as well: `MODEL: builtin:small`.
const PLACE: &str = "builtin:";

/// Says which models this program has inside; the first is its default. Only the first call counts.
pub fn bundle(models: &'static [Bundled]) {
    INSIDE.get_or_init(|| models);
}

/// Where [`find_model`](crate::find_model) says that a model inside is: no place on disk, but understood wherever a model's
/// path is. `default`, or nothing, stands for the first one.
pub(crate) fn place(name: &str) -> Option<PathBuf> {
    let name = name.strip_prefix(PLACE).unwrap_or(name);
    let mut all = inside().iter();
    let model = match name {
        "" | "default" => all.next(),
        name => all.find(|model| model.name == name),
    };
    model.map(|model| format!("{PLACE}{}", model.name).into())
}

/// The paths of all models inside.
pub(crate) fn places() -> Vec<PathBuf> {
    let names = inside().iter().map(|model| model.name);
    names.filter_map(place).collect()
}

/// The name of the model inside the program, where a path that [`find_model`](crate::find_model) returned stands for that:
/// such a path is no place on disk, and not to be made absolute or looked into.
pub fn builtin_name(path: &Path) -> Option<&'static str> {
    model(path).map(|model| model.name)
}

/// The bytes of its file.
pub(crate) fn weights(path: &Path) -> Option<&'static [u8]> {
    model(path).map(|model| model.weights)
}

/// The text of its card.
pub(crate) fn card(path: &Path) -> Option<&'static str> {
    model(path).map(|model| model.card)
}

fn inside() -> &'static [Bundled] {
    INSIDE.get().copied().unwrap_or_default()
}

fn model(path: &Path) -> Option<&'static Bundled> {
    let name = path.to_str()?.strip_prefix(PLACE)?;
    inside().iter().find(|model| model.name == name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Card, Device, Ensemble, Network, SegType, inspect, pixels};

    const NAME: &str = "small";

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(NAME)
    }

    fn bundled() -> PathBuf {
        bundle(&[Bundled {
            name: NAME,
            weights: include_bytes!("../../small/model.safetensors"),
            card: include_str!("../../small/MODEL_CARD.md"),
        }]);
        place(NAME).unwrap()
    }

    #[test]
    fn a_model_inside_has_the_bytes_and_the_card_of_its_file() {
        let [inside, outside] = [bundled(), folder()].map(|path| inspect(&path).unwrap());
        assert_eq!(inside.sha256, outside.sha256);
        assert_eq!(Card::beside(&inside.path), Card::beside(&outside.path));
        assert!(Card::beside(&inside.path).refine.is_some());
    }

    #[test]
    fn it_is_found_by_its_name_and_as_the_default() {
        let place_of = |name| place(name).map(|path| path.display().to_string());
        bundled();
        for name in ["small", "builtin:small", "default", ""] {
            assert_eq!(place_of(name).as_deref(), Some("builtin:small"), "{name}");
        }
        assert_eq!(place_of("large"), None);
        assert_eq!(builtin_name(Path::new("small")), None, "a path of a file");
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
        assert_eq!(answer(&bundled()), answer(&folder()));
    }
}
