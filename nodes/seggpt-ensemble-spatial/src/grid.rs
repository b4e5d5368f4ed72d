use eyre::{Result, ensure};
use seggpt_contract::{Canvases, Combine, Example, Prompt, Prompted, Square};
use seggpt_imaging::{
    RgbImage,
    resize::{bicubic, nearest_rgb},
};

/// One canvas whose prompt is a `grid` x `grid` picture of all examples, sampled down to the size of one: images bicubic,
/// masks nearest (SegGPT, section 3.3). Cells beyond the last example repeat the examples in order; `grid` 0 takes the
/// smallest that holds all. A single example stays as it is.
///
/// # Errors
/// More examples than cells, no example, or a picture that does not decode.
pub fn lay_out(prompted: &Prompted, grid: u32) -> Result<Canvases> {
    let size = prompted.size()?;
    let examples = &prompted.examples;
    let grid = match grid {
        0 => (1..).find(|n| n * n >= examples.len()).unwrap_or(1),
        n => n as usize,
    };
    ensure!(
        examples.len() <= grid * grid,
        "GRID {grid} has room for {} examples and {} came: raise GRID (0 fits itself) or lower K",
        grid * grid,
        examples.len()
    );
    let shown = |part: fn(&Example) -> &Square, resize: fn(&RgbImage, u32, u32) -> RgbImage| {
        let cells: Vec<_> = examples.iter().map(part).collect();
        match grid {
            1 => Ok(cells[0].clone()),
            _ => Square::from_rgb(resize(&tiled(&cells, grid), size, size)),
        }
    };
    let names: Vec<_> = examples.iter().map(|e| e.name.as_str()).collect();
    let prompt = Prompt {
        name: names.join(" + "),
        image: shown(|e| &e.image, bicubic)?,
        mask: shown(|e| &e.mask, nearest_rgb)?,
        score: examples.iter().map(|e| e.score).sum::<f32>() / examples.len() as f32,
    };
    Ok(Canvases::new(
        prompted,
        vec![prompt],
        Combine::Feature,
        "spatial",
    )?)
}

/// The squares side by side, row by row, over and over until `grid` x `grid` cells are full.
fn tiled(squares: &[&Square], grid: usize) -> RgbImage {
    let size = squares[0].size() as usize;
    let mut bytes = Vec::with_capacity(grid * grid * squares[0].bytes().len());
    for row in 0..grid * size {
        for column in 0..grid {
            let square = squares[(row / size * grid + column) % squares.len()];
            let from = row % size * size * 3;
            bytes.extend_from_slice(&square.bytes()[from..from + size * 3]);
        }
    }
    let side = (grid * size) as u32;
    RgbImage::from_raw(side, side, bytes).expect("grid x grid squares of one size")
}
