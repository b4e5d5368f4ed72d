//! The small choices that a caller makes, each readable from text.

use std::{fmt, str::FromStr};

use candle_core::Device;
use serde::{Deserialize, Serialize};

use crate::Error;

/// How several prompts act on one query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ensemble {
    /// One answer: the query's features are averaged over the prompts in every block (paper section 3.3; the rule
    /// of the original code). A single prompt is the plain network.
    #[default]
    Feature,
    /// One answer: in every block the query attends to all prompts at once, so that each part of it finds the prompt that
    /// is most like it. Not in the paper; a single prompt is the plain network.
    Joint,
    /// One answer per prompt, each as if it were the only one.
    Independent,
}

/// Where to compute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DeviceChoice {
    /// The first CUDA device, else Metal, else the CPU: the best that this build has and this machine offers.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// The CUDA device of this index.
    Cuda(usize),
    /// Apple's GPU.
    Metal,
}

/// Number type of weights and of the products that are made of them. Norms and softmax always compute in f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DTypeChoice {
    /// f32 on the CPU, bf16 on CUDA, f16 on Metal.
    #[default]
    Auto,
    /// 32 bit floats.
    F32,
    /// 16 bit floats with 11 bits of precision.
    F16,
    /// 16 bit floats with the range of f32.
    BF16,
    /// 8 bit integers, on the CPU alone: weights scaled by output, activations by token. What stands outside of the
    /// blocks and the decoder's embedding stays f32.
    Int8,
}

impl DeviceChoice {
    /// Opens the device.
    ///
    /// # Errors
    /// [`Error::Device`] where this build lacks the feature or the machine lacks the device; `auto` never fails.
    pub fn open(self) -> Result<Device, Error> {
        let failed = |built: bool, remedy: &str, reason: candle_core::Error| Error::Device {
            device: self.to_string(),
            reason: match built {
                true => format!("{reason}; look at the driver, or choose cpu"),
                false => format!("this program is built without it; {remedy}, or choose cpu"),
            },
        };
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda(index) => Device::new_cuda(index).map_err(|reason| {
                let remedy = "`make cuda` builds programs with it (docs/cuda.md)";
                failed(cfg!(feature = "cuda"), remedy, reason)
            }),
            Self::Metal => Device::new_metal(0).map_err(|reason| {
                let remedy = "build with the feature `metal`";
                failed(cfg!(feature = "metal"), remedy, reason)
            }),
            Self::Auto => Ok(Device::new_cuda(0)
                .or_else(|_| Device::new_metal(0))
                .unwrap_or(Device::Cpu)),
        }
    }
}

impl DTypeChoice {
    /// The number type that is meant on `device`, never [`Auto`](Self::Auto).
    ///
    /// # Errors
    /// [`Error::Device`] for f16 on the CPU and for int8 elsewhere, which have no matrix product.
    pub fn on(self, device: &Device) -> Result<Self, Error> {
        let refused = |device: &str, reason: &str| Error::Device {
            device: device.into(),
            reason: reason.into(),
        };
        match (self, device) {
            (Self::F16, Device::Cpu) => Err(refused(
                "cpu",
                "does not compute in f16; choose f32, bf16 or int8 (files of any number type are read for each)",
            )),
            (Self::Int8, Device::Cuda(_)) => Err(refused(
                "cuda",
                "does not compute in int8; choose bf16, f16 or f32",
            )),
            (Self::Int8, Device::Metal(_)) => Err(refused(
                "metal",
                "does not compute in int8; choose f16, bf16 or f32",
            )),
            (Self::Auto, Device::Cpu) => Ok(Self::F32),
            (Self::Auto, Device::Cuda(_)) => Ok(Self::BF16),
            (Self::Auto, Device::Metal(_)) => Ok(Self::F16),
            (chosen, _) => Ok(chosen),
        }
    }
}

/// Opens a device by its name: `cpu`, `cuda`, `cuda:1`, `metal` or `auto`.
///
/// # Errors
/// [`Error::Choice`] for another word, [`Error::Device`] where it cannot be had.
pub fn device(name: &str) -> Result<Device, Error> {
    name.parse::<DeviceChoice>()?.open()
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
            Self::Metal => f.write_str("metal"),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let index = text.strip_prefix("cuda:").map(str::parse);
        match (text, index) {
            ("auto", _) => Ok(Self::Auto),
            ("cpu", _) => Ok(Self::Cpu),
            ("cuda", _) => Ok(Self::Cuda(0)),
            ("metal", _) => Ok(Self::Metal),
            (_, Some(Ok(index))) => Ok(Self::Cuda(index)),
            _ => Err(Error::Choice {
                what: "device",
                given: text.into(),
                choices: "cpu, cuda, cuda:INDEX, metal or auto",
            }),
        }
    }
}

macro_rules! words {
    ($choice:ty, $what:literal, $choices:literal, $($word:literal => $value:ident),+) => {
        impl FromStr for $choice {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                match text {
                    $($word => Ok(Self::$value),)+
                    _ => Err(Error::Choice { what: $what, given: text.into(), choices: $choices }),
                }
            }
        }

        impl fmt::Display for $choice {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$value => $word,)+ })
            }
        }
    };
}

words!(
    Ensemble, "ensemble", "feature, joint or independent",
    "feature" => Feature, "joint" => Joint, "independent" => Independent
);
words!(
    DTypeChoice, "dtype", "auto, f32, f16, bf16 or int8",
    "auto" => Auto, "f32" => F32, "f16" => F16, "bf16" => BF16, "int8" => Int8
);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_choice_reads_what_it_writes() {
        for text in ["auto", "cpu", "cuda:0", "cuda:3", "metal"] {
            assert_eq!(text.parse::<DeviceChoice>().unwrap().to_string(), text);
        }
        assert_eq!(
            "cuda".parse::<DeviceChoice>().unwrap(),
            DeviceChoice::Cuda(0)
        );
        for text in ["feature", "joint", "independent"] {
            assert_eq!(text.parse::<Ensemble>().unwrap().to_string(), text);
        }
        for text in ["auto", "f32", "f16", "bf16", "int8"] {
            assert_eq!(text.parse::<DTypeChoice>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_unknown_word_is_answered_with_the_choices() {
        let error = "cuda:x".parse::<DeviceChoice>().unwrap_err().to_string();
        assert!(
            error.contains("cuda:x") && error.contains("metal"),
            "{error}"
        );
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_device_that_is_not_built_in_comes_with_the_way_to_get_it() {
        let error = DeviceChoice::Cuda(0).open().unwrap_err().to_string();
        assert!(error.contains("make cuda"), "{error}");
    }

    #[test]
    fn automatic_choices_suit_the_cpu() {
        let on_cpu = |choice: DTypeChoice| choice.on(&Device::Cpu);
        assert_eq!(on_cpu(DTypeChoice::Auto).unwrap(), DTypeChoice::F32);
        assert_eq!(on_cpu(DTypeChoice::Int8).unwrap(), DTypeChoice::Int8);
        let error = on_cpu(DTypeChoice::F16).unwrap_err().to_string();
        assert!(error.contains("f32, bf16 or int8"), "{error}");
        assert!(DeviceChoice::Auto.open().is_ok());
    }
}
