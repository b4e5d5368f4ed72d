//! The dataflow of a row.

use super::plan::{Configuration, Plan};
use seggpt_flow::{
    compose::{Pools, env, fill, megabytes, resend_timeout, with_settings},
    shm,
};

const TEMPLATE: &str = include_str!("template.yml");

/// The dataflow of one configuration, as YAML. The same plan gives the same text.
pub fn compose(plan: &Plan, configuration: &Configuration) -> String {
    let args = &plan.args;
    let shared = [
        ("CANVAS_SIZE", configuration.canvas.to_string()),
        ("MODEL", configuration.model.display().to_string()),
    ];
    let mut evaluator = queries(plan);
    evaluator.extend([
        ("OUT", plan.out.display().to_string()),
        ("ROW", configuration.row.clone()),
        ("SELECT", configuration.select.name().to_owned()),
        ("K", configuration.k.to_string()),
        ("WINDOW", args.window.to_string()),
        ("WINDOW_MB", args.window_mb.to_string()),
        (
            "RESEND_S",
            resend_timeout(args.window, configuration.prompts()).to_string(),
        ),
    ]);
    evaluator.extend(args.seg_type.map(|kind| ("TYPE", kind.to_string())));
    let mut infer = vec![
        ("DEVICE", args.device.to_string()),
        ("DTYPE", args.dtype.to_string()),
        ("UPSCALING", args.upscaling.to_string()),
    ];
    infer.push(("REFINE", configuration.refine.name().to_owned()));
    let threshold = configuration.threshold;
    infer.extend(threshold.map(|value| ("THRESHOLD", value.to_string())));
    let of = |node, variables: &[(&'static str, String)]| {
        env(6, &with_settings(node, variables, &args.settings))
    };
    let ensemble = configuration.ensemble.env(&args.settings);
    let pools = Pools::of(configuration.prompts(), configuration.canvas, shm::room());
    fill(
        TEMPLATE,
        &[
            ("{file}", &plan.file(configuration).display().to_string()),
            ("{shared}", &env(2, &with_settings("", &shared, &[]))),
            ("{evaluator}", &of("evaluator", &evaluator)),
            ("{ensemble}", configuration.ensemble.node()),
            ("{ensemble_env}", &ensemble),
            ("{infer}", &of("infer", &infer)),
            ("{pool}", &megabytes(pools.pictures)),
            ("{canvas_pool}", &megabytes(pools.canvases)),
        ],
    )
}

/// What decides which queries are evaluated.
pub(super) fn queries(plan: &Plan) -> Vec<(&'static str, String)> {
    let args = &plan.args;
    let shown = |path: &std::path::Path| path.display().to_string();
    let lines = |lines: Vec<String>| lines.join("\n");
    let mut all = Vec::new();
    if !plan.sets.is_empty() {
        all.push((
            "SETS",
            lines(plan.sets.iter().map(|set| shown(set)).collect()),
        ));
    }
    if let Some(images) = &plan.images {
        all.push(("IMAGES", shown(images)));
    }
    if let Some(parts) = &plan.parts {
        all.push(("IMAGES", shown(&parts.images)));
        all.push(("TRUTH", shown(&parts.truth)));
        let pairs = parts.prompts.iter();
        let pairs = pairs.map(|(image, mask)| format!("{}={}", shown(image), shown(mask)));
        all.push(("PROMPT_PAIRS", lines(pairs.collect())));
    }
    let numbers = |numbers: &[usize]| {
        let numbers: Vec<_> = numbers.iter().map(usize::to_string).collect();
        numbers.join(",")
    };
    let some = |name, value: Option<String>| value.map(|value| (name, value));
    let optional = [
        some("PROTOCOL", args.protocol.map(|kind| kind.to_string())),
        some("STRIDE", (args.stride > 1).then(|| args.stride.to_string())),
        some("OFFSET", (args.offset > 0).then(|| args.offset.to_string())),
        some("EVAL_SIZE", args.eval_size.map(|side| side.to_string())),
        some(
            "FOLDS",
            (!args.folds.is_empty()).then(|| numbers(&args.folds)),
        ),
        some("EPISODES", args.episodes.map(|count| count.to_string())),
        some("MIN_PIXELS", args.min_pixels.map(|count| count.to_string())),
        some("SEED", (args.seed != 0).then(|| args.seed.to_string())),
    ];
    all.extend(optional.into_iter().flatten());
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser;
    use dora_core::{
        descriptor::{Descriptor, DescriptorExt, validate},
        types::TypeRegistry,
    };

    use super::*;
    use crate::{
        args::{Cli, Command},
        values::Refine,
    };

    fn plan(words: &[&str]) -> Plan {
        let words = ["seggpt", "eval", "--out", "/o u't/$x"].iter().chain(words);
        let Command::Eval(args) = Cli::parse_from(words).command else {
            panic!("eval was asked for")
        };
        let configuration = |ensemble| Configuration {
            row: "tiny".into(),
            model: "/models/tiny".into(),
            canvas: 64,
            refine: Refine::None,
            ensemble,
            select: args.selects[0],
            k: args.ks[0],
            threshold: args.thresholds.first().copied(),
        };
        Plan {
            out: args.out.clone(),
            sets: args.sets.clone(),
            images: None,
            parts: None,
            configurations: args.ensembles.iter().copied().map(configuration).collect(),
            args: *args,
        }
    }

    fn parsed(plan: &Plan, configuration: &Configuration) -> Descriptor {
        Descriptor::parse(compose(plan, configuration).into_bytes()).unwrap()
    }

    fn value(flow: &Descriptor, node: &str, key: &str) -> String {
        let node = flow.nodes.iter().find(|n| n.id.as_ref() == node).unwrap();
        node.env.as_ref().unwrap()[key].to_string()
    }

    #[test]
    fn the_composed_dataflow_is_wired_and_typed() {
        let types = tempfile::tempdir().unwrap();
        seggpt_flow::compose::prepare(types.path()).unwrap();
        let mut registry = TypeRegistry::new();
        registry.load_from_dir(&types.path().join("types")).unwrap();
        let plan = plan(&["--ensemble", "feature,joint,vote,spatial", "set"]);
        for configuration in &plan.configurations {
            let flow = parsed(&plan, configuration);
            validate::check_dataflow_static(&flow).unwrap();
            let warnings = validate::check_type_annotations_full(&flow, &registry, true).warnings;
            assert!(warnings.is_empty(), "{warnings:?}");
            assert_eq!(
                flow.nodes[1].path.as_deref(),
                Some(configuration.ensemble.node())
            );
        }
    }

    #[test]
    fn it_has_the_shape_of_the_ready_made_one() {
        let ready = include_str!("../../../../dataflows/eval.yml");
        let shape = |flow: &Descriptor| {
            let nodes = flow.nodes.iter().map(|node| {
                let edges = serde_json::to_value((
                    &node.inputs,
                    &node.outputs,
                    &node.input_types,
                    &node.output_types,
                ));
                (
                    node.id.to_string(),
                    node.path.clone(),
                    edges.unwrap().to_string(),
                    node.finish_grace_secs,
                )
            });
            (flow.strict_types, nodes.collect::<Vec<_>>())
        };
        let plan = plan(&["set"]);
        assert_eq!(
            shape(&parsed(&plan, &plan.configurations[0])),
            shape(&Descriptor::parse(ready.into()).unwrap())
        );
    }

    #[test]
    fn every_setting_arrives() {
        let plan = plan(&[
            "--k",
            "4",
            "--threshold",
            "0.3",
            "--stride",
            "8",
            "--offset",
            "4",
            "--fold",
            "0,2",
            "--protocol",
            "episodes",
            "--eval-size",
            "0",
            "--set",
            "infer.THREADS=2",
            "/a",
            "/b c",
        ]);
        let flow = parsed(&plan, &plan.configurations[0]);
        for (key, expected) in [
            ("SETS", "/a\n/b c"),
            ("K", "4"),
            ("STRIDE", "8"),
            ("OFFSET", "4"),
            ("FOLDS", "0,2"),
            ("PROTOCOL", "episodes"),
            ("EVAL_SIZE", "0"),
            ("OUT", "/o u't/$x"),
            ("ROW", "tiny"),
        ] {
            assert_eq!(value(&flow, "evaluator", key), expected, "{key}");
        }
        assert_eq!(value(&flow, "infer", "THRESHOLD"), "0.3");
        assert_eq!(value(&flow, "infer", "THREADS"), "2");
    }
}
