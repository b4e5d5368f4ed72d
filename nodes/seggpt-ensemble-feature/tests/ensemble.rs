#![allow(clippy::unwrap_used, missing_docs)]

use image::{Rgb, RgbImage};
use seggpt_contract::{
    Class, Combine, Encoding, Example, Failure, Identity, Message, Picture, Prompt, Prompted,
    SegType, Square,
};
use seggpt_ensemble_feature::{Merge, Settings, lay_out, run};
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

#[test]
fn every_example_gets_a_canvas_of_its_own() {
    let prompted = prompted(3);
    let canvases = lay_out(&prompted, Merge::Mean).unwrap();
    let as_prompts: Vec<_> = prompted
        .examples
        .iter()
        .cloned()
        .map(Prompt::from)
        .collect();
    assert_eq!(canvases.prompts, as_prompts);
    assert_eq!(canvases.combine, Combine::Feature);
    assert_eq!(canvases.query, prompted.query_square().unwrap());
    assert_eq!(
        (canvases.query.size(), canvases.kind),
        (16, SegType::Semantic)
    );
    assert_eq!(canvases.classes, prompted.classes);
    let joint = lay_out(&prompted, Merge::Joint).unwrap();
    assert_eq!(joint.prompts, canvases.prompts);
    assert_eq!((joint.combine, &*joint.ensemble), (Combine::Joint, "joint"));
}

#[test]
fn without_examples_there_is_nothing_to_lay_out() {
    let error = lay_out(&prompted(0), Merge::Mean).unwrap_err().to_string();
    assert!(error.contains("at least one"), "{error}");
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
        let merge = Merge::Mean;
        run(node, events, Settings { merge })
    })
    .unwrap();
    assert!(sent.iter().all(|s| s.output == "canvases"));
    assert_eq!(
        sent.iter().map(|s| s.rows.len()).collect::<Vec<_>>(),
        [1, 0, 0]
    );
    assert_eq!(sent[0].rows[0]["ensemble"], "feature");
}
