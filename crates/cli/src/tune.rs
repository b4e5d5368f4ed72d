//! `seggpt tune`: a prompt library's prompt, tuned for a network that stays as it is.

use std::path::{Path, PathBuf};

use seggpt::{DType, Trainable};
use seggpt_files::listing;
use seggpt_flow::{Diagnostic, Exit};
use seggpt_imaging::resize;
use seggpt_prompt_library::{Entry, Library, LibraryError, Planes, PromptProblem, Settings, save};
use seggpt_samples::Example;
use seggpt_train::{
    Limit, Watch,
    tune::{Job, Tuned, Tuning, tune},
};

use crate::{args::TuneArgs, console, show::Show};

/// Of so many pictures beside the prompt, one is held out to judge by.
const HELD_OUT: usize = 4;

/// Tunes, or resumes what was begun in the folder.
///
/// # Errors
/// What is wrong with the model, the examples, the folder or the device.
pub fn command(args: &TuneArgs) -> miette::Result<Exit> {
    let failed = |error: &dyn std::error::Error| {
        let cause = error.source().map(|cause| format!(" ({cause})"));
        Diagnostic::new(format!("{error}{}", cause.unwrap_or_default()))
    };
    let model = seggpt::find_model(&args.model).map_err(|error| failed(&error))?;
    let device = args.device.open().map_err(|error| failed(&error))?;
    let network = Trainable::load(&model, &device, DType::F32).map_err(|error| failed(&error))?;
    let (library, problems) = library(args)?;
    let start = start(&library, args.start.as_deref())?;
    let planes = (0..library.len()).map(|index| library.planes(index));
    let mut planes: Vec<Planes> = planes
        .collect::<Result<_, LibraryError>>()
        .map_err(|error| failed(&error))?;
    let size = match args.size {
        Some(size) => size,
        None => u32::try_from(network.config().image_size).unwrap_or(u32::MAX),
    };
    let settings = Tuning {
        seed: args.seed,
        size,
        steps: args.steps,
        batch: args.batch,
        learning_rate: args.learning_rate,
        mask: !args.keep_mask,
        every: (args.steps / 10).max(1),
        ..Tuning::default()
    };
    let mut show = Show::new(args.steps);
    for problem in problems {
        show.note(&format!("not used: {problem}"));
    }
    let first = planes.remove(start);
    let (training, validation) = split(planes, &first, &mut show);
    let colours: Vec<_> = library.classes().iter().map(|class| class.color).collect();
    let name = &library.prompts()[start].name;
    let subject = format!(
        "{} from prompt {name} of {}",
        args.model,
        source(args).display()
    );
    let job = Job {
        network,
        subject: &subject,
        prompt: Example {
            picture: first.image.clone(),
            mask: first.painted.clone().unwrap_or_else(|| first.mask.clone()),
        },
        training,
        validation,
        colours: &colours,
        kind: library.kind(),
    };
    show.note(&format!(
        "{} shows how it goes",
        args.out.join("index.html").display()
    ));
    let limit = Limit::new(None, args.minutes);
    let tuned = tune(job, &settings, &args.out, limit, &mut show)
        .map_err(|error| show.judge(failed(&error)))?;
    let exit = show.end();
    let from = (first.image.width() as usize, first.image.height() as usize);
    let entry = Entry {
        name: "tuned",
        image: &tuned.prompt.picture,
        ids: &resize::nearest(&first.ids, from, (size as usize, size as usize)),
        painted: (!args.keep_mask || first.painted.is_some()).then_some(&tuned.prompt.mask),
    };
    save(&args.out, &[entry], library.classes(), library.kind())
        .map_err(|error| failed(&error).after_start())?;
    console::result(&summary(&tuned, args));
    Ok(exit)
}

fn summary(tuned: &Tuned, args: &TuneArgs) -> String {
    let Tuned { first, best, .. } = tuned;
    format!(
        "{} of {} steps; validation IoU {:.3} to {:.3}, loss {:.4} to {:.4} ({:.4} before rounding to 8 bits); use it with \
         `seggpt segment --prompts {}`",
        tuned.step,
        args.steps,
        first.iou,
        best.iou,
        first.loss,
        best.loss,
        tuned.exact,
        args.out.display()
    )
}

/// The library or folder as it was named.
fn source(args: &TuneArgs) -> &Path {
    let named = args.prompts.as_deref().or(args.data.as_deref());
    named.unwrap_or(Path::new(""))
}

fn library(args: &TuneArgs) -> Result<(Library, Vec<PromptProblem>), Diagnostic> {
    let kind = args.seg_type;
    let opened = match (&args.prompts, &args.data) {
        (Some(path), _) => Library::open_with(path, args.images.as_deref(), |settings| {
            settings.kind = kind.unwrap_or(settings.kind);
        }),
        (None, Some(folder)) => {
            let settings = Settings {
                kind: kind.unwrap_or_default(),
                ..Settings::default()
            };
            Library::from_pairs(&pairs(folder)?, &settings)
        }
        (None, None) => return Err(Diagnostic::new("give --prompts or --data")),
    };
    opened.map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(" ({cause})"));
        Diagnostic::new(format!("{error}{}", cause.unwrap_or_default()))
    })
}

/// Pictures in `images/` and the masks of the same names in `masks/`.
fn pairs(folder: &Path) -> Result<Vec<(PathBuf, PathBuf)>, Diagnostic> {
    let named = |part: &str| {
        let folder = folder.join(part);
        listing::pictures(&folder).map_err(|error| {
            Diagnostic::new(format!("{}: cannot be read ({error})", folder.display()))
        })
    };
    let (images, masks) = (named("images")?, named("masks")?);
    let mut pairs = Vec::new();
    for image in images {
        let own: Vec<_> = masks
            .iter()
            .filter(|mask| mask.file_stem() == image.file_stem())
            .collect();
        match own[..] {
            [] => {}
            [mask] => pairs.push((image, mask.clone())),
            [one, other, ..] => {
                return Err(Diagnostic::new(format!(
                    "{} and {} are both masks of {}; remove one",
                    one.display(),
                    other.display(),
                    image.display()
                )));
            }
        }
    }
    if pairs.is_empty() {
        return Err(Diagnostic::new(format!(
            "{}: no picture in images/ has a mask of its name in masks/",
            folder.display()
        )));
    }
    Ok(pairs)
}

fn start(library: &Library, name: Option<&str>) -> Result<usize, Diagnostic> {
    let Some(name) = name else { return Ok(0) };
    let found = library
        .prompts()
        .iter()
        .position(|prompt| prompt.name == name);
    found.ok_or_else(|| {
        let names: Vec<_> = library
            .prompts()
            .iter()
            .map(|prompt| &prompt.name[..])
            .collect();
        Diagnostic::new(format!("--start {name}: there is no such example"))
            .help(format!("there are {}", names.join(", ")))
    })
}

/// What is tuned on, and what it is judged by: held out where there are enough, else the same.
fn split(others: Vec<Planes>, first: &Planes, show: &mut Show) -> (Vec<Example>, Vec<Example>) {
    let labelled = |planes: &Planes| Example {
        picture: planes.image.clone(),
        mask: planes.mask.clone(),
    };
    if others.is_empty() {
        show.note("there is one example alone: the prompt is tuned on itself, which tells little");
        return (vec![labelled(first)], vec![labelled(first)]);
    }
    let all = others.iter().map(labelled);
    if others.len() < HELD_OUT {
        show.note(&format!(
            "{} pictures to tune on, none held out: the IoU is that of what is tuned on",
            others.len()
        ));
        return (all.clone().collect(), all.collect());
    }
    let (mut training, mut validation) = (Vec::new(), Vec::new());
    for (index, labelled) in all.enumerate() {
        match index % HELD_OUT {
            0 => validation.push(labelled),
            _ => training.push(labelled),
        }
    }
    show.note(&format!(
        "{} pictures to tune on, {} held out to judge by",
        training.len(),
        validation.len()
    ));
    (training, validation)
}
