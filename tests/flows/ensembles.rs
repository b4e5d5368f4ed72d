//! Every ensemble with every selection strategy.

use seggpt_tests::{Scratch, ground};

use crate::{pebbles, text, words};

fn segment(ensemble: &str, select: &str, k: usize) {
    let scratch = Scratch::new();
    let queries = [
        "ground_3.png",
        "ground_4.png",
        "ground_6.png",
        "ground_5.jpg",
    ];
    let line = format!(
        "segment --no-report --out out --model untrained-tiny --ensemble {ensemble} --select {select} --k {k}"
    );
    let arguments = words(&line)
        .into_iter()
        .chain(pebbles(&[1, 2, 3]))
        .chain(queries.map(|name| text(ground(name))));
    scratch.seggpt(arguments).expect_code(0);
    let report = scratch.report("out");
    let items = report["items"].as_array().unwrap();
    assert_eq!(items.len(), queries.len());
    for (item, query) in items.iter().zip(queries) {
        assert_eq!(item["provenance"]["ensemble"], ensemble);
        assert_eq!(item["status"], "done");
        let mask = image::open(
            scratch
                .path("out")
                .join(item["files"]["mask"].as_str().unwrap()),
        )
        .unwrap();
        let (width, height) = image::image_dimensions(ground(query)).unwrap();
        assert_eq!((mask.width(), mask.height()), (width, height), "{query}");
    }
}

#[test]
fn feature_ensemble_with_fixed_prompts() {
    segment("feature", "fixed", 2);
}

#[test]
fn spatial_ensemble_with_random_prompts() {
    segment("spatial", "random", 3);
}

#[test]
fn voting_ensemble_with_nearest_prompts() {
    segment("vote", "nearest", 2);
}
