//! Puts an item's files in their place.

use std::collections::{BTreeMap, HashMap};

use eyre::{Report, eyre};
use seggpt_contract::Identity;

use crate::{
    folder::{Folder, blames_the_name, check_name},
    results::Made,
};

/// Where an item's files are, by kind, relative to the folder of results.
pub type Files = BTreeMap<String, String>;

/// Why files are not written.
#[derive(Debug)]
pub enum Trouble {
    /// It is the item's own: the run goes on.
    Item(Report),
    /// It would strike the next item as well.
    Disk(Report),
}

/// Remembers whose name is whose.
#[derive(Debug)]
pub struct Place {
    folder: Folder,
    owners: HashMap<String, String>,
}

impl Place {
    /// Places files in `folder`.
    pub fn new(folder: Folder) -> Self {
        Self {
            folder,
            owners: HashMap::new(),
        }
    }

    /// Reserves the item's name for it.
    ///
    /// # Errors
    /// A name that leads out of the folder, or that another item of the run has.
    pub fn claim(&mut self, identity: &Identity) -> Result<(), Trouble> {
        let name = &identity.name;
        check_name(name).map_err(Trouble::Item)?;
        let owner = self
            .owners
            .entry(name.clone())
            .or_insert_with(|| identity.item.clone());
        if *owner == identity.item {
            return Ok(());
        }
        Err(Trouble::Item(eyre!(
            "the results of `{owner}` are stored under `{name}` already; the source must give each item a name of its own"
        )))
    }

    /// Writes the files.
    ///
    /// # Errors
    /// The disk, or a name that the system does not take.
    pub fn put(&self, made: Vec<Made>) -> Result<Files, Trouble> {
        let mut files = Files::new();
        for made in made {
            self.folder.put(&made.file, &made.bytes).map_err(|error| {
                if blames_the_name(&error) {
                    Trouble::Item(error)
                } else {
                    Trouble::Disk(error)
                }
            })?;
            files.insert(made.kind.to_owned(), made.file);
        }
        Ok(files)
    }
}
