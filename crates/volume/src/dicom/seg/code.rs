//! What classes are in SNOMED CT, as far as their names say it.

/// A code with its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Code(pub &'static str, pub &'static str);

const TISSUE: Code = Code("85756007", "Tissue");
const STRUCTURE: Code = Code("123037004", "Anatomical Structure");
const ABNORMAL: Code = Code("49755003", "Morphologically Abnormal Structure");

/// Names, and what they stand for.
const KNOWN: [(&[&str], Code, Code); 27] = [
    (&["aorta"], STRUCTURE, Code("15825003", "Aorta")),
    (
        &["bladder", "urinary bladder"],
        STRUCTURE,
        Code("89837001", "Urinary bladder"),
    ),
    (&["bone", "bones"], STRUCTURE, Code("272673000", "Bone")),
    (&["brain"], STRUCTURE, Code("12738006", "Brain")),
    (&["breast"], STRUCTURE, Code("76752008", "Breast")),
    (&["colon"], STRUCTURE, Code("71854001", "Colon")),
    (&["duodenum"], STRUCTURE, Code("38848004", "Duodenum")),
    (
        &["esophagus", "oesophagus"],
        STRUCTURE,
        Code("32849002", "Esophagus"),
    ),
    (&["eye"], STRUCTURE, Code("81745001", "Eye")),
    (&["gallbladder"], STRUCTURE, Code("28231008", "Gallbladder")),
    (&["heart"], STRUCTURE, Code("80891009", "Heart")),
    (
        &["kidney", "kidneys"],
        STRUCTURE,
        Code("64033007", "Kidney"),
    ),
    (&["liver"], STRUCTURE, Code("10200004", "Liver")),
    (&["lung", "lungs"], STRUCTURE, Code("39607008", "Lung")),
    (&["muscle"], STRUCTURE, Code("71616004", "Muscle")),
    (&["pancreas"], STRUCTURE, Code("15776009", "Pancreas")),
    (&["prostate"], STRUCTURE, Code("41216001", "Prostate")),
    (&["skin"], STRUCTURE, Code("39937001", "Skin")),
    (
        &["spinal cord", "cord"],
        STRUCTURE,
        Code("2748008", "Spinal cord"),
    ),
    (&["spleen"], STRUCTURE, Code("78961009", "Spleen")),
    (&["stomach"], STRUCTURE, Code("69695003", "Stomach")),
    (&["thyroid"], STRUCTURE, Code("69748006", "Thyroid")),
    (&["trachea"], STRUCTURE, Code("44567001", "Trachea")),
    (&["uterus"], STRUCTURE, Code("35039007", "Uterus")),
    (
        &["vertebra", "vertebrae"],
        STRUCTURE,
        Code("51282000", "Vertebra"),
    ),
    (&["lesion"], ABNORMAL, Code("52988006", "Lesion")),
    (
        &["tumor", "tumour", "neoplasm"],
        ABNORMAL,
        Code("108369006", "Neoplasm"),
    ),
];

/// Category and type of a class; of one whose name says nothing known, tissue.
pub(super) fn of(name: &str) -> (Code, Code) {
    let name = name.trim().to_lowercase().replace(['_', '-'], " ");
    let known = KNOWN.iter().find(|(names, ..)| names.contains(&&*name));
    known.map_or((TISSUE, TISSUE), |(_, category, kind)| (*category, *kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organs_have_codes_and_the_rest_is_tissue() {
        assert_eq!(of("Liver").1, Code("10200004", "Liver"));
        assert_eq!(
            of("spinal_cord"),
            (STRUCTURE, Code("2748008", "Spinal cord"))
        );
        assert_eq!(of("class 1"), (TISSUE, TISSUE));
    }
}
