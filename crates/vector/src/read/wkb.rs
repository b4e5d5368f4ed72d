//! Polygons as OGC's well-known binary, in GeoPackage's wrapping.

use super::opened;
use crate::Polygon;

const POLYGON: u32 = 3;
const MULTIPOLYGON: u32 = 6;

/// The polygons of a geometry of a GeoPackage.
pub(super) fn polygons(blob: &[u8]) -> Result<Vec<Polygon>, String> {
    let damaged = || "has a damaged geometry".to_owned();
    let [b'G', b'P', _version, flags, rest @ ..] = blob else {
        return Err(damaged());
    };
    if flags & 0x10 != 0 {
        return Err("is empty".to_owned());
    }
    let envelope = match flags >> 1 & 7 {
        0 => 0,
        1 => 32,
        2 | 3 => 48,
        4 => 64,
        _ => return Err(damaged()),
    };
    let mut bytes = Bytes {
        left: rest.get(4 + envelope..).ok_or_else(damaged)?,
        is_little: true,
    };
    geometry(&mut bytes)?.ok_or_else(damaged)
}

/// `None`: it ends early.
type Found<T> = Result<Option<T>, String>;

fn geometry(bytes: &mut Bytes) -> Found<Vec<Polygon>> {
    let Some((kind, dimensions)) = bytes.head() else {
        return Ok(None);
    };
    match kind {
        POLYGON => Ok(bytes.polygon(dimensions).map(|polygon| vec![polygon])),
        MULTIPOLYGON => {
            let Some(count) = bytes.whole() else {
                return Ok(None);
            };
            let mut polygons = Vec::new();
            for _ in 0..count {
                let polygon = bytes.head().and_then(|(_, own)| bytes.polygon(own));
                let Some(polygon) = polygon else {
                    return Ok(None);
                };
                polygons.push(polygon);
            }
            Ok(Some(polygons))
        }
        kind => Err(format!(
            "is a geometry of type {kind}; only polygons and multipolygons label an area"
        )),
    }
}

struct Bytes<'a> {
    left: &'a [u8],
    is_little: bool,
}

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, left) = self.left.split_first_chunk::<N>()?;
        self.left = left;
        let mut taken = *taken;
        if !self.is_little {
            taken.reverse();
        }
        Some(taken)
    }

    fn whole(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    /// The type of a geometry, and how many numbers each point of it has.
    fn head(&mut self) -> Option<(u32, usize)> {
        self.is_little = self.take::<1>()? == [1];
        let code = self.whole()?;
        // ISO adds thousands for Z and M, others set bits.
        let more = match code % 10_000 / 1000 {
            0 => (code >> 30).count_ones() as usize,
            3 => 2,
            _ => 1,
        };
        Some(((code & 0x0fff_ffff) % 1000, 2 + more))
    }

    fn polygon(&mut self, dimensions: usize) -> Option<Polygon> {
        let count = self.whole()?;
        let mut rings = Vec::new();
        for _ in 0..count {
            let points = self.whole()?;
            let mut ring = Vec::new();
            for _ in 0..points {
                let mut point = [0.0; 4];
                for number in point.iter_mut().take(dimensions) {
                    *number = self.take().map(f64::from_le_bytes)?;
                }
                ring.push([point[0], point[1]]);
            }
            rings.push(opened(ring));
        }
        Some(Polygon { rings })
    }
}
