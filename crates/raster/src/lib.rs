//! Maps: pictures too large to be one, that lie somewhere on the earth.
//!
//! Pure, without messages and dataflows. What is kept in memory follows the tile and the file's blocks, never the map.
//!
//! | before the network | after it |
//! |---|---|
//! | [`Map`]: a GeoTIFF file's bands, overviews, valid pixels | [`blend`]: shares of tiles to classes, without seams |
//! | [`Stretch`]: bands of any depth to 8 bits | [`reduce`]: ever smaller pictures of classes and of confidence |
//! | [`Grid`]: which tiles | [`geo`]: where it lies, carried over as it is |
//! | [`View`]: a tile as the network sees it | [`work`]: what of a map is done, on disk |
//! | [`Placement`]: what travels with a tile | [`Place`]: where it lies, understood, for polygons |

mod bands;
pub mod blend;
mod error;
pub mod finish;
pub mod geo;
mod grid;
mod map;
mod place;
mod placement;
pub mod reduce;
mod stretch;
pub mod strips;
mod view;
pub mod work;

pub use bands::Bands;
pub use error::MapError;
pub use grid::{Grid, Tile};
pub use map::{Map, Nodata};
pub use place::Place;
pub use placement::{Placement, SentTag, ValidBits};
pub use seggpt_tiff::{Cache, Tag, Window, cog};
pub use stretch::{Range, Stretch};
pub use view::{Renderer, Seen, View};
