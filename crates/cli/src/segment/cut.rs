//! Examples out of maps: a labelled map is cut where something is labelled, and shown as the maps of the run are.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use seggpt_flow::Diagnostic;
use seggpt_imaging::{RgbImage, write};
use seggpt_raster::{Grid, Map, Nodata, Renderer, Stretch, Tile, View};

use super::{
    inputs::Inputs,
    labels::{Classes, Labels, is_polygons},
    prompts::Prompts,
};
use crate::args::SegmentArgs;

/// Tiles of the network's size, without another word.
const TILE: u32 = 448;
/// No map gives more examples.
const MOST: usize = 64;

/// Files that examples became, with their contents.
pub(super) type Files = Vec<(PathBuf, Vec<u8>)>;

/// What examples out of maps become.
pub(super) struct Cut {
    /// Pictures and masks that are to be written.
    pub files: Files,
    /// How deep bands are shown, where they are stretched alike in all maps.
    pub stretch: Option<String>,
    /// The classes by their ids, where maps showed several.
    pub classes: Option<String>,
    /// Whether masks were cut, which hold ids then.
    pub any: bool,
}

/// Cuts those examples that are maps larger than a tile, or labelled by polygons; `prompts` names the parts instead, of each map
/// the part with most labels first. `folder` is where they go.
///
/// # Errors
/// A map or its mask cannot be read, or they do not fit each other.
pub(super) fn examples(
    args: &SegmentArgs,
    inputs: &Inputs,
    folder: &Path,
    prompts: &mut Prompts,
) -> Result<Cut, Diagnostic> {
    let nodata = nodata(args)?;
    let open =
        |path: &Path| Map::open(path, nodata).map_err(|error| Diagnostic::new(error.to_string()));
    let mut view = View::default();
    let wrong = |option: &str, reason: String| Diagnostic::new(format!("{option}: {reason}"));
    if let Some(bands) = &args.maps.bands {
        view.bands = Some(bands.parse().map_err(|reason| wrong("--bands", reason))?);
    }
    let stretch = match args.maps.stretch.as_deref() {
        None | Some("auto") => {
            let entries = inputs
                .files()
                .map_err(|error| Diagnostic::new(format!("{error:#}")))?;
            let maps = entries
                .iter()
                .map(|entry| open(&entry.path))
                .collect::<Result<Vec<_>, _>>()?;
            Stretch::of(&maps, &view).map_err(|error| Diagnostic::new(error.to_string()))?
        }
        Some(text) => Some(text.parse().map_err(|reason| wrong("--stretch", reason))?),
    };
    view.stretch = stretch.clone().unwrap_or_default();
    let mut cut = Cut {
        files: vec![],
        stretch: stretch.map(|stretch| stretch.to_string()),
        classes: None,
        any: false,
    };
    let classes = Classes::of(args, &prompts.pairs)?;
    let (mut parts, mut ids) = (Vec::new(), BTreeSet::new());
    for (image, mask) in std::mem::take(&mut prompts.pairs) {
        let side = args.maps.tile.unwrap_or(TILE);
        let map = match is_polygons(&mask) {
            true => Some(open(&image)?),
            false => Map::open(&image, nodata).ok().filter(|map| {
                let (width, height) = map.size();
                !map.is_plain() || width.max(height) > side + side / 2 || view.bands.is_some()
            }),
        };
        let Some(map) = map else {
            parts.push(vec![(image, mask)]);
            continue;
        };
        cut.any = true;
        let number = parts.len();
        parts.push(one(
            args,
            &map,
            &view,
            (&mask, &Labels::open(&map, &mask, &classes)?),
            &folder.join(format!("example-{number}")),
            &mut cut.files,
            &mut ids,
        )?);
    }
    // The best part of each, then the second best of each.
    let most = parts.iter().map(Vec::len).max().unwrap_or(0);
    prompts.pairs = (0..most)
        .flat_map(|n| parts.iter().filter_map(move |part| part.get(n).cloned()))
        .collect();
    if cut.any && ids.len() > 1 {
        let table: Vec<String> = ids.iter().map(|id| format!("{id}:class {id}")).collect();
        cut.classes = Some(table.join(","));
    }
    cut.classes = classes.table().or(cut.classes);
    Ok(cut)
}

/// The labelled parts of a map, as files; those with most labels first.
fn one(
    args: &SegmentArgs,
    map: &Map,
    view: &View,
    (mask, labels): (&Path, &Labels),
    to: &Path,
    files: &mut Files,
    ids: &mut BTreeSet<u16>,
) -> Result<Vec<(PathBuf, PathBuf)>, Diagnostic> {
    let diagnostic = |error: &dyn std::fmt::Display| Diagnostic::new(error.to_string());
    let (width, height) = map.size();
    let factor = match (args.maps.gsd, map.metres_of_pixel()) {
        (Some(gsd), Some(metres)) => (gsd / metres).max(1.0),
        _ => 1.0,
    };
    let side = (f64::from(args.maps.tile.unwrap_or(TILE)) * factor).round() as u32;
    let grid = Grid::new(width, height, side, 0.0).map_err(|reason| diagnostic(&reason))?;
    let mut labelled = |tile: &Tile| {
        let labels = labels.window(tile.window).into_iter();
        labels
            .filter(|label| *label > 0)
            .inspect(|label| _ = ids.insert(*label))
            .count()
    };
    let mut tiles: Vec<(usize, Tile)> = grid.tiles().map(|tile| (labelled(&tile), tile)).collect();
    tiles.retain(|(count, _)| *count > 0);
    if tiles.is_empty() {
        return Err(Diagnostic::new(format!(
            "{}: nothing is labelled in it",
            mask.display()
        )));
    }
    tiles.sort_by_key(|(count, tile)| (usize::MAX - count, tile.index));
    tiles.truncate(MOST);
    let renderer = view.of(map).map_err(|error| diagnostic(&error))?;
    let (tile_width, tile_height) = grid.tile_size();
    let shrunken = |side: u32| ((f64::from(side) / factor).round() as u32).clamp(1, side);
    let size = (shrunken(tile_width), shrunken(tile_height));
    let mut cache = map.cache(
        Renderer::level(map, (tile_width, tile_height), size),
        tile_width,
        tile_height,
    );
    let mut pairs = vec![];
    for (_, tile) in tiles {
        let seen = renderer
            .tile(map, tile.window, size, &mut cache)
            .map_err(|error| diagnostic(&error))?;
        let rgb = seen
            .rgba
            .as_chunks::<4>()
            .0
            .iter()
            .flat_map(|[r, g, b, _]| [*r, *g, *b])
            .collect();
        let picture = RgbImage::from_raw(size.0, size.1, rgb).expect("three bytes a pixel");
        let labels = labels.window(tile.window);
        let at = |n: u32, size: u32, length: u32| {
            (u64::from(n) * u64::from(length) / u64::from(size)) as usize
        };
        let values: Vec<u16> = (0..size.1)
            .flat_map(|y| (0..size.0).map(move |x| (x, y)))
            .map(|(x, y)| {
                let column = at(x, size.0, tile.window.width);
                let row = at(y, size.1, tile.window.height);
                labels[row * tile.window.width as usize + column]
            })
            .collect();
        let name = format!("r{:04}c{:04}", tile.row, tile.column);
        let image = to.join(format!("{name}.png"));
        let mask = to.join(format!("{name}_mask.png"));
        let ids = write::ids_png16(&values, (size.0 as usize, size.1 as usize));
        files.push((
            image.clone(),
            write::rgb_png(&picture).map_err(|error| diagnostic(&error))?,
        ));
        files.push((mask.clone(), ids.map_err(|error| diagnostic(&error))?));
        pairs.push((image, mask));
    }
    Ok(pairs)
}

fn nodata(args: &SegmentArgs) -> Result<Option<Nodata>, Diagnostic> {
    let Some(text) = args.maps.nodata.as_deref() else {
        return Ok(None);
    };
    match (text, text.parse()) {
        ("none", _) => Ok(Some(Nodata::None)),
        (_, Ok(value)) => Ok(Some(Nodata::Value(value))),
        _ => Err(Diagnostic::new(format!(
            "--nodata {text}: a number, nan or none"
        ))),
    }
}
