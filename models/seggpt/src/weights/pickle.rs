//! Python's pickles, as far as checkpoints need them. Nothing in them is called: what a pickle would have Python do becomes
//! a value that says so.
//!
//! Values lie in one list and name each other by their place in it, so that no file can make this grow beyond its own
//! length, or go deep.

use std::ops::Range;

/// The place of a value in its [`Pickle`].
pub(super) type Id = usize;

/// A value of a pickle.
#[derive(Debug, PartialEq)]
pub(super) enum Value {
    /// A whole number.
    Int(i64),
    /// A text, by its place in the bytes.
    Text(Range<usize>),
    /// A tuple, list or set.
    List(Vec<Id>),
    /// A dictionary.
    Dict(Vec<(Id, Id)>),
    /// A class or function: module and name.
    Global(String, String),
    /// What the program that saved it keeps elsewhere, such as the numbers of a tensor.
    Outside(Id),
    /// The result of a call: what is called, and with what.
    Call(Id, Id),
    /// Anything else.
    Other,
}

/// One pickle, read to its end.
#[derive(Debug)]
pub(super) struct Pickle<'a> {
    bytes: &'a [u8],
    values: Vec<Value>,
    root: Id,
    /// Where in the bytes it ends.
    pub(super) end: usize,
}

/// Values that one file may hold: ViT-G's checkpoint with its optimiser's state has 100,000.
const MOST: usize = 1 << 22;

impl<'a> Pickle<'a> {
    /// Reads the pickle that begins at `start`.
    ///
    /// # Errors
    /// What is wrong, and at which byte.
    pub(super) fn read(bytes: &'a [u8], start: usize) -> Result<Self, String> {
        let mut machine = Machine {
            bytes,
            at: start,
            values: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Vec::new(),
            elements: 0,
        };
        let root = loop {
            let place = machine.at;
            let step = machine.step();
            match step.map_err(|reason| format!("{reason} at byte {place} of the pickle"))? {
                None => {}
                Some(root) => break root,
            }
        };
        Ok(Self {
            bytes,
            root,
            end: machine.at,
            values: machine.values,
        })
    }

    /// The value that the pickle is of.
    pub(super) fn root(&self) -> Id {
        self.root
    }

    /// How many values there are; their places are the numbers below.
    pub(super) fn count(&self) -> usize {
        self.values.len()
    }

    pub(super) fn get(&self, id: Id) -> &Value {
        &self.values[id]
    }

    pub(super) fn text(&self, id: Id) -> Option<&'a str> {
        match self.get(id) {
            Value::Text(range) => std::str::from_utf8(&self.bytes[range.clone()]).ok(),
            _ => None,
        }
    }

    pub(super) fn list(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn dict(&self, id: Id) -> Option<&[(Id, Id)]> {
        match self.get(id) {
            Value::Dict(items) => Some(items),
            _ => None,
        }
    }

    /// A whole number that is none below zero.
    pub(super) fn size(&self, id: Id) -> Option<usize> {
        match self.get(id) {
            Value::Int(number) => usize::try_from(*number).ok(),
            _ => None,
        }
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    values: Vec<Value>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: Vec<Id>,
    /// Members of all lists and dictionaries.
    elements: usize,
}

type Step<T> = Result<T, String>;

impl Machine<'_> {
    /// Does what the next opcode says; the value of the pickle at its end.
    fn step(&mut self) -> Step<Option<Id>> {
        match self.take(1)?[0] {
            0x80 => drop(self.take(1)?), // PROTO
            0x95 => drop(self.take(8)?), // FRAME
            b'.' => return Ok(Some(self.pop()?)),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.marked()?),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            b'N' | 0x88 | 0x89 => self.push(Value::Other)?, // None, True, False
            b'K' => self.int(1)?,
            b'M' => self.int(2)?,
            b'J' => {
                let bytes = *self.take(4)?.first_chunk().ok_or("no number")?;
                self.push(Value::Int(i32::from_le_bytes(bytes).into()))?;
            }
            0x8a => {
                let length = self.length(1)?;
                self.long(length)?;
            }
            0x8b => {
                let length = self.length(4)?;
                self.long(length)?;
            }
            b'G' => {
                self.take(8)?;
                self.push(Value::Other)?;
            }
            b'X' | b'T' => self.text(4)?,
            0x8c | b'U' => self.text(1)?,
            0x8d => self.text(8)?,
            b'B' => self.opaque(4)?,
            b'C' => self.opaque(1)?,
            0x8e | 0x96 => self.opaque(8)?, // BINBYTES8, BYTEARRAY8
            b')' | b']' | 0x8f => self.push(Value::List(Vec::new()))?,
            b'}' => self.push(Value::Dict(Vec::new()))?,
            b't' | b'l' | 0x91 => {
                let items = self.marked()?;
                self.push_list(items)?;
            }
            0x85..=0x87 => {
                let count = usize::from(self.bytes[self.at - 1] - 0x84);
                let items = self.popped(count)?;
                self.push_list(items)?;
            }
            b'a' => {
                let items = self.popped(1)?;
                self.append(items)?;
            }
            b'e' | 0x90 => {
                let items = self.marked()?;
                self.append(items)?;
            }
            b's' => {
                let items = self.popped(2)?;
                self.set(&items)?;
            }
            b'u' => {
                let items = self.marked()?;
                self.set(&items)?;
            }
            b'd' => {
                let items = self.marked()?;
                self.push(Value::Dict(Vec::new()))?;
                self.set(&items)?;
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Value::Global(module, name))?;
            }
            0x93 => {
                let items = self.popped(2)?;
                let text = |id: Id| match &self.values[id] {
                    Value::Text(range) => Ok(self.owned(range.clone())),
                    _ => Err("a name that is no text"),
                };
                let global = Value::Global(text(items[0])?, text(items[1])?);
                self.push(global)?;
            }
            b'Q' => {
                let id = self.pop()?;
                self.push(Value::Outside(id))?;
            }
            b'R' | 0x81 => {
                let items = self.popped(2)?;
                self.call(items[0], items[1])?;
            }
            0x92 => {
                let items = self.popped(3)?; // NEWOBJ_EX: class, arguments, named arguments
                self.call(items[0], items[1])?;
            }
            b'b' => {
                // What an object is made of besides its call says nothing about tensors.
                self.pop()?;
                self.top()?;
            }
            b'q' => {
                let place = self.length(1)?;
                self.remember(place)?;
            }
            b'r' => {
                let place = self.length(4)?;
                self.remember(place)?;
            }
            0x94 => self.remember(self.memo.len())?,
            b'h' => {
                let place = self.length(1)?;
                self.recall(place)?;
            }
            b'j' => {
                let place = self.length(4)?;
                self.recall(place)?;
            }
            other => return Err(format!("opcode {other:#04x}, which no checkpoint needs,")),
        }
        Ok(None)
    }

    fn take(&mut self, count: usize) -> Step<&[u8]> {
        let end = self.at.checked_add(count);
        let bytes = end.and_then(|end| self.bytes.get(self.at..end));
        let bytes = bytes.ok_or("the end of the file")?;
        self.at += count;
        Ok(bytes)
    }

    /// A number of so many bytes, without a sign.
    fn length(&mut self, bytes: usize) -> Step<usize> {
        let mut number = [0; 8];
        number[..bytes].copy_from_slice(self.take(bytes)?);
        usize::try_from(u64::from_le_bytes(number)).map_err(|_| "a length beyond all".into())
    }

    fn int(&mut self, bytes: usize) -> Step<()> {
        let number = self.length(bytes)? as i64;
        self.push(Value::Int(number))
    }

    fn long(&mut self, length: usize) -> Step<()> {
        let bytes = self.take(length)?;
        let value = match bytes.len() {
            length @ 1..=8 => {
                let sign = if bytes[length - 1] & 0x80 == 0 {
                    0
                } else {
                    0xff
                };
                let mut number = [sign; 8];
                number[..length].copy_from_slice(bytes);
                Value::Int(i64::from_le_bytes(number))
            }
            0 => Value::Int(0),
            _ => Value::Other,
        };
        self.push(value)
    }

    fn text(&mut self, bytes: usize) -> Step<()> {
        let length = self.length(bytes)?;
        self.take(length)?;
        self.push(Value::Text(self.at - length..self.at))
    }

    fn opaque(&mut self, bytes: usize) -> Step<()> {
        let length = self.length(bytes)?;
        self.take(length)?;
        self.push(Value::Other)
    }

    fn line(&mut self) -> Step<String> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().take(1 << 12).position(|byte| *byte == b'\n');
        let length = length.ok_or("a line without an end")?;
        let line = self.at..self.at + length;
        self.at = line.end + 1;
        Ok(self.owned(line))
    }

    fn owned(&self, range: Range<usize>) -> String {
        String::from_utf8_lossy(&self.bytes[range]).into_owned()
    }

    fn push(&mut self, value: Value) -> Step<()> {
        if self.values.len() == MOST {
            return Err("more values than any checkpoint has".into());
        }
        self.stack.push(self.values.len());
        self.values.push(value);
        Ok(())
    }

    fn push_list(&mut self, items: Vec<Id>) -> Step<()> {
        self.grow(items.len())?;
        self.push(Value::List(items))
    }

    fn grow(&mut self, by: usize) -> Step<()> {
        self.elements += by;
        match self.elements > MOST {
            true => Err("more values than any checkpoint has".into()),
            false => Ok(()),
        }
    }

    /// The least that may be taken: what lies above the last mark.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Step<Id> {
        match self.stack.len() > self.floor() {
            true => self.stack.pop().ok_or_else(|| "an empty stack".into()),
            false => Err("an empty stack".into()),
        }
    }

    fn top(&self) -> Step<Id> {
        self.stack
            .last()
            .copied()
            .ok_or_else(|| "an empty stack".into())
    }

    fn popped(&mut self, count: usize) -> Step<Vec<Id>> {
        let from = self.stack.len().checked_sub(count);
        let from = from.filter(|from| *from >= self.floor());
        Ok(self.stack.split_off(from.ok_or("an empty stack")?))
    }

    fn marked(&mut self) -> Step<Vec<Id>> {
        let mark = self.marks.pop().ok_or("a missing mark")?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn append(&mut self, items: Vec<Id>) -> Step<()> {
        self.grow(items.len())?;
        let list = self.top()?;
        if let Value::List(list) = &mut self.values[list] {
            list.extend(items);
        }
        Ok(())
    }

    /// Puts keys and values by turns into the dictionary below.
    fn set(&mut self, items: &[Id]) -> Step<()> {
        self.grow(items.len())?;
        let dict = self.top()?;
        if let Value::Dict(dict) = &mut self.values[dict] {
            dict.extend(
                items
                    .as_chunks()
                    .0
                    .iter()
                    .map(|[key, value]| (*key, *value)),
            );
        }
        Ok(())
    }

    fn call(&mut self, what: Id, with: Id) -> Step<()> {
        // An ordered dictionary is filled like any other.
        let is_dict = matches!(&self.values[what], Value::Global(module, name)
            if matches!((module.as_str(), name.as_str()), ("collections", "OrderedDict" | "defaultdict")));
        self.push(match is_dict {
            true => Value::Dict(Vec::new()),
            false => Value::Call(what, with),
        })
    }

    fn remember(&mut self, place: usize) -> Step<()> {
        let value = self.top()?;
        if place >= MOST {
            return Err("a memo beyond all".into());
        }
        if place >= self.memo.len() {
            // Never used before it is written: `recall` meets the root's own error otherwise.
            self.memo.resize(place + 1, usize::MAX);
        }
        self.memo[place] = value;
        Ok(())
    }

    fn recall(&mut self, place: usize) -> Step<()> {
        let value = self.memo.get(place).copied();
        let value = value.filter(|value| *value != usize::MAX);
        self.stack
            .push(value.ok_or("a memo that was never written")?);
        match self.stack.len() > MOST {
            true => Err("more values than any checkpoint has".into()),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_texts_and_containers_are_read() {
        // pickle.dumps({'a': [1, 300, -2, 70000], 'b': (2**40, None)}, 2)
        let bytes = b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01M,\x01J\xfe\xff\xff\xffJp\x11\x01\x00eX\x01\x00\x00\x00bq\x03\x8a\x06\x00\x00\x00\x00\x00\x01N\x86q\x04u.";
        let pickle = Pickle::read(bytes, 0).unwrap();
        let [(a, list), (_, pair)] = pickle.dict(pickle.root()).unwrap() else {
            panic!("two keys")
        };
        assert_eq!(pickle.text(*a), Some("a"));
        let values = pickle.list(*list).unwrap().iter().map(|id| pickle.get(*id));
        let expected = [1, 300, -2, 70_000].map(Value::Int);
        assert!(values.eq(expected.iter()));
        let pair = pickle.list(*pair).unwrap();
        assert_eq!(pickle.size(pair[0]), Some(1 << 40));
        assert_eq!(pickle.end, bytes.len());
    }

    #[test]
    fn calls_are_told_and_not_made() {
        // os.system("x"), as an attacker writes it
        let bytes = b"\x80\x02cos\nsystem\nX\x01\x00\x00\x00x\x85R.";
        let pickle = Pickle::read(bytes, 0).unwrap();
        let Value::Call(what, _) = pickle.get(pickle.root()) else {
            panic!("a call")
        };
        assert_eq!(
            *pickle.get(*what),
            Value::Global("os".into(), "system".into())
        );
    }

    #[test]
    fn what_is_no_pickle_is_an_error_and_nothing_worse() {
        for bytes in [
            &b""[..],
            b"\x80",
            b".",
            b"(.",
            b"R",
            b"(K\x01R.",
            b"h\x05.",
            b"j\xff\xff\xff\xff.",
            b"K\x01r\xff\xff\xff\xff.",
            b"X\xff\xff\xff\xff",
            b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff",
            b"cos\nsystem",
            b"K\x01K\x02\x93.",
            b"\x81",
            b"\xff",
        ] {
            assert!(Pickle::read(bytes, 0).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn neither_depth_nor_repetition_takes_more_than_the_file_is_long() {
        let mut deep = vec![b']'; 1 << 20];
        deep.extend(vec![b'a'; (1 << 20) - 1]);
        deep.push(b'.');
        assert!(Pickle::read(&deep, 0).is_ok());
        // Each list holds the one before twice: 2^64 at its bottom.
        let mut wide = b"]q\x00".to_vec();
        for _ in 0..64 {
            wide.extend(b"h\x00h\x00\x86q\x00");
        }
        wide.push(b'.');
        assert!(Pickle::read(&wide, 0).is_ok());
    }
}
