use std::path::{Path, PathBuf};

use crate::{
    Class, Dataset, DatasetError, Role, Sample, Truth, files,
    mask_values::{self, MaskKind, MaskValues},
};

/// Pictures in one folder, their masks in another, and prompts that lie anywhere.
///
/// Masks hold class ids. Where prompts show one class, masks may be black and white, those of the prompts and those of the
/// truth each by themselves: 255 is the class where no mask has an id. A picture that is a prompt is no query.
#[derive(Debug, Clone)]
pub struct Parts {
    name: String,
    classes: Vec<Class>,
    samples: Vec<Sample>,
    masks: Vec<PathBuf>,
    kinds: Vec<MaskKind>,
}

impl Parts {
    /// Lists the masks of `truth`, each of which needs a picture of its name in `images`, and reads them and the masks of
    /// `prompts`, given as (picture, mask), for the classes that they show.
    ///
    /// # Errors
    /// [`DatasetError::File`], [`DatasetError::File`]: a file cannot be read, or a mask has no picture, if no prompt shows a
    /// class, or if no truth shows one that a prompt does.
    pub fn open(
        images: impl AsRef<Path>,
        truth: impl AsRef<Path>,
        prompts: &[(PathBuf, PathBuf)],
    ) -> Result<Self, DatasetError> {
        let (images, truth) = (images.as_ref(), truth.as_ref());
        let mut set = Self {
            name: files::name(images),
            classes: Vec::new(),
            samples: Vec::new(),
            masks: Vec::new(),
            kinds: Vec::new(),
        };
        let shown: Vec<&PathBuf> = prompts.iter().map(|(image, _)| image).collect();
        let names = seggpt_annotations::unique(&shown);
        for (name, (image, mask)) in names.into_iter().zip(prompts) {
            set.push(format!("prompts/{name}"), image, mask, Role::Prompt);
        }
        let pictures = files::pictures(images)?;
        for (name, mask) in files::pictures(truth)?.iter() {
            let picture = pictures.get(name).ok_or_else(|| {
                files::wrong(mask, format!("there is no picture in {}", images.display()))
            })?;
            if prompts.iter().all(|(image, _)| image != picture) {
                set.push(name.clone(), picture, mask, Role::Query);
            }
        }
        set.read_masks(images, prompts.len())?;
        Ok(set)
    }

    /// Settles what masks mean; the first so many are those of prompts.
    fn read_masks(&mut self, images: &Path, prompts: usize) -> Result<(), DatasetError> {
        let all = mask_values::read(&self.masks)?;
        let (examples, truths) = all.split_at(prompts);
        let ids_of = |values: &[MaskValues]| {
            let mut ids: Vec<u16> = values
                .iter()
                .flat_map(|values| values.classes.clone())
                .collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let (white, shown) = (mask_values::are_white(examples.iter()), ids_of(truths));
        let ids = match (white, &shown[..]) {
            (false, _) => ids_of(examples),
            (true, [only]) => vec![*only],
            (true, []) => vec![1],
            (true, [first, second, ..]) => {
                return Err(files::wrong(
                    &self.masks[0],
                    format!(
                        "this example is black and white, but the truth has several classes (ids {first}, {second}, ...); draw \
                         examples in the truth's ids"
                    ),
                ));
            }
        };
        let [single] = ids[..] else {
            if ids.is_empty() {
                return Err(files::wrong(images, "no prompt shows a class"));
            }
            return self.settle(&all, ids, [MaskKind::Ids; 2], prompts);
        };
        let kind = |values: &[MaskValues]| match mask_values::are_white(values.iter()) {
            true => MaskKind::White(single),
            false => MaskKind::Ids,
        };
        self.settle(&all, ids, [kind(examples), kind(truths)], prompts)
    }

    fn settle(
        &mut self,
        all: &[MaskValues],
        ids: Vec<u16>,
        [of_prompts, of_truths]: [MaskKind; 2],
        prompts: usize,
    ) -> Result<(), DatasetError> {
        for (at, ((sample, mask), values)) in self
            .samples
            .iter_mut()
            .zip(&self.masks)
            .zip(all)
            .enumerate()
        {
            let kind = if at < prompts { of_prompts } else { of_truths };
            kind.check(mask, values)?;
            sample.classes = Some(kind.classes(values));
            self.kinds.push(kind);
        }
        let truths = self.masks.iter().zip(all).skip(prompts);
        let truths = truths.map(|(mask, values)| (mask.as_path(), values, of_truths));
        mask_values::check_shown(&ids, truths)?;
        let class = |id: u16| Class::new(id, format!("class {id}"));
        self.classes = ids.into_iter().map(class).collect();
        Ok(())
    }

    fn push(&mut self, name: String, picture: &Path, mask: &Path, role: Role) {
        let mut sample = Sample::new(name, picture.to_owned());
        sample.role = Some(role);
        self.samples.push(sample);
        self.masks.push(mask.to_owned());
    }
}

impl Dataset for Parts {
    fn name(&self) -> &str {
        &self.name
    }

    fn classes(&self) -> &[Class] {
        &self.classes
    }

    fn samples(&self) -> &[Sample] {
        &self.samples
    }

    fn truth_size(&self, index: usize) -> Result<Option<(usize, usize)>, DatasetError> {
        self.sample(index)?;
        files::size(&self.masks[index]).map(Some)
    }

    fn truth(&self, index: usize) -> Result<Truth, DatasetError> {
        self.sample(index)?;
        self.kinds[index].truth(&self.masks[index])
    }
}
