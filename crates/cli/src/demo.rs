//! `seggpt demo`: pictures that this program draws, and those of a folder, through one dataflow.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs,
    path::Path,
    process::{Command, Stdio},
};

use clap::Parser;
use seggpt_contract::{Class, SegType};
use seggpt_flow::{Diagnostic, Exit};
use seggpt_imaging::{RgbImage, palette, write::rgb_png};
use seggpt_prompt_library::{Entry, Library, Planes, save};
use seggpt_samples::{Sample, Source, Synthetic};

use crate::{
    args::{DemoArgs, SegmentArgs},
    console, segment,
};

/// Scenes that are drawn: what they are called, and the seed that draws them.
const SCENES: [(&str, u64); 8] = [
    ("cells", 16),
    ("nuclei", 39),
    ("stained", 31),
    ("walls", 8),
    ("vessels", 95),
    ("land", 4),
    ("crops", 86),
    ("street", 27),
];

/// What goes in, in OUT and in the folder that `--with` names.
const PICTURES: &str = "pictures";
const PROMPTS: &str = "prompts";
/// What comes out, in OUT.
const RESULT: &str = "result";

/// Edge of the drawn pictures in pixels.
const SIDE: u32 = 448;

/// Pictures of a scene beside the one that is the prompt.
const QUERIES: usize = 1;

/// Draws, then does what `seggpt segment` does.
///
/// # Errors
/// A folder cannot be read or written; or as [`segment::command`].
pub fn command(args: &DemoArgs) -> miette::Result<Exit> {
    let mut demo = Demo::default();
    if let Some(folder) = &args.with {
        demo.take(folder)?;
    }
    demo.draw()?;
    demo.write(args)?;
    let line = line(args);
    let shown: Vec<_> = line.iter().map(|word| word.to_string_lossy()).collect();
    console::note(&shown.join(" "));
    let Meant { segment } = Meant::parse_from(&line[1..]);
    let exit = segment::command(segment)?;
    let page = args.out.join(RESULT).join("report.html");
    if args.open && page.is_file() {
        open(&page);
    }
    Ok(exit)
}

/// The command that does it.
#[derive(Parser)]
#[command(name = "seggpt segment")]
struct Meant {
    #[command(flatten)]
    segment: SegmentArgs,
}

/// One library, and the pictures to segment after it.
#[derive(Default)]
struct Demo {
    prompts: Vec<(String, RgbImage, Vec<u16>)>,
    classes: Vec<Class>,
    drawn: Vec<(String, RgbImage)>,
}

impl Demo {
    /// Adds the prompts of a folder.
    fn take(&mut self, folder: &Path) -> Result<(), Diagnostic> {
        let diagnostic = |error: &dyn std::fmt::Display| {
            Diagnostic::new(format!("--with {}: {error}", folder.display()))
                .help("a folder with `pictures/` and the prompt library `prompts/`")
        };
        let (library, problems) =
            Library::open(folder.join(PROMPTS)).map_err(|error| diagnostic(&error))?;
        for problem in problems {
            console::note(&format!("not used: {problem}"));
        }
        for (index, prompt) in library.prompts().iter().enumerate() {
            let Planes { image, ids, .. } =
                library.planes(index).map_err(|error| diagnostic(&error))?;
            self.prompts.push((prompt.name.clone(), image, ids));
        }
        self.classes = library.classes().to_vec();
        Ok(())
    }

    /// Adds the drawn scenes; their classes come after those that are there.
    fn draw(&mut self) -> Result<(), Diagnostic> {
        let mut scenes = Synthetic::new(SIDE)
            .map_err(|error| Diagnostic::new(format!("cannot draw: {error}")))?;
        let taken: Vec<_> = self.classes.iter().map(|class| class.color).collect();
        let first = self.classes.iter().map(|class| class.id).max();
        // A task has three classes at most.
        let colors = palette::distinct(taken.len() + 3 * SCENES.len());
        let free = colors.into_iter().filter(|color| !taken.contains(color));
        let mut free = (first.unwrap_or(0) + 1..).zip(free);
        for (name, seed) in SCENES {
            self.add(name, scenes.sample(seed, QUERIES), &mut free);
        }
        Ok(())
    }

    fn add(&mut self, name: &str, sample: Sample, free: &mut impl Iterator<Item = (u16, [u8; 3])>) {
        let mut pictures = sample.prompts.into_iter();
        let Some(prompt) = pictures.next() else {
            return;
        };
        let mut known = BTreeMap::from([([0; 3], 0)]);
        let ids = prompt.mask.pixels().map(|pixel| {
            *known.entry(pixel.0).or_insert_with(|| {
                let (id, color) = free.next().expect("a task has three classes at most");
                let number = self.classes.iter().filter(|c| c.name.starts_with(name));
                self.classes.push(Class {
                    id,
                    name: format!("{name} {}", number.count() + 1),
                    color,
                });
                id
            })
        });
        let ids = ids.collect();
        self.prompts.push((name.to_owned(), prompt.picture, ids));
        let others = pictures
            .map(|other| other.picture)
            .chain([sample.query])
            .zip(1..);
        let named = others.map(|(picture, number)| (format!("{name}_{number}"), picture));
        self.drawn.extend(named);
    }

    /// Writes pictures and library.
    fn write(&self, args: &DemoArgs) -> Result<(), Diagnostic> {
        let unwritable = |path: &Path, error: &dyn std::fmt::Display| {
            Diagnostic::new(format!("cannot write {}: {error}", path.display()))
                .help("choose a folder for --out that you may write to")
        };
        let entries = self.prompts.iter().map(|(name, image, ids)| Entry {
            name,
            image,
            ids,
            painted: None,
        });
        let entries: Vec<_> = entries.collect();
        let library = args.out.join(PROMPTS);
        save(&library, &entries, &self.classes, SegType::Semantic)
            .map_err(|error| unwritable(&library, &error))?;
        let pictures = args.out.join(PICTURES);
        fs::create_dir_all(&pictures).map_err(|error| unwritable(&pictures, &error))?;
        for (name, picture) in &self.drawn {
            let path = pictures.join(format!("{name}.png"));
            let bytes = rgb_png(picture).map_err(|error| unwritable(&path, &error))?;
            fs::write(&path, bytes).map_err(|error| unwritable(&path, &error))?;
        }
        Ok(())
    }
}

/// The command that segments the pictures after the library.
fn line(args: &DemoArgs) -> Vec<OsString> {
    let option = |name: &str, value: &OsStr| {
        let mut word = OsString::from(format!("--{name}="));
        word.push(value);
        word
    };
    let place = |name: &str| args.out.join(name).into_os_string();
    let mut line: Vec<OsString> = vec!["seggpt".into(), "segment".into()];
    line.extend([
        option("prompts", &place(PROMPTS)),
        "--select=nearest".into(),
        option("model", args.model.as_ref()),
        option("out", &place(RESULT)),
        // What an earlier demo of another model left is moved aside.
        "--replace".into(),
    ]);
    line.extend((0..args.view.verbose).map(|_| "-v".into()));
    line.extend(args.view.json.then(|| "--json".into()));
    line.push("--".into());
    line.extend(args.with.iter().map(|folder| folder.join(PICTURES).into()));
    line.push(place(PICTURES));
    line
}

/// Has the desktop open a page; where there is none, the page is named all the same.
fn open(page: &Path) {
    let program = match std::env::consts::OS {
        "macos" => "open",
        "windows" => "explorer",
        _ => "xdg-open",
    };
    let mut command = Command::new(program);
    let started = command
        .arg(page)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Err(error) = started {
        console::note(&format!(
            "cannot start {program} ({error}): open {} yourself",
            page.display()
        ));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_scenes_are_what_they_are_called() {
        let mut scenes = Synthetic::new(SIDE).unwrap();
        let drawn = SCENES.map(|(_, seed)| scenes.sample(seed, QUERIES).origin);
        let expected = [
            "glowing cells",
            "glowing cells",
            "stained cells",
            "cells with walls",
            "vessels",
            "land from above",
            "plants",
            "street",
        ];
        for (drawn, expected) in drawn.iter().zip(expected) {
            assert!(drawn.contains(expected), "{drawn}, not {expected}");
        }
    }

    #[test]
    fn every_scene_has_a_prompt_that_shows_something_and_pictures_of_its_own() {
        let mut demo = Demo::default();
        demo.draw().unwrap();
        assert_eq!(demo.prompts.len(), SCENES.len());
        assert_eq!(demo.drawn.len(), SCENES.len() * QUERIES);
        for (name, image, ids) in &demo.prompts {
            assert_eq!(image.dimensions(), (SIDE, SIDE));
            let shown = ids.iter().filter(|id| **id > 0).count();
            assert!(shown * 100 > ids.len(), "{name}: {shown}");
        }
        let ids: Vec<_> = demo.classes.iter().map(|class| class.id).collect();
        assert_eq!(ids, (1..=ids.len() as u16).collect::<Vec<_>>());
    }
}
