use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde::Deserialize;

use seggpt_imaging::LabelPlane;

use crate::{Class, Dataset, DatasetError, Frame, Instance, Sample, Truth, files};

/// What the masks of a video tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objects {
    /// Objects by their ids (DAVIS 2017, YouTube-VOS).
    Several,
    /// One object: whatever is not 0, 255 included (DAVIS 2016).
    One,
}

/// Where a set of videos lies.
#[derive(Debug, Clone)]
pub struct VideoLayout {
    /// The folder with a folder of frames per video.
    pub frames: PathBuf,
    /// The folder with a folder of masks per video.
    pub masks: PathBuf,
    /// The videos to take, in this order; all if `None`.
    pub videos: Option<Vec<String>>,
    /// What the masks tell apart.
    pub objects: Objects,
}

/// Videos as folders of frames, with masks of object ids for all or some of the frames.
///
/// The classes of a set are its object ids: object 1 of one video and object 1 of another have
/// nothing in common. Frames without a mask have [`Sample::annotated`] false.
#[derive(Debug, Clone)]
pub struct VideoFolder {
    name: String,
    classes: Vec<Class>,
    samples: Vec<Sample>,
    masks: Vec<Option<PathBuf>>,
    objects: Objects,
    categories: BTreeMap<(String, u16), String>,
}

impl VideoFolder {
    /// Lists the frames and masks of a layout.
    ///
    /// # Errors
    /// [`DatasetError::File`]: a file cannot be read, or a mask has no frame.
    pub fn open(name: impl Into<String>, layout: &VideoLayout) -> Result<Self, DatasetError> {
        let videos = match &layout.videos {
            Some(videos) => videos.clone(),
            None => files::folders(&layout.frames)?
                .iter()
                .map(|path| files::name(path))
                .collect(),
        };
        let highest = match layout.objects {
            Objects::Several => 254,
            Objects::One => 1,
        };
        let mut set = Self {
            name: name.into(),
            classes: (1..=highest)
                .map(|id| Class::new(id, format!("object {id}")))
                .collect(),
            samples: Vec::new(),
            masks: Vec::new(),
            objects: layout.objects,
            categories: BTreeMap::new(),
        };
        for video in videos {
            let masks = files::pictures(&layout.masks.join(&video))?;
            let frames = files::pictures(&layout.frames.join(&video))?;
            for (index, (stem, frame)) in frames.iter().enumerate() {
                let mask = masks.get(stem).cloned();
                let mut sample = Sample::new(format!("{video}/{stem}"), frame.clone());
                sample.frame = Some(Frame {
                    video: video.clone(),
                    index,
                });
                sample.annotated = mask.is_some();
                set.samples.push(sample);
                set.masks.push(mask);
            }
            let mut all = masks.iter();
            if let Some((_, stray)) = all.find(|(name, _)| frames.get(name).is_none()) {
                return Err(files::wrong(stray, "there is no frame of this name"));
            }
        }
        Ok(set)
    }

    /// DAVIS: `JPEGImages/RESOLUTION`, `Annotations/RESOLUTION`, and the videos that
    /// `ImageSets/YEAR/SPLIT.txt` names (year `2017` or `2016`, resolution `480p` or
    /// `Full-Resolution`). In 2016, all objects are one, and the list may be where the download of that
    /// year has it: `ImageSets/RESOLUTION/SPLIT.txt`.
    ///
    /// # Errors
    /// As [`VideoFolder::open`].
    pub fn davis(
        root: impl AsRef<Path>,
        year: &str,
        split: &str,
        resolution: &str,
    ) -> Result<Self, DatasetError> {
        let root = root.as_ref();
        let list = |part: &str| root.join(format!("ImageSets/{part}/{split}.txt"));
        let (listed, own) = (list(year), list(resolution));
        let listed = if year == "2016" && !listed.exists() && own.exists() {
            own
        } else {
            listed
        };
        let mut videos: Vec<String> = Vec::new();
        for line in files::list(&listed)? {
            // 2017: a name. 2016: a frame and its mask, as paths.
            let first = line.split_whitespace().next().unwrap_or(&line);
            let video = match first.contains('/') {
                true => files::name(Path::new(first).parent().unwrap_or(Path::new(""))),
                false => first.to_owned(),
            };
            if videos.last() != Some(&video) {
                videos.push(video);
            }
        }
        let layout = VideoLayout {
            frames: root.join("JPEGImages").join(resolution),
            masks: root.join("Annotations").join(resolution),
            videos: Some(videos),
            objects: if year == "2016" {
                Objects::One
            } else {
                Objects::Several
            },
        };
        Self::open(format!("DAVIS {year} {split}"), &layout)
    }

    /// YouTube-VOS: `root/JPEGImages`, `root/Annotations` (every fifth frame has a mask, in the
    /// validation set only those where an object appears first) and `root/meta.json`, which names
    /// videos, objects and their categories.
    ///
    /// # Errors
    /// As [`VideoFolder::open`]; [`DatasetError::File`] if `meta.json` is not what it should be.
    pub fn youtube_vos(root: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let root = root.as_ref();
        let path = root.join("meta.json");
        let meta = Meta::read(&path)?;
        let layout = VideoLayout {
            frames: root.join("JPEGImages"),
            masks: root.join("Annotations"),
            videos: Some(meta.videos.keys().cloned().collect()),
            objects: Objects::Several,
        };
        let mut set = Self::open(format!("YouTube-VOS {}", files::name(root)), &layout)?;
        for (video, entry) in meta.videos {
            for (object, about) in entry.objects {
                let id = object.parse().map_err(|_| {
                    files::wrong(
                        &path,
                        format!("`{object}` of video {video} is no object id"),
                    )
                })?;
                if let Some(category) = about.category {
                    set.categories.insert((video.clone(), id), category);
                }
            }
        }
        Ok(set)
    }

    /// The category of an object, if the set names it. An object is "seen" where a training set has
    /// objects of the same category.
    #[must_use]
    pub fn category(&self, video: &str, object: u16) -> Option<&str> {
        let key = (video.to_owned(), object);
        self.categories.get(&key).map(String::as_str)
    }

    /// All categories that the set names.
    pub fn categories(&self) -> impl Iterator<Item = &str> {
        self.categories.values().map(String::as_str)
    }

    /// The objects, as video and id, whose category a training set also has; `training` is its `meta.json`. `None`
    /// where this set names no categories.
    ///
    /// # Errors
    /// [`DatasetError::File`]: a file cannot be read, or `training` is not what it should be, or names no categories.
    pub fn seen_in(
        &self,
        training: impl AsRef<Path>,
    ) -> Result<Option<BTreeSet<(String, u16)>>, DatasetError> {
        if self.categories.is_empty() {
            return Ok(None);
        }
        let path = training.as_ref();
        let objects = Meta::read(path)?
            .videos
            .into_values()
            .flat_map(|v| v.objects);
        let trained: BTreeSet<String> = objects.filter_map(|(_, object)| object.category).collect();
        if trained.is_empty() {
            return Err(files::wrong(path, "it names no categories of objects"));
        }
        let seen = self.categories.iter();
        let seen = seen.filter(|(_, category)| trained.contains(*category));
        Ok(Some(seen.map(|(object, _)| object.clone()).collect()))
    }
}

#[derive(Deserialize)]
struct Meta {
    videos: BTreeMap<String, MetaVideo>,
}

impl Meta {
    fn read(path: &Path) -> Result<Self, DatasetError> {
        serde_json::from_str(&files::text(path)?)
            .map_err(|error| files::wrong(path, error.to_string()))
    }
}

#[derive(Deserialize)]
struct MetaVideo {
    objects: BTreeMap<String, MetaObject>,
}

#[derive(Deserialize)]
struct MetaObject {
    category: Option<String>,
}

impl Dataset for VideoFolder {
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
        self.masks[index].as_deref().map(files::size).transpose()
    }

    /// [`DatasetError::File`] also for a frame without a mask.
    fn truth(&self, index: usize) -> Result<Truth, DatasetError> {
        let sample = self.sample(index)?;
        let Some(path) = &self.masks[index] else {
            return Err(files::wrong(&sample.image, "this frame has no mask"));
        };
        let ids = LabelPlane::open(path)?;
        let labels = match self.objects {
            Objects::Several => ids,
            Objects::One => ids.map(|&id| u16::from(id != 0)),
        };
        let instance = |class: u16| Instance {
            id: u32::from(class),
            class,
            crowd: false,
            mask: labels.mask(class),
        };
        let instances = labels.classes().into_iter().map(instance).collect();
        Ok(Truth { labels, instances })
    }
}
