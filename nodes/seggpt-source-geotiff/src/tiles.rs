//! A tile as a message.

use std::sync::{Arc, Mutex, PoisonError};

use seggpt_contract::{Encoding, Failure, Identity, Image, Message, Parameter, Picture, Position};
use seggpt_node::{Ready, Supply};
use seggpt_raster::{Cache, Map, Nodata, Placement, Renderer, Seen, Tile, ValidBits, View};

use crate::{
    area::Within,
    plan::{Plan, Sheet},
};

/// The key beside a message under which a tile says where it belongs.
pub const KEY: &str = "map";

/// A tile that is to be sent. Cloning shares the map.
#[derive(Clone)]
pub struct Item {
    sheet: Arc<Sheet>,
    reader: Arc<Reader>,
    tile: Tile,
    id: String,
    index: u64,
    total: u64,
}

/// Reads tiles, of one map at a time.
pub struct Reader {
    view: View,
    nodata: Option<Nodata>,
    /// The node, for failures that are none.
    node: String,
    open: Mutex<Option<Open>>,
}

struct Open {
    map: Map,
    renderer: Renderer,
    cache: Cache,
}

impl Item {
    /// All tiles of a plan that have not ended, in their order. `node`: who sends them.
    #[must_use]
    pub fn all(plan: Plan, node: &str) -> Vec<Self> {
        let total = plan.tiles();
        let reader = Arc::new(Reader {
            view: plan.view,
            nodata: plan.nodata,
            node: node.to_owned(),
            open: Mutex::new(None),
        });
        let mut begin = 0;
        let mut items = vec![];
        for sheet in plan.sheets {
            let sheet = Arc::new(sheet);
            let tiles = sheet
                .grid
                .tiles()
                .filter(|tile| !sheet.ended.contains(&tile.index));
            items.extend(tiles.map(|tile| Self {
                id: format!(
                    "{}#r{:04}c{:04}",
                    sheet.placement.map, tile.row, tile.column
                ),
                index: begin + u64::from(tile.index),
                reader: Arc::clone(&reader),
                sheet: Arc::clone(&sheet),
                tile,
                total,
            }));
            begin += u64::from(sheet.grid.len());
        }
        items
    }

    fn identity(&self, placement: &Placement) -> Identity {
        let (width, height) = self.sheet.shown;
        let mut identity = Identity::new(self.id.clone(), self.index, (width, height));
        identity.name.clone_from(&placement.name);
        identity.source.clone_from(&placement.source);
        identity.total = Some(self.total);
        identity.position = Position::Tile {
            x: self.tile.window.x,
            y: self.tile.window.y,
            of_width: placement.size.0,
            of_height: placement.size.1,
        };
        identity
            .extra
            .insert(KEY.into(), Parameter::String(placement.text()));
        identity
    }

    fn placement(&self) -> Placement {
        Placement {
            tile: self.tile.index,
            ..self.sheet.placement.clone()
        }
    }
}

impl Supply for Item {
    fn id(&self) -> &str {
        &self.id
    }

    fn read(&self) -> Result<Ready, String> {
        let seen = self
            .reader
            .tile(&self.sheet, self.tile)
            .map_err(|error| error.to_string())?;
        let mut placement = self.placement();
        let pixels = seen.rgba.iter().skip(3).step_by(4).copied();
        placement.valid = ValidBits::of(seen.width, seen.height, pixels);
        if seen.valid == 0 {
            placement.is_empty = true;
            placement.valid = None;
            // Goes round as failures do, past the network, and is none: the sink knows.
            let failure = Failure {
                node: self.reader.node.clone(),
                error: "no pixel holds anything".into(),
            };
            let message = Message::Failed(self.identity(&placement), failure);
            return Ok(Ready {
                message,
                bytes: 0,
                remarks: vec![],
            });
        }
        let rgb: Vec<u8> = seen
            .rgba
            .as_chunks::<4>()
            .0
            .iter()
            .flat_map(|[r, g, b, _]| [*r, *g, *b])
            .collect();
        let picture = Picture::new(seen.width, seen.height, Encoding::Rgb8, rgb);
        let picture = picture.map_err(|error| error.to_string())?;
        Ok(Ready {
            bytes: u64::from(seen.width) * u64::from(seen.height) * 3,
            message: Message::Item(self.identity(&placement), Image(picture)),
            remarks: vec![],
        })
    }

    fn unread(&self) -> Identity {
        self.identity(&self.placement())
    }
}

impl Reader {
    fn tile(&self, sheet: &Sheet, tile: Tile) -> Result<Seen, seggpt_raster::MapError> {
        let is_outside = |within: &Within| !within.touches(tile.window);
        if sheet.within.as_ref().is_some_and(is_outside) {
            return Ok(Seen {
                width: 0,
                height: 0,
                rgba: vec![],
                valid: 0,
            });
        }
        // A thread that panicked over a tile has spoilt that one alone.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open
            .as_ref()
            .is_none_or(|open| open.map.path() != sheet.path)
        {
            let map = Map::open(&sheet.path, self.nodata)?;
            let renderer = self.view.of(&map)?;
            let level = Renderer::level(&map, sheet.grid.tile_size(), sheet.shown);
            let (whole, own) = (map.size(), map.level_size(level));
            let scaled = |side: u32, own: u32, whole: u32| {
                (u64::from(side) * u64::from(own)).div_ceil(u64::from(whole)) as u32
            };
            let (width, height) = sheet.grid.tile_size();
            let cache = map.cache(
                level,
                scaled(width, own.0, whole.0),
                scaled(height, own.1, whole.1),
            );
            *open = Some(Open {
                map,
                renderer,
                cache,
            });
        }
        let Some(Open {
            map,
            renderer,
            cache,
        }) = open.as_mut()
        else {
            unreachable!("it was opened just now")
        };
        let mut seen = renderer.tile(map, tile.window, sheet.shown, cache)?;
        if let Some(within) = &sheet.within {
            within.limit(tile.window, &mut seen);
        }
        Ok(seen)
    }
}
