use seggpt_imaging::{BLACK, Rgb, WHITE, palette};

fn apart(a: Rgb, b: Rgb) -> f64 {
    a.iter()
        .zip(&b)
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
        .sum::<f64>()
        .sqrt()
}

#[test]
fn one_class_alone_is_white() {
    assert_eq!(palette::distinct(1), [WHITE]);
}

#[test]
fn more_classes_never_change_the_colours_of_the_first() {
    let many = palette::distinct(300);
    for count in [0, 1, 5, 21, 150] {
        assert_eq!(palette::distinct(count), many[..count]);
    }
}

#[test]
fn colours_stay_apart_from_each_other_and_from_the_background() {
    for (count, least) in [(7, 250.0), (20, 120.0), (80, 60.0), (300, 30.0)] {
        let all: Vec<Rgb> = [BLACK]
            .into_iter()
            .chain(palette::distinct(count))
            .collect();
        for (at, &a) in all.iter().enumerate() {
            for &b in &all[..at] {
                assert!(apart(a, b) >= least, "{count} classes: {a:?} and {b:?}");
            }
        }
    }
}

#[test]
fn any_number_of_classes_has_different_colours() {
    let mut all = palette::distinct(3000);
    all.push(BLACK);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 3001);
}

#[test]
fn the_palette_of_transformers_is_the_published_one() {
    assert_eq!(palette::transformers(1), [BLACK, WHITE]);
    let ten = palette::transformers(10);
    assert_eq!(ten.len(), 11);
    // build_palette(10): base 3, margin 85
    assert_eq!(
        ten[1..5],
        [
            [255, 255, 255],
            [255, 255, 170],
            [255, 255, 85],
            [255, 170, 255]
        ]
    );
    assert_eq!(ten[10], [170, 255, 255]);
}

#[test]
fn voc_colours_are_the_published_ones() {
    let colors: Vec<Rgb> = [0, 1, 2, 15, 255].map(palette::voc).to_vec();
    assert_eq!(
        colors,
        [
            [0, 0, 0],
            [128, 0, 0],
            [0, 128, 0],
            [192, 128, 128],
            [224, 224, 192]
        ]
    );
}
