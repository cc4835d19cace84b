//! Names that are given once.

use std::fs::File;
use std::io::Read;

use crate::error::{Error, Kind, Result};
use crate::hash::hex;

/// A name that nobody else has: 16 hexadecimal digits.
///
/// # Errors
/// Exit 7 if the system gives no random bytes.
pub fn nonce() -> Result<String> {
    let mut bytes = [0; 8];
    File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes)).map_err(|e| {
        Error::new(Kind::Resource, format!("cannot read /dev/urandom: {e}; make it readable for this process")).caused_by(e)
    })?;
    Ok(hex(&bytes))
}
