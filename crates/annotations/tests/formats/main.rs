//! What labelling tools export, drawn here as they write it, and what is written for them.
#![allow(clippy::unwrap_used)]

mod coco;
mod cvat;
mod label_studio;
mod labelme;
mod written;

use std::{fs, path::Path};

use image::RgbImage;
use seggpt_annotations::{Annotations, Picture, open};

/// A folder with these grey pictures of 12 x 8 pixels.
fn folder(pictures: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in pictures {
        picture(&folder.path().join(name), (12, 8));
    }
    folder
}

fn picture(path: &Path, (width, height): (u32, u32)) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let grey = RgbImage::from_pixel(width, height, image::Rgb([90; 3]));
    grey.save(path).unwrap();
}

/// Opens a file of this text.
fn opened(folder: &Path, name: &str, text: &str) -> Annotations {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    open(&path, None).unwrap()
}

fn refused(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    open(&path, None).unwrap_err().to_string()
}

/// The labels of a picture as text, `.` for background, a line a row.
fn drawn(picture: &Picture) -> Vec<String> {
    let sign = |label: &u16| match label {
        0 => '.',
        label => char::from_digit(u32::from(*label), 10).unwrap_or('?'),
    };
    let labels = picture.labels().unwrap();
    let rows = labels.chunks(picture.size.0);
    rows.map(|row| row.iter().map(sign).collect()).collect()
}

/// How many pixels have a label.
fn area(picture: &Picture, label: u16) -> usize {
    let labels = picture.labels().unwrap();
    labels.iter().filter(|other| **other == label).count()
}

fn names(annotations: &Annotations) -> Vec<&str> {
    annotations
        .pictures
        .iter()
        .map(|picture| picture.name.as_str())
        .collect()
}

fn classes(annotations: &Annotations) -> Vec<(u16, &str)> {
    let categories = annotations.categories.iter();
    categories
        .map(|category| (category.id, category.name.as_str()))
        .collect()
}
