//! Which files the settings mean, and what they are called.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use seggpt_source_images::inputs::{Entry, by_page, expand};
use tempfile::TempDir;

fn folder(files: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in files {
        let path = dir.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    dir
}

fn expanded(dir: &TempDir, inputs: &[&str], recursive: bool) -> eyre::Result<Vec<Entry>> {
    let at = dir.path().display();
    let inputs: Vec<String> = inputs
        .iter()
        .map(|input| match input.strip_prefix('@') {
            Some(list) => format!("@{at}/{list}"),
            None => format!("{at}/{input}"),
        })
        .collect();
    expand(&inputs, recursive)
}

fn items(dir: &TempDir, inputs: &[&str]) -> Vec<String> {
    let entries = expanded(dir, inputs, true).unwrap();
    entries.into_iter().map(|entry| entry.item).collect()
}

fn names(dir: &TempDir, inputs: &[&str]) -> Vec<String> {
    let entries = expanded(dir, inputs, true).unwrap();
    entries.into_iter().map(|entry| entry.name).collect()
}

fn error(dir: &TempDir, inputs: &[&str]) -> String {
    format!("{:#}", expanded(dir, inputs, true).unwrap_err())
}

#[test]
fn a_folder_gives_its_pictures_in_natural_order_and_nothing_else() {
    let dir = folder(&[
        "p/10.png",
        "p/2.JPG",
        "p/1.tiff",
        "p/notes.txt",
        "p/.hidden.png",
        "p/.git/x.png",
        "p/sub/3.webp",
        "p/noext",
    ]);
    assert_eq!(
        items(&dir, &["p"]),
        ["1.tiff", "2.JPG", "10.png", "sub/3.webp"]
    );
    let flat = expanded(&dir, &["p"], false).unwrap();
    assert_eq!(flat.len(), 3);
    assert!(
        flat.iter()
            .all(|entry| entry.path.is_absolute() && entry.path.is_file())
    );
}

#[test]
fn names_are_items_without_extension_where_that_is_unique() {
    let dir = folder(&[
        "p/a.png",
        "p/a.jpg",
        "p/b.png",
        "p/sub/a.png",
        "p/x.jpg.png",
        "p/x.jpg",
        "p/x.bmp",
    ]);
    assert_eq!(
        items(&dir, &["p"]),
        [
            "a.jpg",
            "a.png",
            "b.png",
            "sub/a.png",
            "x.bmp",
            "x.jpg",
            "x.jpg.png"
        ]
    );
    // `x.jpg.png` would be `x.jpg`, as the picture that keeps its extension is.
    assert_eq!(
        names(&dir, &["p"]),
        [
            "a.jpg",
            "a.png",
            "b",
            "sub/a",
            "x.bmp",
            "x.jpg",
            "x.jpg.png"
        ]
    );
}

#[test]
fn the_same_path_under_several_roots_gets_as_many_parents_as_it_takes() {
    let dir = folder(&[
        "one/left/1.png",
        "two/left/1.png",
        "two/right/1.png",
        "two/right/2.png",
    ]);
    assert_eq!(
        items(&dir, &["one/left", "two/left", "two/right"]),
        ["one/left/1.png", "two/left/1.png", "right/1.png", "2.png"]
    );
    assert_eq!(
        items(&dir, &["two/left/1.png", "two/right/1.png"]),
        ["left/1.png", "right/1.png"]
    );
}

#[test]
fn no_file_is_taken_twice() {
    let dir = folder(&["p/1.png", "p/2.png"]);
    assert_eq!(
        items(&dir, &["p/2.png", "p", "p/*.png", "p/../p/1.png"]),
        ["2.png", "1.png"]
    );
}

#[test]
fn globs_name_items_below_their_fixed_part() {
    let dir = folder(&[
        "d/a/im/1.png",
        "d/b/im/1.png",
        "d/b/im/n.txt",
        "d/b/.im/1.png",
        "d/c/9.dat",
    ]);
    assert_eq!(items(&dir, &["d/*/im/*"]), ["a/im/1.png", "b/im/1.png"]);
    assert_eq!(items(&dir, &["d/*/im"]), ["a/im/1.png", "b/im/1.png"]);
    assert_eq!(items(&dir, &["d/**/*.png"]), ["a/im/1.png", "b/im/1.png"]);
    // An extension that is asked for is taken, whatever it is.
    assert_eq!(items(&dir, &["d/*/*.dat"]), ["c/9.dat"]);
}

#[test]
fn a_file_named_like_a_pattern_is_a_file() {
    let dir = folder(&["p/scan [1].png", "p/scan 1.png"]);
    assert_eq!(items(&dir, &["p/scan [1].png"]), ["scan [1].png"]);
}

#[test]
fn explicit_files_are_tried_whatever_they_are_called() {
    let dir = folder(&["notes.txt", "noext", ".hidden"]);
    assert_eq!(
        items(&dir, &["notes.txt", "noext", ".hidden"]),
        ["notes.txt", "noext", ".hidden"]
    );
    assert_eq!(
        names(&dir, &["notes.txt", "noext", ".hidden"]),
        ["notes", "noext", ".hidden"]
    );
}

#[test]
fn lists_keep_their_order_and_missing_files_in_them_become_items() {
    let dir = folder(&["b.png", "a.png"]);
    let at = dir.path().display();
    let text = format!("\u{feff}{at}/b.png\r\n\r\n{at}/gone.png\n{at}/a.png\n");
    fs::write(dir.path().join("list.txt"), text).unwrap();
    let entries = expanded(&dir, &["@list.txt"], true).unwrap();
    let items: Vec<_> = entries
        .iter()
        .map(|entry| (entry.item.as_str(), entry.stamp.is_some()))
        .collect();
    assert_eq!(
        items,
        [("b.png", true), ("gone.png", false), ("a.png", true)]
    );
}

#[test]
fn a_missing_file_is_an_item_that_will_fail() {
    let dir = folder(&[]);
    assert_eq!(items(&dir, &["gone.png"]), ["gone.png"]);
}

#[test]
fn inputs_that_mean_nothing_are_named() {
    let dir = folder(&["p/notes.txt", "empty.txt"]);
    fs::write(dir.path().join("empty.txt"), "\n \n").unwrap();
    let p = dir.path().display();
    assert!(error(&dir, &["p"]).starts_with(&format!(
        "INPUTS: `{p}/p`: the folder holds no pictures (png, jpg"
    )));
    assert!(error(&dir, &["gone"]).contains("/gone`: there is no such file or folder"));
    assert!(error(&dir, &["v1.2/"]).contains("/v1.2/`: there is no such file or folder"));
    assert!(error(&dir, &["p/*.png"]).contains("/p/*.png`: the pattern matches no pictures"));
    assert!(error(&dir, &["p/***"]).contains("/p/***`: not a pattern"));
    assert!(error(&dir, &["@gone.txt"]).contains("/gone.txt`: the list cannot be read"));
    assert!(error(&dir, &["@empty.txt"]).contains("/empty.txt`: the list names no file"));
}

#[test]
fn one_bad_input_among_good_ones_is_an_error_all_the_same() {
    let dir = folder(&["p/1.png"]);
    assert!(error(&dir, &["p", "gone"]).contains("gone"));
}

#[test]
fn blank_lines_mean_nothing() {
    let dir = folder(&["1.png"]);
    let inputs = [
        String::new(),
        format!("{}/1.png", dir.path().display()),
        "\t".into(),
    ];
    assert_eq!(expand(&inputs, true).unwrap().len(), 1);
}

#[test]
fn basic_ftp_149_a_name_may_end_in_a_blank() {
    let dir = folder(&["flight 7 /a.png", " b.png"]);
    assert_eq!(items(&dir, &["flight 7 ", " b.png"]), ["a.png", " b.png"]);
    let list = format!("{}/flight 7 /a.png\r\n", dir.path().display());
    fs::write(dir.path().join("list.txt"), list).unwrap();
    let entries = expanded(&dir, &["@list.txt"], true).unwrap();
    assert!(entries[0].path.is_file());
}

#[test]
fn a_file_of_before_1970_is_an_ordinary_file() {
    let dir = folder(&["1.png"]);
    let before = std::time::UNIX_EPOCH - std::time::Duration::from_secs(86_400);
    let file = fs::File::options()
        .write(true)
        .open(dir.path().join("1.png"))
        .unwrap();
    file.set_modified(before).unwrap();
    let stamp = expanded(&dir, &["1.png"], true).unwrap()[0].stamp.unwrap();
    assert_eq!(stamp.mtime, -86_400_000_000_000);
}

#[test]
fn entries_carry_size_and_modification_time() {
    let dir = folder(&["1.png"]);
    let stamp = expanded(&dir, &["1.png"], true).unwrap()[0].stamp.unwrap();
    assert_eq!(stamp.size, 5);
    assert!(stamp.mtime > 1_600_000_000_000_000_000);
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_loops_are_not() {
    let dir = folder(&["p/1.png", "elsewhere/2.png"]);
    let link = |to: &str, at: &str| {
        std::os::unix::fs::symlink(dir.path().join(to), dir.path().join(at)).unwrap()
    };
    link("elsewhere", "p/linked");
    link("p", "p/loop");
    link("gone.png", "p/broken.png");
    assert_eq!(items(&dir, &["p"]), ["1.png", "broken.png", "linked/2.png"]);
    assert!(Path::new(&dir.path().join("p/broken.png")).is_symlink());
}

#[cfg(unix)]
#[test]
fn links_to_one_file_are_several_inputs() {
    let dir = folder(&["blob.png"]);
    fs::create_dir(dir.path().join("p")).unwrap();
    for name in ["p/a.png", "p/b.png"] {
        std::os::unix::fs::symlink(dir.path().join("blob.png"), dir.path().join(name)).unwrap();
    }
    assert_eq!(items(&dir, &["p"]), ["a.png", "b.png"]);
}

#[cfg(unix)]
#[test]
fn results_are_no_inputs_by_folder_glob_link_or_list() {
    let dir = folder(&[
        "p/1.png",
        "p/masks/.seggpt/journal.jsonl",
        "p/masks/1.mask.png",
        "p/masks/sub/2.mask.png",
    ]);
    std::os::unix::fs::symlink(dir.path().join("p/masks/sub"), dir.path().join("p/linked"))
        .unwrap();
    let listed = dir.path().join("p/linked/2.mask.png");
    fs::write(dir.path().join("list.txt"), listed.to_str().unwrap()).unwrap();
    assert_eq!(items(&dir, &["p"]), ["1.png"]);
    assert_eq!(items(&dir, &["p/**/*.png", "@list.txt"]), ["1.png"]);
    let said = error(&dir, &["p/masks"]);
    assert!(
        said.contains("all 2 pictures lie in a folder of results"),
        "{said}"
    );
}

/// A TIFF file of so many grey pages of 2 x 2 pixels, uncompressed.
fn stack(pages: u32) -> Vec<u8> {
    let mut bytes = b"II\x2a\0\x08\0\0\0".to_vec();
    for page in 1..=pages {
        let pixels = bytes.len() as u32 + 2 + 8 * 12 + 4;
        let next = if page == pages { 0 } else { pixels + 4 };
        let tags = [
            (256, 2),
            (257, 2),
            (258, 8),
            (259, 1),
            (262, 1),
            (273, pixels),
            (278, 2),
            (279, 4),
        ];
        bytes.extend((tags.len() as u16).to_le_bytes());
        for (tag, value) in tags {
            bytes.extend(u16::to_le_bytes(tag));
            bytes.extend(4u16.to_le_bytes());
            bytes.extend(1u32.to_le_bytes());
            bytes.extend(u32::to_le_bytes(value));
        }
        bytes.extend(next.to_le_bytes());
        bytes.extend([page as u8; 4]);
    }
    bytes
}

#[test]
fn the_pages_of_a_stack_are_pictures_of_their_own() {
    let dir = folder(&["p/a.png"]);
    fs::write(dir.path().join("p/stack.tif"), stack(3)).unwrap();
    fs::write(dir.path().join("p/one.TIF"), stack(1)).unwrap();
    let entries = by_page(expanded(&dir, &["p"], true).unwrap());
    let names = entries.iter().map(|entry| (&*entry.item, &*entry.name));
    assert_eq!(
        names.collect::<Vec<_>>(),
        [
            ("a.png", "a"),
            ("one.TIF", "one"),
            ("stack.tif#p0001", "stack_p0001"),
            ("stack.tif#p0002", "stack_p0002"),
            ("stack.tif#p0003", "stack_p0003"),
        ]
    );
    assert_eq!(entries[4].page, Some(2));
}
