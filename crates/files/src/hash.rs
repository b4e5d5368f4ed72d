//! SHA-256 as text.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use sha2::{Digest, Sha256};

/// How many digits a short hash has.
const DIGITS: usize = 16;

/// The SHA-256 of all that can be read, in lower-case hexadecimal.
///
/// # Errors
/// It cannot be read.
pub fn sha256(mut from: impl Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut from, &mut hash)?;
    let digest = hash.finalize();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The first 16 hexadecimal digits of [`sha256`], to tell contents apart.
///
/// # Errors
/// It cannot be read.
pub fn short(from: impl Read) -> io::Result<String> {
    let mut digits = sha256(from)?;
    digits.truncate(DIGITS);
    Ok(digits)
}

/// [`short`] of a file.
///
/// # Errors
/// It cannot be read.
pub fn short_of_file(path: &Path) -> io::Result<String> {
    short(File::open(path)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_beginning_of_what_sha256sum_says() {
        // printf abc | sha256sum
        assert_eq!(short(&b"abc"[..]).unwrap(), "ba7816bf8f01cfea");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        assert_eq!(short_of_file(file.path()).unwrap(), "ba7816bf8f01cfea");
    }
}
