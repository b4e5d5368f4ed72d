//! The pages that show how training and tuning go: one file, nothing loaded from elsewhere.

use std::{fmt::Write, io::Cursor};

use base64::{Engine, prelude::BASE64_STANDARD};
use image::{ImageFormat, RgbImage, imageops};
use seggpt_samples::Example;

use crate::{
    settings::Settings,
    state::{About, History},
    validation::Picture,
};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#222;\
background:#fff}h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}svg{width:100%;height:auto;background:#fafafa;\
border:1px solid #ddd}table{border-collapse:collapse}td,th{padding:.2rem .5rem;text-align:center;font-weight:400}\
th{color:#666}img{width:112px;height:112px;image-rendering:pixelated;display:block}pre{background:#fafafa;\
border:1px solid #ddd;padding:.7rem;overflow:auto}.origin{text-align:left;color:#666;font-size:.85rem}";

/// The page of a training.
pub(crate) fn training(settings: &Settings, about: &About, pictures: &[Picture]) -> String {
    let (_, samples) = settings.stage(about.step);
    let best = about
        .best
        .map_or_else(String::new, |best| format!("; best IoU {:.3}", best.iou));
    let yaml = yaml_serde::to_string(settings).unwrap_or_default();
    [
        head("Training", about.step, settings.steps()),
        format!(
            "<p>{samples} samples in {:.1} hours, {} parameters{}{best}.</p>",
            about.seconds / 3600.0,
            about.architecture.parameters(),
            last_score(&about.history)
        ),
        curves(&about.history),
        answers(pictures),
        format!("<h2>Settings</h2><pre>{}</pre></html>\n", escape(&yaml)),
    ]
    .join("\n")
}

/// The beginning of a page, with how far it has come.
pub(crate) fn head(what: &str, step: u64, steps: u64) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"60\">\
         <title>{what}, step {step}</title><style>{STYLE}</style>\n<h1>{what}: step {step} of {steps}</h1>"
    )
}

/// What the last validation found, as the end of a sentence.
pub(crate) fn last_score(history: &History) -> String {
    history
        .scores
        .last()
        .map_or_else(String::new, |(_, score)| {
            format!(
                "; IoU {:.3} at threshold {:.1}, validation loss {:.4}",
                score.iou, score.threshold, score.loss
            )
        })
}

/// Loss, IoU and learning rate over the steps.
pub(crate) fn curves(history: &History) -> String {
    let losses: Vec<_> = history
        .losses
        .iter()
        .map(|(step, loss, _)| (*step, *loss))
        .collect();
    let ious: Vec<_> = history
        .scores
        .iter()
        .map(|(step, score)| (*step, score.iou))
        .collect();
    let rates: Vec<_> = history
        .losses
        .iter()
        .map(|(step, _, rate)| (*step, *rate))
        .collect();
    format!(
        "<h2>Loss</h2>{}\n<h2>Mean IoU on validation samples</h2>{}\n<h2>Learning rate</h2>{}",
        curve(&losses, true),
        curve(&ious, false),
        curve(&rates, false)
    )
}

/// Validation samples with what the network paints.
pub(crate) fn answers(pictures: &[Picture]) -> String {
    let row = |Picture { task, answer }: &Picture| {
        let sample = &task.sample;
        let of_prompts = |of: fn(&Example) -> &RgbImage| {
            let pictures = sample.prompts.iter().map(|prompt| image(of(prompt)));
            format!("<td>{}", pictures.collect::<String>())
        };
        let cells = [
            of_prompts(|prompt| &prompt.picture),
            of_prompts(|prompt| &prompt.mask),
            cells(&[&sample.query, &sample.query_mask, answer]),
        ]
        .concat();
        format!(
            "<tr>{cells}<td class=\"origin\">{}</tr>\n",
            escape(&sample.origin)
        )
    };
    let rows: String = pictures.iter().map(row).collect();
    format!(
        "<h2>Validation samples</h2><table><tr><th>prompts<th>their masks<th>query<th>target<th>answer<th></tr>\n{rows}</table>"
    )
}

/// Pictures as cells of a table.
pub(crate) fn cells(pictures: &[&RgbImage]) -> String {
    pictures
        .iter()
        .map(|picture| format!("<td>{}", image(picture)))
        .collect()
}

fn image(picture: &RgbImage) -> String {
    format!("<img alt=\"\" src=\"{}\">", data(picture))
}

/// At most so many points are drawn of a curve.
const POINTS: usize = 600;

/// A curve over steps as inline SVG, with its extremes and last value in words.
fn curve(points: &[(u64, f64)], logarithmic: bool) -> String {
    let (width, height) = (900.0, 220.0);
    let step = points.len().div_ceil(POINTS).max(1);
    let points: Vec<(u64, f64)> = points
        .chunks(step)
        .filter_map(|chunk| {
            let mean = chunk.iter().map(|(_, y)| y).sum::<f64>() / chunk.len() as f64;
            chunk.last().map(|(x, _)| (*x, mean))
        })
        .filter(|(_, y)| y.is_finite())
        .collect();
    let (Some((last_step, last)), Some((first_step, _))) = (points.last(), points.first()) else {
        return "<p>Nothing yet.</p>".into();
    };
    let place = |y: f64| if logarithmic { y.max(1e-9).ln() } else { y };
    let low = points.iter().map(|(_, y)| *y).fold(f64::INFINITY, f64::min);
    let high = points
        .iter()
        .map(|(_, y)| *y)
        .fold(f64::NEG_INFINITY, f64::max);
    let span = (place(high) - place(low)).max(1e-12);
    let steps = (last_step - first_step).max(1) as f64;
    let mut path = String::new();
    for (x, y) in &points {
        let x = (x - first_step) as f64 / steps * (width - 20.0) + 10.0;
        let y = height - 10.0 - (place(*y) - place(low)) / span * (height - 20.0);
        let _ = write!(path, "{x:.1},{y:.1} ");
    }
    format!(
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\"><polyline fill=\"none\" stroke=\"#1668b8\" \
         stroke-width=\"1.5\" points=\"{path}\"/></svg><p>steps {first_step} to {last_step}; lowest {low:.4}, highest \
         {high:.4}, last {last:.4}{}</p>",
        if logarithmic { "; logarithmic" } else { "" }
    )
}

fn data(picture: &RgbImage) -> String {
    const EDGE: u32 = 128;
    let small = match picture.width() > EDGE {
        true => &imageops::thumbnail(picture, EDGE, EDGE),
        false => picture,
    };
    let mut png = Cursor::new(Vec::new());
    match small.write_to(&mut png, ImageFormat::Png) {
        Ok(()) => format!(
            "data:image/png;base64,{}",
            BASE64_STANDARD.encode(png.into_inner())
        ),
        Err(_) => String::new(),
    }
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
