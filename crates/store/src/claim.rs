//! Who runs into a folder of results.

use std::{path::Path, time::Duration};

use crate::{
    Refusal, Spec,
    header::Header,
    lock::{Lock, RUN},
    replace,
    spec::{changes, run_key},
};

/// Held by whoever starts a run, until dropped: nobody else starts one into the same folder.
#[derive(Debug)]
pub struct Claim {
    _lock: Lock,
}

impl Claim {
    /// Claims `root`, which is made where it is missing, for results that `spec` decides. `replace`: what lies there
    /// is moved to `.seggpt/replaced/KEY/`, and the run begins anew.
    ///
    /// # Errors
    /// Another run has it; without `replace`, its results are of other settings; the disk refuses.
    pub fn take(root: &Path, spec: &Spec, replace: bool) -> Result<Self, Refusal> {
        let claim = Self {
            _lock: Lock::take(root, RUN, Duration::ZERO)?,
        };
        let key = run_key(spec);
        match Header::read(root) {
            Ok(None) => {}
            Ok(Some(held)) if replace => replace::aside(root, name_of(&held.key))?,
            Ok(Some(held)) if held.key == key => return Ok(claim),
            Err(Refusal::Foreign { .. }) if replace => replace::aside(root, "older")?,
            Ok(Some(held)) if held.spec.is_empty() => {
                return Err(Refusal::OtherKey {
                    root: root.to_owned(),
                    held: name_of(&held.key).to_owned(),
                    key,
                });
            }
            Ok(Some(held)) => {
                return Err(Refusal::Differs {
                    root: root.to_owned(),
                    changes: changes(&held.spec, spec),
                });
            }
            Err(refusal) => return Err(refusal),
        }
        Header::new(&key, spec).begin(root)?;
        Ok(claim)
    }
}

/// Of results without a key.
pub(crate) fn name_of(key: &str) -> &str {
    if key.is_empty() { "no-key" } else { key }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;
    use crate::journal_path;

    fn spec(ensemble: &str) -> Spec {
        Spec::from([("ensemble".into(), ensemble.into())])
    }

    #[test]
    fn the_same_settings_go_on_and_a_second_run_at_once_is_refused_with_the_pid() {
        let out = tempfile::tempdir().unwrap();
        let first = Claim::take(out.path(), &spec("feature"), false).unwrap();
        let second = Claim::take(out.path(), &spec("feature"), false).unwrap_err();
        let pid = std::process::id();
        assert!(matches!(&second, Refusal::InUse { pid: p, .. } if *p == pid));
        assert!(second.to_string().contains(&format!("process {pid} ")));
        drop(first);
        let journal = fs::read(journal_path(out.path())).unwrap();
        Claim::take(out.path(), &spec("feature"), false).unwrap();
        assert_eq!(fs::read(journal_path(out.path())).unwrap(), journal);
    }

    #[test]
    fn other_settings_are_refused_and_named_and_the_journal_stays() {
        let out = tempfile::tempdir().unwrap();
        drop(Claim::take(out.path(), &spec("feature"), false).unwrap());
        let journal = fs::read(journal_path(out.path())).unwrap();
        let refusal = Claim::take(out.path(), &spec("spatial"), false).unwrap_err();
        let said = refusal.to_string();
        assert!(said.contains("ensemble: feature -> spatial"), "{said}");
        assert!(said.contains("--replace"), "{said}");
        assert_eq!(fs::read(journal_path(out.path())).unwrap(), journal);
    }

    #[test]
    fn replaced_results_are_moved_aside_with_their_paths_and_nothing_else_is_touched() {
        let out = tempfile::tempdir().unwrap();
        let root = out.path();
        for _ in 0..2 {
            drop(Claim::take(root, &spec("feature"), true).unwrap());
            let mut journal = fs::read_to_string(journal_path(root)).unwrap();
            journal +=
                "{\"files\":{\"mask\":{\"path\":\"a/b.png\",\"bytes\":1},\"x\":\"../other\"}}\n";
            fs::write(journal_path(root), journal).unwrap();
            fs::create_dir_all(root.join("a")).unwrap();
            fs::write(root.join("a/b.png"), "1").unwrap();
            fs::write(root.join("mine.txt"), "mine").unwrap();
            fs::write(root.join("run.json"), "{}").unwrap();
            drop(Claim::take(root, &spec("spatial"), true).unwrap());
        }
        let first = root
            .join(".seggpt/replaced")
            .join(run_key(&spec("feature")));
        for kept in [
            first.clone(),
            first.with_file_name(format!("{}-2", run_key(&spec("feature")))),
        ] {
            assert!(kept.join("a/b.png").exists(), "{}", kept.display());
            assert!(kept.join("run.json").exists());
            assert!(kept.join(".seggpt/journal.jsonl").exists());
        }
        assert!(root.join("mine.txt").exists() && !root.join("a/b.png").exists());
        assert_eq!(
            Header::read(root).unwrap().unwrap().key,
            run_key(&spec("spatial"))
        );
    }

    #[test]
    fn a_journal_of_the_older_kind_is_refused_or_replaced() {
        let out = tempfile::tempdir().unwrap();
        fs::write(
            out.path().join("journal.jsonl"),
            "{\"files\":{\"mask\":\"m.png\"}}\n",
        )
        .unwrap();
        fs::write(out.path().join("m.png"), "").unwrap();
        let refusal = Claim::take(out.path(), &spec("feature"), false).unwrap_err();
        assert!(matches!(refusal, Refusal::Foreign { .. }), "{refusal}");
        drop(Claim::take(out.path(), &spec("feature"), true).unwrap());
        assert!(out.path().join(".seggpt/replaced/older/m.png").exists());
        assert!(!out.path().join("journal.jsonl").exists());
    }
}
