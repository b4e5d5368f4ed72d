#![allow(clippy::unwrap_used, missing_docs)]

use image::{Rgb, RgbImage};
use seggpt_contract::{
    Class, Combine, Encoding, Example, Failure, Identity, Message, Picture, Prompt, Prompted,
    SegType, Square,
};
use seggpt_ensemble_spatial::{Settings, lay_out, run};
use seggpt_node::testing::run_with;

fn square(size: u32, shade: u8) -> Square {
    let picture = RgbImage::from_fn(size, size, |x, y| Rgb([shade, x as u8, y as u8]));
    Square::from_rgb(picture).unwrap()
}

fn prompted(examples: u8) -> Prompted {
    let picture = RgbImage::from_fn(9, 5, |x, y| Rgb([20 * x as u8, 40 * y as u8, 7]));
    Prompted {
        image: Picture::from_rgb(picture),
        examples: (0..examples)
            .map(|n| Example {
                name: format!("example {n}"),
                image: square(16, n),
                mask: square(16, 100 + n),
                score: f32::from(n),
            })
            .collect(),
        classes: vec![Class {
            id: 3,
            name: "pebble".into(),
            color: [255; 3],
        }],
        kind: SegType::Semantic,
        selection: "fixed".into(),
        warnings: vec![],
    }
}

/// Which example each cell of a `grid` x `grid` mask shows, by the red channel; one pixel a cell is looked at.
fn cells(mask: &Square, grid: u32) -> Vec<u8> {
    let (picture, cell) = (mask.to_rgb(), mask.size() / grid);
    let middle = |n: u32| n * cell + cell / 2;
    (0..grid * grid)
        .map(|n| picture.get_pixel(middle(n % grid), middle(n / grid))[0] - 100)
        .collect()
}

#[test]
fn a_single_example_stays_as_it_is() {
    let prompted = prompted(1);
    let canvases = lay_out(&prompted, 0).unwrap();
    assert_eq!(
        canvases.prompts,
        [Prompt::from(prompted.examples[0].clone())]
    );
    assert_eq!(canvases.combine, Combine::Feature);
}

#[test]
fn four_examples_fill_a_grid_row_by_row_and_exactly() {
    let canvases = lay_out(&prompted(4), 0).unwrap();
    let [prompt] = &canvases.prompts[..] else {
        panic!("one canvas")
    };
    // Nearest takes the pixel under the middle of the new one: 2x + 1 of the grid of twice the side.
    for (x, y, pixel) in prompt.mask.to_rgb().enumerate_pixels() {
        let cell = 100 + (y / 8 * 2 + x / 8) as u8;
        assert_eq!(
            pixel.0,
            [cell, (x % 8 * 2 + 1) as u8, (y % 8 * 2 + 1) as u8]
        );
    }
    assert_eq!(prompt.image.size(), 16);
    assert_eq!(prompt.image.to_rgb().get_pixel(4, 4)[0], 0);
    assert_eq!(prompt.image.to_rgb().get_pixel(12, 12)[0], 3);
    assert_eq!(prompt.name, "example 0 + example 1 + example 2 + example 3");
    assert_eq!(prompt.score, 1.5);
}

#[test]
fn cells_left_over_repeat_the_examples_in_order() {
    let mask = |examples, grid| {
        lay_out(&prompted(examples), grid)
            .unwrap()
            .prompts
            .remove(0)
            .mask
    };
    assert_eq!(cells(&mask(2, 0), 2), [0, 1, 0, 1]);
    assert_eq!(cells(&mask(3, 0), 2), [0, 1, 2, 0]);
    assert_eq!(cells(&mask(5, 0), 3), [0, 1, 2, 3, 4, 0, 1, 2, 3]);
    assert_eq!(cells(&mask(1, 2), 2), [0, 0, 0, 0]);
}

#[test]
fn more_examples_than_cells_are_refused() {
    let error = lay_out(&prompted(5), 2).unwrap_err().to_string();
    assert!(
        error.contains("room for 4") && error.contains("raise GRID"),
        "{error}"
    );
}

#[test]
fn the_loop_answers_each_item_and_passes_failures_on() {
    let identity = |n: u64| Identity::new(format!("{n}.png"), n, (9, 5));
    let broken = Prompted {
        image: Picture::new(9, 5, Encoding::Png, b"no picture".to_vec()).unwrap(),
        ..prompted(1)
    };
    let failure = Failure {
        node: "source".into(),
        error: "cannot be read".into(),
    };
    let messages = [
        Message::Item(identity(0), prompted(2)),
        Message::Item(identity(1), broken),
        Message::Failed(identity(2), failure),
    ];
    let inputs = messages.map(|message| ("prompted", message.encode().unwrap()));
    let sent = run_with(inputs, |node, events| {
        run(node, events, Settings { grid: 0 })
    })
    .unwrap();
    assert!(sent.iter().all(|s| s.output == "canvases"));
    assert_eq!(
        sent.iter().map(|s| s.rows.len()).collect::<Vec<_>>(),
        [1, 0, 0]
    );
    assert_eq!(sent[0].rows[0]["ensemble"], "spatial");
}
