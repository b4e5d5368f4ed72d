//! Attributes of a data set, as far as they can be made sense of.

use dicom_object::{InMemDicomObject as Set, Tag};

/// A text without the spaces and zeros around it; `None` where there is none.
pub(super) fn text(set: &Set, tag: Tag) -> Option<String> {
    let text = set.get(tag)?.to_str().ok()?;
    let text = text.trim_matches(|letter: char| letter == '\0' || letter.is_whitespace());
    (!text.is_empty()).then(|| text.to_owned())
}

/// The texts of an attribute with several.
pub(super) fn texts(set: &Set, tag: Tag) -> Vec<String> {
    let texts = set.get(tag).and_then(|element| element.to_multi_str().ok());
    let texts = texts.iter().flat_map(|texts| texts.iter());
    texts.map(|text| text.trim().to_owned()).collect()
}

/// The numbers of an attribute; none where one of them is no number.
pub(super) fn numbers(set: &Set, tag: Tag) -> Vec<f64> {
    let numbers = set
        .get(tag)
        .and_then(|element| element.to_multi_float64().ok());
    numbers
        .filter(|all| all.iter().all(|number| number.is_finite()))
        .unwrap_or_default()
}

/// The first number of an attribute.
pub(super) fn number(set: &Set, tag: Tag) -> Option<f64> {
    numbers(set, tag).first().copied()
}

/// A whole number.
pub(super) fn whole(set: &Set, tag: Tag) -> Option<i64> {
    set.get(tag)?.to_int().ok()
}

/// So many numbers.
pub(super) fn vector<const N: usize>(set: &Set, tag: Tag) -> Option<[f64; N]> {
    numbers(set, tag).try_into().ok()
}

/// The items of a sequence.
pub(super) fn items(set: &Set, tag: Tag) -> &[Set] {
    let items = set.get(tag).and_then(|element| element.items());
    items.unwrap_or_default()
}

/// The first item of a sequence.
pub(super) fn item(set: &Set, tag: Tag) -> Option<&Set> {
    items(set, tag).first()
}
