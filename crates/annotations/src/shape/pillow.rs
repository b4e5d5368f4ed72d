//! What labelme draws with Pillow's `ImageDraw`, fill and outline: corners are whole pixels, and the pixels of the outline
//! belong to the shape.

/// A shape of labelme's.
#[derive(Debug, Clone, PartialEq)]
pub enum Pillow {
    /// Corners, x, y, x, y, ...
    Polygon(Vec<f64>),
    /// Left, top, right, bottom.
    Rectangle([f64; 4]),
    /// Centre x, y and radius.
    Circle([f64; 3]),
}

impl Pillow {
    pub(super) fn fill(&self, size: (usize, usize), values: &mut [bool]) {
        let (width, height) = (size.0 as i64, size.1 as i64);
        let mut span = |y: i64, from: i64, to: i64| {
            if (0..height).contains(&y) {
                let (from, to) = (from.max(0), to.min(width - 1));
                for x in from..=to {
                    values[(y * width + x) as usize] = true;
                }
            }
        };
        match self {
            Self::Polygon(corners) => {
                let corners: Vec<(i64, i64)> = corners
                    .as_chunks::<2>()
                    .0
                    .iter()
                    .map(|&[x, y]| (x as i64, y as i64))
                    .collect();
                polygon(&corners, height, span);
            }
            Self::Rectangle(sides) => {
                let [left, top, right, bottom] = sides.map(|side| side as i64);
                (top.max(0)..=bottom.min(height - 1)).for_each(|y| span(y, left, right));
            }
            Self::Circle([x, y, radius]) => {
                let [left, right, top, bottom] = [x - radius, x + radius, y - radius, y + radius]
                    .map(|side| (side as i64) as f64);
                let (cx, cy) = ((left + right) / 2.0, (top + bottom) / 2.0);
                let (a, b) = ((right - left + 1.0) / 2.0, (bottom - top + 1.0) / 2.0);
                for row in (top.max(0.0) as i64)..=(bottom.min(height as f64 - 1.0) as i64) {
                    let part = 1.0 - ((row as f64 - cy) / b).powi(2);
                    if part >= 0.0 {
                        let half = a * part.sqrt();
                        span(row, (cx - half).ceil() as i64, (cx + half).floor() as i64);
                    }
                }
            }
        }
    }
}

/// Even-odd between the edges at each row's middle, and the lines of the outline.
fn polygon(corners: &[(i64, i64)], height: i64, mut span: impl FnMut(i64, i64, i64)) {
    let next = corners.iter().cycle().skip(1);
    let edges: Vec<_> = corners.iter().copied().zip(next.copied()).collect();
    let lowest = corners
        .iter()
        .map(|corner| corner.1)
        .min()
        .unwrap_or(0)
        .max(0);
    let highest = corners.iter().map(|corner| corner.1).max().unwrap_or(-1);
    for y in lowest..=highest.min(height - 1) {
        let crossing = |&((x0, y0), (x1, y1)): &((i64, i64), (i64, i64))| {
            let crosses = (y0 <= y) != (y1 <= y);
            crosses.then(|| x0 as f64 + (y - y0) as f64 * (x1 - x0) as f64 / (y1 - y0) as f64)
        };
        let mut crossings: Vec<f64> = edges.iter().filter_map(crossing).collect();
        crossings.sort_by(f64::total_cmp);
        for &[from, to] in crossings.as_chunks::<2>().0 {
            span(y, from.ceil() as i64, to.floor() as i64);
        }
    }
    for (from, to) in edges {
        line(from, to, &mut span);
    }
}

/// Bresenham's line, both ends included.
fn line((mut x, mut y): (i64, i64), to: (i64, i64), span: &mut impl FnMut(i64, i64, i64)) {
    let (dx, dy) = ((to.0 - x).abs(), (to.1 - y).abs());
    let (step_x, step_y) = ((to.0 - x).signum(), (to.1 - y).signum());
    let mut error = dx - dy;
    loop {
        span(y, x, x);
        if (x, y) == to {
            return;
        }
        let twice = 2 * error;
        if twice > -dy {
            error -= dy;
            x += step_x;
        }
        if twice < dx {
            error += dx;
            y += step_y;
        }
    }
}
