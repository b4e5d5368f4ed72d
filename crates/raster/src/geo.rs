//! Where a map lies: carried over as it stands, never understood more than is needed.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use seggpt_tiff::{Directory, Source, Tag};

/// The tags that say where a picture lies: scale, tie points (or ground control points), matrix, keys with their numbers and
/// texts, and the polynomials of satellites' cameras.
pub const TAGS: [u16; 7] = [33_550, 33_922, 34_264, 34_735, 34_736, 34_737, 50_844];

const KEYS: u16 = 34_735;
/// No code of EPSG's: the system is described by other keys.
const USER_DEFINED: u16 = 32_767;

/// Files beside a picture that say where it lies, in the place of its own ending, or behind it.
const SIDECARS: [&str; 5] = ["tfw", "tifw", "tiffw", "wld", "prj"];

/// The tags of a page that say where it lies.
#[must_use]
pub fn tags(directory: &Directory) -> Vec<Tag> {
    TAGS.iter()
        .filter_map(|code| directory.tag(*code))
        .collect()
}

/// What the keys of a map's place are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Key {
    /// 1: projected, 2: in degrees.
    ModelType = 1024,
    /// 2: coordinates are those of pixels' centres.
    RasterType = 1025,
    Geographic = 2048,
    Projected = 3072,
    LinearUnits = 3076,
}

/// The whole number that a key says.
pub(crate) fn key(tags: &[Tag], wanted: Key) -> Option<u16> {
    let tag = tags.iter().find(|tag| tag.code == KEYS && tag.kind == 3)?;
    let numbers = tag.data.as_chunks().0.iter();
    let numbers: Vec<u16> = numbers.map(|bytes| u16::from_le_bytes(*bytes)).collect();
    let entries = numbers.get(4..)?.as_chunks::<4>().0;
    let entry = entries
        .iter()
        .find(|entry| entry[0] == wanted as u16 && entry[1] == 0)?;
    Some(entry[3])
}

/// The floating-point numbers of a tag; none where it is absent.
pub(crate) fn doubles(tags: &[Tag], code: u16) -> Vec<f64> {
    let tag = tags.iter().find(|tag| tag.code == code && tag.kind == 12);
    let data = tag.map_or(&[][..], |tag| tag.data.as_slice());
    let numbers = data.as_chunks().0.iter();
    numbers.map(|bytes| f64::from_le_bytes(*bytes)).collect()
}

/// Width and height of a pixel in units of the map, where it is a rectangle.
#[must_use]
pub fn pixel_size(tags: &[Tag]) -> Option<(f64, f64)> {
    let size = match (&doubles(tags, 33_550)[..], &doubles(tags, 34_264)[..]) {
        ([x, y, ..], _) => (x.abs(), y.abs()),
        (_, [a, b, _, _, d, e, ..]) => (a.hypot(*d), b.hypot(*e)),
        _ => return None,
    };
    (size.0 > 0.0 && size.1 > 0.0).then_some(size)
}

/// The number of the coordinate system at EPSG, where the tags name one.
#[must_use]
pub fn epsg(tags: &[Tag]) -> Option<u32> {
    let of = |wanted| key(tags, wanted).filter(|code| (1..USER_DEFINED).contains(code));
    of(Key::Projected)
        .or_else(|| of(Key::Geographic))
        .map(u32::from)
}

/// Metres of a unit of the map: 1 where it has no coordinate system of its own; `None` where units are degrees.
#[must_use]
pub fn metres_of_unit(tags: &[Tag]) -> Option<f64> {
    match (key(tags, Key::ModelType), key(tags, Key::LinearUnits)) {
        (Some(2), _) => None,
        (_, Some(9002)) => Some(0.3048),
        (_, Some(9003)) => Some(1200.0 / 3937.0),
        _ => Some(1.0),
    }
}

/// The sidecars of a map, and what they are called beside `target`.
#[must_use]
pub fn sidecars(map: &Path, target: &Path) -> Vec<(PathBuf, PathBuf)> {
    let mut found = Vec::new();
    for ending in SIDECARS {
        for ending in [ending.to_owned(), ending.to_uppercase()] {
            let from = map.with_extension(&ending);
            if from.is_file() {
                found.push((from, target.with_extension(&ending)));
            }
        }
    }
    found
}

/// Whether something beside a map says where it lies.
#[must_use]
pub fn has_sidecar(map: &Path) -> bool {
    !sidecars(map, map).is_empty() || behind(map, ".aux.xml").is_some_and(|aux| places(&aux))
}

/// Pixels beyond which a TIFF file is a map wherever it lies: no single picture is read that is larger.
const LARGE: u64 = 1 << 28;

/// Whether a file is a map: a TIFF file of which something says where it lies, or one too large for a picture.
#[must_use]
pub fn is_map(path: &Path) -> bool {
    let Ok(source) = Source::disk(path) else {
        return false;
    };
    let Ok(directories) = source.directories() else {
        return false;
    };
    directories.first().is_some_and(|first| {
        let places = [33_550, 33_922, 34_264, 34_735]
            .iter()
            .any(|code| first.tag(*code).is_some());
        let side = |code: u16| first.number(code).ok().flatten().unwrap_or(0);
        places || side(256).saturating_mul(side(257)) > LARGE || has_sidecar(path)
    })
}

/// A file called as `path` with something behind it, where there is one.
fn behind(path: &Path, ending: &str) -> Option<PathBuf> {
    let mut name: OsString = path.file_name()?.to_owned();
    name.push(ending);
    let path = path.with_file_name(name);
    path.is_file().then_some(path)
}

fn places(aux: &Path) -> bool {
    fs::read_to_string(aux).is_ok_and(|text| {
        ["<GeoTransform>", "<SRS", "<GCPList"]
            .iter()
            .any(|mark| text.contains(mark))
    })
}

/// What the map's `.aux.xml` says of where it lies, as elements that another such file can hold; empty where it says
/// nothing.
#[must_use]
pub fn placing_elements(map: &Path) -> String {
    let Some(text) = behind(map, ".aux.xml").and_then(|aux| fs::read_to_string(aux).ok()) else {
        return String::new();
    };
    let mut out = String::new();
    for name in ["SRS", "GeoTransform", "GCPList"] {
        let (open, close) = (format!("<{name}"), format!("</{name}>"));
        if let Some(from) = text.find(&open)
            && let Some(length) = text[from..].find(&close)
        {
            out += "  ";
            out += &text[from..from + length + close.len()];
            out.push('\n');
        }
    }
    out
}
