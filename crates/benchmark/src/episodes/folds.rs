//! The class splits of PASCAL-5i (Shaban et al. 2017) and COCO-20i (Nguyen and Todorovic 2019), as
//! HSNet and everyone after it divides them.

/// Folds of both benchmarks.
pub const FOLDS: usize = 4;

/// COCO's ids of its 80 categories with instances, in the order in which COCO-20i counts them.
pub const COCO_IDS: [u16; 80] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 27, 28,
    31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55,
    56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 67, 70, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 84,
    85, 86, 87, 88, 89, 90,
];

/// The VOC ids (1..=20) that fold 0..=3 of PASCAL-5i tests: five in a row. `None` for other folds.
#[must_use]
pub fn pascal_5i(fold: usize) -> Option<[u16; 5]> {
    let first = fold as u16 * 5 + 1;
    (fold < FOLDS).then(|| std::array::from_fn(|at| first + at as u16))
}

/// The COCO ids that fold 0..=3 of COCO-20i tests: every fourth of the 80. `None` for other folds.
///
/// Label files made for COCO-20i hold positions 1..=80 in [`COCO_IDS`] instead of COCO's ids.
#[must_use]
pub fn coco_20i(fold: usize) -> Option<[u16; 20]> {
    (fold < FOLDS).then(|| std::array::from_fn(|at| COCO_IDS[fold + FOLDS * at]))
}
