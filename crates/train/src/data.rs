//! Where a run's samples come from, and how they are taken elsewhere.

use std::{
    fs,
    path::{Path, PathBuf},
};

use seggpt_samples::{Data, Part, Source, Weights, pack as samples_pack, pack::Packing};

use crate::{Opened, Settings, Start, TrainError, store::replace};

/// Lists the data of some settings once, and makes sources of any size of either part of it.
///
/// # Errors
/// [`TrainError::Samples`] where something is missing.
pub fn samples(
    settings: &seggpt_samples::Settings,
) -> Result<impl Fn(u32, Part) -> Opened + Sync + use<>, TrainError> {
    let data = Data::open(settings)?;
    Ok(move |size, part| Ok(Box::new(data.mix(size, part)?) as Box<dyn Source>))
}

/// Makes `folder` all that a training needs: packs of the data that the settings use, the checkpoint that they begin
/// with, and `train.yml`, the settings for a run inside that folder. Returns what was written.
///
/// # Errors
/// [`TrainError::Setting`] for data that go into no pack; [`TrainError::Samples`], [`TrainError::Io`].
pub fn pack(settings: &Settings, folder: &Path, how: &Packing) -> Result<Vec<PathBuf>, TrainError> {
    let Weights {
        cutouts,
        materials,
        labelled,
        segments,
        datasets,
        ..
    } = settings.data.weights;
    if datasets > 0.0 {
        return Err(TrainError::Setting {
            field: "data.weights.datasets",
            found: datasets.to_string(),
            expected: "packs hold no data sets in formats of their own; copy those beside it and name their new places",
        });
    }
    fs::create_dir_all(folder).map_err(TrainError::io("create", folder))?;
    let mut settings = settings.clone();
    let mut written = Vec::new();
    if let Some(root) = &settings.data.root
        && cutouts + materials + labelled + segments > 0.0
    {
        let unused = [
            ("objects/", cutouts),
            ("labelled/", labelled),
            ("backgrounds/", cutouts + materials + segments),
        ];
        let unused = unused.into_iter().filter(|(_, weight)| *weight == 0.0);
        let mut how = how.clone();
        how.without
            .extend(unused.map(|(folder, _)| folder.to_owned()));
        written.extend(samples_pack::pack(root, folder, &how)?);
        settings.data.root = Some(".".into());
    }
    if let Start::Checkpoint(path) = &settings.start {
        let Some(name) = path.file_name().filter(|_| path.is_file()) else {
            return Err(TrainError::Setting {
                field: "start.checkpoint",
                found: path.display().to_string(),
                expected: "it must be a file to go into a pack; `seggpt model convert` makes one of a folder",
            });
        };
        let copy = folder.join(name);
        fs::copy(path, &copy).map_err(TrainError::io("copy the checkpoint to", &copy))?;
        settings.start = Start::Checkpoint(name.into());
        written.push(copy);
    }
    let file = folder.join("train.yml");
    let yaml = yaml_serde::to_string(&settings).map_err(|error| TrainError::Yaml {
        path: file.clone(),
        reason: error.to_string(),
    })?;
    replace(&file, yaml.as_bytes())?;
    written.push(file);
    Ok(written)
}
