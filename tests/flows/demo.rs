//! The first thing that a user sees, from the program alone.

use seggpt_tests::Scratch;

#[test]
fn the_program_alone_draws_segments_and_names_the_page() {
    let scratch = Scratch::new();
    scratch
        .seggpt_alone(["demo", "--out", "demo"])
        .expect_code(0)
        .expect_text("report: ")
        .expect_text("result/report.html");
    let report = scratch.report("demo/result");
    assert_eq!(report["counts"]["done"], 8, "{}", report["counts"]);
    let items = report["items"].as_array().unwrap();
    for item in items {
        assert_eq!(item["provenance"]["model"], "base");
        // Each picture finds the prompt of its scene.
        let scene = item["item"].as_str().unwrap().split('_').next().unwrap();
        assert_eq!(item["provenance"]["prompts"][0][0], scene, "{item}");
    }
}
