use image::Rgb as Pixel;
use seggpt_imaging::{BLACK, RgbImage, WHITE, overlay, overlay::Style};

const RED: [u8; 3] = [255, 0, 0];

/// A grey picture with a label 1 square in its middle.
fn scene() -> (RgbImage, Vec<u16>) {
    let picture = RgbImage::from_pixel(30, 30, Pixel([100; 3]));
    let labels = (0..900)
        .map(|at| u16::from((10..20).contains(&(at % 30)) && (10..20).contains(&(at / 30))));
    (picture, labels.collect())
}

#[test]
fn the_inside_is_tinted_the_contour_is_pure_and_the_rest_is_untouched() {
    let (picture, labels) = scene();
    let style = Style {
        alpha: 0.5,
        contour: Some(1),
    };
    let drawn = overlay::overlay(&picture, &labels, &[BLACK, RED], style).unwrap();
    assert_eq!(drawn.get_pixel(15, 15).0, [178, 50, 50]);
    assert_eq!(drawn.get_pixel(10, 15).0, RED);
    assert_eq!(drawn.get_pixel(9, 15).0, [50; 3], "a dark line outside");
    assert_eq!(drawn.get_pixel(3, 3).0, [100; 3]);
}

#[test]
fn without_a_contour_only_the_inside_changes() {
    let (picture, labels) = scene();
    let style = Style {
        alpha: 1.0,
        contour: Some(0),
    };
    let drawn = overlay::overlay(&picture, &labels, &[BLACK, RED], style).unwrap();
    for (at, pixel) in drawn.pixels().enumerate() {
        assert_eq!(pixel.0, if labels[at] == 1 { RED } else { [100; 3] });
    }
}

/// Every pixel by the definition of a contour, at sizes below and above its width.
#[test]
fn a_contour_is_where_one_of_eight_around_differs() {
    for (width, height) in [(1, 1), (2, 5), (7, 3), (40, 23)] {
        for line in [1, 2, 3, 6] {
            let labels: Vec<u16> = (0..width * height)
                .map(|at: i32| u16::from((at % width / 5 + at / width / 7) % 3 == 1))
                .collect();
            let picture = RgbImage::from_pixel(width as u32, height as u32, Pixel([100; 3]));
            let style = Style {
                alpha: 0.0,
                contour: Some(line),
            };
            let drawn = overlay::overlay(&picture, &labels, &[BLACK, RED], style).unwrap();
            let at = |x: i32, y: i32| {
                labels[(y.clamp(0, height - 1) * width + x.clamp(0, width - 1)) as usize]
            };
            let differs = |x: i32, y: i32, reach: i32| {
                let slant = (reach * 7 + 5) / 10;
                let straight = [(reach, 0), (-reach, 0), (0, reach), (0, -reach)];
                let slanted =
                    [(1, 1), (1, -1), (-1, 1), (-1, -1)].map(|(a, b)| (a * slant, b * slant));
                straight
                    .iter()
                    .chain(&slanted)
                    .any(|(dx, dy)| at(x + dx, y + dy) != at(x, y))
            };
            let (line, halo) = (line as i32, line as i32 / 2 + line as i32 % 2);
            for (x, y, pixel) in drawn.enumerate_pixels() {
                let (x, y) = (x as i32, y as i32);
                let expected = match at(x, y) {
                    0 if differs(x, y, halo) => [50; 3],
                    1 if differs(x, y, line) => RED,
                    _ => [100; 3],
                };
                assert_eq!(pixel.0, expected, "{width} x {height}, {line}: {x}, {y}");
            }
        }
    }
}

#[test]
fn labels_of_another_size_are_an_error() {
    let (picture, labels) = scene();
    assert!(overlay::overlay(&picture, &labels[1..], &[BLACK, RED], Style::default()).is_err());
    assert!(overlay::overlay(&picture, &labels, &[], Style::default()).is_err());
}

#[test]
fn the_original_blend_dims_black_to_forty_percent_and_leaves_white() {
    let picture = RgbImage::from_pixel(4, 1, Pixel([101; 3]));
    let painted = [[0.0f32; 3], [255.0; 3]].concat();
    let drawn = overlay::original(&picture, &painted, (2, 1)).unwrap();
    let row: Vec<u8> = drawn.pixels().map(|pixel| pixel.0[0]).collect();
    assert_eq!(row, [40, 40, 101, 101]);
    assert!(overlay::original(&picture, &[], (0, 0)).is_err());
}

#[test]
fn heat_goes_from_violet_to_yellow_and_ever_brighter() {
    let values: Vec<u8> = (0..=255).collect();
    let scale = overlay::heat(&values, (256, 1)).unwrap();
    assert_eq!(scale.get_pixel(0, 0).0, [68, 1, 84]);
    assert_eq!(scale.get_pixel(255, 0).0, [253, 231, 37]);
    let light = |pixel: &Pixel<u8>| {
        let [r, g, b] = pixel.0.map(u32::from);
        2126 * r + 7152 * g + 722 * b
    };
    assert!(scale.pixels().step_by(5).map(light).is_sorted());
}

#[test]
fn a_thumbnail_keeps_the_shape_and_never_grows() {
    let picture = RgbImage::from_pixel(300, 40, Pixel(WHITE));
    assert_eq!(overlay::thumbnail(&picture, 100).dimensions(), (100, 13));
    assert_eq!(overlay::thumbnail(&picture, 4).dimensions(), (4, 1));
    assert_eq!(overlay::thumbnail(&picture, 500).dimensions(), (300, 40));
}
