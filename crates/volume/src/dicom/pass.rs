use std::cmp::Ordering;

use dicom_dictionary_std::tags;

use super::{
    attributes::{number, texts},
    groups::Groups,
};

/// What tells slices of the same place apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Pass {
    /// Echo time, point of time, trigger time, diffusion weighting.
    pub numbers: [f64; 4],
    /// Magnitude or phase and the like.
    pub kind: String,
}

impl Pass {
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let numbers = self.numbers.iter().zip(&other.numbers);
        let orders = numbers.map(|(own, other)| own.total_cmp(other));
        orders.fold(self.kind.cmp(&other.kind), Ordering::then)
    }
}

/// Of a frame.
pub(super) fn pass(groups: &Groups) -> Pass {
    let classic = |tag| number(groups.root, tag);
    let echo = groups.number(tags::MR_ECHO_SEQUENCE, tags::EFFECTIVE_ECHO_TIME);
    let time = groups.number(tags::FRAME_CONTENT_SEQUENCE, tags::TEMPORAL_POSITION_INDEX);
    let trigger = groups.number(
        tags::CARDIAC_SYNCHRONIZATION_SEQUENCE,
        tags::NOMINAL_CARDIAC_TRIGGER_DELAY_TIME,
    );
    let weighting = groups.number(tags::MR_DIFFUSION_SEQUENCE, tags::DIFFUSION_B_VALUE);
    let numbers = [
        echo.or_else(|| classic(tags::ECHO_TIME)),
        time.or_else(|| classic(tags::TEMPORAL_POSITION_IDENTIFIER)),
        trigger.or_else(|| classic(tags::TRIGGER_TIME)),
        weighting.or_else(|| classic(tags::DIFFUSION_B_VALUE)),
    ];
    let kinds = groups.group(tags::MR_IMAGE_FRAME_TYPE_SEQUENCE);
    let kinds = kinds
        .map(|set| texts(set, tags::FRAME_TYPE))
        .filter(|kinds| !kinds.is_empty());
    let kinds = kinds.unwrap_or_else(|| texts(groups.root, tags::IMAGE_TYPE));
    Pass {
        numbers: numbers.map(Option::unwrap_or_default),
        kind: kinds.join("\\"),
    }
}
