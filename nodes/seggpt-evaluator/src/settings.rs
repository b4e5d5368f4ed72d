use std::path::PathBuf;

use clap::{Parser, value_parser};
use eyre::{Result, bail, ensure};
use seggpt_benchmark::{Kind, MEMORY, Protocol, Source};
use seggpt_contract::SegType;
use seggpt_node::node_spec::{PLACES, RESULTS, SPEED};
use seggpt_prompts::Pairs;

/// Runs a benchmark through the dataflow and scores the predictions
///
/// Stands where source, prompts and sink stand otherwise: pictures of data sets go out together with their prompts, and
/// the masks that come back are compared with the truth. At most a window of queries is under way, each is sent again
/// until its prediction comes, and the node ends when all have one. Under OUT: `rows/ROW/RUN_KEY/` with a journal (a
/// repeated run goes on from it), the worst predictions and the scores of this row; `scores.json` and `report.html` over
/// all rows there.
#[derive(Clone, Debug, Parser)]
#[command(name = "seggpt-evaluator", version)]
pub struct Settings {
    /// Data sets, one a line: folders with `images/`, `masks/`, `classes.tsv` and `split.tsv`; what CVAT, labelme or Label
    /// Studio export, or COCO files; VOC, COCO, FSS-1000, DAVIS, YouTube-VOS, ADE20K as they are published
    #[arg(long, env = "SETS", help_heading = PLACES, value_delimiter = '\n')]
    pub sets: Vec<String>,

    /// Instead of or beside SETS: a folder of pictures; needs TRUTH and PROMPT_PAIRS. Without these: where the pictures of
    /// the labelling tools' files in SETS are
    #[arg(long, env = "IMAGES", help_heading = PLACES)]
    pub images: Option<PathBuf>,

    /// The masks of the pictures in IMAGES, of the same names
    #[arg(long, env = "TRUTH", help_heading = PLACES)]
    pub truth: Option<PathBuf>,

    /// The prompts for IMAGES: one `image=mask` a line
    #[arg(long, env = "PROMPT_PAIRS", help_heading = PLACES)]
    pub prompt_pairs: Option<Pairs>,

    /// What the queries are: `classes` (each by itself), `semantic` (all at once), `panoptic` (all stuff, then all things),
    /// `episodes` (few-shot) or `video`. By default what the set is made for
    #[arg(long, env = "PROTOCOL", help_heading = RESULTS)]
    pub protocol: Option<Kind>,

    /// One in so many queries is evaluated
    #[arg(long, env = "STRIDE", help_heading = RESULTS, default_value_t = 1, value_parser = value_parser!(u32).range(1..))]
    pub stride: u32,

    /// Queries that are left out before the first
    #[arg(long, env = "OFFSET", help_heading = RESULTS, default_value_t = 0)]
    pub offset: usize,

    /// Longest side at which predictions are compared with the truth; 0: the pictures' own size. By default 448 for
    /// `classes`, else 0
    #[arg(long, env = "EVAL_SIZE", help_heading = RESULTS)]
    pub eval_size: Option<usize>,

    /// Folds of PASCAL-5i and COCO-20i, 0 to 3, with commas between. By default all
    #[arg(long, env = "FOLDS", help_heading = RESULTS, value_delimiter = ',')]
    pub folds: Vec<usize>,

    /// Episodes of a fold. By default 1000 of PASCAL-5i and COCO-20i; of other sets, every picture once
    #[arg(long, env = "EPISODES", help_heading = RESULTS)]
    pub episodes: Option<usize>,

    /// Pixels from which a picture counts as showing a class in episodes. By default 2048 of PASCAL-5i and COCO-20i, else 1
    #[arg(long, env = "MIN_PIXELS", help_heading = RESULTS)]
    pub min_pixels: Option<usize>,

    /// What episodes, and prompts under SELECT `random`, are drawn from
    #[arg(long, env = "SEED", help_heading = RESULTS, default_value_t = 0)]
    pub seed: u64,

    /// How many prompts guide a prediction; in videos, all that have been shown, and under a SELECT with `memory` so many frames more
    #[arg(long, env = "K", help_heading = RESULTS, default_value_t = 1, value_parser = value_parser!(u32).range(1..))]
    pub k: u32,

    /// Which prompts: `coverage` takes those whose masks show most, `fixed` the first of the set, `random` draws for each
    /// query, `nearest` takes the most alike. Episodes draw K themselves. In videos, `memory` adds the K frames before, with
    /// what was predicted for them; `memory:every` the last K of each fifth; `memory:gated` K whose prediction was sure, half of
    /// them the last and half those least alike
    #[arg(long, env = "SELECT", help_heading = RESULTS, default_value = "coverage", value_parser = ["coverage", "fixed", "random", "nearest", MEMORY, "memory:fifo", "memory:every", "memory:gated"])]
    pub select: String,

    /// What a colour stands for: `instance` (one object) or `semantic` (everything of its class). By default `instance` in
    /// videos and for the things of panoptic sets, else `semantic`
    #[arg(long, env = "TYPE", help_heading = RESULTS)]
    pub r#type: Option<SegType>,

    /// Side of the network's input in pixels
    #[arg(long, env = "CANVAS_SIZE", help_heading = RESULTS, default_value_t = 448, value_parser = value_parser!(u32).range(1..=4096))]
    pub canvas_size: u32,

    /// The folder for results. Relative to the folder of the dataflow
    #[arg(long, env = "OUT", help_heading = PLACES)]
    pub out: PathBuf,

    /// What tables call this configuration
    #[arg(long, env = "ROW", help_heading = PLACES, default_value = "row")]
    pub row: String,

    /// Names what the predictions depend on (model, ensemble, queries). Predictions of the same key are kept, each key has
    /// its own folder. Without a key, those of earlier runs do not count
    #[arg(long, env = "RUN_KEY", help_heading = PLACES, default_value = "")]
    pub run_key: String,

    /// The most queries that are under way at a time, 1 to 64
    #[arg(long, env = "WINDOW", help_heading = SPEED, default_value_t = 4, value_parser = value_parser!(u8).range(1..=64))]
    pub window: u8,

    /// The most megabytes of pixels that are under way at a time, three bytes a pixel; 0: a sixteenth of the machine's
    /// memory, at most 4096. A query whose picture is larger by itself goes alone
    #[arg(long, env = "WINDOW_MB", help_heading = SPEED, default_value_t = 0)]
    pub window_mb: u32,

    /// Seconds without a prediction after which a query is sent again; more than the window times the slowest prediction takes
    #[arg(long, env = "RESEND_S", help_heading = SPEED, default_value_t = 600, value_parser = value_parser!(u32).range(1..))]
    pub resend_s: u32,

    /// How often a query is sent before it is given up and reported as failed
    #[arg(long, env = "MAX_TRIES", help_heading = SPEED, default_value_t = 3, value_parser = value_parser!(u32).range(1..))]
    pub max_tries: u32,
}

impl Settings {
    /// The sets.
    ///
    /// # Errors
    /// There is none, or one in parts lacks a part.
    pub fn sources(&self) -> Result<Vec<Source>> {
        let lines = self.sets.iter().filter(|line| !line.trim().is_empty());
        let pictures = self.images.as_ref().filter(|_| self.truth.is_none());
        let source = |line: &String| match pictures {
            Some(images) => Source::Exported {
                annotations: line.into(),
                images: images.clone(),
            },
            None => Source::Folder(line.into()),
        };
        let mut sources: Vec<Source> = lines.map(source).collect();
        match (&self.images, &self.truth, &self.prompt_pairs) {
            (None, None, None) => {}
            (Some(_), None, None) if !sources.is_empty() => {}
            (Some(images), Some(truth), Some(pairs)) => sources.push(Source::Parts {
                images: images.clone(),
                truth: truth.clone(),
                prompts: pairs.0.clone(),
            }),
            _ => bail!(
                "IMAGES, TRUTH and PROMPT_PAIRS belong together: set all three or none; IMAGES alone says where the pictures of \
                 labelling tools' files in SETS are"
            ),
        }
        ensure!(
            !sources.is_empty(),
            "no queries: set SETS to folders of data sets, or IMAGES, TRUTH and PROMPT_PAIRS"
        );
        Ok(sources)
    }

    /// Which queries are evaluated.
    pub fn queries(&self) -> Protocol {
        Protocol {
            kind: self.protocol,
            stride: self.stride as usize,
            offset: self.offset,
            eval_size: self.eval_size,
            folds: self.folds.clone(),
            episodes: self.episodes,
            min_pixels: self.min_pixels,
            seed: self.seed,
        }
    }
}
