//! What was asked for, checked: paths absolute, models found, every combination a row.

use std::path::{Path, PathBuf};

use seggpt::Card;
use seggpt_exam::{Protocol, Source};
use seggpt_flow::Flaw;

use crate::{
    args::{Ensemble, EvalArgs, Guides, Refine},
    segment::{self, MODEL_HELP, absolute, prompts},
};

/// Everything that a run of `seggpt eval` does. Paths are absolute.
#[derive(Clone, Debug)]
pub struct Plan {
    /// OUT.
    pub out: PathBuf,
    /// Data sets.
    pub sets: Vec<PathBuf>,
    /// Where the pictures of labelling tools' files are.
    pub images: Option<PathBuf>,
    /// Data in no known layout.
    pub parts: Option<Parts>,
    /// One a row, baselines left out.
    pub ways: Vec<Way>,
    /// What was asked for.
    pub args: EvalArgs,
}

/// Pictures, masks and prompts from anywhere.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The pictures.
    pub images: PathBuf,
    /// Their masks.
    pub truth: PathBuf,
    /// Prompts as (picture, mask).
    pub prompts: Vec<(PathBuf, PathBuf)>,
}

/// A way to answer.
#[derive(Clone, Debug)]
pub struct Way {
    /// What tables call it.
    pub row: String,
    /// The model file or folder.
    pub model: PathBuf,
    /// Side of the canvases in pixels: that of the network's input, or larger where answers are refined.
    pub canvas: usize,
    /// How prompts act together.
    pub ensemble: Ensemble,
    /// Which prompts.
    pub select: Guides,
    /// How many.
    pub k: u32,
    /// What refines answers; never [`Refine::Auto`].
    pub refine: Refine,
    /// Where background ends, if not at the default.
    pub cut: Option<f32>,
}

impl Guides {
    /// Whether earlier frames guide later ones.
    pub(super) fn remembers(self) -> bool {
        seggpt_exam::remembered(self.word()).is_some()
    }
}

struct Model {
    name: String,
    path: PathBuf,
    input: usize,
    card: Card,
}

impl Way {
    /// How many prompts an answer has; in videos, where one object appears after another, there may be more.
    pub fn prompts(&self) -> u32 {
        self.k + u32::from(self.select.remembers())
    }
}

impl Plan {
    /// Checks everything that can be checked without opening a set.
    pub(super) fn of(args: &EvalArgs) -> Result<Self, Flaw> {
        let mut plan = Self {
            out: absolute(&args.out)?,
            sets: args
                .sets
                .iter()
                .map(|set| match set.exists() {
                    true => absolute(set),
                    false => Err(Flaw::new(format!("there is no {}", set.display()))
                        .help("a data set is a folder or a labelling tool's file; `seggpt eval --help` says which are known")),
                })
                .collect::<Result<_, Flaw>>()?,
            images: images(args)?,
            parts: parts(args)?,
            ways: Vec::new(),
            args: args.clone(),
        };
        if plan.out.is_file() {
            return Err(Flaw::new(format!("--out {} is a file", args.out.display()))
                .help("name a folder; it is made where it is missing"));
        }
        let cuts: Vec<Option<f32>> = match &args.cuts[..] {
            [] => vec![None],
            cuts => cuts.iter().copied().map(Some).collect(),
        };
        for model in models(args)? {
            for &ensemble in &args.ensembles {
                for &select in &args.selects {
                    for &k in &args.ks {
                        for (refine, cut) in args.refines.iter().flat_map(|&refine| {
                            let refine = refine.settled(model.card);
                            cuts.iter().map(move |&cut| (refine, cut))
                        }) {
                            let mut way = Way {
                                row: String::new(),
                                model: model.path.clone(),
                                canvas: refine.canvas(model.input),
                                ensemble: ensemble.settled(model.card),
                                select,
                                k,
                                refine,
                                cut,
                            };
                            way.row = row(&model.name, &way);
                            if plan.ways.iter().all(|known| known.row != way.row) {
                                plan.ways.push(way);
                            }
                        }
                    }
                }
            }
        }
        if plan.ways.is_empty() && !args.baselines {
            return Err(Flaw::new("--model none leaves nobody to answer")
                .help("add --baselines, or name a model"));
        }
        Ok(plan)
    }

    /// Where the dataflow of a row stands.
    pub fn file(&self, way: &Way) -> PathBuf {
        self.out
            .join(seggpt_store::OWN)
            .join("flow")
            .join(format!("{}.yml", way.row))
    }

    /// The sets, as the exam opens them.
    pub fn sources(&self) -> Vec<Source> {
        let folders = self.sets.iter().cloned().map(|set| match &self.images {
            Some(images) => Source::Exported {
                annotations: set,
                images: images.clone(),
            },
            None => Source::Folder(set),
        });
        let parts = self.parts.iter().map(|parts| Source::Parts {
            images: parts.images.clone(),
            truth: parts.truth.clone(),
            prompts: parts.prompts.clone(),
        });
        folders.chain(parts).collect()
    }

    /// Which questions are asked.
    pub fn protocol(&self) -> Protocol {
        let args = &self.args;
        Protocol {
            kind: args.protocol,
            every: args.every as usize,
            skip: args.skip,
            side: args.side,
            folds: args.folds.clone(),
            episodes: args.episodes,
            min_pixels: args.min_pixels,
            seed: args.seed,
        }
    }
}

/// The pictures of labelling tools' files, where no masks are named for them.
fn images(args: &EvalArgs) -> Result<Option<PathBuf>, Flaw> {
    let Some(images) = args.images.as_deref().filter(|_| args.truth.is_none()) else {
        return Ok(None);
    };
    if args.sets.is_empty() {
        return Err(Flaw::new(
            "--images without --truth says where the pictures of a SET are, but there is none",
        )
        .help("name a labelling tool's file, or give --truth and --prompt as well"));
    }
    match images.is_dir() {
        true => absolute(images).map(Some),
        false => Err(Flaw::new(format!(
            "--images {}: there is no such folder",
            images.display()
        ))),
    }
}

fn parts(args: &EvalArgs) -> Result<Option<Parts>, Flaw> {
    let (Some(images), Some(truth)) = (&args.images, &args.truth) else {
        return Ok(None);
    };
    let folder = |path: &PathBuf, option: &str| match path.is_dir() {
        true => absolute(path),
        false => Err(Flaw::new(format!(
            "{option} {}: there is no such folder",
            path.display()
        ))),
    };
    let pairs = args.pairs.iter().map(|text| prompts::pair(text));
    Ok(Some(Parts {
        images: folder(images, "--images")?,
        truth: folder(truth, "--truth")?,
        prompts: pairs.collect::<Result<_, Flaw>>()?,
    }))
}

fn models(args: &EvalArgs) -> Result<Vec<Model>, Flaw> {
    let wanted = args.models.iter().filter(|name| *name != "none");
    let mut models = Vec::new();
    for name in wanted {
        let flaw = |error: seggpt::Error| Flaw::new(error.to_string()).help(MODEL_HELP);
        let path = segment::model(name)?;
        let inspection = seggpt::inspect(&path).map_err(flaw)?;
        models.push(Model {
            name: model_name(&path),
            path,
            input: inspection.architecture.image_size(),
            card: Card::beside(&inspection.path),
        });
    }
    Ok(models)
}

/// A file's name says little where every model's file is called so.
const COMMON: [&str; 4] = ["model", "best", "last", "pytorch_model"];

/// What rows call a model.
fn model_name(path: &Path) -> String {
    let text =
        |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    if let Some(name) = seggpt::builtin_name(path) {
        return name.to_owned();
    }
    if path.is_dir() {
        return text(path.file_name());
    }
    let stem = text(path.file_stem());
    let folder = text(path.parent().and_then(Path::file_name));
    match (stem.as_str(), folder.is_empty()) {
        ("model", false) => folder,
        (stem, false) if COMMON.contains(&stem) => format!("{folder}-{stem}"),
        _ => stem,
    }
}

fn row(model: &str, way: &Way) -> String {
    let refined = match way.refine {
        Refine::Pixels => "-refined",
        Refine::Auto | Refine::None => "",
    };
    let cut = way.cut.map(|cut| format!("-cut{cut}")).unwrap_or_default();
    // A row is a folder.
    let (ensemble, select) = (way.ensemble.word(), way.select.word().replace(':', "-"));
    format!("{model}-{ensemble}-{select}-k{}{refined}{cut}", way.k)
}
