//! An ensemble of your own: every example is shown twice, as it is and mirrored.

use image::imageops::flip_horizontal;
use seggpt_contract::{Canvases, Combine, ContractError, Prompt, Prompted, Square};

fn main() -> eyre::Result<()> {
    let (node, events) = seggpt_node::start()?;
    seggpt_node::transform(node, events, "prompted", "canvases", |_, prompted| {
        Ok(lay_out(&prompted)?)
    })
}

/// Two canvases per example, averaged inside the network.
fn lay_out(prompted: &Prompted) -> Result<Canvases, ContractError> {
    let mut prompts = Vec::new();
    for example in &prompted.examples {
        prompts.push(Prompt::from(example.clone()));
        prompts.push(Prompt {
            name: format!("{} mirrored", example.name),
            image: mirrored(&example.image)?,
            mask: mirrored(&example.mask)?,
            score: example.score,
        });
    }
    Canvases::new(prompted, prompts, Combine::Feature, "mirror")
}

fn mirrored(square: &Square) -> Result<Square, ContractError> {
    Square::from_rgb(flip_horizontal(&square.to_rgb()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirroring_twice_gives_the_square_back() -> Result<(), ContractError> {
        let square = Square::new(2, (0..12).collect::<Vec<u8>>())?;
        let once = mirrored(&square)?;
        assert_eq!(once.bytes(), [3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8]);
        assert_eq!(mirrored(&once)?, square);
        Ok(())
    }
}
