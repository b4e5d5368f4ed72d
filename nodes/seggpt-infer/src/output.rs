use std::collections::BTreeMap;

/// A network's output for a query, `size` x `size` pixels, row by row.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Colours, 3 values 0 to 255 each, not rounded: one plane, or one per prompt, where they vote.
    Colours(Vec<Vec<f32>>),
    /// How much each pixel belongs to background and to each class, summing to 1.
    Memberships(Vec<f32>),
}

/// What the network predicted, before it is read as classes.
pub struct RawOutput {
    /// In the network's own terms.
    pub output: Output,
    /// Side in pixels.
    pub size: u32,
    /// Milliseconds by stage; `prepare` only if the prompts are not the last ones; `forward` is an equal share of what all
    /// took that went through the network together.
    pub milliseconds: BTreeMap<String, f64>,
}
