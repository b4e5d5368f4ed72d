//! Polygons on maps.
//!
//! Pure, without messages and dataflows.
//!
//! | polygons in | polygons out |
//! |---|---|
//! | [`read`]: GeoJSON and GeoPackage files | [`trace`]: regions of a mask, as it passes row by row |
//! | [`Transform`]: from one coordinate system to another, exactly or not at all | [`Ground`]: their area |
//! | [`burn`]: labels of a map's pixels | [`mod@write`]: GeoPackage and GeoJSON files |

mod affine;
pub mod burn;
mod check;
mod crs;
mod error;
mod ground;
mod polygon;
pub mod read;
pub mod trace;
pub mod write;

pub use affine::Affine;
pub use crs::{Crs, CrsError, Transform, WGS84};
pub use error::VectorError;
pub use ground::{Ellipsoid, Ground, Parallels};
pub use polygon::{Polygon, Ring, signed_area};
