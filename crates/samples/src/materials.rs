//! Mosaics of photographed materials: wood beside gravel beside brick.

use std::sync::Arc;

use image::{Rgb, RgbImage};

use crate::{
    SamplesError, SegType,
    backgrounds::{Backgrounds, Scale, Tile},
    files::Files,
    picture::{Group, Picture},
    rng::Rng,
    synthetic::mosaic::Layout,
    task::{Ask, Task},
};

#[derive(Clone)]
pub(crate) struct Mosaics {
    backgrounds: Backgrounds,
}

impl Mosaics {
    pub(crate) fn open(files: &Arc<Files>, scale: Scale) -> Result<Self, SamplesError> {
        const NEEDS: &str = "mosaics of materials";
        let backgrounds = Backgrounds::open(files, scale, NEEDS)?;
        if backgrounds.materials() < 2 {
            return Err(files.nothing(
                "backgrounds/ambientcg_tiles/",
                NEEDS,
                "materials (MATERIAL_NUMBER.jpg)",
            ));
        }
        Ok(Self { backgrounds })
    }
}

impl Task for Mosaics {
    fn another(&self) -> Box<dyn Task> {
        Box::new(self.clone())
    }

    fn group(&mut self, ask: Ask, rng: &mut Rng) -> Option<Group> {
        let mut materials: Vec<usize> = (0..self.backgrounds.materials()).collect();
        rng.shuffle(&mut materials);
        materials.truncate(rng.between(2, 5));
        let mut tiles = Vec::with_capacity(materials.len());
        for &material in &materials {
            tiles.push(Tile::new(
                self.backgrounds.tile(material, rng)?,
                ask.size,
                rng,
            ));
        }
        let pictures = (0..ask.count)
            .map(|_| picture(&tiles, ask.size, rng))
            .collect();
        Some(Group {
            pictures,
            kind: SegType::Semantic,
            origin: format!("mosaic of {} photographed materials", tiles.len()),
            colour_matters: false,
        })
    }
}

fn picture(tiles: &[Tile], size: usize, rng: &mut Rng) -> Picture {
    let tiles: Vec<Tile> = tiles.iter().map(|tile| tile.again(rng)).collect();
    let layout = Layout::any(tiles.len(), rng);
    let seed = rng.seed();
    let side = size as f32;
    let surface =
        |x: u32, y: u32| layout.surface((x as f32 + 0.5) / side, (y as f32 + 0.5) / side, seed);
    let side = size as u32;
    let roles: Vec<u8> = (0..side * side)
        .map(|i| 1 + surface(i % side, i / side) as u8)
        .collect();
    let mut of = roles.iter();
    let rgb = RgbImage::from_fn(side, side, |x, y| {
        let role = of.next().copied().unwrap_or(1);
        Rgb(tiles[usize::from(role) - 1].at(x as f32, y as f32))
    });
    Picture::new(rgb, roles)
}
