//! What of a map the work is limited to.

use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr, ensure, eyre};
use seggpt_files::hash::short_of_file;
use seggpt_node::Values;
use seggpt_raster::{Map, Seen, Window};
use seggpt_vector::{
    burn::{Burnable, Part},
    read::{Layer, outlines},
};

/// Polygons that limit the work on all maps.
#[derive(Clone, Debug)]
pub struct Area(Layer);

/// As they lie on a map.
#[derive(Clone, Debug)]
pub struct Within(Burnable);

impl Area {
    /// Reads a file of polygons.
    ///
    /// # Errors
    /// It holds none that can be used.
    pub fn read(path: &Path) -> Result<Self> {
        outlines(path).map(Self).wrap_err("AREA")
    }

    /// Lays the polygons on a map.
    ///
    /// # Errors
    /// Nothing says where the map lies, or they cannot be brought into its coordinates.
    pub fn on(&self, map: &Map) -> Result<Within> {
        let place = map.place()?;
        let name = map.path().display();
        let crs = place
            .named_crs()
            .map_err(|reason| eyre!("{name} {reason}"))?;
        let layer = self.0.clone().to(crs).wrap_err("AREA")?;
        let polygons = layer.polygons().map(|polygon| (1, polygon));
        let within = Burnable::new(polygons, &place.grid);
        within
            .map(Within)
            .ok_or_else(|| eyre!("{name}: its pixels have no area"))
    }
}

impl Within {
    /// Whether any of a window may lie inside.
    #[must_use]
    pub fn touches(&self, window: Window) -> bool {
        self.0.touches(part(window, (1, 1)))
    }

    /// Takes from what is seen of a window all that lies outside.
    pub fn limit(&self, window: Window, seen: &mut Seen) {
        let size = (seen.width, seen.height);
        let mut inside = vec![0; size.0 as usize * size.1 as usize];
        self.0.burn(part(window, size), &mut inside);
        for (pixel, inside) in seen.rgba.chunks_exact_mut(4).zip(&inside) {
            if *inside == 0 && pixel[3] > 0 {
                pixel[3] = 0;
                seen.valid -= 1;
            }
        }
    }
}

fn part(window: Window, (width, height): (u32, u32)) -> Part {
    Part {
        at: [window.x, window.y],
        size: [window.width, window.height],
        seen: [width, height],
    }
}

fn named(values: &Values, dir: &Path) -> Option<PathBuf> {
    values.get("AREA").map(|area| dir.join(area))
}

/// Refuses an area that cannot be read.
pub(crate) fn check(values: &Values, dir: &Path) -> Result<()> {
    named(values, dir).map_or(Ok(()), |path| Area::read(&path).map(|_| ()))
}

/// What lies behind the setting: the file's contents.
pub(crate) fn content(values: &Values, dir: &Path) -> Result<Values> {
    let Some(path) = named(values, dir) else {
        return Ok(Values::new());
    };
    ensure!(path.is_file(), "AREA: there is no file {}", path.display());
    let hash =
        short_of_file(&path).wrap_err_with(|| format!("{}: cannot be read", path.display()))?;
    Ok(Values::from([("area".to_owned(), hash)]))
}
