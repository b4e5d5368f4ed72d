//! Regions of a finished mask: polygons, and a picture of their numbers.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use chrono::{DateTime, SecondsFormat};
use clap::ValueEnum;
use eyre::{Result, WrapErr, eyre};
use seggpt_raster::{
    Place, Placement, Tag, finish,
    strips::{Strip, Strips},
    work::Work,
};
use seggpt_vector::{
    Ground, VectorError,
    trace::{Numbers, Region, Rules, Tracer},
    write::{GeoJson, GeoPackage, Shape, polygon},
};

use crate::Settings;

/// A kind of file for polygons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum PolygonFile {
    /// GeoPackage, in the map's coordinates.
    Gpkg,
    /// GeoJSON, in longitude and latitude.
    Geojson,
}

impl PolygonFile {
    /// Its word, which is the ending of its files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Gpkg => "gpkg",
            Self::Geojson => "geojson",
        }
    }
}

/// Says whether the polygons that are wanted of a map can be written, and areas measured where they are.
///
/// # Errors
/// Nothing says where the map lies, or not in coordinates that the file is written in: what to do.
pub fn check(
    wanted: &[PolygonFile],
    is_measured: bool,
    tags: &[Tag],
    map: &Path,
    (width, height): (u32, u32),
) -> Result<()> {
    if wanted.is_empty() && !is_measured {
        return Ok(());
    }
    let name = map.display();
    let place = Place::of(tags, map).map_err(|reason| eyre!("{name}: {reason}"))?;
    place.ground().map_err(|reason| eyre!("{name}: {reason}"))?;
    if wanted.contains(&PolygonFile::Geojson) {
        let crs = place
            .named_crs()
            .map_err(|reason| eyre!("{name} {reason}"))?;
        GeoJson::check(crs, &place.grid, [width, height]).map_err(|reason| {
            eyre!("{name}: no GeoJSON: {reason}; a GeoPackage keeps the map's coordinates (gpkg)")
        })?;
    }
    Ok(())
}

/// The tags that travel with a map's tiles.
///
/// # Errors
/// They are damaged.
pub fn tags(placement: &Placement) -> Result<Vec<Tag>> {
    let tags = placement.tags.iter();
    tags.map(|tag| tag.tag().map_err(|reason| eyre!(reason)))
        .collect()
}

/// Files of polygons that are being written.
struct Files<'a> {
    place: &'a Place,
    /// Names of the classes.
    names: BTreeMap<u16, String>,
    package: Option<GeoPackage>,
    json: Option<GeoJson>,
}

impl Files<'_> {
    fn add(&mut self, region: &Region) -> Result<(), VectorError> {
        let class = self.names.get(&region.label).map_or("", String::as_str);
        let shape = Shape {
            number: region.number,
            class_id: region.label,
            class,
            area: region.area,
            confidence: region.confidence,
            polygon: polygon(region, &self.place.grid),
        };
        self.package
            .as_mut()
            .map_or(Ok(()), |file| file.add(&shape))?;
        self.json.as_mut().map_or(Ok(()), |file| file.add(&shape))
    }
}

/// Traces the regions of a whole map and writes what is wanted of them. `to`: where the polygons of a kind go. Keeps the blocks
/// of the regions' numbers where they are wanted. Returns how many regions there are.
///
/// # Errors
/// As [`check`]; the disk refuses, or a block is damaged.
pub fn write(work: &Work, settings: &Settings, to: impl Fn(PolygonFile) -> PathBuf) -> Result<u32> {
    let placement = work.placement();
    let map = Path::new(&placement.source);
    let place = match settings.polygons.is_empty() && settings.min_area == 0.0 {
        // Numbers need no place.
        true => None,
        false => Some(
            Place::of(&tags(placement)?, map)
                .map_err(|reason| eyre!("{}: {reason}", map.display()))?,
        ),
    };
    let ground = match &place {
        Some(place) => place
            .ground()
            .map_err(|reason| eyre!("{}: {reason}", map.display()))?,
        None => Ground::Flat(1.0),
    };
    let wants = |file| settings.polygons.contains(&file);
    let mut files = match &place {
        Some(place) if !settings.polygons.is_empty() => Some(Files {
            place,
            names: work
                .classes()
                .into_iter()
                .map(|found| (found.class.id, found.class.name))
                .collect(),
            package: wants(PolygonFile::Gpkg)
                .then(|| GeoPackage::create(&to(PolygonFile::Gpkg), place.crs))
                .transpose()?,
            json: match (wants(PolygonFile::Geojson), place.crs) {
                (true, Some(crs)) => Some(GeoJson::create(&to(PolygonFile::Geojson), crs)?),
                _ => None,
            },
        }),
        _ => None,
    };
    let rules = Rules {
        min_area: settings.min_area,
        simplify: settings.simplify,
    };
    let width = work.grid().size().0;
    let mut tracer = Tracer::new(width, &ground, rules);
    let mut count = 0;
    let mut take = |regions: Vec<Region>| {
        count += regions.len() as u32;
        let files = &mut files;
        regions
            .iter()
            .try_for_each(|region| files.as_mut().map_or(Ok(()), |files| files.add(region)))
    };
    for strip in Strips::open(work)? {
        let Strip { ids, sure } = strip?;
        let columns = width as usize;
        for (ids, sure) in ids.chunks_exact(columns).zip(sure.chunks_exact(columns)) {
            take(tracer.row(ids, sure))?;
        }
    }
    let (last, numbers) = tracer.end();
    take(last)?;
    if let Some(Files { package, json, .. }) = files {
        let changed = DateTime::from_timestamp_nanos(placement.stamp.1);
        let changed = changed.to_rfc3339_opts(SecondsFormat::Millis, true);
        package.map_or(Ok(()), |file| file.finish(&changed))?;
        json.map_or(Ok(()), GeoJson::finish)?;
    }
    if settings.instances {
        number(work, numbers).wrap_err("numbers of regions")?;
    }
    Ok(count)
}

/// Goes through the mask again, for the number of each pixel's region.
fn number(work: &Work, mut numbers: Numbers) -> io::Result<()> {
    let width = work.grid().size().0 as usize;
    let rows = Strips::open(work)?.map(|strip| {
        let strip = strip?;
        Ok(strip
            .ids
            .chunks_exact(width)
            .flat_map(|row| numbers.row(row))
            .collect())
    });
    finish::keep_regions(work, rows)
}
