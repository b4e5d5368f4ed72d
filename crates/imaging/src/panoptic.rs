//! A picture cut into segments.

use crate::Plane;

/// One segment of a [`PanopticMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Its id in the plane; not 0.
    pub id: u32,
    /// Its category.
    pub category: u32,
    /// Whether it is a region of many uncounted things. Only the truth has such.
    pub crowd: bool,
}

/// A picture cut into segments, as COCO panoptic files have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanopticMap {
    /// A segment id per pixel; 0 where there is none.
    pub ids: Plane<u32>,
    /// The segments.
    pub segments: Vec<Segment>,
}
