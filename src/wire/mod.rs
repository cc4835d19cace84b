//! The written form of the values that pass between stages, so that a stage can run in another process than the one before.
//!
//! ```text
//! "rfmill\0" ─ name of the value ─ version of its form ─ length ─ payload (postcard) ─ xxh3 of all before
//! ```
//!
//! Values merge in any order to the same bytes: whoever writes one brings it into its [canonical](Travels::canonicalise) order
//! first. A form that is read by another version of the program than wrote it is refused, never guessed at.

#[cfg(test)]
pub(crate) mod checks;

use serde::Serialize;
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Error, Kind, Result};

/// The first bytes of every written value.
const MAGIC: &[u8] = b"rfmill\0";

/// Bytes of the checksum.
const CHECKSUM: usize = size_of::<u64>();

/// A value that passes between stages.
pub trait Travels: Serialize + DeserializeOwned {
    /// What the value is, as errors name it.
    const NAME: &'static str;

    /// The version of the written form; a change of the form raises it.
    const VERSION: u16;

    /// Brings what has no order of its own into a fixed one, so that equal values have equal bytes.
    fn canonicalise(&mut self) {}
}

/// The frame before a payload.
#[derive(serde::Serialize, serde::Deserialize)]
struct Header<'a> {
    name: &'a str,
    version: u16,
    payload_bytes: u64,
}

/// Writes a value.
///
/// # Errors
/// Exit 1 if the value has no written form.
pub fn write<T: Travels>(mut value: T) -> Result<Vec<u8>> {
    value.canonicalise();
    let unwritable = |e: postcard::Error| Error::bug(format!("the {} cannot be written: {e}", T::NAME)).caused_by(e);
    let payload = postcard::to_allocvec(&value).map_err(unwritable)?;
    let header = Header { name: T::NAME, version: T::VERSION, payload_bytes: payload.len() as u64 };
    let mut bytes = postcard::to_extend(&header, MAGIC.to_vec()).map_err(unwritable)?;
    bytes.extend(payload);
    bytes.extend(xxh3_64(&bytes).to_le_bytes());
    Ok(bytes)
}

/// Reads a value that [`write`] wrote; `origin` says where the bytes are from, for errors.
///
/// # Errors
/// Exit 5 if the bytes are damaged, hold another value, or are of another version.
pub fn read<T: Travels>(bytes: &[u8], origin: &str) -> Result<T> {
    const AGAIN: &str = "delete it and run the stage that wrote it again";
    let unusable = |what: String| Error::new(Kind::State, format!("{origin} {what}; {AGAIN}"));
    let damaged = || unusable(format!("is damaged: {} bytes do not have the checksum that they end with", bytes.len()));
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return Err(unusable("is not a value that rfmill wrote".into()));
    };
    let (content, checksum) = bytes.split_last_chunk::<CHECKSUM>().ok_or_else(damaged)?;
    if xxh3_64(content) != u64::from_le_bytes(*checksum) {
        return Err(damaged());
    }
    let rest = rest.strip_suffix(checksum).unwrap_or_default();
    let (header, payload): (Header<'_>, &[u8]) =
        postcard::take_from_bytes(rest).map_err(|e| unusable(format!("has no header that can be read: {e}")).caused_by(e))?;
    if header.name != T::NAME {
        return Err(unusable(format!("holds the {}, where the {} is expected", header.name, T::NAME)));
    }
    if header.version != T::VERSION {
        return Err(unusable(format!(
            "holds the {} in version {} of its form, and this rfmill reads version {}; use one version of rfmill for all stages, or",
            T::NAME,
            header.version,
            T::VERSION
        )));
    }
    if header.payload_bytes != payload.len() as u64 {
        return Err(unusable(format!("has {} bytes of content where {} are announced", payload.len(), header.payload_bytes)));
    }
    let (value, after) = postcard::take_from_bytes(payload)
        .map_err(|e| unusable(format!("does not hold the {} in a form that can be read: {e}", T::NAME)).caused_by(e))?;
    match after {
        [] => Ok(value),
        _ => Err(unusable(format!("has {} bytes after the {}", after.len(), T::NAME))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct Numbers(Vec<i64>);

    impl Travels for Numbers {
        const NAME: &'static str = "numbers";
        const VERSION: u16 = 3;

        fn canonicalise(&mut self) {
            self.0.sort_unstable();
        }
    }

    /// The same bytes as [`Numbers`] have, under another name or version.
    macro_rules! unlike {
        ($type:ident, $name:literal, $version:literal) => {
            #[derive(Debug, serde::Serialize, serde::Deserialize)]
            struct $type(Vec<i64>);

            impl Travels for $type {
                const NAME: &'static str = $name;
                const VERSION: u16 = $version;
            }
        };
    }

    unlike!(Days, "days", 3);
    unlike!(NewerNumbers, "numbers", 4);

    #[test]
    fn a_value_comes_back_in_its_order() -> Result<()> {
        let bytes = write(Numbers(vec![5, -1, i64::MAX]))?;
        assert_eq!(read::<Numbers>(&bytes, "here")?, Numbers(vec![-1, 5, i64::MAX]));
        assert_eq!(write(Numbers(vec![i64::MAX, 5, -1]))?, bytes);
        Ok(())
    }

    #[test]
    fn what_is_not_the_value_is_refused_with_the_way_on() -> Result<()> {
        let bytes = write(Numbers(vec![1, 2]))?;
        let told = |error: Error| (error.kind(), error.to_string());
        let (kind, said) = told(read::<Days>(&bytes, "work/a").expect_err("another value"));
        assert_eq!(kind, Kind::State);
        assert!(
            said.starts_with("work/a holds the numbers, where the days is expected") && said.contains("run the stage"),
            "{said}"
        );
        let (_, said) = told(read::<NewerNumbers>(&bytes, "work/a").expect_err("another version"));
        assert!(said.contains("version 3 of its form, and this rfmill reads version 4"), "{said}");
        let (_, said) = told(read::<Numbers>(b"PAR1", "work/a").expect_err("another file"));
        assert!(said.contains("not a value that rfmill wrote"), "{said}");
        Ok(())
    }

    #[test]
    fn damage_anywhere_is_found() -> Result<()> {
        let bytes = write(Numbers((0..50).collect()))?;
        for at in 0..bytes.len() {
            assert!(read::<Numbers>(&bytes[..at], "here").is_err(), "cut after {at}");
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(read::<Numbers>(&changed, "here").is_err(), "changed at {at}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(read::<Numbers>(&longer, "here").is_err());
        Ok(())
    }
}
