use crate::draw_tiff::{Page, tiff};
use seggpt_imaging::{
    ImagingError, RgbImage,
    annotation::{Annotation, Ids, MaskKind, MaskMode},
    read::{self, Exif, NoteKind, Reading},
};

const SIZE: (u32, u32) = (37, 23);

/// A picture in which no two neighbours are alike.
fn value(x: u32, y: u32, sample: usize) -> u64 {
    u64::from((x * 7 + y * 13 + sample as u32 * 50) % 256)
}

fn wanted() -> RgbImage {
    RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| {
        image::Rgb([0, 1, 2].map(|sample| value(x, y, sample) as u8))
    })
}

fn opened(page: Page, big: bool) -> Result<Reading, ImagingError> {
    Reading::decode(&tiff(&[page], big), "a.tif", Exif::Apply)
}

fn kinds(reading: &Reading) -> Vec<NoteKind> {
    reading.notes.iter().map(|note| note.kind).collect()
}

/// A red disc's ids: 1 inside.
fn inside(x: u32, y: u32) -> bool {
    (x as i32 - 18).pow(2) + (y as i32 - 11).pow(2) < 64
}

#[test]
fn image_tiff_198_strips_tiles_planes_and_bigtiff_are_read() {
    for tile in [None, Some(16)] {
        for planar in [false, true] {
            for big in [false, true] {
                let page = Page {
                    tile,
                    planar,
                    ..Page::new(SIZE, 3, 8, value)
                };
                let reading = opened(page, big).unwrap();
                assert!(reading.picture == wanted(), "{tile:?} {planar} {big}");
                assert!(reading.notes.is_empty());
            }
        }
    }
}

#[test]
fn image_tiff_198_partial_tiles_with_extra_bands_are_whole() {
    let page = Page {
        tile: Some(16),
        extra: vec![0],
        ..Page::new(SIZE, 4, 8, value)
    };
    let reading = opened(page, false).unwrap();
    assert!(reading.picture == wanted());
    assert_eq!(kinds(&reading), [NoteKind::Bands]);
}

#[test]
fn image_1927_a_palette_is_read_as_colours_and_as_ids() {
    let palette: Vec<u16> = [0u16, 200, 0, 0, 0, 90, 0, 0, 255]
        .iter()
        .map(|v| v * 257)
        .collect();
    let mut table = [[0u16; 256]; 3];
    for (channel, table) in table.iter_mut().enumerate() {
        for index in 0..3 {
            table[index] = palette[channel * 3 + index];
        }
    }
    let ids = |x, y, _| {
        if inside(x, y) {
            1
        } else {
            u64::from(y > 20) * 2
        }
    };
    let page = Page {
        photometric: 3,
        palette: table.concat(),
        ..Page::new(SIZE, 1, 8, ids)
    };
    let bytes = tiff(&[page], false);
    let picture = read::decode(&bytes, "a.tif").unwrap();
    assert_eq!(picture.get_pixel(18, 11).0, [200, 0, 0]);
    assert_eq!(picture.get_pixel(0, 22).0, [0, 90, 255]);
    let mask = Annotation::decode(&bytes, "a.tif", MaskMode::Auto, None).unwrap();
    assert_eq!(mask.kind, MaskKind::Palette);
    let classes: Vec<_> = mask
        .classes
        .iter()
        .map(|class| (class.id, class.color))
        .collect();
    assert_eq!(classes, [(1, [200, 0, 0]), (2, [0, 90, 255])]);
}

#[test]
fn image_tiff_214_five_bands_are_named_with_the_way_out() {
    let page = Page {
        photometric: 1,
        ..Page::new(SIZE, 5, 16, value)
    };
    let error = opened(page, false).unwrap_err();
    assert!(matches!(error, ImagingError::Unsupported { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("5 bands") && text.contains("gdal_translate -b 3"),
        "{text}"
    );
}

#[test]
fn bands_that_nothing_is_said_of_are_taken_with_a_note() {
    for samples in [2, 3, 4] {
        let page = Page {
            photometric: 1,
            ..Page::new(SIZE, samples, 8, value)
        };
        let reading = opened(page, false).unwrap();
        assert_eq!(kinds(&reading), [NoteKind::Bands], "{samples}");
        assert_eq!(reading.picture == wanted(), samples > 2);
    }
}

#[test]
fn napari_6044_whole_numbers_of_32_and_64_bits_are_ids() {
    let id = |x, y| if inside(x, y) { 300 } else { u64::from(y == 0) };
    let float = |v: u64| u64::from((v as f32).to_bits());
    let double = |v: u64| (v as f64).to_bits();
    let pages = [
        Page::new(SIZE, 1, 16, |x, y, _| id(x, y)),
        Page {
            format: 2,
            ..Page::new(SIZE, 1, 32, |x, y, _| id(x, y))
        },
        Page::new(SIZE, 1, 32, |x, y, _| id(x, y)),
        Page {
            format: 2,
            ..Page::new(SIZE, 1, 64, |x, y, _| id(x, y))
        },
        Page {
            format: 3,
            ..Page::new(SIZE, 1, 32, |x, y, _| float(id(x, y)))
        },
        Page {
            format: 3,
            ..Page::new(SIZE, 1, 64, |x, y, _| double(id(x, y)))
        },
    ];
    for page in pages {
        let told = (page.bits, page.format);
        let bytes = tiff(&[page], false);
        let mask = Annotation::decode(&bytes, "a.tif", MaskMode::Auto, None).unwrap();
        let ids: Vec<u16> = mask.classes.iter().map(|class| class.id).collect();
        assert_eq!(ids, [1, 300], "{told:?}");
        let values = Ids::decode(&bytes, "a.tif").unwrap().values;
        assert_eq!(values[11 * 37 + 18], 300, "{told:?}");
    }
}

#[test]
fn cellpose_9_values_that_are_no_ids_are_named() {
    let of = |format: u16, bits: u16, value: u64| {
        let page = Page {
            format,
            ..Page::new(SIZE, 1, bits, move |x, _, _| if x == 3 { value } else { 0 })
        };
        Annotation::decode(&tiff(&[page], false), "a.tif", MaskMode::Auto, None)
    };
    for (format, bits, value, what) in [
        (3, 32, u64::from(7.25f32.to_bits()), "7.25"),
        (2, 32, u64::from((-7i32) as u32), "-7"),
        (1, 32, 70_000, "70000"),
    ] {
        let error = of(format, bits, value).unwrap_err().to_string();
        assert!(
            error.starts_with("a.tif: ") && error.contains(what),
            "{error}"
        );
    }
    // Shares are shades; -1 is ignored.
    let soft = of(3, 32, u64::from(0.75f32.to_bits())).unwrap();
    assert_eq!(soft.classes.len(), 1);
    let ids = |x, y, _| match (x, y) {
        (3, _) => u64::from((-1i32) as u32),
        _ => u64::from(inside(x, y)) * 2,
    };
    let page = Page {
        format: 2,
        ..Page::new(SIZE, 1, 32, ids)
    };
    let mask = Annotation::decode(&tiff(&[page], false), "a.tif", MaskMode::Auto, None).unwrap();
    assert_eq!((mask.classes.len(), mask.classes[0].id), (1, 2));
    assert_eq!(mask.painted.get_pixel(3, 0).0, [0; 3]);
}

#[test]
fn segment_geospatial_26_depths_below_16_bits_are_stretched_and_noted() {
    for (most, byte) in [(4095, 255), (3000, 187), (10_000, 156)] {
        let page = Page::new(SIZE, 3, 16, move |x, _, _| if x == 0 { most } else { 0 });
        let reading = opened(page, false).unwrap();
        assert_eq!(reading.picture.get_pixel(0, 0).0, [byte; 3], "{most}");
        assert_eq!(kinds(&reading), [NoteKind::Range]);
    }
    let full = Page::new(SIZE, 3, 16, |x, _, _| if x == 0 { 60_000 } else { 0 });
    assert!(opened(full, false).unwrap().notes.is_empty());
    let float = |x: u32, _, _| u64::from((x as f32 / 36.0).to_bits());
    let reading = opened(
        Page {
            format: 3,
            ..Page::new(SIZE, 1, 32, float)
        },
        false,
    )
    .unwrap();
    assert_eq!(reading.picture.get_pixel(36, 0).0, [255; 3]);
    assert_eq!(kinds(&reading), [NoteKind::Range]);
}

#[test]
fn few_bits_and_white_as_zero_are_read() {
    for bits in [1, 2, 4] {
        let most = (1u64 << bits) - 1;
        let page = Page::new(
            SIZE,
            1,
            bits,
            move |x, y, _| if inside(x, y) { most } else { 0 },
        );
        let picture = opened(page.clone(), false).unwrap().picture;
        assert_eq!(
            (picture.get_pixel(18, 11).0, picture.get_pixel(0, 0).0),
            ([255; 3], [0; 3]),
            "{bits}"
        );
        let white_is_zero = Page {
            photometric: 0,
            ..page
        };
        let picture = opened(white_is_zero, false).unwrap().picture;
        assert_eq!(
            (picture.get_pixel(18, 11).0, picture.get_pixel(0, 0).0),
            ([0; 3], [255; 3]),
            "{bits}"
        );
    }
    let ids = Page::new(SIZE, 1, 4, |x, y, _| if inside(x, y) { 7 } else { 0 });
    let values = Ids::decode(&tiff(&[ids], false), "a.tif").unwrap().values;
    assert_eq!(values[11 * 37 + 18], 7);
}

#[test]
fn of_several_pages_the_first_that_is_no_preview_is_read_with_a_note() {
    let page = Page::new(SIZE, 3, 8, value);
    let preview = Page {
        subfile: 1,
        ..Page::new((5, 4), 3, 8, value)
    };
    let bytes = tiff(&[preview.clone(), page.clone(), preview.clone()], false);
    let reading = Reading::decode(&bytes, "a.tif", Exif::Apply).unwrap();
    assert!(reading.picture == wanted() && reading.notes.is_empty());
    let bytes = tiff(&[page.clone(), page], false);
    let reading = Reading::decode(&bytes, "a.tif", Exif::Apply).unwrap();
    assert_eq!(kinds(&reading), [NoteKind::Pages]);
    assert!(reading.notes[0].text.contains("first of 2 pages"));
    let error = read::decode(&tiff(&[preview], false), "a.nef").unwrap_err();
    assert!(matches!(error, ImagingError::Unsupported { .. }), "{error}");
}

#[test]
fn the_pages_of_a_stack_are_read_one_by_one() {
    let page = |shift: u32| Page::new(SIZE, 1, 8, move |x, y, _| u64::from(x + y + shift));
    let preview = Page {
        subfile: 1,
        ..Page::new((5, 4), 1, 8, value)
    };
    let smaller = Page::new((18, 11), 1, 8, value);
    let bytes = tiff(&[preview, page(0), smaller, page(9)], false);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stack.tif");
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(read::pages(&path), 2, "of one size, and no preview");
    for (number, shift) in [0, 9].into_iter().enumerate() {
        let reading = Reading::page(&path, Exif::Apply, number).unwrap();
        assert_eq!(reading.picture.get_pixel(3, 4).0, [7 + shift as u8; 3]);
        assert!(reading.notes.is_empty());
    }
    let error = Reading::page(&path, Exif::Apply, 2).unwrap_err();
    assert!(error.to_string().contains("no page 3"), "{error}");
    std::fs::write(&path, &bytes[..60]).unwrap();
    assert_eq!(read::pages(&path), 1, "it fails when it is read");
}

#[test]
fn an_orientation_is_applied_unless_it_is_to_be_ignored() {
    let page = Page {
        orientation: 6,
        ..Page::new(SIZE, 3, 8, value)
    };
    let bytes = tiff(&[page], false);
    let upright = Reading::decode(&bytes, "a.tif", Exif::Apply).unwrap();
    assert!(upright.picture == image::imageops::rotate90(&wanted()));
    assert_eq!(read::size(&bytes, "a.tif").unwrap(), (23, 37));
    let stored = Reading::decode(&bytes, "a.tif", Exif::Ignore).unwrap();
    assert!(stored.picture == wanted());
    assert_eq!(
        (kinds(&upright), kinds(&stored)),
        (vec![NoteKind::Turned], vec![NoteKind::Turned])
    );
}

#[test]
fn what_is_not_read_is_not_called_damaged() {
    for compression in [34_925, 34_661, 50_002] {
        let page = Page {
            compression,
            ..Page::new(SIZE, 3, 8, value)
        };
        let error = opened(page, false).unwrap_err();
        assert!(
            matches!(error, ImagingError::Unsupported { .. }),
            "{compression}: {error}"
        );
        assert!(error.to_string().contains("gdal_translate"), "{error}");
    }
}

#[test]
fn a_tiff_that_is_cut_short_is_an_error() {
    let bytes = tiff(
        &[Page {
            tile: Some(16),
            ..Page::new(SIZE, 3, 8, value)
        }],
        false,
    );
    for part in 1..10 {
        let cut = &bytes[..bytes.len() * part / 10];
        assert!(read::decode(cut, "a.tif").is_err(), "{part}/10");
    }
}
