//! Which names results may have, and whose each is.

use std::{
    collections::HashMap,
    path::{Component, Path},
};

use crate::OWN;

/// A name that results cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It is no path into the folder.
    #[error(
        "results cannot be stored under `{name}`: {why}; the source must give the item another name"
    )]
    Bad {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Another item has it.
    #[error(
        "the results of `{owner}` are stored under `{held}` already, which many disks do not tell from `{name}`; the source must give each item a name of its own"
    )]
    Taken {
        /// The item that has it.
        owner: String,
        /// As that item's name is written.
        held: String,
        /// As the name was asked for.
        name: String,
    },
}

/// Remembers whose name is whose. Names that differ in upper and lower case alone are the same.
#[derive(Debug, Default)]
pub struct Names {
    owners: HashMap<String, (String, String)>,
}

impl Names {
    /// Reserves a name for an item.
    ///
    /// # Errors
    /// A name that leads out of the folder, or that another item has.
    pub fn claim(&mut self, name: &str, item: &str) -> Result<(), NameError> {
        check_name(name)?;
        let (held, owner) = self
            .owners
            .entry(name.to_lowercase())
            .or_insert_with(|| (name.to_owned(), item.to_owned()));
        if owner == item {
            return Ok(());
        }
        Err(NameError::Taken {
            owner: owner.clone(),
            held: held.clone(),
            name: name.to_owned(),
        })
    }

    /// Frees the name of an item.
    pub fn release(&mut self, item: &str) {
        self.owners.retain(|_, (_, owner)| owner != item);
    }
}

/// Accepts relative paths that stay inside the folder.
///
/// # Errors
/// [`NameError::Bad`]: absolute, with `..`, empty, ending in `/`, or in the store's own folder.
pub fn check_name(name: &str) -> Result<(), NameError> {
    let parts: Vec<_> = Path::new(name).components().collect();
    let is_own = |part: &Component| part.as_os_str().eq_ignore_ascii_case(OWN);
    let why = if name.is_empty() || name.ends_with('/') {
        "the name is empty"
    } else if name.contains('\0') {
        "it holds a zero character"
    } else if !parts
        .iter()
        .all(|part| matches!(part, Component::Normal(_)))
    {
        "it leads out of the folder"
    } else if parts.first().is_some_and(is_own) {
        "that folder is the store's own"
    } else {
        return Ok(());
    };
    Err(NameError::Bad {
        name: name.to_owned(),
        why,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_out_of_the_folder_or_into_the_stores_own_are_refused() {
        for name in [
            "",
            "/etc/passwd",
            "..",
            "../x",
            "a/../../x",
            "a/..",
            "a/",
            "./a",
            ".seggpt/x",
            ".SegGPT/x",
            "a\0b",
        ] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        for name in [
            "a",
            "a/b/c",
            "with space",
            "ünï",
            "..a",
            "a..b",
            ".hidden",
            "C:x",
        ] {
            assert!(check_name(name).is_ok() || cfg!(windows), "{name:?}");
        }
    }

    #[test]
    fn a_name_beside_the_same_in_upper_case_is_refused_by_both_names() {
        let mut names = Names::default();
        assert_eq!(names.claim("A", "A.png"), Ok(()));
        assert_eq!(names.claim("A", "A.png"), Ok(()));
        let said = names.claim("a", "a.png").map_err(|error| error.to_string());
        assert!(said.is_err_and(|said| said.contains("`A.png`") && said.contains("`a`")));
    }
}
