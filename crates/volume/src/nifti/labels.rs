use std::io::{self, Write};

use flate2::{Compression, GzBuilder};

use super::header::{Header, Version};

/// The intent of volumes whose values stand for classes.
const LABEL: i32 = 1002;

/// Writes a compressed label volume with the geometry of a scan: shape, sform, qform, codes, voxel edges and units are
/// those of the scan's header byte for byte; description and names of other files are left out, since they may name a
/// patient. `wide`: two bytes a voxel instead of one. `planes` gives the voxels in file order, in pieces of any length;
/// values of two bytes come lowest byte first. The same input gives the same file.
///
/// # Errors
/// That of `planes`, or `out` cannot be written.
pub fn write_labels<W: Write>(
    scan: &Header,
    wide: bool,
    out: W,
    planes: impl IntoIterator<Item = io::Result<Vec<u8>>>,
) -> io::Result<W> {
    let mut gzip = GzBuilder::new().write(out, Compression::default());
    gzip.write_all(&header(scan, wide))?;
    let is_swapped = wide && scan.fields.endian == super::fields::Endian::Big;
    for piece in planes {
        let mut piece = piece?;
        if is_swapped {
            piece
                .as_chunks_mut::<2>()
                .0
                .iter_mut()
                .for_each(|voxel| voxel.reverse());
        }
        gzip.write_all(&piece)?;
    }
    gzip.finish()
}

fn header(scan: &Header, wide: bool) -> Vec<u8> {
    let places = scan.version.places();
    let mut fields = scan.fields.clone();
    let (datatype, bits): (i16, i16) = if wide { (512, 16) } else { (2, 8) };
    fields.put(places.datatype, datatype.to_le_bytes());
    fields.put(places.bitpix, bits.to_le_bytes());
    let mut number = |place: usize, value: f64| match scan.version {
        Version::One => fields.put(place, (value as f32).to_le_bytes()),
        Version::Two => fields.put(place, value.to_le_bytes()),
    };
    number(places.slope, 1.0);
    number(places.intercept, 0.0);
    places
        .calibration
        .into_iter()
        .for_each(|place| number(place, 0.0));
    let parameter = if scan.version == Version::One { 4 } else { 8 };
    (0..3).for_each(|index| number(places.intent_parameters + parameter * index, 0.0));
    let offset = places.bytes + 4;
    // One point of time: the volume itself.
    let dims = places.dims;
    match scan.version {
        Version::One => {
            fields.put(places.offset, (offset as f32).to_le_bytes());
            fields.put(places.intent_code, (LABEL as i16).to_le_bytes());
            fields.put(dims, fields.i16(dims).min(3).to_le_bytes());
            (4..8).for_each(|dim| fields.put(dims + 2 * dim, 1_i16.to_le_bytes()));
            fields.put_text(4, 28, ""); // data_type, db_name
        }
        Version::Two => {
            fields.put(places.offset, (offset as i64).to_le_bytes());
            fields.put(places.intent_code, LABEL.to_le_bytes());
            fields.put(dims, fields.i64(dims).min(3).to_le_bytes());
            (4..8).for_each(|dim| fields.put(dims + 8 * dim, 1_i64.to_le_bytes()));
        }
    }
    fields.put_text(places.intent_name, 16, "");
    fields.put_text(places.description, 80, "class ids, by dora-seggpt");
    fields.put_text(places.auxiliary, 24, "");
    // A pair's header becomes that of one file.
    let magic = match scan.version {
        Version::One => "n+1",
        Version::Two => "n+2",
    };
    fields.put_text(places.magic, 4, magic);
    let mut bytes = fields.bytes().to_vec();
    bytes.extend([0; 4]); // no extensions
    bytes
}
