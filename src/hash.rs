//! SHA-256 as text, and as the draw value that decides over a customer's arm.

use sha2::{Digest, Sha256};

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// SHA-256 of bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Draw values under a salt: uniform 64-bit numbers that depend on the salt and the customer's id alone.
///
/// A draw value is the first eight bytes, as a big-endian number, of SHA-256 over the salt, a NUL byte, and the id as text.
/// Assignments that are kept depend on this for all time.
#[derive(Debug, Clone)]
pub struct HashDraw(Sha256);

impl HashDraw {
    /// The draw under a salt.
    pub fn new(salt: &str) -> HashDraw {
        let mut state = Sha256::new();
        state.update(salt.as_bytes());
        state.update([0]);
        HashDraw(state)
    }

    /// The lot of a customer, by the id as text.
    pub fn value(&self, id: &[u8]) -> u64 {
        let mut state = self.0.clone();
        state.update(id);
        let [b0, b1, b2, b3, b4, b5, b6, b7, ..] = state.finalize().0;
        u64::from_be_bytes([b0, b1, b2, b3, b4, b5, b6, b7])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected numbers: `int(hashlib.sha256(b"2024-q2\0" + b"C000017").hexdigest()[:16], 16)` in Python.
    #[test]
    fn lots_are_those_of_the_recipe() {
        assert_eq!(HashDraw::new("2024-q2").value(b"C000017"), 0xc080_b0f2_6418_d27c);
        assert_eq!(HashDraw::new("").value(b""), 0x6e34_0b9c_ffb3_7a98);
        assert_eq!(HashDraw::new("salt é").value("客".as_bytes()), 0xa7f9_e959_9efd_a94c);
    }
}
