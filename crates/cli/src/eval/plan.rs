//! What was asked for, checked: paths absolute, models found, every combination a row.

use std::path::{Path, PathBuf};

use seggpt::Card;
use seggpt_benchmark::{Protocol, Source};
use seggpt_flow::Diagnostic;

use crate::{
    args::EvalArgs,
    segment::{self, MODEL_HELP, absolute, prompts},
    values::{Ensemble, EvalSelect, Refine},
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
    pub configurations: Vec<Configuration>,
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

/// A configuration.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// What tables call it.
    pub row: String,
    /// The model file or folder.
    pub model: PathBuf,
    /// Side of the canvases in pixels: that of the network's input, or larger where predictions are refined.
    pub canvas: usize,
    /// How prompts act together.
    pub ensemble: Ensemble,
    /// Which prompts.
    pub select: EvalSelect,
    /// How many.
    pub k: u32,
    /// What refines predictions; never [`Refine::Auto`].
    pub refine: Refine,
    /// Activation from which a pixel counts as a class, if not the default.
    pub threshold: Option<f32>,
}

impl EvalSelect {
    /// Whether earlier frames guide later ones.
    pub(super) fn remembers(self) -> bool {
        seggpt_benchmark::remembered(self.name()).is_some()
    }
}

struct Model {
    name: String,
    path: PathBuf,
    input: usize,
    card: Card,
}

impl Configuration {
    /// How many prompts a prediction has; in videos, where one object appears after another, there may be more.
    pub fn prompts(&self) -> u32 {
        self.k + u32::from(self.select.remembers())
    }
}

impl Plan {
    /// Checks everything that can be checked without opening a set.
    pub(super) fn of(args: &EvalArgs) -> Result<Self, Diagnostic> {
        let mut plan = Self {
            out: absolute(&args.out)?,
            sets: args
                .sets
                .iter()
                .map(|set| match set.exists() {
                    true => absolute(set),
                    false => Err(Diagnostic::new(format!("there is no {}", set.display()))
                        .help("a data set is a folder or a labelling tool's file; `seggpt eval --help` says which are known")),
                })
                .collect::<Result<_, Diagnostic>>()?,
            images: images(args)?,
            parts: parts(args)?,
            configurations: Vec::new(),
            args: args.clone(),
        };
        if plan.out.is_file() {
            return Err(
                Diagnostic::new(format!("--out {} is a file", args.out.display()))
                    .help("name a folder; it is made where it is missing"),
            );
        }
        let thresholds: Vec<Option<f32>> = match &args.thresholds[..] {
            [] => vec![None],
            thresholds => thresholds.iter().copied().map(Some).collect(),
        };
        for model in models(args)? {
            for &ensemble in &args.ensembles {
                for &select in &args.selects {
                    for &k in &args.ks {
                        for (refine, threshold) in args.refines.iter().flat_map(|&refine| {
                            let refine = refine.resolved(model.card);
                            thresholds.iter().map(move |&threshold| (refine, threshold))
                        }) {
                            let mut configuration = Configuration {
                                row: String::new(),
                                model: model.path.clone(),
                                canvas: refine.canvas(model.input),
                                ensemble: ensemble.resolved(model.card),
                                select,
                                k,
                                refine,
                                threshold,
                            };
                            configuration.row = row(&model.name, &configuration);
                            if plan
                                .configurations
                                .iter()
                                .all(|known| known.row != configuration.row)
                            {
                                plan.configurations.push(configuration);
                            }
                        }
                    }
                }
            }
        }
        if plan.configurations.is_empty() && !args.baselines {
            return Err(Diagnostic::new("--model none leaves nothing to evaluate")
                .help("add --baselines, or name a model"));
        }
        Ok(plan)
    }

    /// Where the dataflow of a row stands.
    pub fn file(&self, configuration: &Configuration) -> PathBuf {
        self.out
            .join(seggpt_store::OWN)
            .join("flow")
            .join(format!("{}.yml", configuration.row))
    }

    /// The sets, as the benchmark opens them.
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

    /// Which queries are evaluated.
    pub fn protocol(&self) -> Protocol {
        let args = &self.args;
        Protocol {
            kind: args.protocol,
            stride: args.stride as usize,
            offset: args.offset,
            eval_size: args.eval_size,
            folds: args.folds.clone(),
            episodes: args.episodes,
            min_pixels: args.min_pixels,
            seed: args.seed,
        }
    }
}

/// The pictures of labelling tools' files, where no masks are named for them.
fn images(args: &EvalArgs) -> Result<Option<PathBuf>, Diagnostic> {
    let Some(images) = args.images.as_deref().filter(|_| args.truth.is_none()) else {
        return Ok(None);
    };
    if args.sets.is_empty() {
        return Err(Diagnostic::new(
            "--images without --truth says where the pictures of a SET are, but there is none",
        )
        .help("name a labelling tool's file, or give --truth and --prompt as well"));
    }
    match images.is_dir() {
        true => absolute(images).map(Some),
        false => Err(Diagnostic::new(format!(
            "--images {}: there is no such folder",
            images.display()
        ))),
    }
}

fn parts(args: &EvalArgs) -> Result<Option<Parts>, Diagnostic> {
    let (Some(images), Some(truth)) = (&args.images, &args.truth) else {
        return Ok(None);
    };
    let folder = |path: &PathBuf, option: &str| match path.is_dir() {
        true => absolute(path),
        false => Err(Diagnostic::new(format!(
            "{option} {}: there is no such folder",
            path.display()
        ))),
    };
    let pairs = args.pairs.iter().map(|text| prompts::pair(text));
    Ok(Some(Parts {
        images: folder(images, "--images")?,
        truth: folder(truth, "--truth")?,
        prompts: pairs.collect::<Result<_, Diagnostic>>()?,
    }))
}

fn models(args: &EvalArgs) -> Result<Vec<Model>, Diagnostic> {
    let wanted = args.models.iter().filter(|name| *name != "none");
    let mut models = Vec::new();
    for name in wanted {
        let diagnostic = |error: seggpt::Error| Diagnostic::new(error.to_string()).help(MODEL_HELP);
        let path = segment::model(name)?;
        let inspection = seggpt::inspect(&path).map_err(diagnostic)?;
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

fn row(model: &str, configuration: &Configuration) -> String {
    let refined = match configuration.refine {
        Refine::Forest => "-refined",
        Refine::Fitted => "-fitted",
        Refine::Auto | Refine::None => "",
    };
    let threshold = configuration
        .threshold
        .map(|threshold| format!("-threshold{threshold}"))
        .unwrap_or_default();
    // A row is a folder.
    let select = configuration.select.name().replace(':', "-");
    let ensemble = configuration.ensemble.name();
    format!(
        "{model}-{ensemble}-{select}-k{}{refined}{threshold}",
        configuration.k
    )
}
