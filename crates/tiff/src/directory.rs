//! The tags of a page.

use std::{borrow::Cow, collections::BTreeMap};

use crate::Source;

/// The tags of a page by their code.
#[derive(Clone, Debug)]
pub struct Directory<'a> {
    source: Source<'a>,
    tags: BTreeMap<u16, Entry<'a>>,
}

#[derive(Clone, Debug)]
struct Entry<'a> {
    kind: u16,
    /// `None` where it would lie outside the file.
    data: Option<Cow<'a, [u8]>>,
}

/// A tag as it is written into another file: its values little-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// What it says.
    pub code: u16,
    /// The type of its values, 1 to 18.
    pub kind: u16,
    /// Its values' bytes, one after another.
    pub data: Vec<u8>,
}

impl Tag {
    /// How many values it has.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.data.len() as u64 / width_of(self.kind)
    }
}

/// More tags than any page has.
const MOST: u64 = 65_536;

impl<'a> Directory<'a> {
    /// The directory that begins at `at`, and where the next one does.
    pub(crate) fn read(source: &Source<'a>, at: u64, big: bool) -> Result<(Self, u64), String> {
        let (wide, entry) = if big { (8, 20) } else { (2, 12) };
        let count = source.number(at, wide)?;
        if count > MOST {
            return Err("a page has more tags than can be".to_owned());
        }
        let start = at + wide;
        let room = if big { 8 } else { 4 };
        let all = source
            .slice(start, count * entry)
            .ok_or_else(|| format!("it ends before byte {}", start + count * entry))?;
        let mut tags = BTreeMap::new();
        for bytes in all.chunks_exact(entry as usize) {
            let number = |from: usize, width: usize| source.value(&bytes[from..from + width]);
            let (code, kind) = (number(0, 2) as u16, number(2, 2) as u16);
            let field = entry as usize - room as usize;
            let values = number(4, field - 4);
            let length = values.saturating_mul(width_of(kind));
            let data = if length <= room {
                Some(Cow::Owned(bytes[field..][..length as usize].to_vec()))
            } else {
                source.slice(number(field, room as usize), length)
            };
            tags.insert(code, Entry { kind, data });
        }
        let next = source.number(start + count * entry, room)?;
        let source = source.clone();
        Ok((Self { source, tags }, next))
    }

    /// The numbers of a tag; none where it is absent.
    ///
    /// # Errors
    /// It holds no whole numbers, or the file ends before it.
    pub fn numbers(&self, code: u16) -> Result<Vec<u64>, String> {
        let Some(tag) = self.tags.get(&code) else {
            return Ok(Vec::new());
        };
        let width = match tag.kind {
            1 | 3 | 4 | 6 | 7 | 8 | 9 | 13 | 16 | 18 => width_of(tag.kind) as usize,
            other => return Err(format!("tag {code} is of kind {other}, which is no number")),
        };
        let data = tag
            .data
            .as_deref()
            .ok_or_else(|| format!("it ends before its tag {code}"))?;
        Ok(data
            .chunks_exact(width)
            .map(|bytes| self.source.value(bytes))
            .collect())
    }

    /// The first number of a tag.
    ///
    /// # Errors
    /// As [`numbers`](Self::numbers).
    pub fn number(&self, code: u16) -> Result<Option<u64>, String> {
        Ok(self.numbers(code)?.first().copied())
    }

    /// The floating-point numbers of 64 bits of a tag; none where it is absent or of another kind.
    #[must_use]
    pub fn doubles(&self, code: u16) -> Vec<f64> {
        let Some(tag) = self.tags.get(&code).filter(|tag| tag.kind == 12) else {
            return Vec::new();
        };
        let data = tag.data.as_deref().unwrap_or_default();
        data.chunks_exact(8)
            .map(|bytes| f64::from_bits(self.source.value(bytes)))
            .collect()
    }

    /// The text of a tag, without what fills it up; empty where it is absent.
    #[must_use]
    pub fn text(&self, code: u16) -> String {
        let text = String::from_utf8_lossy(self.raw(code));
        text.trim_end_matches('\0').trim().to_owned()
    }

    /// The bytes of a tag; empty where it is absent.
    #[must_use]
    pub fn raw(&self, code: u16) -> &[u8] {
        let tag = self.tags.get(&code);
        tag.and_then(|tag| tag.data.as_deref()).unwrap_or_default()
    }

    /// A tag to be written into another file; `None` where it is absent or lies outside the file.
    #[must_use]
    pub fn tag(&self, code: u16) -> Option<Tag> {
        let entry = self.tags.get(&code)?;
        let mut data = entry.data.as_deref()?.to_vec();
        if self.source.big_endian {
            data.chunks_exact_mut(swapped(entry.kind))
                .for_each(<[u8]>::reverse);
        }
        let kind = entry.kind;
        Some(Tag { code, kind, data })
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

/// Bytes that belong together in an order: a fraction is two numbers.
fn swapped(kind: u16) -> usize {
    match kind {
        5 | 10 => 4,
        kind => width_of(kind) as usize,
    }
}
