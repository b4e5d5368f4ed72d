//! Attributes into a data set.

use dicom_core::{DataElement, PrimitiveValue, VR, value::DataSetSequence};
use dicom_dictionary_std::tags;
use dicom_object::{InMemDicomObject as Set, Tag};

pub(super) fn put(set: &mut Set, tag: Tag, vr: VR, value: impl Into<PrimitiveValue>) {
    set.put(DataElement::new(tag, vr, value.into()));
}

pub(super) fn sequence(set: &mut Set, tag: Tag, items: impl IntoIterator<Item = Set>) {
    let items: Vec<Set> = items.into_iter().collect();
    set.put(DataElement::new(tag, VR::SQ, DataSetSequence::from(items)));
}

pub(super) fn coded(scheme: &str, value: &str, meaning: &str) -> Set {
    let mut set = Set::new_empty();
    put(&mut set, tags::CODE_VALUE, VR::SH, value);
    put(&mut set, tags::CODING_SCHEME_DESIGNATOR, VR::SH, scheme);
    put(&mut set, tags::CODE_MEANING, VR::LO, meaning);
    set
}

pub(super) fn decimals(values: &[f64]) -> PrimitiveValue {
    let texts = values.iter().map(|value| decimal(*value));
    PrimitiveValue::Strs(texts.collect())
}

/// A number as a decimal string has room for, 16 letters; what was read from one comes out alike.
pub(super) fn decimal(value: f64) -> String {
    let plain = value.to_string();
    if plain.len() <= 16 {
        return plain;
    }
    let shorter = (0..=14).rev().map(|digits| format!("{value:.digits$e}"));
    let fits = shorter.into_iter().find(|text| text.len() <= 16);
    fits.unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_strings_have_sixteen_letters() {
        for value in [
            0.0,
            -125.0,
            0.9483237,
            1e-20,
            -1.0 / 3.0,
            123_456_789.123_456_79,
            5.8360586,
        ] {
            let text = decimal(value);
            let back: f64 = text.parse().unwrap_or(f64::NAN);
            assert!(text.len() <= 16, "{text}");
            assert!((back - value).abs() <= value.abs() * 1e-9, "{text}");
        }
        assert_eq!(decimal(-158.135803), "-158.135803");
    }
}
