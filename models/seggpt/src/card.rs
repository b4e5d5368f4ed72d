use std::path::Path;

use crate::{Ensemble, builtin};

/// What the front matter of the `MODEL_CARD.md` beside weights says of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Card {
    /// Only a model that says `trained: false` is not.
    pub trained: bool,
    /// `threshold: 0.03`: the activation from which a pixel counts as a class, as a share of the way from black to the class
    /// colour, between 0 and 1, that this model's training found best. `None`: the card does not say.
    pub threshold: Option<f32>,
    /// `refine: 0.3` or `refine: fitted`: this model's predictions are best refined by a forest on pixels.
    pub refine: Option<Refinement>,
    /// `ensemble: joint` or `feature`: how several prompts act together best in this model.
    pub ensemble: Option<Ensemble>,
}

/// How much a model's predictions count beside those of a forest on pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Refinement {
    /// The network's odds to this power, above 0 and up to 1, of every class.
    Fixed(f32),
    /// As it is fitted for each class on the prompts' own masks.
    Fitted,
}

impl Card {
    /// Reads the card beside a weights file; without one, the weights are trained and nothing else is known.
    pub fn beside(weights: &Path) -> Self {
        if let Some(card) = builtin::card(weights) {
            return Self::read(card);
        }
        let card =
            std::fs::read_to_string(weights.with_file_name("MODEL_CARD.md")).unwrap_or_default();
        Self::read(&card)
    }

    fn read(text: &str) -> Self {
        let mut card = Self {
            trained: true,
            threshold: None,
            refine: None,
            ensemble: None,
        };
        let mut lines = text.lines().map(str::trim);
        if lines.next() != Some("---") {
            return card;
        }
        for line in lines.take_while(|line| *line != "---") {
            match line.split_once(':').map(|(key, value)| (key, value.trim())) {
                Some(("trained", value)) => card.trained = value != "false",
                Some(("refine", "fitted")) => card.refine = Some(Refinement::Fitted),
                Some(("refine", value)) => {
                    let power = value.parse().ok();
                    let power = power.filter(|power| *power > 0.0 && *power <= 1.0);
                    card.refine = power.map(Refinement::Fixed);
                }
                Some(("ensemble", "joint")) => card.ensemble = Some(Ensemble::Joint),
                Some(("ensemble", "feature")) => card.ensemble = Some(Ensemble::Feature),
                // Cards of earlier versions call it `cut`.
                Some(("threshold" | "cut", value)) => {
                    let threshold = value.parse().ok();
                    card.threshold = threshold.filter(|value| *value > 0.0 && *value < 1.0);
                }
                _ => {}
            }
        }
        card
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_card_that_says_so_makes_a_model_untrained() {
        assert!(
            Card::beside(Path::new("nowhere/model.safetensors")).trained,
            "without a card"
        );
        assert!(!Card::read("---\nlicense: mit\ntrained: false\n---\n# Tiny\n").trained);
        assert!(Card::read("---\nlicense: mit\ntrained: true\n---\n# Tiny\n").trained);
        assert!(
            Card::read("# Tiny\n\ntrained: false\n").trained,
            "outside of the front matter"
        );
    }

    #[test]
    fn refinement_is_recommended_with_its_weight_or_a_fitted_one() {
        let refine = |card| Card::read(card).refine;
        let fixed = refine("---\nrefine: 0.3\n---\n");
        assert_eq!(fixed, Some(Refinement::Fixed(0.3)));
        let fitted = refine("---\nrefine: fitted\n---\n");
        assert_eq!(fitted, Some(Refinement::Fitted));
        assert_eq!(refine("---\nrefine: always\n---\n"), None);
        assert_eq!(Card::read("").refine, None);
    }

    #[test]
    fn an_ensemble_is_recommended_by_its_name() {
        let ensemble = |card| Card::read(card).ensemble;
        let joint = ensemble("---\nensemble: joint\n---\n");
        assert_eq!(joint, Some(Ensemble::Joint));
        assert_eq!(ensemble("---\nensemble: choir\n---\n"), None);
    }

    #[test]
    fn a_threshold_lies_between_black_and_the_class() {
        for name in ["threshold", "cut"] {
            let read = |text: String| Card::read(&text).threshold;
            assert_eq!(read(format!("---\n{name}: 0.15\n---\n")), Some(0.15));
            assert_eq!(read(format!("---\n{name}: 1.5\n---\n")), None);
            assert_eq!(read(format!("---\n{name}: low\n---\n")), None);
            assert_eq!(read(format!("{name}: 0.2\n")), None);
        }
    }
}
