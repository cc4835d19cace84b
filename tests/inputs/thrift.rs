//! Thrift's compact protocol as a tree that can be changed and written again, and Parquet files as bodies with footers.

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Bool(bool),
    /// Type (3 to 6) and value.
    Int(u8, i64),
    Double([u8; 8]),
    Binary(Vec<u8>),
    /// Type of the elements, and the elements.
    List(u8, Vec<Value>),
    Struct(Vec<(i64, Value)>),
}

impl Value {
    /// Parses a struct; returns it with its length.
    pub fn parse(bytes: &[u8]) -> (Value, usize) {
        let mut at = 0;
        let value = read(bytes, &mut at, 12);
        (value, at)
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn kind(&self) -> u8 {
        match self {
            Value::Bool(true) => 1,
            Value::Bool(false) => 2,
            Value::Int(kind, _) => *kind,
            Value::Double(_) => 7,
            Value::Binary(_) => 8,
            Value::List(..) => 9,
            Value::Struct(_) => 12,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Value::Bool(value) => out.push(if *value { 1 } else { 2 }),
            Value::Int(3, n) => out.push(*n as u8),
            Value::Int(_, n) => varint(((n << 1) ^ (n >> 63)) as u64, out),
            Value::Double(bytes) => out.extend_from_slice(bytes),
            Value::Binary(bytes) => {
                varint(bytes.len() as u64, out);
                out.extend_from_slice(bytes);
            }
            Value::List(kind, values) => {
                match values.len() {
                    short @ ..15 => out.push((short as u8) << 4 | kind),
                    long => {
                        out.push(0xf0 | kind);
                        varint(long as u64, out);
                    }
                }
                values.iter().for_each(|v| v.write(out));
            }
            Value::Struct(fields) => {
                let mut last = 0;
                for (id, value) in fields {
                    match id - last {
                        delta @ 1..=15 => out.push((delta as u8) << 4 | value.kind()),
                        _ => {
                            out.push(value.kind());
                            varint(((id << 1) ^ (id >> 63)) as u64, out);
                        }
                    }
                    last = *id;
                    if !matches!(value, Value::Bool(_)) {
                        value.write(out);
                    }
                }
                out.push(0);
            }
        }
    }

    /// The value at a path of field numbers and places in lists.
    pub fn at(&mut self, path: &[i64]) -> Option<&mut Value> {
        let Some((step, rest)) = path.split_first() else { return Some(self) };
        match self {
            Value::List(_, values) => values.get_mut(usize::try_from(*step).ok()?)?.at(rest),
            Value::Struct(fields) => fields.iter_mut().find(|(id, _)| id == step)?.1.at(rest),
            _ => None,
        }
    }

    /// The integer at a path.
    pub fn int(&mut self, path: &[i64]) -> Option<i64> {
        match self.at(path)? {
            Value::Int(_, n) => Some(*n),
            _ => None,
        }
    }

    /// Sets the integer at a path.
    pub fn set(&mut self, path: &[i64], to: i64) {
        match self.at(path) {
            Some(Value::Int(_, n)) => *n = to,
            other => panic!("{other:?} at {path:?}"),
        }
    }

    /// The elements of the list at a path.
    pub fn list(&mut self, path: &[i64]) -> &mut Vec<Value> {
        match self.at(path) {
            Some(Value::List(_, values)) => values,
            other => panic!("{other:?} at {path:?}"),
        }
    }

    /// How many values there are in it, itself included.
    pub fn count(&self) -> usize {
        1 + match self {
            Value::List(_, values) => values.iter().map(Value::count).sum(),
            Value::Struct(fields) => fields.iter().map(|(_, v)| v.count()).sum(),
            _ => 0,
        }
    }

    /// The n-th value in it.
    pub fn nth(&mut self, n: &mut usize) -> Option<&mut Value> {
        if *n == 0 {
            return Some(self);
        }
        *n -= 1;
        match self {
            Value::List(_, values) => values.iter_mut().find_map(|v| v.nth(n)),
            Value::Struct(fields) => fields.iter_mut().find_map(|(_, v)| v.nth(n)),
            _ => None,
        }
    }
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn read_varint(bytes: &[u8], at: &mut usize) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = bytes[*at];
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

fn read_int(bytes: &[u8], at: &mut usize) -> i64 {
    let value = read_varint(bytes, at);
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

fn read(bytes: &[u8], at: &mut usize, kind: u8) -> Value {
    match kind {
        1 | 2 => Value::Bool(kind == 1),
        3 => {
            *at += 1;
            Value::Int(3, i64::from(bytes[*at - 1]))
        }
        4..=6 => Value::Int(kind, read_int(bytes, at)),
        7 => {
            *at += 8;
            Value::Double(bytes[*at - 8..*at].try_into().unwrap())
        }
        8 => {
            let length = read_varint(bytes, at) as usize;
            *at += length;
            Value::Binary(bytes[*at - length..*at].to_vec())
        }
        9 => {
            let head = bytes[*at];
            *at += 1;
            let count = if head >> 4 == 15 { read_varint(bytes, at) } else { u64::from(head >> 4) };
            let element = |at: &mut usize| match head & 0x0f {
                1 | 2 => {
                    *at += 1;
                    Value::Bool(bytes[*at - 1] == 1)
                }
                kind => read(bytes, at, kind),
            };
            Value::List(head & 0x0f, (0..count).map(|_| element(at)).collect())
        }
        12 => {
            let (mut fields, mut last) = (Vec::new(), 0);
            loop {
                let head = bytes[*at];
                *at += 1;
                if head & 0x0f == 0 {
                    return Value::Struct(fields);
                }
                last = if head >> 4 == 0 { read_int(bytes, at) } else { last + i64::from(head >> 4) };
                fields.push((last, read(bytes, at, head & 0x0f)));
            }
        }
        other => panic!("no values of type {other}"),
    }
}

/// A Parquet file: what stands before its footer, and the footer.
#[derive(Debug, Clone)]
pub struct Parts {
    pub body: Vec<u8>,
    pub footer: Value,
}

impl Parts {
    pub fn of(file: &[u8]) -> Parts {
        let end = file.len() - 8;
        let length = u32::from_le_bytes(file[end..end + 4].try_into().unwrap()) as usize;
        Parts { body: file[..end - length].to_vec(), footer: Value::parse(&file[end - length..end]).0 }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let footer = self.footer.bytes();
        let mut out = self.body.clone();
        out.extend_from_slice(&footer);
        out.extend_from_slice(&(footer.len() as u32).to_le_bytes());
        out.extend_from_slice(b"PAR1");
        out
    }

    /// Row groups and columns.
    pub fn shape(&mut self) -> (i64, i64) {
        let groups = self.footer.list(&[4]).len() as i64;
        (groups, self.footer.list(&[4, 0, 1]).len() as i64)
    }

    /// Where a column begins, and its bytes.
    pub fn chunk(&mut self, group: i64, column: i64) -> (usize, usize) {
        let meta = [4, group, 1, column, 3];
        let data = self.footer.int(&[&meta[..], &[9]].concat()).unwrap();
        let start = self.footer.int(&[&meta[..], &[11]].concat()).unwrap_or(data);
        (start as usize, self.footer.int(&[&meta[..], &[7]].concat()).unwrap() as usize)
    }

    /// The n-th page of a column: where its header begins, the header, and the header's length.
    pub fn page(&mut self, group: i64, column: i64, number: usize) -> Option<(usize, Value, usize)> {
        let (start, length) = self.chunk(group, column);
        let mut at = start;
        for _ in 0..number {
            let (mut header, bytes) = Value::parse(&self.body[at..]);
            at += bytes + header.int(&[3]).unwrap() as usize;
        }
        (at < start + length).then(|| {
            let (header, bytes) = Value::parse(&self.body[at..]);
            (at, header, bytes)
        })
    }

    /// Writes another header in the place of one of a column, and moves everything behind it.
    pub fn replace_header(&mut self, group: i64, column: i64, at: usize, length: usize, header: &Value) {
        let bytes = header.bytes();
        let moved = bytes.len() as i64 - length as i64;
        self.body.splice(at..at + length, bytes);
        let (groups, columns) = self.shape();
        for g in 0..groups {
            for c in 0..columns {
                let chunk = [4, g, 1, c];
                for field in [&[2][..], &[4], &[6], &[3, 9], &[3, 10], &[3, 11], &[3, 14]] {
                    let path = [&chunk[..], field].concat();
                    if let Some(offset) = self.footer.int(&path).filter(|offset| *offset > at as i64) {
                        self.footer.set(&path, offset + moved);
                    }
                }
            }
        }
        for size in [6, 7] {
            let path = [4, group, 1, column, 3, size];
            let before = self.footer.int(&path).unwrap();
            self.footer.set(&path, before + moved);
        }
    }
}

#[test]
fn a_file_is_the_same_after_a_round_trip() {
    for file in [super::flips::CHECKED, super::flips::PLAIN] {
        let mut parts = Parts::of(file);
        assert_eq!(parts.bytes(), file);
        let (at, header, length) = parts.page(1, 3, 0).unwrap();
        parts.replace_header(1, 3, at, length, &header);
        assert_eq!(parts.bytes(), file);
    }
}
