//! All rows of a folder as `scores.json` and as a page that needs no other files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use askama::Template;

use crate::{
    BenchmarkError, MEMORY, Protocol, RowScores, cases::Case, disk::put, remembered, row::ROWS,
    table,
};

/// Cases on the page of a set.
const SHOWN: usize = 6;

/// The rows in a folder of this `protocol`, by name, of several keys the newest; and the names of those of other protocols
/// alone, which cannot be compared with them.
///
/// # Errors
/// [`BenchmarkError::Results`]: scores that are there, but cannot be read.
pub fn rows(
    out: &Path,
    protocol: &Protocol,
) -> Result<(Vec<RowScores>, Vec<String>), BenchmarkError> {
    let entries = fs::read_dir(out.join(ROWS)).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    let (mut rows, mut others) = (Vec::new(), Vec::new());
    for name in names {
        let all = RowScores::all(out, &name)?;
        let is_other = !all.is_empty();
        match all.into_iter().find(|row| row.protocol == *protocol) {
            Some(row) => rows.push(row),
            None if is_other => others.push(name),
            None => {}
        }
    }
    // Baselines come last: they are there to compare with.
    rows.sort_by_key(|row| row.predictor.ensemble.is_empty());
    Ok((rows, others))
}

/// Writes `scores.json` and `report.html` over the rows of a folder, and returns where the page is.
///
/// # Errors
/// [`BenchmarkError::Results`]: rows that cannot be read, or files that cannot be written.
pub fn write(out: &Path, protocol: &Protocol) -> Result<PathBuf, BenchmarkError> {
    let (rows, others) = rows(out, protocol)?;
    let json = serde_json::to_vec_pretty(&rows).expect("numbers and texts serialise");
    put(&out.join("scores.json"), &json)?;
    let sets = table::sets(&rows)
        .into_iter()
        .map(|name| Set::of(out, name, &rows))
        .collect::<Result<_, BenchmarkError>>()?;
    let page = Page {
        title: out.file_name().map_or_else(
            || "scores".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        ),
        protocol: protocol.to_string(),
        sets,
        rows: &rows,
        others,
    };
    let path = out.join("report.html");
    put(&path, page.render()?.as_bytes())?;
    Ok(path)
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    title: String,
    protocol: String,
    sets: Vec<Set<'a>>,
    rows: &'a [RowScores],
    others: Vec<String>,
}

/// A set with every row's parts, and the worst cases of its best row.
struct Set<'a> {
    name: &'a str,
    measure: &'a str,
    lines: Vec<Line<'a>>,
    parts: Vec<Bars<'a>>,
    best: &'a str,
    cases: Vec<Case>,
}

/// A row's numbers on a set.
struct Line<'a> {
    row: &'a str,
    score: String,
    measures: Vec<String>,
    scored: String,
}

/// A class with every row's score.
struct Bars<'a> {
    name: &'a str,
    bars: Vec<Bar<'a>>,
}

struct Bar<'a> {
    row: &'a str,
    color: String,
    width: String,
    score: String,
}

impl<'a> Set<'a> {
    fn of(out: &Path, name: &'a str, rows: &'a [RowScores]) -> Result<Self, BenchmarkError> {
        let of_row = |row: &'a RowScores| {
            let set = row.sets.iter().find(|set| set.set == name)?;
            Some((row, set))
        };
        let scored: Vec<_> = rows.iter().filter_map(of_row).collect();
        let mut parts: Vec<&str> = Vec::new();
        for part in scored.iter().flat_map(|(_, set)| &set.parts) {
            if !parts.contains(&part.name.as_str()) {
                parts.push(&part.name);
            }
        }
        let lines = scored.iter().map(|(row, set)| Line {
            row: &row.row,
            score: table::starred(set),
            measures: set
                .measures
                .iter()
                .map(|(name, value)| format!("{name} {}", table::percent(Some(*value))))
                .collect(),
            scored: match set.scored == set.queries {
                true => format!("{} queries", set.queries),
                false => format!("{} of {} queries", set.scored, set.queries),
            },
        });
        let bars = |part: &'a str| Bars {
            name: part,
            bars: scored
                .iter()
                .filter_map(|(row, set)| {
                    let score = set.parts.iter().find(|known| known.name == part)?.score;
                    let place = rows.iter().position(|known| known.row == row.row)?;
                    Some(Bar {
                        row: &row.row,
                        color: color(place),
                        width: format!("{:.1}%", 100.0 * score.unwrap_or(0.0)),
                        score: table::percent(score),
                    })
                })
                .collect(),
        };
        let networks = scored
            .iter()
            .filter(|(row, _)| !row.predictor.ensemble.is_empty());
        let ranked = |(_, a): &&(&RowScores, &crate::SplitScore),
                      (_, b): &&(&RowScores, &crate::SplitScore)| {
            a.score.unwrap_or(0.0).total_cmp(&b.score.unwrap_or(0.0))
        };
        let best = networks.max_by(ranked).or(scored.last());
        let cases = match best {
            Some((row, _)) => worst(row.cases(out)?, name),
            None => Vec::new(),
        };
        Ok(Self {
            name,
            measure: scored.first().map_or("", |(_, set)| &set.measure),
            lines: lines.collect(),
            parts: parts.into_iter().map(bars).collect(),
            best: best.map_or("", |(row, _)| &row.row),
            cases,
        })
    }
}

/// The worst of a set, of as many classes as possible: first one of each, then a second.
fn worst(cases: Vec<Case>, set: &str) -> Vec<Case> {
    let mut left: Vec<Case> = cases.into_iter().filter(|case| case.set == set).collect();
    let mut shown: Vec<Case> = Vec::new();
    while shown.len() < SHOWN && !left.is_empty() {
        let times = |case: &Case| shown.iter().filter(|s| s.part == case.part).count();
        // `left` is sorted, and the first of equals is taken.
        let next = (0..left.len())
            .min_by_key(|&at| times(&left[at]))
            .unwrap_or(0);
        shown.push(left.remove(next));
    }
    shown
}

fn color(place: usize) -> String {
    let [r, g, b] = seggpt_imaging::palette::display(place + 1);
    format!("rgb({r} {g} {b})")
}

impl Page<'_> {
    fn is_untrained(&self) -> bool {
        self.rows.iter().any(|row| row.predictor.is_untrained())
    }

    /// Rows of which predictions are missing: name, scored, all.
    fn unfinished(&self) -> Vec<(&str, usize, usize)> {
        let progress = self.rows.iter().map(|row| {
            let (all, scored) = row.progress();
            (row.row.as_str(), scored, all)
        });
        progress.filter(|(_, scored, all)| scored < all).collect()
    }

    fn score(&self, row: &RowScores, set: &Set) -> String {
        let found = row.sets.iter().find(|known| known.set == set.name);
        found.map_or_else(|| "–".to_owned(), table::starred)
    }

    /// Whether no row is better on a set.
    fn is_best(&self, row: &RowScores, set: &Set) -> bool {
        let score = |row: &RowScores| row.sets.iter().find(|known| known.set == set.name)?.score;
        let own = score(row);
        own.is_some() && self.rows.len() > 1 && self.rows.iter().all(|other| score(other) <= own)
    }

    fn mean(&self, row: &RowScores) -> String {
        let complete = row.sets.len() == self.sets.len();
        table::percent(row.mean().filter(|_| complete))
    }

    fn about(&self, row: &RowScores) -> String {
        let predictor = &row.predictor;
        let counted = |one: &str| match row.k {
            1 => format!("1 {one}"),
            k => format!("{k} {one}s"),
        };
        if let Some(policy) = remembered(&row.select) {
            let policy = match row.select.as_str() {
                MEMORY => String::new(),
                _ => format!(" ({policy})"),
            };
            return format!(
                "{}, {} ensemble, memory{policy} of {}, {}",
                predictor.model,
                predictor.ensemble,
                counted("frame"),
                predictor.device
            );
        }
        let prompts = counted("prompt");
        match predictor.ensemble.is_empty() {
            true => format!("baseline, {prompts}"),
            false => format!(
                "{}, {} ensemble, {} {prompts}, {}",
                predictor.model, predictor.ensemble, row.select, predictor.device
            ),
        }
    }

    fn time(&self, row: &RowScores) -> String {
        match row.milliseconds {
            None => String::new(),
            Some(ms) if ms < 1000.0 => format!("{ms:.0} ms"),
            Some(ms) => format!("{:.1} s", ms / 1000.0),
        }
    }

    fn swatch(&self, place: &usize) -> String {
        color(*place)
    }
}

impl Case {
    fn iou_percent(&self) -> String {
        table::percent(Some(self.iou))
    }
}
