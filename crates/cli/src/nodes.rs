//! The nodes of this project.

use std::env;

use seggpt_flow::Nodes;
use seggpt_node::Manual;

/// What there is to know of each.
pub fn manuals() -> [Manual; 10] {
    [
        seggpt_source_images::manual(),
        seggpt_prompts::manual(),
        seggpt_ensemble_feature::manual(),
        seggpt_ensemble_spatial::manual(),
        seggpt_ensemble_vote::manual(),
        seggpt_infer::manual(),
        seggpt_sink_files::manual(),
        seggpt_examiner::manual(),
        seggpt_source_geotiff::manual(),
        seggpt_sink_geotiff::manual(),
    ]
}

/// The same, to be looked up by a dataflow's `path:`. This program holds them all.
pub fn ours() -> Nodes {
    let nodes = Nodes::new(manuals());
    match env::current_exe() {
        Ok(program) => nodes.held_by(program),
        // They may be on PATH.
        Err(_) => nodes,
    }
}
