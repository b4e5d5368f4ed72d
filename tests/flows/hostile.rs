//! A folder as users have them: what cannot be read is named, all the rest gets its mask.

use std::fs;

use image::{GrayImage, ImageFormat, Luma, RgbImage};
use seggpt_tests::{Scratch, ground};

use crate::{pebbles, prompt, text, words};

#[test]
fn a_folder_of_bad_files_gives_a_report_that_names_each_and_masks_for_the_rest() {
    let scratch = Scratch::new();
    let folder = scratch.path("pictures");
    fs::create_dir(&folder).unwrap();
    let jpeg = fs::read(ground("ground_2.jpg")).unwrap();
    fs::write(folder.join("corrupt.jpg"), &jpeg[..jpeg.len() / 3]).unwrap();
    fs::write(folder.join("empty.png"), b"").unwrap();
    fs::write(folder.join("text.png"), b"this is not a picture").unwrap();
    fs::copy(ground("ground_4.png"), folder.join("good.png")).unwrap();
    RgbImage::from_pixel(1, 1, image::Rgb([200, 10, 10]))
        .save(folder.join("pixel.png"))
        .unwrap();
    // Texture, so that the file is of a real size.
    let huge = RgbImage::from_fn(12_000, 8_000, |x, y| {
        image::Rgb([(x / 7) as u8, (y / 5) as u8, ((x * y) >> 16) as u8])
    });
    huge.save_with_format(folder.join("huge.bmp"), ImageFormat::Bmp)
        .unwrap();
    drop(huge);
    // A mask of another size than its image.
    let wrong = scratch.path("wrong_mask.png");
    GrayImage::from_pixel(30, 20, Luma([255]))
        .save(&wrong)
        .unwrap();

    let bad_prompt = [
        "--prompt".to_owned(),
        format!("{}={}", text(ground("ground_2.png")), wrong.display()),
    ];
    let arguments = |more: &[String]| {
        let line = words("segment --out out --model untrained-tiny --k 1");
        [line, pebbles(&[1]), more.to_vec(), vec!["pictures".into()]].concat()
    };
    scratch
        .seggpt(arguments(&bad_prompt))
        .expect_code(2)
        .expect_text("wrong_mask.png");
    scratch
        .seggpt(arguments(&[]))
        .expect_code(1)
        .expect_text("corrupt.jpg")
        .expect_text("empty.png")
        .expect_text("text.png");

    let report = scratch.report("out");
    let status = |item: &str| {
        let items = report["items"].as_array().unwrap();
        items
            .iter()
            .find(|i| i["item"] == item)
            .unwrap_or_else(|| panic!("{item} is not in the report"))["status"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    for bad in ["corrupt.jpg", "empty.png", "text.png"] {
        assert_eq!(status(bad), "failed", "{bad}");
    }
    for (good, size) in [
        ("good", None),
        ("pixel", Some((1, 1))),
        ("huge", Some((12_000, 8_000))),
    ] {
        let extension = if good == "huge" { "bmp" } else { "png" };
        assert_eq!(status(&format!("{good}.{extension}")), "done", "{good}");
        let dimensions =
            image::image_dimensions(scratch.path(format!("out/{good}.mask.png"))).unwrap();
        assert!(
            size.is_none_or(|size| size == dimensions),
            "{good}: {dimensions:?}"
        );
    }
    let page = fs::read_to_string(scratch.path("out/report.html")).unwrap();
    for name in ["corrupt.jpg", "empty.png", "text.png", "huge.bmp"] {
        assert!(page.contains(name), "{name} is not on the page");
    }
}

#[test]
fn no_usable_prompt_ends_the_run_before_it_starts() {
    let scratch = Scratch::new();
    let wrong = scratch.path("wrong_mask.png");
    GrayImage::from_pixel(30, 20, Luma([255]))
        .save(&wrong)
        .unwrap();
    let bad_prompt = [
        "--prompt".to_owned(),
        format!("{}={}", text(ground("ground_2.png")), wrong.display()),
    ];
    let arguments = words("segment --out out --model untrained-tiny")
        .into_iter()
        .chain(bad_prompt)
        .chain([text(ground("ground_4.png"))]);
    let ran = scratch.seggpt(arguments).expect_text("wrong_mask.png");
    assert!(!ran.text().contains("panicked"), "{}", ran.text());
}

#[test]
fn a_missing_prompt_picture_is_named_and_nothing_starts() {
    let scratch = Scratch::new();
    let arguments = words("segment --out out --model untrained-tiny")
        .into_iter()
        .chain(prompt("nowhere.png", "ground_1_pebbles.png"))
        .chain([text(ground("ground_4.png"))]);
    scratch
        .seggpt(arguments)
        .expect_code(2)
        .expect_text("nowhere.png");
}
