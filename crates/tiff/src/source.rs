//! A file's bytes, in memory or on disk.

use std::{borrow::Cow, collections::BTreeSet, fs::File, io, path::Path, sync::Arc};

use crate::Directory;

/// More pages than any microscope writes.
const MOST: usize = 100_000;

/// No tag and no block of a file on disk is larger: whatever claims to be would fill the memory.
const LARGEST: u64 = 1 << 30;

/// A file's bytes, and how its numbers are written. Cloning shares them.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    bytes: Bytes<'a>,
    pub(crate) big_endian: bool,
    big: bool,
}

#[derive(Clone, Debug)]
enum Bytes<'a> {
    Memory(&'a [u8]),
    Disk { file: Arc<File>, size: u64 },
}

impl Source<'static> {
    /// A file on disk, of which only what is asked for is read.
    ///
    /// # Errors
    /// It cannot be opened; or, as [`io::ErrorKind::InvalidData`], it is no TIFF file.
    pub fn disk(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        let file = Arc::new(file);
        Self::of(Bytes::Disk { file, size })
            .map_err(|reason| io::Error::new(io::ErrorKind::InvalidData, reason))
    }
}

impl<'a> Source<'a> {
    /// A whole file.
    ///
    /// # Errors
    /// It is no TIFF file.
    pub fn memory(bytes: &'a [u8]) -> Result<Self, String> {
        Self::of(Bytes::Memory(bytes))
    }

    fn of(bytes: Bytes<'a>) -> Result<Self, String> {
        let mut source = Self {
            bytes,
            big_endian: false,
            big: false,
        };
        let order = source.slice(0, 2);
        source.big_endian = match order.as_deref() {
            Some(b"II") => false,
            Some(b"MM") => true,
            _ => return Err("it does not begin as a TIFF file does".to_owned()),
        };
        source.big = match source.number(2, 2)? {
            42 => false,
            43 => true,
            other => {
                return Err(format!(
                    "its version is {other}, not 42 (TIFF) or 43 (BigTIFF)"
                ));
            }
        };
        Ok(source)
    }

    /// All directories, in their order.
    ///
    /// # Errors
    /// The file ends before one of them, or they form a circle.
    pub fn directories(&self) -> Result<Vec<Directory<'a>>, String> {
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
            let (directory, next) = Directory::read(self, at, self.big)?;
            found.push(directory);
            at = next;
        }
        Ok(found)
    }

    /// Bytes of the file; `None` where it ends before, cannot be read, or more is asked for than any file's block has.
    pub(crate) fn slice(&self, at: u64, length: u64) -> Option<Cow<'a, [u8]>> {
        match &self.bytes {
            Bytes::Memory(bytes) => {
                let (at, length) = (usize::try_from(at).ok()?, usize::try_from(length).ok()?);
                bytes.get(at..at.checked_add(length)?).map(Cow::Borrowed)
            }
            Bytes::Disk { file, size } => {
                if at.checked_add(length)? > *size || length > LARGEST {
                    return None;
                }
                let mut bytes = vec![0; length as usize];
                read_at(file, &mut bytes, at).ok()?;
                Some(Cow::Owned(bytes))
            }
        }
    }

    pub(crate) fn number(&self, at: u64, width: u64) -> Result<u64, String> {
        let bytes = self
            .slice(at, width)
            .ok_or_else(|| format!("it ends before byte {}", at.saturating_add(width)))?;
        Ok(self.value(&bytes))
    }

    pub(crate) fn value(&self, bytes: &[u8]) -> u64 {
        let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        if self.big_endian {
            bytes.iter().fold(0, join)
        } else {
            bytes.iter().rev().fold(0, join)
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

#[cfg(windows)]
fn read_at(file: &File, mut bytes: &mut [u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                bytes = &mut bytes[read..];
                at += read as u64;
            }
        }
    }
    Ok(())
}
