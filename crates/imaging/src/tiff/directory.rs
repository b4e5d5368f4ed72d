//! The skeleton of a TIFF or BigTIFF file: its directories (one a page) and their tags.

use std::collections::{BTreeMap, BTreeSet};

/// More pages than any microscope writes.
const MOST: usize = 100_000;

/// A file's bytes, and how its numbers are written.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) big_endian: bool,
    big: bool,
}

/// The tags of a page by their code.
pub(super) struct Directory<'a> {
    source: Source<'a>,
    tags: BTreeMap<u16, Tag<'a>>,
}

struct Tag<'a> {
    kind: u16,
    /// `None` where it would lie outside the file.
    data: Option<&'a [u8]>,
}

impl<'a> Source<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let big_endian = bytes.starts_with(b"MM");
        let source = Self {
            bytes,
            big_endian,
            big: false,
        };
        let big = match source.number(2, 2)? {
            42 => false,
            43 => true,
            other => {
                return Err(format!(
                    "its version is {other}, not 42 (TIFF) or 43 (BigTIFF)"
                ));
            }
        };
        Ok(Self { big, ..source })
    }

    /// All directories, in their order.
    pub(super) fn directories(self) -> Result<Vec<Directory<'a>>, String> {
        let mut at = if self.big {
            self.number(8, 8)?
        } else {
            self.number(4, 4)?
        };
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        while at != 0 {
            if !seen.insert(at) || found.len() == MOST {
                return Err("its pages form a circle".to_owned());
            }
            let (directory, next) = self.directory(at)?;
            found.push(directory);
            at = next;
        }
        Ok(found)
    }

    fn directory(self, at: u64) -> Result<(Directory<'a>, u64), String> {
        let (wide, entry) = if self.big { (8, 20) } else { (2, 12) };
        let count = self.number(at, wide)?;
        let start = at + wide;
        let mut tags = BTreeMap::new();
        for index in 0..count {
            let at = index
                .checked_mul(entry)
                .and_then(|skip| start.checked_add(skip));
            let at = at.ok_or("a page has more tags than can be")?;
            let (code, kind) = (self.number(at, 2)? as u16, self.number(at + 2, 2)? as u16);
            let (values, field) = if self.big {
                (self.number(at + 4, 8)?, at + 12)
            } else {
                (self.number(at + 4, 4)?, at + 8)
            };
            let length = values.saturating_mul(width_of(kind));
            let room = if self.big { 8 } else { 4 };
            let place = if length <= room {
                field
            } else {
                self.number(field, room)?
            };
            tags.insert(
                code,
                Tag {
                    kind,
                    data: self.slice(place, length),
                },
            );
        }
        let next = self.number(start + count * entry, if self.big { 8 } else { 4 })?;
        Ok((Directory { source: self, tags }, next))
    }

    /// Bytes of the file; `None` where it ends before.
    pub(super) fn slice(self, at: u64, length: u64) -> Option<&'a [u8]> {
        let (at, length) = (usize::try_from(at).ok()?, usize::try_from(length).ok()?);
        self.bytes.get(at..at.checked_add(length)?)
    }

    fn number(self, at: u64, width: u64) -> Result<u64, String> {
        let bytes = self
            .slice(at, width)
            .ok_or_else(|| format!("it ends before byte {}", at.saturating_add(width)))?;
        Ok(self.value(bytes))
    }

    fn value(self, bytes: &[u8]) -> u64 {
        let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        if self.big_endian {
            bytes.iter().fold(0, join)
        } else {
            bytes.iter().rev().fold(0, join)
        }
    }
}

/// Bytes of one value.
fn width_of(kind: u16) -> u64 {
    match kind {
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16..=18 => 8,
        _ => 1,
    }
}

impl<'a> Directory<'a> {
    /// The numbers of a tag; none where it is absent.
    pub(super) fn numbers(&self, code: u16) -> Result<Vec<u64>, String> {
        let Some(tag) = self.tags.get(&code) else {
            return Ok(Vec::new());
        };
        let width = match tag.kind {
            1 | 3 | 4 | 6 | 7 | 8 | 9 | 13 | 16 | 18 => width_of(tag.kind) as usize,
            other => return Err(format!("tag {code} is of kind {other}, which is no number")),
        };
        let data = tag
            .data
            .ok_or_else(|| format!("it ends before its tag {code}"))?;
        Ok(data
            .chunks_exact(width)
            .map(|bytes| self.source.value(bytes))
            .collect())
    }

    /// The first number of a tag.
    pub(super) fn number(&self, code: u16) -> Result<Option<u64>, String> {
        Ok(self.numbers(code)?.first().copied())
    }

    /// The bytes of a tag; empty where it is absent.
    pub(super) fn raw(&self, code: u16) -> &'a [u8] {
        self.tags
            .get(&code)
            .and_then(|tag| tag.data)
            .unwrap_or_default()
    }
}
