//! The written form of grouped sums: keys in order, and the sums of each.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::column::Arity;
use super::grouped::GroupedSums;

/// Sums of columns by group, without what depends on how they were added up.
#[derive(Serialize, Deserialize)]
struct WrittenSums {
    arities: Vec<Arity>,
    /// Whether they are sums of joined rows.
    is_joined: bool,
    nullable_column: Option<usize>,
    /// Ascending.
    keys: Vec<u128>,
    /// The integers of every group, group by group.
    sums: Vec<i128>,
}

impl Serialize for GroupedSums {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut keys: Vec<u128> = self.keys().collect();
        keys.sort_unstable();
        let sums = keys.iter().flat_map(|key| self.integers(*key)).collect();
        let (arities, is_joined, nullable_column) = self.shape();
        WrittenSums { arities: arities.to_vec(), is_joined, nullable_column, keys, sums }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for GroupedSums {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<GroupedSums, D::Error> {
        let WrittenSums { arities, is_joined, nullable_column, keys, sums } = WrittenSums::deserialize(deserializer)?;
        let mut grouped = match is_joined {
            true => GroupedSums::of_joined_rows(arities),
            false => GroupedSums::of_rows(arities, nullable_column),
        };
        if keys.len().checked_mul(grouped.width()) != Some(sums.len()) || !keys.is_sorted_by(|a, b| a < b) {
            return Err(de::Error::custom("sums that are not as many as their keys ask for"));
        }
        for (key, integers) in keys.iter().zip(sums.chunks_exact(grouped.width())) {
            grouped.add_integers(*key, integers);
        }
        Ok(grouped)
    }
}
