//! Rows beside each other, in Markdown.

use crate::{RowScores, SplitScore};

/// One row: a line a set, with all its measures. Several: a line a row, a column a set, and the mean over the sets where
/// there are several. Scores are times 100; sets of which predictions are missing have a star.
#[must_use]
pub fn markdown(rows: &[RowScores]) -> String {
    let cells = match rows {
        [row] => one(row),
        rows => several(rows),
    };
    aligned(&cells)
}

/// The names of all sets, in the order of their first appearance.
#[must_use]
pub fn sets(rows: &[RowScores]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for set in rows.iter().flat_map(|row| &row.sets) {
        if !names.contains(&set.set.as_str()) {
            names.push(&set.set);
        }
    }
    names
}

/// A score as tables print it.
#[must_use]
pub fn percent(score: Option<f64>) -> String {
    score.map_or_else(|| "–".to_owned(), |score| format!("{:.1}", 100.0 * score))
}

/// A set's score, with a star where predictions are missing.
#[must_use]
pub fn starred(set: &SplitScore) -> String {
    let star = if set.scored < set.queries { "*" } else { "" };
    percent(set.score) + star
}

fn one(row: &RowScores) -> Vec<Vec<String>> {
    let mut measures: Vec<&str> = Vec::new();
    for (name, _) in row.sets.iter().flat_map(|set| &set.measures) {
        if !measures.contains(&name.as_str()) {
            measures.push(name);
        }
    }
    let mut kinds: Vec<&str> = row.sets.iter().map(|set| set.measure.as_str()).collect();
    kinds.dedup();
    let mut head = vec!["set".to_owned(), kinds.join(" or ")];
    head.extend(measures.iter().map(|name| (*name).to_owned()));
    head.push("queries".to_owned());
    let mut cells = vec![head];
    for set in &row.sets {
        let mut line = vec![set.set.clone(), starred(set)];
        line.extend(measures.iter().map(|name| {
            let found = set.measures.iter().find(|(known, _)| known == name);
            percent(found.map(|(_, value)| *value))
        }));
        line.push(match set.queries == set.scored {
            true => set.queries.to_string(),
            false => format!("{} of {}", set.scored, set.queries),
        });
        cells.push(line);
    }
    if row.sets.len() > 1 {
        let mut line = vec!["**mean**".to_owned(), percent(row.mean())];
        line.extend(measures.iter().map(|_| String::new()));
        line.push(row.progress().1.to_string());
        cells.push(line);
    }
    cells
}

fn several(rows: &[RowScores]) -> Vec<Vec<String>> {
    let sets = sets(rows);
    let with_mean = sets.len() > 1;
    let mut head = vec!["row".to_owned()];
    head.extend(sets.iter().map(|set| (*set).to_owned()));
    head.extend(with_mean.then(|| "**mean**".to_owned()));
    let mut cells = vec![head];
    for row in rows {
        let mut line = vec![row.row.clone()];
        line.extend(sets.iter().map(|name| {
            let found = row.sets.iter().find(|set| set.set == *name);
            found.map_or_else(|| "–".to_owned(), starred)
        }));
        let complete = row.sets.len() == sets.len();
        line.extend(with_mean.then(|| percent(row.mean().filter(|_| complete))));
        cells.push(line);
    }
    cells
}

/// The first column to the left, numbers to the right.
fn aligned(cells: &[Vec<String>]) -> String {
    let columns = cells.first().map_or(0, Vec::len);
    let length = |text: &String| text.chars().count();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            cells
                .iter()
                .map(|line| length(&line[column]))
                .max()
                .unwrap_or(0)
                .max(3)
        })
        .collect();
    let line = |texts: &[String]| {
        let padded = texts
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (text, width))| {
                let gap = " ".repeat(width - length(text));
                match column {
                    0 => format!("{text}{gap}"),
                    _ => format!("{gap}{text}"),
                }
            });
        format!("| {} |", padded.collect::<Vec<_>>().join(" | "))
    };
    let rule = widths
        .iter()
        .enumerate()
        .map(|(column, width)| match column {
            0 => "-".repeat(width + 2),
            _ => "-".repeat(width + 1) + ":",
        });
    let rule = format!("|{}|", rule.collect::<Vec<_>>().join("|"));
    let mut lines = cells.iter().map(|texts| line(texts));
    let head = lines.next().unwrap_or_default();
    let body: Vec<String> = lines.collect();
    [vec![head, rule], body].concat().join("\n")
}
