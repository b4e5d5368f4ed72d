use proptest::prelude::*;
use seggpt_imaging::{
    BLACK, ImagingError, Rgb, WHITE,
    decode::{Labels, Threshold, Upscaling, classify, decide, enlarge, memberships},
    palette,
};

const BINARY: [Rgb; 2] = [BLACK, WHITE];

fn painting(colors: &[Rgb]) -> Vec<f32> {
    colors
        .iter()
        .flatten()
        .map(|&value| f32::from(value))
        .collect()
}

fn greys(values: &[f32]) -> Vec<f32> {
    values.iter().flat_map(|&value| [value; 3]).collect()
}

/// One row of greys, classified at its own size.
fn row(values: &[f32], threshold: Threshold) -> Labels {
    let size = (values.len(), 1);
    classify(
        &greys(values),
        size,
        size,
        &BINARY,
        Upscaling::Smooth,
        threshold,
    )
    .unwrap()
}

#[test]
fn pure_colours_are_their_classes_and_sure() {
    let colors = palette::distinct(9);
    let palette: Vec<Rgb> = [BLACK].into_iter().chain(colors).collect();
    let size = (palette.len(), 1);
    for upscaling in [Upscaling::Smooth, Upscaling::Nearest] {
        let got = classify(
            &painting(&palette),
            size,
            size,
            &palette,
            upscaling,
            Threshold::NEAREST,
        )
        .unwrap();
        assert_eq!(got.labels, (0..10).collect::<Vec<u16>>());
        assert_eq!(got.confidence, [255; 10]);
    }
}

#[test]
fn confidence_is_the_margin_between_the_two_nearest_colours() {
    let got = row(&[0.0, 51.0, 127.5, 204.0, 255.0], Threshold::NEAREST);
    assert_eq!(got.labels, [0, 0, 0, 1, 1]);
    assert_eq!(got.confidence, [255, 153, 0, 153, 255]);
}

#[test]
fn the_cut_moves_the_border_to_the_background_and_confidence_follows() {
    let strict = row(
        &[0.0, 153.0, 204.0, 230.0, 255.0],
        Threshold::new(0.8).unwrap(),
    );
    assert_eq!(strict.labels, [0, 0, 0, 1, 1]);
    assert_eq!(strict.confidence, [255, 64, 0, 130, 255]);
    let lenient = row(&[0.0, 60.0], Threshold::new(0.2).unwrap());
    assert_eq!(lenient.labels, [0, 1]);
    for senseless in [0.0, 1.0, -3.0, f32::NAN] {
        assert_eq!(Threshold::new(senseless), None);
    }
}

#[test]
fn smooth_upscaling_draws_a_slanted_line_where_nearest_leaves_stairs() {
    // A half-plane x + y < 16, painted with the soft edge that networks paint.
    let values: Vec<f32> = (0..256)
        .map(|at| ((16.0 - (at % 16 + at / 16) as f32) * 60.0 + 127.5).clamp(0.0, 255.0))
        .collect();
    let errors = |upscaling| {
        let got = classify(
            &greys(&values),
            (16, 16),
            (160, 160),
            &BINARY,
            upscaling,
            Threshold::NEAREST,
        )
        .unwrap();
        let truth = |at: usize| u16::from((at % 160 + at / 160) as f32 / 10.0 + 0.1 < 17.0);
        got.labels
            .iter()
            .enumerate()
            .filter(|&(at, &label)| label != truth(at))
            .count()
    };
    assert!(
        errors(Upscaling::Smooth) < 160,
        "{}",
        errors(Upscaling::Smooth)
    );
    assert!(errors(Upscaling::Nearest) > 3 * errors(Upscaling::Smooth));
}

#[test]
fn nearest_upscaling_takes_the_pixels_that_torch_takes() {
    // torch.nn.functional.interpolate(torch.arange(5.)[None, None], size=8): 0 0 1 1 2 3 3 4
    let colors = palette::distinct(4);
    let palette: Vec<Rgb> = [BLACK].into_iter().chain(colors).collect();
    let got = classify(
        &painting(&palette),
        (5, 1),
        (8, 1),
        &palette,
        Upscaling::Nearest,
        Threshold::NEAREST,
    );
    assert_eq!(got.unwrap().labels, [0, 0, 1, 1, 2, 3, 3, 4]);
}

#[test]
fn a_smaller_target_averages_and_one_pixel_is_the_whole() {
    let mostly_white = greys(&[255.0, 255.0, 255.0, 255.0, 255.0, 255.0, 255.0, 0.0, 255.0]);
    let got = classify(
        &mostly_white,
        (3, 3),
        (1, 1),
        &BINARY,
        Upscaling::Smooth,
        Threshold::NEAREST,
    )
    .unwrap();
    assert_eq!(got.labels, [1]);
    assert!(got.confidence[0] < 255);
}

/// What several independent paintings say together.
fn fuse(
    paintings: &[&[f32]],
    size: (usize, usize),
    target: (usize, usize),
    palette: &[Rgb],
    upscaling: Upscaling,
    threshold: Threshold,
) -> Result<Labels, ImagingError> {
    let field = memberships(paintings, size, palette)?;
    decide(&field, palette.len(), size, target, upscaling, threshold)
}

#[test]
fn a_field_grows_smoothly_and_keeps_its_channels_apart() {
    let field = [0.0, 9.0, 4.0, 9.0];
    let wide = enlarge(&field, 2, (2, 1), (4, 2)).unwrap();
    let row = [0.0, 9.0, 1.0, 9.0, 3.0, 9.0, 4.0, 9.0];
    assert_eq!(wide, [row, row].concat());
    assert!(enlarge(&field, 2, (3, 1), (4, 2)).is_err());
}

#[test]
fn two_sure_paintings_outvote_a_doubtful_one() {
    let (white, doubtful) = (greys(&[240.0; 4]), greys(&[100.0; 4]));
    let vote = |paintings: &[&[f32]]| {
        fuse(
            paintings,
            (2, 2),
            (2, 2),
            &BINARY,
            Upscaling::Smooth,
            Threshold::NEAREST,
        )
        .unwrap()
        .labels
    };
    assert_eq!(vote(&[&white, &doubtful, &white]), [1; 4]);
    assert_eq!(vote(&[&doubtful, &doubtful, &doubtful]), [0; 4]);
}

#[test]
fn values_that_are_no_numbers_are_background_without_confidence() {
    let painted = greys(&[f32::NAN, 255.0]);
    let size = (2, 1);
    let alone = classify(
        &painted,
        size,
        size,
        &BINARY,
        Upscaling::Nearest,
        Threshold::new(0.1).unwrap(),
    )
    .unwrap();
    assert_eq!((alone.labels[0], alone.confidence[0]), (0, 0));
    let white = greys(&[255.0, 255.0]);
    let voted = fuse(
        &[&painted, &white],
        size,
        size,
        &BINARY,
        Upscaling::Nearest,
        Threshold::NEAREST,
    )
    .unwrap();
    assert_eq!(voted.labels, [1, 1], "the other painting still has a voice");
}

#[test]
fn buffers_and_palettes_that_do_not_fit_are_errors() {
    let classify = |painted: &[f32], palette: &[Rgb]| {
        classify(
            painted,
            (2, 2),
            (4, 4),
            palette,
            Upscaling::Smooth,
            Threshold::NEAREST,
        )
    };
    assert!(matches!(
        classify(&[0.0; 11], &BINARY),
        Err(ImagingError::Size { .. })
    ));
    assert!(matches!(
        classify(&[0.0; 12], &[]),
        Err(ImagingError::Classes { .. })
    ));
    assert!(
        fuse(
            &[],
            (2, 2),
            (4, 4),
            &BINARY,
            Upscaling::Smooth,
            Threshold::NEAREST
        )
        .is_err()
    );
    let empty = seggpt_imaging::decode::classify(
        &[],
        (0, 0),
        (4, 4),
        &BINARY,
        Upscaling::Smooth,
        Threshold::NEAREST,
    );
    assert!(empty.is_err());
}

fn any_painting() -> impl Strategy<Value = (usize, usize, Vec<f32>)> {
    (1usize..9, 1usize..9).prop_flat_map(|(w, h)| {
        (
            Just(w),
            Just(h),
            prop::collection::vec(0.0f32..=255.0, w * h * 3),
        )
    })
}

proptest! {
    #[test]
    fn every_pixel_of_the_target_gets_a_class_of_the_palette(
        (w, h, painted) in any_painting(), to_w in 0usize..40, to_h in 0usize..40, classes in 0usize..12,
    ) {
        let palette: Vec<Rgb> = [BLACK].into_iter().chain(palette::distinct(classes)).collect();
        for upscaling in [Upscaling::Smooth, Upscaling::Nearest] {
            let got = classify(&painted, (w, h), (to_w, to_h), &palette, upscaling, Threshold::NEAREST).unwrap();
            prop_assert_eq!(got.labels.len(), to_w * to_h);
            prop_assert_eq!(got.confidence.len(), to_w * to_h);
            prop_assert!(got.labels.iter().all(|&label| usize::from(label) < palette.len()));
        }
    }

    #[test]
    fn at_its_own_size_each_pixel_is_its_nearest_colour(
        (w, h, painted) in any_painting(), classes in 1usize..12,
    ) {
        let palette: Vec<Rgb> = [BLACK].into_iter().chain(palette::distinct(classes)).collect();
        let got = classify(&painted, (w, h), (w, h), &palette, Upscaling::Smooth, Threshold::NEAREST).unwrap();
        for (pixel, &label) in painted.chunks_exact(3).zip(&got.labels) {
            let distance = |color: &Rgb| -> f32 {
                color.iter().zip(pixel).map(|(&c, p)| (f32::from(c) - p).powi(2)).sum()
            };
            let least = palette.iter().map(distance).fold(f32::INFINITY, f32::min);
            prop_assert!(distance(&palette[usize::from(label)]) <= least * 1.00001 + 1e-3);
        }
    }

    #[test]
    fn a_vote_of_one_or_of_copies_is_the_painting_itself(
        (w, h, painted) in any_painting(), classes in 1usize..12,
    ) {
        let palette: Vec<Rgb> = [BLACK].into_iter().chain(palette::distinct(classes)).collect();
        let alone = classify(&painted, (w, h), (w, h), &palette, Upscaling::Smooth, Threshold::NEAREST).unwrap();
        for paintings in [&[&painted[..]][..], &[&painted[..]; 3]] {
            let voted = fuse(paintings, (w, h), (w, h), &palette, Upscaling::Smooth, Threshold::NEAREST).unwrap();
            for at in 0..w * h {
                prop_assert!(alone.confidence[at].abs_diff(voted.confidence[at]) <= 1);
                prop_assert!(alone.labels[at] == voted.labels[at] || alone.confidence[at] == 0);
            }
        }
    }
}
