//! The written form of grouped sums: keys in order, and the sums of each.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::column::Arity;
use super::grids::CellKey;
use super::grouped::GroupedSums;
use crate::stats::{GridCell, GridSecond};

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
    /// The columns with grids.
    grid_columns: Vec<(usize, GridSecond)>,
    /// The cells of grids: key, position of the column, bins, and rows; ascending by the first three.
    cells: Vec<(u128, usize, (i16, i16), GridCell)>,
}

impl Serialize for GroupedSums {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut keys: Vec<u128> = self.keys().collect();
        keys.sort_unstable();
        let sums = keys.iter().flat_map(|key| self.integers(*key)).collect();
        let (arities, is_joined, nullable_column) = self.shape();
        let grid_columns = self.grid_columns().to_vec();
        let cell = |(key, CellKey { column, bins, .. }, rows)| (key, column, bins, rows);
        let mut cells: Vec<(u128, usize, (i16, i16), GridCell)> = self.grid_cells().map(cell).collect();
        cells.sort_unstable_by_key(|(key, column, bins, _)| (*key, *column, *bins));
        let arities = arities.to_vec();
        WrittenSums { arities, is_joined, nullable_column, keys, sums, grid_columns, cells }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for GroupedSums {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<GroupedSums, D::Error> {
        let written = WrittenSums::deserialize(deserializer)?;
        let WrittenSums { arities, is_joined, nullable_column, keys, sums, grid_columns, cells } = written;
        if grid_columns.iter().any(|(column, _)| *column >= arities.len()) {
            return Err(de::Error::custom("a grid of a column that is not summed"));
        }
        let mut grouped = match is_joined {
            true => GroupedSums::of_joined_rows(arities),
            false => GroupedSums::of_rows(arities, nullable_column),
        }
        .with_grids(grid_columns);
        if keys.len().checked_mul(grouped.width()) != Some(sums.len()) || !keys.is_sorted_by(|a, b| a < b) {
            return Err(de::Error::custom("sums that are not as many as their keys ask for"));
        }
        for (key, integers) in keys.iter().zip(sums.chunks_exact(grouped.width())) {
            grouped.add_integers(*key, integers);
        }
        for (key, column, bins, rows) in cells {
            if keys.binary_search(&key).is_err() || column >= grouped.grid_columns().len() {
                return Err(de::Error::custom("a cell of a grid that is not announced"));
            }
            grouped.add_grid_cell(key, (column, bins), rows);
        }
        Ok(grouped)
    }
}
