/// A colour as DICOM recommends it: CIELab under D50, each part stretched over 16 bits.
pub(super) fn cielab(color: [u8; 3]) -> [u16; 3] {
    let linear = color.map(|part| {
        let part = f64::from(part) / 255.0;
        match part <= 0.040_45 {
            true => part / 12.92,
            false => ((part + 0.055) / 1.055).powf(2.4),
        }
    });
    // From sRGB to XYZ under D50 (Bradford), over the white point.
    const ROWS: [[f64; 3]; 3] = [
        [0.436_074_7, 0.385_064_9, 0.143_080_4],
        [0.222_504_5, 0.716_878_6, 0.060_616_9],
        [0.013_932_2, 0.097_104_5, 0.714_173_3],
    ];
    const WHITE: [f64; 3] = [0.964_22, 1.0, 0.825_21];
    let part = |axis: usize| {
        let row = ROWS[axis].iter().zip(linear);
        let share = row.map(|(weight, part)| weight * part).sum::<f64>() / WHITE[axis];
        match share > 216.0 / 24389.0 {
            true => share.cbrt(),
            false => (share * 24389.0 / 27.0 + 16.0) / 116.0,
        }
    };
    let [x, y, z] = [part(0), part(1), part(2)];
    let (l, a, b) = (116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z));
    let stretched = |share: f64| (share * 65535.0).round().clamp(0.0, 65535.0) as u16;
    [
        stretched(l / 100.0),
        stretched((a + 128.0) / 255.0),
        stretched((b + 128.0) / 255.0),
    ]
}

#[cfg(test)]
mod tests {
    use super::cielab;

    #[test]
    fn colours_are_those_of_the_standard() {
        // L 100, a 0, b 0: half of the way is 128 of 255.
        assert_eq!(cielab([0, 0, 0]), [0, 32896, 32896]);
        let [l, a, b] = cielab([255, 255, 255]);
        assert!(l >= 65534 && a.abs_diff(32896) < 5 && b.abs_diff(32896) < 5);
        // Red is L 54.29, a 80.81, b 69.89 under D50.
        let red = cielab([255, 0, 0]);
        let expected = [
            54.29 / 100.0,
            (80.81 + 128.0) / 255.0,
            (69.89 + 128.0) / 255.0,
        ];
        for (part, share) in red.into_iter().zip(expected) {
            assert!((f64::from(part) / 65535.0 - share).abs() < 5e-4, "{red:?}");
        }
    }
}
