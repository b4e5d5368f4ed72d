//! What there is to say of the files of a library, each sort of remark once.

use std::{collections::BTreeMap, path::Path};

use seggpt_imaging::{
    annotation::Annotation,
    read::{Note, NoteKind, Reading},
};

/// A remark on a file: its sort, and the sentence with the file's name.
pub(crate) type Remark = (String, String);

/// One class from this share of the picture on is "everything".
const NEARLY_ALL: f64 = 0.98;

/// Marks below this share are "nothing".
const NEARLY_NOTHING: f64 = 0.0005;

/// What the image's own notes say. That it was turned upright is ordinary; whether its mask was, [`of_mask`] says.
pub(crate) fn of_image(path: &Path, reading: &Reading) -> Vec<Remark> {
    let notes = reading.notes.iter();
    notes
        .filter(|note| note.kind != NoteKind::Turned)
        .map(|note| of_note("image", path, note))
        .collect()
}

/// What the mask's notes say, and whether it marks (nearly) everything or nothing.
pub(crate) fn of_mask(path: &Path, mask: &Annotation) -> Vec<Remark> {
    let notes = mask.notes.iter().map(|note| of_note("mask", path, note));
    let mut remarks: Vec<Remark> = notes.collect();
    let marked = mask.marked();
    let percent = marked * 100.0;
    let file = path.display();
    if mask.classes.is_empty() {
        remarks.push(("empty".into(), format!("{file}: the mask marks nothing")));
    } else if marked < NEARLY_NOTHING {
        let text =
            format!("{file}: the mask marks next to nothing ({percent:.3} % of the picture)");
        remarks.push(("empty".into(), text));
    } else if mask.classes.len() == 1 && marked >= NEARLY_ALL {
        let text = format!(
            "{file}: the mask marks (nearly) everything ({percent:.1} % of the picture); is background black or 0 in it, and not \
             the other way round?"
        );
        remarks.push(("full".into(), text));
    }
    if !mask.unlisted.is_empty() {
        let unlisted = mask.unlisted.join(", ");
        let text = format!("{file}: not in the class table, painted black: {unlisted}");
        remarks.push((format!("unlisted {unlisted}"), text));
    }
    remarks
}

fn of_note(what: &str, path: &Path, note: &Note) -> Remark {
    let sort = format!("{what} {:?}", note.kind);
    (sort, format!("{}: {note}", path.display()))
}

/// The first remark of each sort, with the number of its like.
pub(crate) fn summed(remarks: impl IntoIterator<Item = Remark>) -> Vec<String> {
    let mut sorts: BTreeMap<String, usize> = BTreeMap::new();
    let mut first: Vec<(String, String)> = Vec::new();
    for (sort, text) in remarks {
        let count = sorts.entry(sort.clone()).or_default();
        if *count == 0 {
            first.push((sort, text));
        }
        *count += 1;
    }
    let told = first.into_iter().map(|(sort, text)| match sorts[&sort] {
        1 => text,
        count => format!("{text}; {} other files of the library likewise", count - 1),
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sort_is_said_once() {
        let remark = |sort: &str, text: &str| (sort.to_owned(), text.to_owned());
        let said = summed([
            remark("a", "1.png: dark"),
            remark("b", "1.png: empty"),
            remark("a", "2.png: dark"),
        ]);
        assert_eq!(
            said,
            [
                "1.png: dark; 1 other files of the library likewise",
                "1.png: empty"
            ]
        );
    }
}
