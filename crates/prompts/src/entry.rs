//! Writing a library, for prompts that a program made.

use std::{fs, num::NonZeroU16, path::Path};

use seggpt_contract::{Class, SegType};
use seggpt_imaging::{
    RgbImage,
    annotation::MaskMode,
    read::Exif,
    write::{MaskFormat, mask_png, rgb_png},
};

use crate::{
    ClassSetting, LibraryError,
    file::{File, Line},
};

/// A prompt that is not on disk yet; its three planes are of one size.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// What its files are called.
    pub name: &'a str,
    /// The picture.
    pub image: &'a RgbImage,
    /// The class of every pixel, row by row; 0 is background.
    pub ids: &'a [u16],
    /// What the network is shown instead of the classes' colours; none: those.
    pub painted: Option<&'a RgbImage>,
}

/// Makes `folder` a library of these prompts: `prompts.yml` and, of each, `NAME.png`, `NAME_mask.png` and, where there is
/// one, `NAME_painted.png`. Files of these names are replaced, `prompts.yml` last.
///
/// # Errors
/// [`LibraryError::Write`] where a file cannot be made.
pub fn save(
    folder: &Path,
    entries: &[Entry],
    classes: &[Class],
    kind: SegType,
) -> Result<(), LibraryError> {
    fs::create_dir_all(folder).map_err(|error| LibraryError::write(folder, error))?;
    let prompts = entries.iter().map(|entry| entry.save(folder, classes));
    let settings = classes.iter().filter_map(|class| {
        Some(ClassSetting {
            id: NonZeroU16::new(class.id)?,
            name: Some(class.name.clone()),
            color: Some(class.color),
        })
    });
    let file = File {
        kind,
        mask_mode: MaskMode::Ids,
        exif: Exif::Apply,
        classes: settings.collect(),
        prompts: prompts.collect::<Result<_, _>>()?,
    };
    let yaml = yaml_serde::to_string(&file)
        .map_err(|error| LibraryError::write(&folder.join("prompts.yml"), error))?;
    write(folder, "prompts.yml", yaml.as_bytes())
}

impl Entry<'_> {
    fn save(&self, folder: &Path, classes: &[Class]) -> Result<Line, LibraryError> {
        let refuse = |error| LibraryError::write(folder, error);
        let (width, height) = self.image.dimensions();
        let colors: Vec<_> = classes
            .iter()
            .map(|class| (class.id, class.color))
            .collect();
        let mask = mask_png(
            self.ids,
            (width as usize, height as usize),
            &colors,
            MaskFormat::Palette,
        );
        let [image_name, mask_name, painted_name] =
            ["", "_mask", "_painted"].map(|part| format!("{}{part}.png", self.name));
        write(folder, &image_name, &rgb_png(self.image).map_err(refuse)?)?;
        write(folder, &mask_name, &mask.map_err(refuse)?)?;
        if let Some(painted) = self.painted {
            write(folder, &painted_name, &rgb_png(painted).map_err(refuse)?)?;
        }
        Ok(Line {
            image: image_name.into(),
            mask: mask_name.into(),
            painted: self.painted.map(|_| painted_name.into()),
            name: None,
        })
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), LibraryError> {
    let path = folder.join(name);
    let part = folder.join(format!("{name}.part"));
    fs::write(&part, bytes)
        .and_then(|()| fs::rename(&part, &path))
        .map_err(|error| LibraryError::write(&path, error))
}
