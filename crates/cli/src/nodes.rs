//! The nodes of this project.

use std::env;

use seggpt_flow::Nodes;
use seggpt_node::NodeSpec;

/// What there is to know of each.
pub fn node_specs() -> [NodeSpec; 15] {
    [
        seggpt_source_images::node_spec(),
        seggpt_prompts::node_spec(),
        seggpt_ensemble_feature::node_spec(),
        seggpt_ensemble_spatial::node_spec(),
        seggpt_ensemble_vote::node_spec(),
        seggpt_infer::node_spec(),
        seggpt_sink_files::node_spec(),
        seggpt_evaluator::node_spec(),
        seggpt_volumes::node_spec(),
        seggpt_source_geotiff::node_spec(),
        seggpt_sink_geotiff::node_spec(),
        seggpt_source_video::node_spec(),
        seggpt_gate::node_spec(),
        seggpt_overlay::node_spec(),
        seggpt_sink_video::node_spec(),
    ]
}

/// The same, to be looked up by a dataflow's `path:`. This program holds them all.
pub fn ours() -> Nodes {
    let nodes = Nodes::new(node_specs());
    match env::current_exe() {
        Ok(program) => nodes.held_by(program),
        // They may be on PATH.
        Err(_) => nodes,
    }
}
