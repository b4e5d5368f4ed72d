//! What pictures are called in a run.

use seggpt_files::naming::repeated;

/// Items without extension; those that would then be alike keep it.
pub(crate) fn names(items: &[String]) -> Vec<String> {
    let mut names: Vec<String> = items
        .iter()
        .map(|item| match item.rsplit_once('.') {
            Some((stem, kind))
                if !stem.is_empty() && !stem.ends_with('/') && !kind.contains('/') =>
            {
                stem.to_owned()
            }
            _ => item.clone(),
        })
        .collect();
    loop {
        let again = repeated(&names);
        let mut changed = false;
        for (i, item) in items.iter().enumerate() {
            if again[i] && names[i] != *item {
                names[i].clone_from(item);
                changed = true;
            }
        }
        if !changed {
            return names;
        }
    }
}
