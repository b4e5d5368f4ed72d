//! One transformer block.

use seggpt_kernels::{Attention, Depthwise, Epilogue, LayerNorm, PackedLinear, Queries, Sharing};
use tracing::debug_span;

use super::{pack::Pack, scratch::Scratch};
use crate::{
    Error,
    network::{Canvas, Rows},
};

/// What a block consists of.
pub(crate) struct Parts<'a> {
    /// The name of its tensors, up to the dot before each part.
    pub(crate) name: &'a str,
    pub(crate) layer_norm_eps: f64,
    /// [`crate::Config::depthwise`].
    pub(crate) depthwise: usize,
    /// [`crate::Config::relative_positions`].
    pub(crate) relative_positions: bool,
}

pub(crate) struct Block {
    /// Over each half.
    depthwise: Option<Depthwise>,
    norm1: LayerNorm,
    qkv: PackedLinear,
    proj: PackedLinear,
    norm2: LayerNorm,
    fc1: PackedLinear,
    fc2: PackedLinear,
    /// Of rows and of columns, as stored; none where positions are not relative.
    pub(super) relative: Option<[Vec<f32>; 2]>,
}

/// Tokens that go through the MLP at once, at most, so that its hidden numbers stay few.
const MLP_TOKENS: usize = 2048;

impl Block {
    pub(crate) fn load(parts: &Parts, pack: &Pack) -> Result<Self, Error> {
        let name = |part: &str| format!("{}.{part}", parts.name);
        let linear = |part| pack.linear(&name(part), pack.precision);
        let norm = |part| pack.norm(&name(part), parts.layer_norm_eps);
        Ok(Self {
            depthwise: match parts.depthwise {
                0 => None,
                edge => Some(Depthwise::pack(
                    pack.isa,
                    &pack.numbers(&name("conv.weight"))?,
                    &pack.numbers(&name("conv.bias"))?,
                    edge,
                )?),
            },
            norm1: norm("norm1")?,
            qkv: linear("attn.qkv")?,
            proj: linear("attn.proj")?,
            norm2: norm("norm2")?,
            fc1: linear("mlp.fc1")?,
            fc2: linear("mlp.fc2")?,
            relative: match parts.relative_positions {
                true => Some([
                    pack.numbers(&name("attn.rel_pos_h"))?,
                    pack.numbers(&name("attn.rel_pos_w"))?,
                ]),
                false => None,
            },
        })
    }

    /// Tokens `[(n + 1) L, C]` of one group, in place. With [`Rows::Answer`] the wanted ones come to stand at the front:
    /// their number is returned.
    pub(crate) fn forward(
        &self,
        x: &mut [f32],
        canvas: Canvas,
        attention: &Attention,
        sharing: Sharing,
        rows: Rows,
        scratch: &mut Scratch,
    ) -> Result<usize, Error> {
        let (c, tokens) = (self.qkv.inputs(), x.len() / self.qkv.inputs());
        let Scratch {
            normed,
            qkv,
            attended,
            hidden,
        } = scratch;
        let normed = take(normed, x.len());
        if let Some(depthwise) = &self.depthwise {
            debug_span!("depthwise").in_scope(|| {
                depthwise.forward(x, normed, canvas.rows, canvas.columns)?;
                x.copy_from_slice(normed);
                Ok::<_, Error>(())
            })?;
        }
        debug_span!("norms").in_scope(|| self.norm1.forward(x, normed))?;
        let qkv = take(qkv, 3 * x.len());
        debug_span!("linear qkv").in_scope(|| self.qkv.forward(normed, qkv, Epilogue::Store))?;

        let skipped = rows.skipped(canvas);
        let (queries, wanted) = match rows {
            Rows::All => (Queries::All, tokens),
            Rows::Answer => {
                // One row of patches of the first prompt, and the query.
                let (l, shown) = (canvas.tokens(), canvas.columns);
                x.copy_within(skipped * c..l * c, 0);
                x.copy_within((tokens - l) * c.., shown * c);
                (Queries::From(skipped), shown + l)
            }
        };
        let x = &mut x[..wanted * c];
        let attended = take(attended, x.len());
        debug_span!("attention").in_scope(|| attention.forward(qkv, attended, queries, sharing))?;
        debug_span!("linear proj").in_scope(|| self.proj.forward(attended, x, Epilogue::Add))?;

        let some = wanted.div_ceil(wanted.div_ceil(MLP_TOKENS)) * c;
        for x in x.chunks_mut(some) {
            let normed = &mut normed[..x.len()];
            debug_span!("norms").in_scope(|| self.norm2.forward(x, normed))?;
            let hidden = take(hidden, x.len() / c * self.fc1.outputs());
            debug_span!("linear fc1")
                .in_scope(|| self.fc1.forward(normed, hidden, Epilogue::Gelu))?;
            debug_span!("linear fc2").in_scope(|| self.fc2.forward(hidden, x, Epilogue::Add))?;
        }
        Ok(wanted)
    }
}

/// So many numbers of a buffer, which grows if it must.
fn take(buffer: &mut Vec<f32>, count: usize) -> &mut [f32] {
    if buffer.len() < count {
        buffer.resize(count, 0.0);
    }
    &mut buffer[..count]
}
