//! Options for volumes alone.

use std::path::PathBuf;

use clap::Args;
use seggpt_flow::Diagnostic;
use seggpt_volume::{Axis, Gap};
use seggpt_volumes::Time;

use crate::segment::{kind::Kind, windows::Windows};

/// What is said of volumes alone.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Volumes")]
pub struct VolumeArgs {
    /// The slices that are asked: axial, coronal, sagittal, or along the file's axis 0, 1 or 2 (default: the coarsest).
    #[arg(long, value_name = "AXIS", value_parser = str::parse::<Axis>)]
    pub axis: Option<Axis>,
    /// Of scans with several points of time or echoes, which: a number from 0, or all.
    #[arg(long, value_name = "T|all", value_parser = str::parse::<Time>)]
    pub time: Option<Time>,
    /// How many of the last answers guide the next slice (default: 0).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=16))]
    pub memory: Option<u32>,
    /// Slices between two labelled ones: asked from both sides and mixed, or halfway from each, where they meet (default: both).
    #[arg(long, value_name = "both|meet", value_parser = str::parse::<Gap>)]
    pub gap: Option<Gap>,
    /// True labels, for Dice: a folder of label volumes or DICOM segmentations called as the scans are, or one file.
    #[arg(long, value_name = "DIR|FILE")]
    pub truth: Option<PathBuf>,
    /// DICOM segmentations get a frame for every slice, also where a class is not: some viewers want that.
    #[arg(long)]
    pub empty_frames: bool,
}

impl VolumeArgs {
    /// Names what was said of volumes, where the inputs are of another kind.
    ///
    /// # Errors
    /// Something was.
    pub fn refuse_for(&self, kind: Kind, windows: &[Windows]) -> Result<(), Diagnostic> {
        let said = [
            ("--axis", self.axis.is_some()),
            ("--time", self.time.is_some()),
            ("--memory", self.memory.is_some()),
            ("--gap", self.gap.is_some()),
            ("--truth", self.truth.is_some()),
            ("--empty-frames", self.empty_frames),
            ("--window GREY", Windows::grey(windows).is_some()),
        ];
        refuse(
            &said,
            &format!("the inputs are {kind}, and these options are for volumes"),
            "leave them out; --as volume, if the inputs are volumes all the same; `seggpt eval` compares pictures with their truth",
        )
    }
}

/// Names the options that were given and mean nothing.
pub(super) fn refuse(said: &[(&str, bool)], why: &str, help: &str) -> Result<(), Diagnostic> {
    let clashes: Vec<&str> = said
        .iter()
        .filter(|(_, is_said)| *is_said)
        .map(|(option, _)| *option)
        .collect();
    match clashes.is_empty() {
        true => Ok(()),
        false => Err(Diagnostic::new(format!("{why}: {}", clashes.join(", "))).help(help)),
    }
}
