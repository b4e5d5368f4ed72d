use std::{borrow::Cow, path::Path, sync::Arc};

use eyre::{Result, WrapErr, bail};
use seggpt_contract::{Class, Example, Identity, Picture, Prompted};
use seggpt_prompt_library::{Choice, Library, PromptProblem, Query, Strategy, strategy};

use crate::Settings;

/// A prompt library at the network's size, and the strategy that picks from it.
pub struct Selector {
    library: Library,
    examples: Arc<[Example]>,
    strategy: Box<dyn Strategy>,
    selection: String,
    warnings: Vec<String>,
    k: usize,
}

impl Selector {
    /// Reads all prompts. Those that cannot be used are warned of.
    ///
    /// # Errors
    /// Settings that contradict each other, a library that cannot be read, or one without any usable prompt.
    pub fn load(settings: &Settings) -> Result<Self> {
        let (library, problems) = open(settings, Path::new(""))?;
        let unusable = problems
            .iter()
            .map(|problem| format!("prompt not used: {problem}"));
        let warnings: Vec<_> = unusable.chain(library.warnings().iter().cloned()).collect();
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        let k = settings.k as usize;
        if k > library.len() {
            tracing::warn!(
                "K is {k}, but there are {} usable prompts: each picture gets all of them",
                library.len()
            );
        }
        let choice = Choice {
            seed: settings.seed,
        };
        Ok(Self {
            examples: library.examples(settings.canvas_size)?,
            strategy: strategy(&settings.select, &choice)?,
            selection: settings.select.clone(),
            warnings,
            library,
            k,
        })
    }

    /// The picture with its examples, the best first.
    ///
    /// # Errors
    /// The picture does not decode, or the strategy cannot judge it.
    pub fn prompt(&mut self, identity: &Identity, image: Picture) -> Result<Prompted> {
        let query = Query {
            item: &identity.item,
            picture: &|| Ok(Cow::Owned(image.to_rgb()?)),
        };
        let selected = self.strategy.select(&query, &self.library, self.k)?;
        let shown = |class: &&Class| {
            let mut chosen = selected.iter().map(|s| &self.library.prompts()[s.index]);
            chosen.any(|prompt| prompt.classes.contains(&class.id))
        };
        let all = self.library.classes();
        let classes: Vec<_> = all.iter().filter(shown).cloned().collect();
        let examples = selected.iter().map(|selected| Example {
            score: selected.score,
            ..self.examples[selected.index].clone()
        });
        Ok(Prompted {
            examples: examples.collect(),
            image,
            // Examples of nothing: whatever is painted all the same has a name.
            classes: if classes.is_empty() {
                all.to_vec()
            } else {
                classes
            },
            kind: self.library.kind(),
            selection: self.selection.clone(),
            warnings: self.warnings.clone(),
        })
    }
}

/// The library, and the prompts of it that cannot be used. Relative paths start in `dir`.
pub(crate) fn open(settings: &Settings, dir: &Path) -> Result<(Library, Vec<PromptProblem>)> {
    let amend = |library: &mut seggpt_prompt_library::Settings| {
        if let Some(kind) = settings.r#type {
            library.kind = kind;
        }
        if let Some(mode) = settings.mask_mode {
            library.mask_mode = mode;
        }
        if let Some(exif) = settings.exif {
            library.exif = exif;
        }
        if let Some(classes) = &settings.classes {
            library.classes.clone_from(&classes.0);
        }
    };
    match (&settings.prompts, &settings.prompt_pairs) {
        (Some(path), None) => {
            let images = settings.images.as_ref().map(|images| dir.join(images));
            Library::open_with(dir.join(path), images.as_deref(), amend)
                .wrap_err_with(|| format!("PROMPTS `{}` cannot be used", path.display()))
        }
        (None, Some(pairs)) => {
            let mut library = seggpt_prompt_library::Settings::default();
            amend(&mut library);
            let pairs: Vec<_> = pairs
                .0
                .iter()
                .map(|(image, mask)| (dir.join(image), dir.join(mask)))
                .collect();
            Library::from_pairs(&pairs, &library).wrap_err("PROMPT_PAIRS cannot be used")
        }
        (None, None) => {
            bail!("no examples: set PROMPTS to a prompt library, or PROMPT_PAIRS to `image=mask`")
        }
        (Some(_), Some(_)) => bail!("PROMPTS and PROMPT_PAIRS are both set: take one of them out"),
    }
}
