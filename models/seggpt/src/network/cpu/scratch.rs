/// Room for what a block computes, used by one block after the other.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(super) normed: Vec<f32>,
    pub(super) qkv: Vec<f32>,
    pub(super) attended: Vec<f32>,
    pub(super) hidden: Vec<f32>,
}
