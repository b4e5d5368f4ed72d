//! The report: one page that needs nothing else, rewritten while the run lasts.
//!
//! Small pictures are spooled to a folder beside the results, so that neither a long run nor one that goes on later has to
//! hold them in memory.

mod page;
mod thumbs;
mod view;

use std::{fs, io::ErrorKind, path::PathBuf};

use eyre::{Result, WrapErr};
use image::RgbImage;
use seggpt_contract::{Mask, Prompted};

use crate::{
    folder::{CACHE, Folder, blames_the_name},
    journal::Journal,
    summary::Run,
};
use thumbs::{Example, Thumbs};

/// Longest side of the report's pictures in pixels.
pub const THUMBNAIL: u32 = 320;

const FILE: &str = "report.html";

/// How many different examples the page shows.
const EXAMPLES: usize = 48;

/// The report and what it is made from.
pub struct Report {
    folder: Folder,
    limit: u32,
    examples: Vec<Example>,
}

impl Report {
    /// `goes_on`: whether pictures of an earlier run are to be kept. `limit`: how many items get pictures.
    ///
    /// # Errors
    /// What an earlier run left cannot be read or removed.
    pub fn open(folder: &Folder, goes_on: bool, limit: u32) -> Result<Self> {
        let cache = folder.path(CACHE);
        if !goes_on && cache.exists() {
            fs::remove_dir_all(&cache)
                .wrap_err_with(|| format!("{}: cannot be removed", cache.display()))?;
        }
        let examples = match fs::read(folder.path(&examples_file())) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::warn!("the examples of an earlier run are not shown: {error}");
                vec![]
            }),
            Err(_) => vec![],
        };
        Ok(Self {
            folder: folder.clone(),
            limit,
            examples,
        })
    }

    /// Takes examples up that the page does not know yet.
    ///
    /// # Errors
    /// The disk refuses them.
    pub fn add_examples(&mut self, prompted: &Prompted) -> Result<()> {
        let known = self.examples.len();
        for example in &prompted.examples {
            if self.examples.len() < EXAMPLES
                && !self.examples.iter().any(|e| e.name == example.name)
            {
                self.examples.push(Example::of(example, &prompted.classes)?);
            }
        }
        if self.examples.len() == known {
            return Ok(());
        }
        self.folder
            .put(&examples_file(), &serde_json::to_vec(&self.examples)?)
    }

    /// Spools the pictures of an item. False if the page is not to have any of it.
    ///
    /// # Errors
    /// The disk refuses them.
    pub fn picture(&mut self, name: &str, mask: &Mask, picture: Option<&RgbImage>) -> Result<bool> {
        if self.limit == 0 {
            return Ok(false);
        }
        let thumbs = serde_json::to_vec(&Thumbs::of(mask, picture)?)?;
        match self.folder.put(&thumbs_file(name), &thumbs) {
            Ok(()) => Ok(true),
            Err(error) if blames_the_name(&error) => {
                tracing::warn!("no pictures in the report: {error:#}");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the page; returns its path.
    ///
    /// # Errors
    /// The disk refuses it, or the journal cannot be read.
    pub fn write(&self, run: &Run, journal: &Journal) -> Result<PathBuf> {
        page::write(self, FILE, run, journal)?;
        Ok(self.folder.path(FILE))
    }

    /// The spooled pictures of an item.
    fn thumbs(&self, name: &str) -> Result<Thumbs> {
        let path = self.folder.path(&thumbs_file(name));
        match fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).wrap_err_with(|| path.display().to_string())
            }
            // Someone tidied up: the page does without.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Thumbs::default()),
            Err(error) => Err(error).wrap_err_with(|| path.display().to_string()),
        }
    }
}

fn examples_file() -> String {
    format!("{CACHE}/examples.json")
}

fn thumbs_file(name: &str) -> String {
    format!("{CACHE}/items/{name}.json")
}
