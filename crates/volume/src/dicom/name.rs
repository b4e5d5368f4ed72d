use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject as Set;

use super::attributes::{text, whole};

/// Number and description of the series, of letters that files may be called by. A description that holds the patient's
/// name or number is left out.
pub(super) fn name(set: &Set) -> String {
    let description = text(set, tags::SERIES_DESCRIPTION).unwrap_or_default();
    let secret = |tag| {
        let text = text(set, tag).unwrap_or_default().to_lowercase();
        let parts = text.split(|letter: char| !letter.is_alphanumeric());
        let parts = parts.filter(|part| part.chars().count() > 2);
        parts.map(str::to_owned).collect::<Vec<_>>()
    };
    let lower = description.to_lowercase();
    let tells = [tags::PATIENT_NAME, tags::PATIENT_ID]
        .into_iter()
        .flat_map(secret)
        .any(|part| lower.contains(&part));
    let kept: String = description
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        })
        .collect();
    let words: Vec<&str> = kept
        .split('-')
        .filter(|word| !word.is_empty() && !tells)
        .collect();
    let mut words = words.join("-");
    words.truncate(48);
    let number = whole(set, tags::SERIES_NUMBER).map(|number| format!("series-{number}"));
    match (number, words.is_empty()) {
        (Some(number), true) => number,
        (Some(number), false) => format!("{number}-{words}"),
        (None, true) => "series".into(),
        (None, false) => words,
    }
}
