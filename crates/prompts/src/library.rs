use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rayon::prelude::*;
use seggpt_annotations::{Annotations, Picture};
use seggpt_contract::{Class, Example, SegType};
use seggpt_imaging::{
    BLACK, Rgb, RgbImage,
    annotation::{AnnotatedClass, Annotation, ClassEntry, MaskKind, MaskMode},
    read::{Exif, Reading},
};

use crate::{
    LibraryError, PromptFiles, PromptProblem, Settings,
    classes::{self, Seen},
    coverage,
    file::{self, Contents, Listed},
    prepare::{MaskPixels, prepare},
    remarks::{self, Remark},
};

/// One usable prompt: an image and its mask, both readable and of one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Its name, for reports.
    pub name: String,
    /// Its image and mask.
    pub files: PromptFiles,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// Ids of the classes that its mask shows.
    pub classes: Vec<u16>,
    /// Which picture of the annotations it is.
    drawn: Option<usize>,
}

/// A prompt at its own size: planes of one width and height.
#[derive(Debug, Clone)]
pub struct Planes {
    /// The picture.
    pub image: RgbImage,
    /// The class of every pixel, row by row; 0 is background.
    pub ids: Vec<u16>,
    /// The mask in the classes' colours.
    pub mask: RgbImage,
    /// What the network is shown instead ([`PromptFiles::painted`]).
    pub painted: Option<RgbImage>,
}

/// Examples to choose from, with one class table for all of them.
#[derive(Debug)]
pub struct Library {
    kind: SegType,
    mask_mode: MaskMode,
    exif: Exif,
    classes: Vec<Class>,
    prompts: Vec<Prompt>,
    warnings: Vec<String>,
    annotations: Option<Annotations>,
    prepared: Mutex<Option<(u32, Arc<[Example]>)>>,
}

impl Library {
    /// Opens a folder with a `prompts.yml` (or the file itself), or what a labelling tool exported, and reads every prompt
    /// once.
    ///
    /// Prompts that cannot be used come back beside the library, each with what is wrong; the library
    /// holds the rest.
    ///
    /// # Errors
    /// [`LibraryError::Read`], [`LibraryError::Yaml`], [`LibraryError::Unknown`] and [`LibraryError::Annotations`] for the file, [`LibraryError::Classes`] and
    /// [`LibraryError::Clash`] for classes that contradict each other, [`LibraryError::NoPrompts`]
    /// where nothing is left to use.
    pub fn open(path: impl AsRef<Path>) -> Result<(Self, Vec<PromptProblem>), LibraryError> {
        Self::open_with(path, None, |_| {})
    }

    /// As [`Library::open`], after `amend` has changed what the file says of masks and classes. `images`: where the pictures
    /// of a labelling tool's file are, if not where the tool puts them.
    ///
    /// # Errors
    /// As [`Library::open`].
    pub fn open_with(
        path: impl AsRef<Path>,
        images: Option<&Path>,
        amend: impl FnOnce(&mut Settings),
    ) -> Result<(Self, Vec<PromptProblem>), LibraryError> {
        let mut contents = file::read(path.as_ref(), images)?;
        amend(&mut contents.settings);
        let Contents {
            settings,
            prompts,
            notes,
            annotations,
            ..
        } = contents;
        Self::new(&settings, prompts, annotations, notes)
    }

    /// A library of (image, mask) paths, named by their images. Otherwise as [`Library::open`].
    ///
    /// # Errors
    /// As [`Library::open`], save for the file.
    pub fn from_pairs(
        pairs: &[(PathBuf, PathBuf)],
        settings: &Settings,
    ) -> Result<(Self, Vec<PromptProblem>), LibraryError> {
        let prompts = file::names(pairs).into_iter().zip(pairs);
        let prompts = prompts.map(|(name, (image, mask))| Listed {
            name,
            files: PromptFiles {
                image: image.clone(),
                mask: mask.clone(),
                painted: None,
            },
            drawn: None,
        });
        Self::new(settings, prompts.collect(), None, Vec::new())
    }

    fn new(
        settings: &Settings,
        prompts: Vec<Listed>,
        annotations: Option<Annotations>,
        notes: Vec<String>,
    ) -> Result<(Self, Vec<PromptProblem>), LibraryError> {
        classes::check(&settings.classes).map_err(|reason| LibraryError::Classes { reason })?;
        let table = classes::entries(&settings.classes);
        let table = (!table.is_empty()).then_some(&table[..]);
        let checked: Vec<_> = prompts
            .into_par_iter()
            .map(|listed| {
                let picture = listed.drawn.zip(annotations.as_ref());
                let picture = picture.map(|(at, annotations)| &annotations.pictures[at]);
                Checked::read(listed, picture, settings, table)
            })
            .collect();
        let (mut usable, mut problems) = (Vec::new(), Vec::new());
        for prompt in checked {
            match prompt {
                Ok(prompt) => usable.push(prompt),
                Err(problem) => problems.push(problem),
            }
        }
        if usable.is_empty() {
            return Err(LibraryError::NoPrompts { problems });
        }
        let seen: Vec<Seen> = usable.iter().map(Checked::seen).collect();
        let classes = classes::settle(&seen, &settings.classes)?;
        let shown = |id: u16| classes.iter().any(|class| class.id == id);
        let absent = settings
            .classes
            .iter()
            .filter(|setting| !shown(setting.id.get()));
        let mut warnings = notes;
        warnings.extend(
            absent.map(|setting| {
                format!("class {} is in the class table, but in no mask", setting.id)
            }),
        );
        let remarks = usable.iter().flat_map(|prompt| prompt.remarks.clone());
        warnings.extend(remarks::summed(remarks));
        let prompts = usable
            .into_iter()
            .map(|prompt| prompt.settled(&classes))
            .collect();
        let library = Self {
            kind: settings.kind,
            mask_mode: settings.mask_mode,
            exif: settings.exif,
            classes,
            prompts,
            warnings,
            annotations,
            prepared: Mutex::new(None),
        };
        Ok((library, problems))
    }

    /// Which type token the network gets.
    #[must_use]
    pub fn kind(&self) -> SegType {
        self.kind
    }

    /// The classes that the masks show, by ascending id: the same for all prompts.
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// The usable prompts, in the order of the file.
    #[must_use]
    pub fn prompts(&self) -> &[Prompt] {
        &self.prompts
    }

    /// How many prompts can be used; at least 1.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "a library without prompts is an error"
    )]
    pub fn len(&self) -> usize {
        self.prompts.len()
    }

    /// What is odd but no error: a mask that marks nothing or nearly everything, marks that the class table does not list
    /// (and that are painted black), a class that no mask shows, what was guessed, and what was not taken as the files have
    /// it. Each sort is said once.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The picture of a prompt at its own size, for embeddings.
    ///
    /// # Errors
    /// [`LibraryError::Changed`] if it cannot be read any more.
    ///
    /// # Panics
    /// If `index` is not below [`Library::len`].
    pub fn picture(&self, index: usize) -> Result<RgbImage, LibraryError> {
        let prompt = &self.prompts[index];
        let Prompt { name, files, .. } = prompt;
        let reading = match self.drawn(prompt) {
            Some(picture) => picture
                .file
                .reading(self.exif)
                .map_err(|error| changed(PromptProblem::annotations(name, files, error)))?,
            None => Reading::open(&files.image, self.exif)
                .map_err(|error| changed(PromptProblem::imaging(name, files, error)))?,
        };
        Ok(reading.picture)
    }

    /// A prompt's picture and what its mask says, at their own size.
    ///
    /// # Errors
    /// [`LibraryError::Changed`] if they cannot be read any more.
    ///
    /// # Panics
    /// If `index` is not below [`Library::len`].
    pub fn planes(&self, index: usize) -> Result<Planes, LibraryError> {
        let loaded = self.load(&self.prompts[index])?;
        let mask = loaded.annotation.painted;
        let colors: Vec<(u16, Rgb)> = std::iter::once((0, BLACK))
            .chain(self.classes.iter().map(|class| (class.id, class.color)))
            .collect();
        // A soft border belongs to what it is nearest to.
        let id = |pixel: &Rgb| {
            let distance = |color: &Rgb| -> u32 {
                let apart = pixel.iter().zip(color).map(|(a, b)| a.abs_diff(*b));
                apart.map(|apart| u32::from(apart).pow(2)).sum()
            };
            let nearest = colors.iter().min_by_key(|(_, color)| distance(color));
            nearest.map_or(0, |(id, _)| *id)
        };
        Ok(Planes {
            ids: mask.as_raw().as_chunks::<3>().0.iter().map(id).collect(),
            image: loaded.image.picture,
            mask,
            painted: loaded.painted,
        })
    }

    /// All prompts as the network takes them ([`prepare`](crate::prepare())), in the order of [`Library::prompts`];
    /// [`PromptFiles::painted`] has shades.
    ///
    /// Prepared once and kept; another size prepares again.
    ///
    /// # Errors
    /// [`LibraryError::Changed`] if a file cannot be read any more or got another size;
    /// [`LibraryError::Size`] for a size of 0.
    pub fn examples(&self, size: u32) -> Result<Arc<[Example]>, LibraryError> {
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, examples)) = prepared.as_ref().filter(|(kept, _)| *kept == size) {
            return Ok(Arc::clone(examples));
        }
        let examples: Result<Vec<Example>, LibraryError> = self
            .prompts
            .par_iter()
            .map(|prompt| self.prepare(prompt, size))
            .collect();
        let examples: Arc<[Example]> = examples?.into();
        *prepared = Some((size, Arc::clone(&examples)));
        Ok(examples)
    }

    /// The prompts by what they show, the best first: of each class in turn those with most of it, those that a class fills
    /// by more than two thirds after the others.
    ///
    /// # Errors
    /// [`LibraryError::Changed`] if a file cannot be read any more.
    pub fn by_coverage(&self) -> Result<Vec<usize>, LibraryError> {
        let shown = (0..self.len()).into_par_iter().map(|index| {
            let Planes { ids, .. } = self.planes(index)?;
            let mut areas: BTreeMap<u16, usize> = BTreeMap::new();
            for id in ids.iter().filter(|id| **id != 0) {
                *areas.entry(*id).or_default() += 1;
            }
            let share = |(id, area)| (id, area as f64 / ids.len().max(1) as f64);
            Ok(areas.into_iter().map(share).collect())
        });
        let shown: Vec<Vec<(u16, f64)>> = shown.collect::<Result<_, LibraryError>>()?;
        Ok(coverage::ranked(&shown))
    }

    /// The files of a prompt, its mask in the library's colours.
    fn load(&self, prompt: &Prompt) -> Result<Loaded, LibraryError> {
        let entry = |class: &Class| ClassEntry {
            id: class.id,
            name: Some(class.name.clone()),
            color: Some(class.color),
        };
        let table: Vec<ClassEntry> = self.classes.iter().map(entry).collect();
        let Prompt { name, files, .. } = prompt;
        let picture = self.drawn(prompt);
        Loaded::open(
            name,
            files,
            picture,
            self.mask_mode,
            self.exif,
            Some(&table),
        )
        .map_err(changed)
    }

    /// The picture that a labelling tool's file has of a prompt.
    fn drawn(&self, prompt: &Prompt) -> Option<&Picture> {
        Some(&self.annotations.as_ref()?.pictures[prompt.drawn?])
    }

    fn prepare(&self, prompt: &Prompt, size: u32) -> Result<Example, LibraryError> {
        let Loaded {
            image,
            annotation,
            painted,
        } = self.load(prompt)?;
        let mask = match &painted {
            Some(painted) => MaskPixels::Shades(painted),
            None => MaskPixels::Colors(&annotation.painted),
        };
        prepare(&prompt.name, &image.picture, mask, size)
    }
}

fn changed(problem: PromptProblem) -> LibraryError {
    LibraryError::Changed {
        name: problem.name.clone(),
        source: Box::new(problem),
    }
}

/// A prompt that was read once, before the classes of all are settled.
struct Checked {
    name: String,
    files: PromptFiles,
    size: (u32, u32),
    kind: MaskKind,
    classes: Vec<AnnotatedClass>,
    remarks: Vec<Remark>,
    drawn: Option<usize>,
}

impl Checked {
    fn read(
        Listed { name, files, drawn }: Listed,
        picture: Option<&Picture>,
        settings: &Settings,
        table: Option<&[ClassEntry]>,
    ) -> Result<Self, PromptProblem> {
        let (mode, exif) = (settings.mask_mode, settings.exif);
        let loaded = Loaded::open(&name, &files, picture, mode, exif, table)?;
        let mut remarks = remarks::of_image(&files.image, &loaded.image);
        remarks.extend(remarks::of_mask(&files.mask, &loaded.annotation));
        let Annotation { kind, classes, .. } = loaded.annotation;
        Ok(Self {
            name,
            files,
            size: loaded.image.picture.dimensions(),
            kind,
            classes,
            remarks,
            drawn,
        })
    }

    fn seen(&self) -> Seen<'_> {
        Seen {
            prompt: &self.name,
            kind: self.kind,
            classes: &self.classes,
        }
    }

    fn settled(self, classes: &[Class]) -> Prompt {
        // A colour mask's ids are its own until the library settles them; its colours stay.
        let same = |class: &Class, own: &AnnotatedClass| match self.kind {
            MaskKind::Rgb => classes::near(class.color, own.color),
            _ => class.id == own.id,
        };
        let shown = classes
            .iter()
            .filter(|class| self.classes.iter().any(|own| same(class, own)));
        let classes = shown.map(|class| class.id).collect();
        Prompt {
            name: self.name,
            files: self.files,
            size: self.size,
            classes,
            drawn: self.drawn,
        }
    }
}

/// The files of a prompt, decoded and of one size.
struct Loaded {
    image: Reading,
    annotation: Annotation,
    painted: Option<RgbImage>,
}

impl Loaded {
    fn open(
        name: &str,
        files: &PromptFiles,
        picture: Option<&Picture>,
        mode: MaskMode,
        exif: Exif,
        table: Option<&[ClassEntry]>,
    ) -> Result<Self, PromptProblem> {
        let refuse = |error| PromptProblem::imaging(name, files, error);
        let (image, annotation) = match picture {
            Some(picture) => {
                let refuse = |error| PromptProblem::annotations(name, files, error);
                let image = picture.file.reading(exif).map_err(refuse)?;
                let size = (picture.size.0 as u32, picture.size.1 as u32);
                let labels = picture.labels().map_err(refuse)?;
                (image, Annotation::of_ids(size, &labels, table))
            }
            None => {
                let image = Reading::open(&files.image, exif).map_err(refuse)?;
                let mut annotation =
                    Annotation::open_with(&files.mask, mode, table, exif).map_err(refuse)?;
                annotation.follow(&image);
                (image, annotation)
            }
        };
        let painted = files.painted.as_ref().map(|path| Reading::open(path, exif));
        let painted = painted.transpose().map_err(refuse)?;
        let painted = painted.map(|reading| reading.picture);
        let fits = |path: &Path, mask: &RgbImage| {
            let (of_image, of_mask) = (image.picture.dimensions(), mask.dimensions());
            if of_image == of_mask {
                return Ok(());
            }
            let reason = format!(
                "the mask {} has {} x {} pixels, but the image {} has {} x {}; draw the mask on the image itself",
                path.display(),
                of_mask.0,
                of_mask.1,
                files.image.display(),
                of_image.0,
                of_image.1,
            );
            Err(PromptProblem::new(name, files, reason))
        };
        fits(&files.mask, &annotation.painted)?;
        if let (Some(path), Some(painted)) = (&files.painted, &painted) {
            fits(path, painted)?;
        }
        Ok(Self {
            image,
            annotation,
            painted,
        })
    }
}
