//! What is asked of maps.

use seggpt_flow::Diagnostic;
use seggpt_raster::{Map, MapError};
use seggpt_sink_geotiff::regions;
use seggpt_source_geotiff::area::Area;

use super::{inputs::Inputs, kind::Kind, labels::is_polygons, prompts::Prompts};
use crate::{args::SegmentArgs, values::MaskFile};

/// What the node that cuts maps is told.
pub(super) fn source(args: &SegmentArgs) -> Vec<(&'static str, String)> {
    let maps = &args.maps;
    let text = |value: &dyn ToString| value.to_string();
    let given = [
        ("TILE", maps.tile.as_ref().map(|value| text(value))),
        ("OVERLAP", maps.overlap.as_ref().map(|value| text(value))),
        ("GSD", maps.gsd.as_ref().map(|value| text(value))),
        ("BANDS", maps.bands.clone()),
        ("STRETCH", maps.stretch.clone()),
        ("NODATA", maps.nodata.clone()),
        (
            "AREA",
            maps.area.as_ref().map(|area| area.display().to_string()),
        ),
    ];
    present(given)
}

/// What the node that writes their masks is told, beside where.
pub(super) fn sink(args: &SegmentArgs) -> Vec<(&'static str, String)> {
    let maps = &args.maps;
    let words: Vec<&str> = maps.polygons.iter().map(|kind| kind.word()).collect();
    present([
        ("CONFIDENCE", Some((!args.no_confidence).to_string())),
        ("POLYGONS", (!words.is_empty()).then(|| words.join(","))),
        ("MIN_AREA", maps.min_area.map(|area| area.to_string())),
        ("SIMPLIFY", maps.simplify.map(|far| far.to_string())),
        ("INSTANCES", args.instances.then(|| "true".to_owned())),
    ])
}

fn present<const N: usize>(
    given: [(&'static str, Option<String>); N],
) -> Vec<(&'static str, String)> {
    let named = given.into_iter();
    named
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// Refuses what is asked of another kind of input, or asks for nothing.
///
/// # Errors
/// Names the options.
pub(super) fn check(args: &SegmentArgs, kind: Kind) -> Result<(), Diagnostic> {
    let maps = &args.maps;
    let (said, of, are) = match kind {
        Kind::Pictures | Kind::Volume => (
            vec![
                ("--tile", maps.tile.is_some()),
                ("--overlap", maps.overlap.is_some()),
                ("--gsd", maps.gsd.is_some()),
                ("--bands", maps.bands.is_some()),
                ("--stretch", maps.stretch.is_some()),
                ("--nodata", maps.nodata.is_some()),
                ("--area", maps.area.is_some()),
                ("--class-field", maps.class_field.is_some()),
                ("--polygons", !maps.polygons.is_empty()),
                ("--min-area", maps.min_area.is_some()),
                ("--simplify", maps.simplify.is_some()),
            ],
            "is for maps",
            kind.to_string(),
        ),
        Kind::Map => (
            vec![
                ("--raw", args.raw),
                ("--mask", args.mask != MaskFile::default()),
                ("--no-overlay", args.no_overlay),
                ("--no-report", args.no_report),
                ("--export", !args.exports.is_empty()),
                ("--exif", args.exif.is_some()),
            ],
            "is for pictures",
            "maps".to_owned(),
        ),
    };
    let options: Vec<&str> = said
        .into_iter()
        .filter(|(_, is)| *is)
        .map(|(name, _)| name)
        .collect();
    if !options.is_empty() {
        return Err(Diagnostic::new(format!(
            "{} {of}, and the inputs are {are}",
            options.join(", ")
        ))
        .help(
            "leave it out; `--as map` and `--as pictures` overrule what the inputs are taken for",
        ));
    }
    let writes = |what: bool, option: &str, needs: &str| match what {
        true => Ok(()),
        false => Err(
            Diagnostic::new(format!("{option} says nothing without {needs}"))
                .help(format!("add {needs}, or leave it out")),
        ),
    };
    let is_polygons = !maps.polygons.is_empty();
    writes(
        maps.simplify.is_none() || is_polygons,
        "--simplify",
        "--polygons",
    )?;
    let is_any = is_polygons || args.instances;
    writes(
        maps.min_area.is_none() || is_any,
        "--min-area",
        "--polygons or --instances",
    )
}

/// Refuses polygons as labels of what is no map.
///
/// # Errors
/// Names the first.
pub(super) fn check_labels(prompts: &Prompts, kind: Kind) -> Result<(), Diagnostic> {
    let masks = prompts.pairs.iter().map(|(_, mask)| mask);
    match masks.filter(|mask| is_polygons(mask)).find(|_| kind != Kind::Map) {
        Some(mask) => Err(Diagnostic::new(format!(
            "{}: polygons label maps, and the inputs are {kind}",
            mask.display()
        ))
        .help("give a picture of labels; of pictures, labelling tools' files are --prompts FILE; `--as map`, if the inputs are maps all the same")),
        None => Ok(()),
    }
}

/// Says before the start whether the inputs lie where polygons and areas need them to.
///
/// # Errors
/// One does not, or is no map; the area cannot be used.
pub(super) fn check_places(args: &SegmentArgs, inputs: &Inputs) -> Result<(), Diagnostic> {
    let maps = &args.maps;
    if !maps.needs_place() {
        return Ok(());
    }
    let wrong = |error: eyre::Report| Diagnostic::new(format!("{error:#}"));
    let area = maps
        .area
        .as_deref()
        .map(Area::read)
        .transpose()
        .map_err(wrong)?;
    let is_measured = maps.min_area.is_some_and(|area| area > 0.0);
    for entry in inputs.files().map_err(wrong)? {
        let map = Map::open(&entry.path, None)
            .map_err(|error: MapError| Diagnostic::new(error.to_string()))?;
        regions::check(
            &maps.polygons,
            is_measured,
            map.tags(),
            map.path(),
            map.size(),
        )
        .map_err(wrong)?;
        area.as_ref()
            .map(|area| area.on(&map))
            .transpose()
            .map_err(wrong)?;
    }
    Ok(())
}
