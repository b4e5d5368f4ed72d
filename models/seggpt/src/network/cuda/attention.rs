//! Attention with decomposed relative positions (`kernels/attention.cu`).
#![allow(unsafe_code)] // kernels are launched with sizes that are checked here

use candle_core::{
    Device, Result, Shape, Tensor,
    cuda::{
        WrapErr,
        cudarc::driver::{
            CudaSlice, LaunchConfig, PushKernelArg,
            sys::{CUdevice_attribute as Attribute, CUfunction_attribute as FunctionAttribute},
        },
    },
};
use half::bf16;

use super::{
    super::{Canvas, Rows},
    launch::{Kernels, Number, Operand, Operation, apply, int, suits, threads},
};

const KERNELS: Kernels = Kernels {
    name: "attention",
    binary: include_bytes!(concat!(env!("OUT_DIR"), "/attention.fatbin")),
};

/// As in the kernel: threads and queries of a block, and keys at a time.
const THREADS: u32 = 128;
const QUERIES: usize = 128;
const KEYS: usize = 48;

/// Of queries, keys and values `[G, n + 1, L, 3, heads, d]`, what the rows attended to, `[G, rows, heads * d]`. `tables`
/// are the relative positions by distance, `[4 rows - 1, d]` and `[2 columns - 1, d]`.
pub(in super::super) fn attention(
    qkv: &Tensor,
    tables: Option<&[Tensor; 2]>,
    canvas: Canvas,
    rows: Rows,
) -> Result<Option<Tensor>> {
    let (&[groups, halves, l, 3, heads, width], Device::Cuda(device)) = (qkv.dims(), qkv.device())
    else {
        return Ok(None);
    };
    let mut operands = tables.into_iter().flatten().chain([qkv]);
    let fits = operands.all(|x| suits(x) && x.dtype() == qkv.dtype());
    if !fits || !matches!(width, 32 | 64) || l != canvas.tokens() || halves < 2 {
        return Ok(None);
    }
    let attend = Attend {
        groups,
        prompts: halves - 1,
        heads,
        width,
        canvas,
        rows,
        has_tables: tables.is_some(),
    };
    let limit = device
        .cuda_stream()
        .context()
        .attribute(Attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)
        .w()?;
    if attend.shared_bytes() > usize::try_from(limit).unwrap_or(0) {
        return Ok(None);
    }
    let [by_row, by_column] = match tables {
        Some([by_row, by_column]) => [by_row, by_column],
        None => [qkv, qkv],
    };
    apply(attend, [qkv, by_row, by_column]).map(Some)
}

struct Attend {
    groups: usize,
    prompts: usize,
    heads: usize,
    width: usize,
    canvas: Canvas,
    rows: Rows,
    has_tables: bool,
}

impl Attend {
    /// Prompts whose own results are wanted.
    fn prompt_items(&self) -> usize {
        match self.rows {
            Rows::All => self.prompts,
            Rows::Answer => 1,
        }
    }

    /// Rows of a group's result.
    fn results(&self) -> usize {
        (self.prompt_items() + 1) * self.canvas.tokens() - self.rows.skipped(self.canvas)
    }

    /// Queries, two buffers of keys and values, and a bias of every query for every row and column.
    fn shared_bytes(&self) -> usize {
        let columns = self.canvas.columns.next_multiple_of(2);
        let biases = (2 * self.canvas.rows + 1) + ((columns + 23) / 32 * 32 + 8);
        (QUERIES + 4 * KEYS) * self.width * size_of::<bf16>() + QUERIES * biases * size_of::<f32>()
    }
}

impl Operation for Attend {
    const NAME: &'static str = "cuda attention";

    fn run<T: Number>(
        &self,
        [qkv, by_row, by_column]: [Operand; 3],
    ) -> Result<(CudaSlice<T>, Shape)> {
        let device = qkv.device();
        let (tokens, channels) = (self.canvas.tokens(), self.heads * self.width);
        let in_parts = self.prompts > 1;
        let items = self.prompt_items() + if in_parts { self.prompts + 1 } else { 1 };
        // The query's results with each half's keys alone, and the logarithms of their sums of weights.
        let parts = match in_parts {
            true => self.groups * (self.prompts + 1) * tokens,
            false => 1,
        };
        let sizes = [
            self.heads,
            self.canvas.rows,
            self.canvas.columns,
            self.prompts,
            self.prompt_items(),
            self.rows.skipped(self.canvas),
        ];
        let sizes = sizes.map(int).into_iter().collect::<Result<Vec<_>>>()?;
        let shared = self.shared_bytes();

        let name = format!("attention_{{}}_{}", self.width);
        let attend = KERNELS.get::<T>(&name, device)?;
        attend
            .set_attribute(
                FunctionAttribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                int(shared)?,
            )
            .w()?;
        let (qkv, by_row, by_column) = (
            qkv.numbers::<T>()?,
            by_row.numbers::<T>()?,
            by_column.numbers::<T>()?,
        );
        // SAFETY: every number is written by the kernels before anything reads it.
        let (out, partials, logs) = unsafe {
            (
                device.alloc::<T>(self.groups * self.results() * channels)?,
                device.alloc::<f32>(parts * channels)?,
                device.alloc::<f32>(parts * self.heads)?,
            )
        };
        let stream = device.cuda_stream();
        let has_tables = i32::from(self.has_tables);
        let mut launch = stream.launch_builder(&attend);
        launch.arg(&qkv).arg(&by_row).arg(&by_column);
        launch.arg(&out).arg(&partials).arg(&logs).arg(&has_tables);
        sizes.iter().for_each(|size| {
            launch.arg(size);
        });
        let config = LaunchConfig {
            grid_dim: (
                int(tokens.div_ceil(QUERIES))? as u32,
                int(self.heads)? as u32,
                int(self.groups * items)? as u32,
            ),
            block_dim: (THREADS, 1, 1),
            shared_mem_bytes: int(shared)? as u32,
        };
        // SAFETY: the operands have the shapes that the sizes say, as `attention` has checked.
        unsafe { launch.launch(config) }.w()?;

        if in_parts {
            let combine = KERNELS.get::<T>("combine_{}", device)?;
            let width = int(self.width)?;
            let mut launch = stream.launch_builder(&combine);
            launch.arg(&partials).arg(&logs).arg(&out).arg(&width);
            sizes.iter().for_each(|size| {
                launch.arg(size);
            });
            let config = threads(tokens * channels, self.groups)?;
            // SAFETY: as above.
            unsafe { launch.launch(config) }.w()?;
        }
        Ok((out, (self.groups, self.results(), channels).into()))
    }
}
