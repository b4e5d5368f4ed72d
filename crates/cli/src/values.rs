//! What options can be: closed choices, and numbers with a unit or a range.

use std::time::Duration;

use clap::ValueEnum;

/// A closed choice whose values are spelled as nodes read them.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $name_in_nodes:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
        pub enum $name { $($(#[$about])* $variant),+ }

        impl $name {
            /// Its name, here and in the nodes' settings.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name_in_nodes),+ }
            }
        }
    };
}

choice! {
    /// `--select`.
    Select {
        /// The first K of the library, or those given.
        #[default]
        Fixed = "fixed",
        /// The K whose masks show most.
        Coverage = "coverage",
        /// K at random.
        Random = "random",
        /// The K most alike.
        Nearest = "nearest",
    }
}

choice! {
    /// `--select` of `eval`.
    EvalSelect {
        /// The K whose masks show most.
        #[default]
        Coverage = "coverage",
        /// The first K of the set.
        Fixed = "fixed",
        /// K at random.
        Random = "random",
        /// The K most alike.
        Nearest = "nearest",
        /// In videos: what has been shown, and the K frames before with what was predicted for them.
        Memory = "memory",
        /// The same, as the original's queue is called among the others.
        #[value(name = "memory:fifo")]
        MemoryFifo = "memory:fifo",
        /// Of the frames before, the last K of each fifth.
        #[value(name = "memory:every")]
        MemoryEvery = "memory:every",
        /// Of the frames before, K whose answer was sure: half of them the last, half those least alike.
        #[value(name = "memory:gated")]
        MemoryGated = "memory:gated",
    }
}

choice! {
    /// `--ensemble`.
    Ensemble {
        /// What the model's card recommends, else feature.
        #[default]
        Auto = "auto",
        /// Averaged inside the network, as the original does.
        Feature = "feature",
        /// Inside the network, each part of a picture from the example that is most like it.
        Joint = "joint",
        /// Laid out as a grid in one picture.
        Spatial = "spatial",
        /// One prediction for each example; the predictions vote.
        Vote = "vote",
    }
}

choice! {
    /// `--export`.
    Export {
        /// coco.json: polygons, or run lengths where there are holes.
        #[default]
        Coco = "coco",
        /// labelme/NAME.json: polygons, or masks where there are holes.
        Labelme = "labelme",
        /// label-studio.json: predictions as polygons, or brush where there are holes; and label-studio.xml, the configuration.
        LabelStudio = "label-studio",
    }
}

choice! {
    /// `--refine`.
    Refine {
        /// What the model's card recommends.
        #[default]
        Auto = "auto",
        /// Nothing.
        None = "none",
        /// A random forest on pixels that learns the examples' colours and textures.
        #[value(alias = "pixels")]
        Forest = "forest",
        /// The same, counting for each class as much as the examples' own masks show that it should.
        Fitted = "fitted",
    }
}

choice! {
    /// `--mask`.
    MaskFile {
        /// Class ids with the classes' colours.
        #[default]
        Palette = "palette",
        /// Class ids alone, as grey values.
        Ids = "ids",
    }
}

/// Reads a number between 0 and 1, both excluded.
pub(crate) fn share(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(share) if share > 0.0 && share < 1.0 => Ok(share),
        _ => Err("a number between 0 and 1, both excluded".into()),
    }
}

/// Reads `500ms`, `30s`, `5m`, `2h`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let split = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err("give a number and a unit: 500ms, 30s, 5m or 2h".into()),
    };
    let number: f64 = number
        .parse()
        .map_err(|_| format!("`{number}` is not a number"))?;
    Duration::try_from_secs_f64(number * seconds).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn times_carry_a_unit() {
        assert_eq!(duration("500ms").unwrap(), Duration::from_millis(500));
        assert_eq!(duration("1.5m").unwrap(), Duration::from_secs(90));
        assert!(duration("30").is_err());
        assert!(duration("-1s").is_err());
        assert!(duration("soon").is_err());
    }

    #[test]
    fn every_choice_is_spelled_as_nodes_read_it() {
        let spelled = |value: &dyn Fn() -> Option<clap::builder::PossibleValue>| {
            value().map(|v| v.get_name().to_owned())
        };
        assert_eq!(
            spelled(&|| Select::Nearest.to_possible_value()).unwrap(),
            Select::Nearest.name()
        );
        assert_eq!(
            spelled(&|| MaskFile::Ids.to_possible_value()).unwrap(),
            MaskFile::Ids.name()
        );
        assert_eq!(
            spelled(&|| Ensemble::Spatial.to_possible_value()).unwrap(),
            Ensemble::Spatial.name()
        );
    }
}
