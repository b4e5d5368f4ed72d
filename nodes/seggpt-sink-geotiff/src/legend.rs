//! What the classes are called, for those who open a mask.

use seggpt_raster::work::Found;

/// Names beyond this id are left out of a list that begins at 0.
const MOST: u16 = 1000;

/// What GDAL reads beside a TIFF file, `NAME.tif.aux.xml`: the names of values from 0, and `placing`, elements that say where
/// the map lies.
#[must_use]
pub fn aux_xml(classes: &[Found], placing: &str) -> Vec<u8> {
    let last = classes
        .iter()
        .map(|found| found.class.id)
        .filter(|id| *id <= MOST)
        .max();
    let mut xml =
        format!("<PAMDataset>\n{placing}  <PAMRasterBand band=\"1\">\n    <CategoryNames>\n");
    for id in 0..=last.unwrap_or(0) {
        let known = classes.iter().find(|found| found.class.id == id);
        let name = match id {
            0 => "background",
            _ => known.map_or("", |found| &found.class.name),
        };
        xml += &format!("      <Category>{}</Category>\n", escaped(name));
    }
    xml += "    </CategoryNames>\n  </PAMRasterBand>\n</PAMDataset>\n";
    xml.into_bytes()
}

/// What QGIS reads beside a file, `NAME.qml`: colours and names of values.
#[must_use]
pub fn qml(classes: &[Found]) -> Vec<u8> {
    let mut xml = String::from(
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n<qgis version=\"3.22\">\n  <pipe>\n    \
         <rasterrenderer type=\"paletted\" band=\"1\" opacity=\"1\" alphaBand=\"-1\">\n      <colorPalette>\n        \
         <paletteEntry value=\"0\" color=\"#000000\" alpha=\"0\" label=\"background\"/>\n",
    );
    for found in classes {
        let [r, g, b] = found.class.color;
        xml += &format!(
            "        <paletteEntry value=\"{}\" color=\"#{r:02x}{g:02x}{b:02x}\" alpha=\"255\" label=\"{}\"/>\n",
            found.class.id,
            escaped(&found.class.name)
        );
    }
    xml += "      </colorPalette>\n    </rasterrenderer>\n  </pipe>\n</qgis>\n";
    xml.into_bytes()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use seggpt_raster::work::Class;

    use super::*;

    #[test]
    fn names_stand_at_their_ids() {
        let found = |id, name: &str| Found {
            class: Class {
                id,
                name: name.to_owned(),
                color: [1, 2, 255],
            },
            pixels: 0,
            sure: 0,
        };
        let classes = [found(2, "a <b> & \"c\"\n"), found(60_000, "far")];
        let xml = String::from_utf8(aux_xml(&classes, "  <SRS>x</SRS>\n")).unwrap();
        let names: Vec<_> = xml
            .lines()
            .filter(|line| line.contains("<Category>"))
            .map(str::trim)
            .collect();
        assert_eq!(
            names,
            [
                "<Category>background</Category>",
                "<Category></Category>",
                "<Category>a &lt;b&gt; &amp; &quot;c&quot; </Category>"
            ]
        );
        assert!(xml.contains("<SRS>x</SRS>"));
        let qml = String::from_utf8(qml(&classes)).unwrap();
        assert!(qml.contains("value=\"60000\" color=\"#0102ff\" alpha=\"255\" label=\"far\""));
    }
}
