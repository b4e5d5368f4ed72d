//! Numbers at fixed places of a header.

/// Which byte of a number comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endian {
    /// The lowest.
    Little,
    /// The highest.
    Big,
}

/// A header's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    bytes: Vec<u8>,
    pub endian: Endian,
}

impl Fields {
    pub fn new(bytes: Vec<u8>, endian: Endian) -> Self {
        Self { bytes, endian }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut array = [0; N];
        array.copy_from_slice(&self.bytes[at..at + N]);
        if self.endian == Endian::Big {
            array.reverse();
        }
        array
    }

    pub fn i16(&self, at: usize) -> i16 {
        i16::from_le_bytes(self.array(at))
    }

    pub fn i32(&self, at: usize) -> i32 {
        i32::from_le_bytes(self.array(at))
    }

    pub fn i64(&self, at: usize) -> i64 {
        i64::from_le_bytes(self.array(at))
    }

    pub fn f32(&self, at: usize) -> f64 {
        f64::from(f32::from_le_bytes(self.array(at)))
    }

    pub fn f64(&self, at: usize) -> f64 {
        f64::from_le_bytes(self.array(at))
    }

    /// Writes a number, its lowest byte first, in the header's own order.
    pub fn put<const N: usize>(&mut self, at: usize, mut little: [u8; N]) {
        if self.endian == Endian::Big {
            little.reverse();
        }
        self.bytes[at..at + N].copy_from_slice(&little);
    }

    /// Writes a text, or what there is room for, and zeros behind it.
    pub fn put_text(&mut self, at: usize, room: usize, text: &str) {
        let field = &mut self.bytes[at..at + room];
        field.fill(0);
        let taken = text.len().min(room);
        field[..taken].copy_from_slice(&text.as_bytes()[..taken]);
    }
}
