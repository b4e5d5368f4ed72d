//! Masks over pictures as plain image messages: what every viewer and recorder understands.

use clap::{CommandFactory, Parser, value_parser};
use dora_node_api::{DoraNode, EventStream};
use eyre::{Result, ensure};
use seggpt_contract::{
    Identity, Image, Mask, Message, Payload, Picture, Prompted, RAW_PICTURE_LIMIT,
};
use seggpt_imaging::overlay::{Style, overlay};
use seggpt_node::{
    Arrival, Io, NodeSpec, Port, colors,
    join::{Join, Joined},
    node_spec::{RESULTS, SPEED},
    source::{FILE_LIMIT, encoded},
};

const MASK: &str = "mask";
const PROMPTED: &str = "prompted";
const OUTPUT: &str = "image";

/// Draws masks over their pictures, for viewers and recorders
///
/// Sends a picture of the source's size with the classes' colours over it, as any camera node sends pictures: rgb8, or encoded
/// where that is beyond 24 MiB. White and grey classes are drawn in a lively colour. A picture whose item failed goes out as it
/// is.
#[derive(Clone, Debug, Parser)]
#[command(name = "seggpt-overlay", version)]
pub struct Settings {
    /// How much of a class's colour covers the picture, in percent
    #[arg(long, env = "COVER", help_heading = RESULTS, default_value_t = 45, value_parser = value_parser!(u8).range(0..=100))]
    pub cover: u8,

    /// How many pictures wait for their masks at most; where masks are dropped on purpose, the oldest gives way
    #[arg(long, env = "WAITING", help_heading = SPEED, default_value_t = 64, value_parser = value_parser!(u16).range(1..))]
    pub waiting: u16,
}

/// Ports and parameters, for manifest, README and reference.
pub fn node_spec() -> NodeSpec {
    NodeSpec {
        name: "seggpt-overlay",
        category: "visualization",
        inputs: &[
            Port {
                name: MASK,
                urn: Mask::URN,
                required: true,
                description: "The masks.",
            },
            Port {
                name: PROMPTED,
                urn: Prompted::URN,
                required: true,
                description: "The pictures, from the prompts node.",
            },
        ],
        outputs: &[Port {
            name: OUTPUT,
            urn: Image::URN,
            required: false,
            description: "The pictures with masks drawn over them.",
        }],
        command: Settings::command(),
        content: None,
        check: None,
        owns: None,
    }
}

/// The node's loop.
///
/// # Errors
/// The engine is gone.
pub fn run(node: DoraNode, events: EventStream, settings: Settings) -> Result<()> {
    let io = Io::new(node, events).until_closed(MASK);
    let style = Style {
        alpha: f32::from(settings.cover) / 100.0,
        ..Style::default()
    };
    Painter {
        io,
        join: Join::new(settings.waiting.into()),
        style,
    }
    .go_round()
}

struct Painter {
    io: Io,
    /// Masks, or none of items that failed, and pictures.
    join: Join<(Identity, Option<Mask>), Picture>,
    style: Style,
}

impl Painter {
    fn go_round(mut self) -> Result<()> {
        while let Some(arrival) = self.io.receive() {
            match arrival.input.as_str() {
                MASK => self.mask(&arrival)?,
                PROMPTED => self.picture(&arrival)?,
                other => tracing::debug!("input `{other}` is not one of this node's"),
            }
        }
        self.io.report_drops();
        Ok(())
    }

    fn mask(&mut self, arrival: &Arrival) -> Result<()> {
        if let Some(greeting) = arrival.greeting() {
            return self.io.greet(OUTPUT, &greeting);
        }
        let (identity, mask) = match arrival.read() {
            Ok(Message::Item(identity, mask)) => (identity, Some(mask)),
            Ok(Message::Failed(identity, _)) => (identity, None),
            Err(error) => {
                let identity = arrival.unreadable();
                tracing::warn!("{}: the mask cannot be read: {error}", identity.item);
                (identity, None)
            }
        };
        let item = identity.item.clone();
        let joined = self.join.mask(&item, (identity, mask));
        self.joined(joined)
    }

    fn picture(&mut self, arrival: &Arrival) -> Result<()> {
        if arrival.greeting().is_some() {
            return Ok(()); // it comes round with the masks
        }
        match arrival.read::<Prompted>() {
            Ok(Message::Item(identity, prompted)) => {
                let joined = self.join.picture(&identity.item, prompted.image);
                self.joined(joined)
            }
            // There is nothing to show.
            Ok(Message::Failed(..)) => Ok(()),
            Err(error) => {
                tracing::warn!("a picture cannot be read: {error}");
                Ok(())
            }
        }
    }

    fn joined(&mut self, joined: Joined<(Identity, Option<Mask>), Picture>) -> Result<()> {
        let Some(((identity, mask), Some(picture))) = joined else {
            return Ok(());
        };
        match paint(&identity, mask.as_ref(), &picture, self.style) {
            Ok(painted) => self
                .io
                .send(OUTPUT, Message::Item(identity, Image(painted))),
            Err(error) => {
                tracing::warn!("{}: no overlay: {error:#}", identity.item);
                Ok(())
            }
        }
    }
}

/// A picture with its mask over it; without a mask, the picture.
///
/// # Errors
/// The picture does not decode, or the mask is of another size.
pub fn paint(
    identity: &Identity,
    mask: Option<&Mask>,
    picture: &Picture,
    style: Style,
) -> Result<Picture> {
    let pixels = picture.to_rgb()?;
    let painted = match mask {
        Some(mask) => {
            ensure!(
                (mask.width, mask.height) == pixels.dimensions(),
                "the mask has {} x {} pixels, the picture {} x {}",
                mask.width,
                mask.height,
                pixels.width(),
                pixels.height()
            );
            let ids = mask.ids.to_vec();
            let table = colors::by_id(mask.classes.iter().map(|it| &it.class), &ids);
            overlay(&pixels, &ids, &table, style)?
        }
        None => pixels,
    };
    match painted.as_raw().len() <= RAW_PICTURE_LIMIT {
        true => Ok(Picture::from_rgb(painted)),
        false => encoded(&painted, &identity.item, FILE_LIMIT),
    }
}
