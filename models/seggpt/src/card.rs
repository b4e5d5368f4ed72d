use std::path::Path;

/// Whether the weights in this file were trained. Only a model that says otherwise is not: by a line `trained: false` in
/// the front matter of the `MODEL_CARD.md` beside it.
pub fn is_trained(weights: &Path) -> bool {
    let card = std::fs::read_to_string(weights.with_file_name("MODEL_CARD.md")).unwrap_or_default();
    let mut lines = card.lines().map(str::trim);
    if lines.next() != Some("---") {
        return true;
    }
    !lines
        .take_while(|line| *line != "---")
        .any(|line| line == "trained: false")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_a_card_that_says_so_makes_a_model_untrained() {
        let folder = tempfile::tempdir().unwrap();
        let weights = folder.path().join("model.safetensors");
        let with_card = |text: &str| {
            std::fs::write(folder.path().join("MODEL_CARD.md"), text).unwrap();
            is_trained(&weights)
        };
        assert!(is_trained(&weights), "without a card");
        assert!(!with_card(
            "---\nlicense: mit\ntrained: false\n---\n# Tiny\n"
        ));
        assert!(with_card("---\nlicense: mit\ntrained: true\n---\n# Tiny\n"));
        assert!(
            with_card("# Tiny\n\ntrained: false\n"),
            "outside of the front matter"
        );
    }
}
