use std::path::{Path, PathBuf};

use seggpt_files::listing;
use seggpt_imaging::{LabelPlane, read};

use crate::{Class, Dataset, DatasetError, Sample, Truth, files};

/// FSS-1000: a folder per class, in it `N.jpg` and the black and white mask `N.png`.
///
/// Class ids count the opened classes from 1, by name. A mask pixel belongs to the class from half
/// brightness on, as in HSNet's reader. `seggpt-benchmark` names the test classes.
#[derive(Debug, Clone)]
pub struct ClassFolders {
    name: String,
    classes: Vec<Class>,
    samples: Vec<Sample>,
    masks: Vec<PathBuf>,
}

impl ClassFolders {
    /// Lists all class folders of `root`.
    ///
    /// # Errors
    /// [`DatasetError::File`]: a file cannot be read, or a picture has no mask or there is no class.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let folders = files::folders(root.as_ref())?;
        Self::of(root.as_ref(), folders)
    }

    /// Lists these classes only.
    ///
    /// # Errors
    /// As [`ClassFolders::open`]; [`DatasetError::File`] names a class folder that is missing.
    pub fn with_classes<'a>(
        root: impl AsRef<Path>,
        classes: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, DatasetError> {
        let root = root.as_ref();
        let mut folders: Vec<PathBuf> = classes.into_iter().map(|name| root.join(name)).collect();
        folders.sort();
        Self::of(root, folders)
    }

    fn of(root: &Path, folders: Vec<PathBuf>) -> Result<Self, DatasetError> {
        let (mut classes, mut samples, mut masks) = (Vec::new(), Vec::new(), Vec::new());
        for folder in folders {
            let (photos, drawn) = pictures(&folder)?;
            if photos.is_empty() {
                continue;
            }
            let id = u16::try_from(classes.len() + 1)
                .map_err(|_| files::wrong(root, "it holds more than 65,535 classes"))?;
            let class = Class::new(id, files::name(&folder));
            for photo in photos {
                let own = |mask: &&PathBuf| mask.file_stem() == photo.file_stem();
                let mask = drawn.iter().find(own).cloned().ok_or_else(|| {
                    files::wrong(&photo, "there is no mask of the same name and .png")
                })?;
                let name = format!("{}/{}", class.name, files::stem(&photo));
                let mut sample = Sample::new(name, photo);
                sample.classes = Some(vec![id]);
                samples.push(sample);
                masks.push(mask);
            }
            classes.push(class);
        }
        if classes.is_empty() {
            let reason = "it holds no class folders with N.jpg and N.png";
            return Err(files::wrong(root, reason));
        }
        let name = files::name(root);
        Ok(Self {
            name,
            classes,
            samples,
            masks,
        })
    }
}

/// The photographs and the masks of a class, each by name.
fn pictures(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), DatasetError> {
    let paths = listing::entries(folder).map_err(|source| files::unreadable(folder, source))?;
    let with = |endings: &[&str]| {
        let fits = |path: &&PathBuf| listing::ends_in(path, endings);
        paths.iter().filter(fits).cloned().collect()
    };
    Ok((with(&["jpg", "jpeg"]), with(&["png"])))
}

impl Dataset for ClassFolders {
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
        let classes = self.classes_in(index)?;
        let class = classes.first().copied().unwrap_or(0);
        let mask = read::open(&self.masks[index])?;
        let label = |pixel: &[u8; 3]| if luma(*pixel) >= 128 { class } else { 0 };
        let (pixels, _) = mask.as_raw().as_chunks::<3>();
        let size = (mask.width() as usize, mask.height() as usize);
        let labels = LabelPlane::new(size, pixels.iter().map(label).collect())?;
        Ok(Truth::of_labels(labels))
    }
}

/// Pillow's `convert("L")`.
fn luma([r, g, b]: [u8; 3]) -> u8 {
    let [r, g, b] = [r, g, b].map(u32::from);
    ((r * 19_595 + g * 38_470 + b * 7_471 + 0x8000) >> 16) as u8
}
