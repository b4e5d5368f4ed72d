//! Masks over pictures: what is drawn, and what goes out where there is no mask.
#![allow(clippy::unwrap_used, missing_docs)]

use clap::Parser;
use image::{Rgb, RgbImage};
use seggpt_contract::{
    Class, ClassIds, ClassResult, Example, Failure, Identity, Mask, Message, Picture, Prompted,
    Provenance, SegType, Square,
};
use seggpt_imaging::overlay::Style;
use seggpt_node::testing::run_with;
use seggpt_overlay::{Settings, paint, run};

fn square() -> Square {
    Square::new(1, vec![0_u8; 3]).unwrap()
}

fn class() -> Class {
    Class {
        id: 1,
        name: "pebble".into(),
        color: [255, 0, 0],
    }
}

fn mask(width: u32) -> Mask {
    let pixels = width as usize * 8;
    Mask {
        width,
        height: 8,
        ids: ClassIds::from_ids((0..pixels).map(|at| u16::from(at % 16 < 8)).collect()),
        confidence: vec![255_u8; pixels].into(),
        classes: vec![ClassResult {
            class: class(),
            pixels: 64,
            confidence: 1.0,
        }],
        painted: square(),
        instances: None,
        shares: None,
        provenance: Provenance::default(),
    }
}

fn picture() -> Picture {
    Picture::from_rgb(RgbImage::from_pixel(16, 8, Rgb([100; 3])))
}

fn prompted() -> Prompted {
    Prompted {
        image: picture(),
        examples: vec![Example {
            name: "a".into(),
            image: square(),
            mask: square(),
            score: 1.0,
        }],
        classes: vec![class()],
        kind: SegType::Instance,
        selection: "fixed".into(),
        warnings: vec![],
    }
}

fn identity() -> Identity {
    Identity::new("a", 0, (16, 8))
}

#[test]
fn a_class_is_drawn_in_its_colour_and_the_rest_stays() {
    let painted = paint(&identity(), Some(&mask(16)), &picture(), Style::default()).unwrap();
    let pixels = painted.to_rgb().unwrap();
    assert_eq!(pixels.get_pixel(15, 4).0, [100; 3]);
    let [r, g, b] = pixels.get_pixel(2, 4).0;
    assert!(r > 150 && g < 80 && b < 80, "{r} {g} {b}");
}

#[test]
fn a_mask_of_another_size_is_refused_and_none_leaves_the_picture() {
    let error = paint(&identity(), Some(&mask(8)), &picture(), Style::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("8 x 8 pixels, the picture 16 x 8")
    );
    let plain = paint(&identity(), None, &picture(), Style::default()).unwrap();
    assert_eq!(plain, picture());
}

#[test]
fn mask_and_picture_meet_in_either_order_and_a_failed_item_goes_out_as_it_is() {
    let item = |name: &str| Identity::new(name, 0, (16, 8));
    let failure = Failure {
        node: "infer".into(),
        error: "no".into(),
    };
    let failed = Message::<Mask>::Failed(item("b"), failure)
        .encode()
        .unwrap();
    let inputs = [
        ("mask", Message::Item(item("a"), mask(16)).encode().unwrap()),
        (
            "prompted",
            Message::Item(item("a"), prompted()).encode().unwrap(),
        ),
        (
            "prompted",
            Message::Item(item("b"), prompted()).encode().unwrap(),
        ),
        ("mask", failed),
        // Its picture does not come.
        ("mask", Message::Item(item("c"), mask(16)).encode().unwrap()),
    ];
    let settings = Settings::parse_from(["seggpt-overlay"]);
    let sent = run_with(inputs, |node, events| run(node, events, settings)).unwrap();
    let first: Vec<_> = sent.iter().map(|sent| sent.rows[40 * 3].as_u64()).collect();
    assert_eq!(sent.len(), 2);
    assert_eq!(first[1], Some(100), "as it is");
}
