//! Which tiles there are to send.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
};

use eyre::{Result, WrapErr, ensure, eyre};
use seggpt_files::listing::is_tiff;
use seggpt_node::source::{Listed, done::Done};
use seggpt_raster::{Grid, Map, Nodata, Placement, Stretch, View, work};
use seggpt_source_images::inputs::{self, Entry};
use seggpt_store::listing;

use crate::{
    Settings,
    area::{Area, Within},
    settings::Stretching,
};

/// A map of the run.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// Its file.
    pub path: PathBuf,
    /// What every tile of it says.
    pub placement: Placement,
    /// Its tiles.
    pub grid: Grid,
    /// Pixels of a tile as the network is shown it.
    pub shown: (u32, u32),
    /// Tiles that an earlier process has brought to their end.
    pub ended: BTreeSet<u32>,
    /// What of it the work is limited to.
    pub within: Option<Within>,
}

/// All that a run has to send.
#[derive(Debug)]
pub struct Plan {
    /// The maps that are not done, in their order.
    pub sheets: Vec<Sheet>,
    /// How many maps were done before.
    pub done: usize,
    /// How maps are looked at.
    pub view: View,
    /// What says that pixels hold nothing, where it is not the file.
    pub nodata: Option<Nodata>,
    /// Maps of which nothing says where they lie.
    pub placeless: Vec<String>,
}

impl Plan {
    /// Opens every map and sees what is done. `run`: what this run is called.
    ///
    /// # Errors
    /// `INPUTS` names nothing, or what is no map; a map that cannot be read or cut into tiles, or one called like another
    /// map's result in `RESULTS`; an area that cannot be laid on a map.
    pub fn new(settings: &Settings, run: &str) -> Result<Self> {
        let entries = tiffs(settings)?;
        let mut placeless = vec![];
        let maps = entries
            .iter()
            .map(|entry| {
                let map = Map::open(&entry.path, settings.nodata)?;
                if !map.lies_somewhere() {
                    placeless.push(entry.item.clone());
                }
                Ok(map)
            })
            .collect::<Result<Vec<_>>>()?;
        let mut view = View {
            bands: settings.bands.clone(),
            stretch: Stretch::Own,
        };
        view.stretch = match &settings.stretch {
            Stretching::As(stretch) => stretch.clone(),
            Stretching::Auto => Stretch::of(&maps, &view)?.unwrap_or_default(),
        };
        let area = settings.area.as_deref().map(Area::read).transpose()?;
        let results = settings.results.as_ref().map(std::path::absolute);
        let results = results.transpose().wrap_err("RESULTS")?;
        let done = match &results {
            Some(results) => done_in(results, &settings.run_key, run, &entries)?,
            None => Done::default(),
        };
        let mut sheets = vec![];
        for (index, (entry, map)) in (0..).zip(entries.iter().zip(&maps)) {
            // What cannot be looked at so is said before the first tile.
            view.of(map)?;
            let within = area.as_ref().map(|area| area.on(map)).transpose()?;
            if !done.has(entry) && !done.has_ended(&entry.item) {
                let results = results.as_deref();
                let key = if settings.run_key.is_empty() {
                    run
                } else {
                    &settings.run_key
                };
                let results = results.map(|results| (results, key));
                let sheet = sheet(index, entry, map, settings, results)?;
                sheets.push(Sheet { within, ..sheet });
            }
        }
        Ok(Self {
            done: entries.len() - sheets.len(),
            sheets,
            view,
            nodata: settings.nodata,
            placeless,
        })
    }

    /// How many tiles all maps have that are not done.
    #[must_use]
    pub fn tiles(&self) -> u64 {
        self.sheets
            .iter()
            .map(|sheet| u64::from(sheet.grid.len()))
            .sum()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for sheet in self.sheets.iter().take(SHOWN) {
            let (across, down) = sheet.grid.across_and_down();
            let (width, height) = sheet.grid.tile_size();
            let (shown_width, shown_height) = sheet.shown;
            write!(
                f,
                "{}: {across} x {down} tiles of {width} x {height} px",
                sheet.placement.map
            )?;
            if sheet.shown != (width, height) {
                write!(f, ", shown as {shown_width} x {shown_height}")?;
            }
            let overlap = sheet.placement.overlap;
            write!(
                f,
                ", overlap {:.0} px or more",
                (sheet.placement.side as f32 * overlap).floor()
            )?;
            if !sheet.ended.is_empty() {
                write!(f, ", {} done", sheet.ended.len())?;
            }
            writeln!(f)?;
        }
        if let Some(more @ 1..) = self.sheets.len().checked_sub(SHOWN) {
            writeln!(f, "and {more} more maps")?;
        }
        write!(f, "{} tiles of {} maps", self.tiles(), self.sheets.len())?;
        if self.done > 0 {
            write!(f, "; {} maps are done already", self.done)?;
        }
        if let Stretch::Ranges(_) = self.view.stretch {
            write!(f, "; stretch {}", self.view.stretch)?;
        }
        Ok(())
    }
}

/// How many maps a plan names.
const SHOWN: usize = 20;

/// The TIFF files among the inputs.
fn tiffs(settings: &Settings) -> Result<Vec<Entry>> {
    let mut entries = inputs::expand(&settings.inputs, settings.recursive)?;
    ensure!(
        !entries.is_empty(),
        "INPUTS is empty: name GeoTIFF files, folders, globs or @lists of them"
    );
    let found = entries.len();
    entries.retain(|entry| is_tiff(&entry.path));
    ensure!(
        !entries.is_empty(),
        "INPUTS: none of {found} files is called .tif or .tiff"
    );
    if entries.len() < found {
        tracing::warn!(
            "{} files that are no TIFF files are left out",
            found - entries.len()
        );
    }
    Ok(entries)
}

fn sheet(
    index: u64,
    entry: &Entry,
    map: &Map,
    settings: &Settings,
    results: Option<(&Path, &str)>,
) -> Result<Sheet> {
    let name = map.path().display();
    let factor = match settings.gsd {
        None => 1.0,
        Some(gsd) => {
            let metres = map.metres_of_pixel().ok_or_else(|| {
                eyre!("{name}: GSD needs pixels whose size in metres the file tells, and this one's does not")
            })?;
            (gsd / metres).max(1.0)
        }
    };
    let side = (f64::from(settings.tile) * factor).round();
    ensure!(
        side <= f64::from(1 << 20),
        "{name}: GSD makes tiles of {side} pixels; a million is the most"
    );
    let side = side as u32;
    let (width, height) = map.size();
    let grid = Grid::new(width, height, side, settings.overlap)
        .map_err(|reason| eyre!("{name}: {reason}"))?;
    let (tile_width, tile_height) = grid.tile_size();
    let shrunken = |side: u32| ((f64::from(side) / factor).round() as u32).clamp(1, side);
    let stamp = entry.stamp.ok_or_else(|| eyre!("{name}: is gone"))?;
    let placement = Placement {
        map: entry.item.clone(),
        name: entry.name.clone(),
        source: entry.source(),
        index,
        size: (width, height),
        side,
        overlap: settings.overlap,
        stamp: (stamp.size, stamp.mtime),
        tags: map.tags().iter().map(Into::into).collect(),
        tile: 0,
        valid: None,
        is_empty: false,
    };
    let ended = match results {
        Some((results, key)) => {
            let folder = work::folder(results, &entry.name);
            work::ended(&folder, key, &placement)
                .wrap_err_with(|| format!("{}: cannot be read", folder.display()))?
        }
        None => BTreeSet::new(),
    };
    Ok(Sheet {
        path: entry.path.clone(),
        shown: (shrunken(tile_width), shrunken(tile_height)),
        placement,
        grid,
        ended,
        within: None,
    })
}

/// What is done; says to the sink which maps this run lists.
fn done_in(results: &Path, run_key: &str, run: &str, entries: &[Entry]) -> Result<Done> {
    let done = Done::read(results, run_key, run)?;
    done.check(results, entries)?;
    let items = entries.iter().map(|entry| entry.item.as_str());
    listing::write(results, run, items)
        .wrap_err_with(|| format!("RESULTS {}: cannot be written", results.display()))?;
    Ok(done)
}
