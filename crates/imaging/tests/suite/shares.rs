//! Memberships as bytes.

use proptest::prelude::*;
use seggpt_imaging::decode::{Threshold, Upscaling, decide, decide_row, from_shares, to_shares};

fn field(classes: usize, pixels: usize) -> impl Strategy<Value = Vec<f32>> {
    proptest::collection::vec(0.0..1.0f32, classes * pixels).prop_map(move |mut field| {
        for pixel in field.chunks_exact_mut(classes) {
            let sum: f32 = pixel.iter().sum::<f32>().max(1e-6);
            pixel.iter_mut().for_each(|share| *share /= sum);
        }
        field
    })
}

proptest! {
    #[test]
    fn bytes_are_near_and_never_more_than_all(
        (classes, field) in (2..9usize).prop_flat_map(|classes| (Just(classes), field(classes, 12))),
    ) {
        let shares = to_shares(&field, classes).unwrap();
        let back = from_shares(&shares, classes, (4, 3)).unwrap();
        for (pixel, back) in field.chunks_exact(classes).zip(back.chunks_exact(classes)) {
            prop_assert!((back.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            for (one, other) in pixel.iter().zip(back) {
                prop_assert!((one - other).abs() <= classes as f32 / 255.0, "{pixel:?} {back:?}");
            }
        }
        prop_assert_eq!(to_shares(&back, classes).unwrap(), shares, "bytes stay what they are");
    }

    #[test]
    fn a_row_is_decided_as_a_picture_is(field in field(3, 7), threshold in 0.1..0.9f32) {
        let threshold = Threshold::new(threshold).unwrap();
        let whole = decide(&field, 3, (7, 1), (7, 1), Upscaling::Smooth, threshold).unwrap();
        let planes: Vec<f32> =
            (0..3).flat_map(|class| field[class..].iter().step_by(3).copied()).collect();
        let (mut labels, mut sure) = (vec![0; 7], vec![0; 7]);
        decide_row(&planes, threshold, &mut labels, &mut sure);
        prop_assert_eq!(labels, whole.labels);
        prop_assert_eq!(sure, whole.confidence);
    }
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    assert!(to_shares(&[0.5; 5], 2).is_err());
    assert!(from_shares(&[1; 5], 2, (2, 2)).is_err());
}
