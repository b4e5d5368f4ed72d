//! A text file in whatever form an editor, a spreadsheet or a shell left it.

use std::{fs, io, path::Path};

/// Reads a text: UTF-8 with or without a byte order mark, or UTF-16 with one (as PowerShell and Notepad write it). Line
/// breaks come back as `\n`.
///
/// # Errors
/// The file cannot be read, or is no text in these encodings: the message says what it is instead, but not the file's name.
pub fn open(path: impl AsRef<Path>) -> io::Result<String> {
    decode(fs::read(path)?)
}

/// As [`open`], of bytes that were read already.
///
/// # Errors
/// They are no text in these encodings.
pub fn decode(bytes: Vec<u8>) -> io::Result<String> {
    let text = match bytes.as_slice() {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => {
            return refuse("it is UTF-32 text; save it as UTF-8");
        }
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes)?,
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes)?,
        [0xef, 0xbb, 0xbf, rest @ ..] => narrow(rest.to_vec())?,
        _ => narrow(bytes)?,
    };
    Ok(if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text
    })
}

/// The lines of a text that hold something. Blanks at their ends are part of them: names of files may end so.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim().is_empty())
}

fn wide(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> io::Result<String> {
    let (units, rest) = bytes.as_chunks::<2>();
    let text: Result<String, _> = char::decode_utf16(units.iter().copied().map(unit)).collect();
    match text {
        Ok(text) if rest.is_empty() => Ok(text),
        _ => refuse("it begins like UTF-16 text, but is none; save it as UTF-8"),
    }
}

fn narrow(bytes: Vec<u8>) -> io::Result<String> {
    if bytes.contains(&0) {
        let odd = bytes.iter().skip(1).step_by(2);
        let zeros = odd.filter(|byte| **byte == 0).count();
        return refuse(if zeros * 4 > bytes.len() {
            "it is UTF-16 text without a byte order mark; save it as UTF-8"
        } else {
            "it is no text: it holds zero bytes"
        });
    }
    String::from_utf8(bytes).or_else(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..at].iter().filter(|b| **b == b'\n').count();
        let byte = error.as_bytes()[at];
        refuse(format!(
            "it is not UTF-8 text (byte {byte:#04x} in line {line}, perhaps Windows-1252 or Latin-1); save it as UTF-8"
        ))
    })
}

fn refuse<T>(reason: impl Into<String>) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::InvalidData, reason.into()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        let bytes = |unit: u16| {
            if big {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        };
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn marks_and_line_breaks_of_any_system_are_no_part_of_the_text() {
        let wanted = "prompts:\n- ä b\n";
        for bytes in [
            wanted.as_bytes().to_vec(),
            "\u{feff}prompts:\r\n- ä b\r\n".into(),
            utf16("\u{feff}prompts:\r\n- ä b\r\n", false),
            utf16("\u{feff}prompts:\n- ä b\n", true),
        ] {
            assert_eq!(decode(bytes).unwrap(), wanted);
        }
    }

    #[test]
    fn what_is_no_text_is_named() {
        for (bytes, what) in [
            (utf16("classes", false), "UTF-16 text without"),
            (b"1\tcaf\xe9\n".to_vec(), "byte 0xe9 in line 1"),
            (b"\x89PNG\0\0\0\r".to_vec(), "no text"),
            (vec![0xff, 0xfe, b'a'], "begins like UTF-16"),
        ] {
            let error = decode(bytes).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
    }

    #[test]
    fn lines_keep_the_blanks_of_names() {
        let found: Vec<_> = lines("flight 7 \n\n \t\n a").collect();
        assert_eq!(found, ["flight 7 ", " a"]);
    }
}
