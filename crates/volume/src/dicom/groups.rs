//! What describes a frame, wherever its file says it.

use dicom_dictionary_std::tags;
use dicom_object::{InMemDicomObject as Set, Tag};

use super::attributes::{item, number, vector};
use crate::Plane;

/// The groups of attributes that describe a frame: its own, those shared by all frames, and the file's.
pub(super) struct Groups<'a> {
    pub root: &'a Set,
    pub shared: Option<&'a Set>,
    pub own: Option<&'a Set>,
}

impl Groups<'_> {
    /// The set that describes a frame under a group's name; without groups, the file's.
    pub(super) fn group(&self, tag: Tag) -> Option<&Set> {
        if self.own.is_none() {
            return Some(self.root);
        }
        let groups = [self.own, self.shared].into_iter().flatten();
        groups.filter_map(|groups| item(groups, tag)).next()
    }

    pub(super) fn number(&self, group: Tag, tag: Tag) -> Option<f64> {
        number(self.group(group)?, tag)
    }
}

/// Where a slice lies in the file's own words: position, cosines of rows and columns, distance of rows and columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub position: [f64; 3],
    pub cosines: [f64; 6],
    pub spacing: [f64; 2],
}

/// Where a frame lies, in its file's words.
pub(super) fn said(groups: &Groups) -> Option<Said> {
    let position = groups.group(tags::PLANE_POSITION_SEQUENCE)?;
    let orientation = groups.group(tags::PLANE_ORIENTATION_SEQUENCE)?;
    let measures = groups.group(tags::PIXEL_MEASURES_SEQUENCE)?;
    Some(Said {
        position: vector(position, tags::IMAGE_POSITION_PATIENT)?,
        cosines: vector(orientation, tags::IMAGE_ORIENTATION_PATIENT)?,
        spacing: vector(measures, tags::PIXEL_SPACING)?,
    })
}

impl Said {
    /// DICOM counts to the left and to the back, where right and anterior are meant here. `None`: it lies nowhere.
    pub(super) fn plane(&self, size: [usize; 2]) -> Option<Plane> {
        let ras = |[x, y, z]: [f64; 3], length: f64| [-x * length, -y * length, z * length];
        let [a, b, c, d, e, f] = self.cosines;
        let [down, across] = self.spacing;
        let plane = Plane {
            size,
            origin: ras(self.position, 1.0),
            steps: [ras([a, b, c], across), ras([d, e, f], down)],
        };
        let lies = across > 0.0 && down > 0.0 && plane.normal().iter().all(|part| part.is_finite());
        lies.then_some(plane)
    }
}
