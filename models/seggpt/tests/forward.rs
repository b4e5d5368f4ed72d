//! What must hold between the network's own answers.
#![allow(clippy::unwrap_used)]

mod common;

use common::{difference, lower, plain_tiny, reference, tiny};
use seggpt::{Device, Ensemble, Error, Network, SegType, Tensor};

/// How far equal computations in another order may drift apart.
const TOLERANCE: f32 = 1e-5;

fn noise(shape: (usize, usize, usize, usize), seed: u32) -> Tensor {
    let count = shape.0 * shape.1 * shape.2 * shape.3;
    let mut state = seed;
    let values: Vec<f32> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    })
    .take(count)
    .collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn answer(
    network: &Network,
    query: &Tensor,
    prompts: &Tensor,
    masks: &Tensor,
    ensemble: Ensemble,
) -> Tensor {
    let prepared = network
        .prepare(prompts, masks, SegType::Instance, ensemble)
        .unwrap();
    network.forward(query, &prepared).unwrap()
}

#[test]
fn prompts_of_another_network_are_refused() {
    let (one, other) = (tiny(), tiny());
    let (query, prompts, masks) = (
        noise((1, 3, 64, 64), 1),
        noise((1, 3, 64, 64), 2),
        noise((1, 3, 64, 64), 3),
    );
    let prepared = one
        .prepare(&prompts, &masks, SegType::Instance, Ensemble::Feature)
        .unwrap();
    assert!(one.forward(&query, &prepared).is_ok());
    let refused = other.forward(&query, &prepared);
    assert!(matches!(refused, Err(Error::OtherNetwork)));
}

#[test]
fn the_fast_path_equals_the_reference_path() {
    let network = tiny();
    for (n, ensemble) in [
        (1, Ensemble::Feature),
        (2, Ensemble::Feature),
        (5, Ensemble::Feature),
        (1, Ensemble::Joint),
        (4, Ensemble::Joint),
        (3, Ensemble::Independent),
    ] {
        let (query, prompts, masks) = (
            noise((1, 3, 64, 64), 1),
            noise((n, 3, 64, 64), 2),
            noise((n, 3, 64, 64), 3),
        );
        let plain = plain_tiny()
            .forward(&query, &prompts, &masks, SegType::Instance, ensemble)
            .unwrap();
        let found = difference(
            &answer(&network, &query, &prompts, &masks, ensemble),
            &lower(&plain),
        );
        assert!(found <= TOLERANCE, "{n} prompts, {ensemble}: {found}");
    }
}

#[test]
fn the_fast_path_equals_the_reference_path_on_other_canvas_sizes() {
    let network = tiny();
    for (height, width) in [(32, 32), (96, 96), (48, 80), (16, 16)] {
        let (query, prompts, masks) = (
            noise((1, 3, height, width), 1),
            noise((2, 3, height, width), 2),
            noise((2, 3, height, width), 3),
        );
        let plain = plain_tiny()
            .forward(
                &query,
                &prompts,
                &masks,
                SegType::Semantic,
                Ensemble::Feature,
            )
            .unwrap();
        let prepared = network
            .prepare(&prompts, &masks, SegType::Semantic, Ensemble::Feature)
            .unwrap();
        let found = difference(&network.forward(&query, &prepared).unwrap(), &lower(&plain));
        assert!(found <= TOLERANCE, "{height}x{width}: {found}");
    }
}

#[test]
fn a_batch_answers_as_its_members_do_alone() {
    let network = tiny();
    let (queries, prompts, masks) = (
        noise((3, 3, 64, 64), 1),
        noise((2, 3, 64, 64), 2),
        noise((2, 3, 64, 64), 3),
    );
    for (ensemble, per_query) in [(Ensemble::Feature, 1), (Ensemble::Independent, 2)] {
        let batch = answer(&network, &queries, &prompts, &masks, ensemble);
        assert_eq!(batch.dims(), [3 * per_query, 3, 64, 64]);
        for i in 0..3 {
            let alone = answer(
                &network,
                &queries.narrow(0, i, 1).unwrap(),
                &prompts,
                &masks,
                ensemble,
            );
            let found = difference(&alone, &batch.narrow(0, i * per_query, per_query).unwrap());
            assert!(found <= TOLERANCE, "{found}");
        }
    }
}

#[test]
fn copies_of_a_prompt_answer_as_that_prompt() {
    let network = tiny();
    let (query, prompt, mask) = (
        noise((1, 3, 64, 64), 1),
        noise((1, 3, 64, 64), 2),
        noise((1, 3, 64, 64), 3),
    );
    let one = answer(&network, &query, &prompt, &mask, Ensemble::Feature);
    let copies = |x: &Tensor| Tensor::cat(&[x, x, x, x], 0).unwrap();
    let four = answer(
        &network,
        &query,
        &copies(&prompt),
        &copies(&mask),
        Ensemble::Feature,
    );
    let found = difference(&one, &four);
    assert!(found <= 5e-5, "{found}");
}

#[test]
fn independent_prompts_answer_as_each_would_alone() {
    let network = tiny();
    let (query, prompts, masks) = (
        noise((1, 3, 64, 64), 1),
        noise((3, 3, 64, 64), 2),
        noise((3, 3, 64, 64), 3),
    );
    let all = answer(&network, &query, &prompts, &masks, Ensemble::Independent);
    for i in 0..3 {
        let pick = |x: &Tensor| x.narrow(0, i, 1).unwrap();
        let alone = answer(
            &network,
            &query,
            &pick(&prompts),
            &pick(&masks),
            Ensemble::Feature,
        );
        assert!(difference(&alone, &pick(&all)) <= TOLERANCE);
    }
}

#[test]
fn the_same_input_gives_the_same_bits() {
    let network = tiny();
    let (query, prompts, masks) = (
        noise((1, 3, 64, 64), 1),
        noise((3, 3, 64, 64), 2),
        noise((3, 3, 64, 64), 3),
    );
    let first = answer(&network, &query, &prompts, &masks, Ensemble::Feature);
    for _ in 0..3 {
        assert_eq!(
            difference(
                &first,
                &answer(&network, &query, &prompts, &masks, Ensemble::Feature)
            ),
            0.0
        );
    }
}

#[test]
fn the_type_and_the_prompt_have_a_say_in_the_answer() {
    let network = tiny();
    let reference = reference("seggpt-tiny");
    let [query, prompt, mask] = ["1.query", "1.prompt", "1.mask"].map(|name| &reference[name]);
    let instance = answer(&network, query, prompt, mask, Ensemble::Feature);
    let semantic = network
        .prepare(prompt, mask, SegType::Semantic, Ensemble::Feature)
        .unwrap();
    assert!(difference(&instance, &network.forward(query, &semantic).unwrap()) > 1e-3);
    assert!(
        difference(
            &instance,
            &answer(&network, query, query, mask, Ensemble::Feature)
        ) > 1e-3
    );
}

#[test]
fn unfitting_pictures_are_refused_with_their_shape() {
    let network = tiny();
    let prompt = noise((1, 3, 64, 64), 1);
    let prepare = |prompt: &Tensor, mask: &Tensor| {
        network.prepare(prompt, mask, SegType::Instance, Ensemble::Feature)
    };
    for odd in [noise((1, 3, 60, 64), 1), noise((1, 4, 64, 64), 1)] {
        assert!(matches!(
            prepare(&odd, &odd),
            Err(Error::Shape {
                what: "prompts",
                ..
            })
        ));
    }
    assert!(matches!(
        prepare(&prompt, &noise((2, 3, 64, 64), 1)),
        Err(Error::Shape { what: "masks", .. })
    ));
    let prepared = prepare(&prompt, &prompt).unwrap();
    let error = network
        .forward(&noise((1, 3, 32, 32), 1), &prepared)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("[1, 3, 32, 32]") && error.contains("64"),
        "{error}"
    );
}
