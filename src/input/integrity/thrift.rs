//! A reader of Thrift's compact protocol for checks before the Parquet library decodes it: it does not allocate, recurses to a
//! limited depth and never reads beyond the end.

use super::varint;

/// Deepest nesting of structs and lists that are skipped.
const MAX_DEPTH: u32 = 16;

/// Reads bytes from the front. `None` means the end of the bytes, or bytes that are not Thrift.
pub struct ThriftReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Types of fields and elements.
pub mod kind {
    pub const I32: u8 = 5;
    pub const LIST: u8 = 9;
    pub const STRUCT: u8 = 12;
}

impl<'a> ThriftReader<'a> {
    pub fn new(bytes: &'a [u8]) -> ThriftReader<'a> {
        ThriftReader { bytes, at: 0 }
    }

    /// Bytes read until now.
    pub fn at(&self) -> usize {
        self.at
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        varint::read(self.bytes, &mut self.at)
    }

    /// An integer of at most 32 bits.
    pub fn integer(&mut self) -> Option<i64> {
        let value = self.varint()?;
        let value = (value >> 1) as i64 ^ -((value & 1) as i64);
        i32::try_from(value).ok().map(i64::from)
    }

    /// The next field of a struct as its number and type; `Some(None)` at the end of the struct. `last` is the number of the
    /// field before.
    pub fn field(&mut self, last: &mut i64) -> Option<Option<(i64, u8)>> {
        let byte = self.byte()?;
        let (delta, kind) = (byte >> 4, byte & 0x0f);
        if kind == 0 {
            return Some(None);
        }
        *last = if delta == 0 { self.integer()? } else { *last + i64::from(delta) };
        Some(Some((*last, kind)))
    }

    /// Elements of a list and their type.
    pub fn list(&mut self) -> Option<(u64, u8)> {
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        Some((count, head & 0x0f))
    }

    /// Skips a value.
    pub fn skip(&mut self, kind: u8) -> Option<()> {
        self.skip_at(kind, 0)
    }

    fn skip_at(&mut self, kind: u8, depth: u32) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match kind {
            1 | 2 => {}
            3 => _ = self.byte()?,
            4..=6 => _ = self.varint()?,
            7 => self.pass(8)?,
            8 => {
                let length = self.varint()?;
                self.pass(usize::try_from(length).ok()?)?;
            }
            kind::LIST | 10 => {
                let (count, element) = self.list()?;
                for _ in 0..count {
                    // A boolean in a list is a byte; a boolean field has none.
                    if matches!(element, 1 | 2) { _ = self.byte()? } else { self.skip_at(element, depth + 1)? }
                }
            }
            kind::STRUCT => {
                let mut last = 0;
                while let Some((_, kind)) = self.field(&mut last)? {
                    self.skip_at(kind, depth + 1)?;
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn pass(&mut self, bytes: usize) -> Option<()> {
        let end = self.at.checked_add(bytes).filter(|end| *end <= self.bytes.len())?;
        self.at = end;
        Some(())
    }
}

/// The depth of the schema in a footer, whose elements are a flat list, each with its number of children.
pub fn schema_depth(footer: &[u8]) -> Option<usize> {
    let mut reader = ThriftReader::new(footer);
    let mut last = 0;
    while let Some((field, kind)) = reader.field(&mut last)? {
        if (field, kind) != (2, kind::LIST) {
            reader.skip(kind)?;
            continue;
        }
        let (count, _) = reader.list()?;
        // Children that are still to come, per level.
        let (mut open, mut deepest) = (Vec::new(), 0);
        for _ in 0..count {
            let (mut children, mut last) = (0, 0);
            while let Some((field, kind)) = reader.field(&mut last)? {
                if (field, kind) == (5, kind::I32) { children = reader.integer()? } else { reader.skip(kind)? }
            }
            while open.last() == Some(&0) {
                open.pop();
            }
            if let Some(left) = open.last_mut() {
                *left -= 1;
            }
            if children > 0 {
                open.push(children);
                deepest = deepest.max(open.len());
            }
        }
        return Some(deepest);
    }
    None
}
