//! Which slices and values of dimensions a report shows, where there are more than a reader looks at.
//!
//! A column with a value per shop or postcode makes tables of millions of rows. A report takes those of the largest groups; the
//! tables have all.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Date32Type, Int64Type, UInt32Type};

use crate::domain::ALL;
use crate::error::{Error, Result};

/// Slices that a report shows, and values of a dimension.
const MOST: usize = 200;

/// Groups that a report shows of a dimension, over all slices that it shows.
const MOST_IN_SLICES: usize = 1_000;

/// Values of a dimension that a report shows, even with many slices.
const FEWEST: usize = 10;

/// Counts customers per slice and per value of each dimension, at the last as-of date.
#[derive(Debug, Default)]
pub struct GroupSizes {
    as_of: Option<i32>,
    slices: BTreeMap<String, i64>,
    dimensions: BTreeMap<String, BTreeMap<String, i64>>,
}

/// The groups that a report shows.
#[derive(Debug, Clone, Default)]
pub struct ShownGroups {
    /// The slices, if they are not all.
    slices: Option<BTreeSet<String>>,
    /// The values of the dimensions of which some are not shown.
    dimensions: BTreeMap<String, BTreeSet<String>>,
    /// How many groups the tables have at the last as-of date: slices, each with its total and the values of dimensions.
    pub all: usize,
}

impl GroupSizes {
    /// Whether groups are counted in this table.
    pub fn counts(table: &str) -> bool {
        table == "segments"
    }

    /// Counts the rows of a batch of `segments`; later as-of dates replace earlier ones.
    ///
    /// # Errors
    /// Exit 5 if a column is missing or of another type.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let column = |name: &str| batch.column_by_name(name).ok_or_else(|| unusable(name));
        let days = column("as_of")?.as_primitive_opt::<Date32Type>().ok_or_else(|| unusable("as_of"))?.values();
        let Some(last) = days.iter().max() else { return Ok(()) };
        if self.as_of.is_none_or(|as_of| as_of < *last) {
            *self = GroupSizes { as_of: Some(*last), ..GroupSizes::default() };
        }
        let slices = Names::of(column("slice")?)?;
        let (dimensions, values) = (Names::of(column("dimension")?)?, Names::of(column("dimension_value")?)?);
        let customers = column("customers")?.as_primitive_opt::<Int64Type>().ok_or_else(|| unusable("customers"))?;
        let mut sizes: BTreeMap<[usize; 3], i64> = BTreeMap::new();
        for (row, _) in days.iter().enumerate().filter(|(_, day)| self.as_of == Some(**day)) {
            let key = [slices.number(row), dimensions.number(row), values.number(row)];
            *sizes.entry(key).or_default() += if customers.is_valid(row) { customers.value(row) } else { 0 };
        }
        for ([slice, dimension, value], customers) in sizes {
            let (slice, dimension, value) = (slices.name(slice), dimensions.name(dimension), values.name(value));
            match dimension == ALL {
                true => *self.slices.entry(slice.into()).or_default() += customers,
                false => *self.dimensions.entry(dimension.into()).or_default().entry(value.into()).or_default() += customers,
            }
        }
        Ok(())
    }

    /// The groups to show: the largest.
    pub fn shown(self) -> ShownGroups {
        let slice_count = self.slices.len();
        let all = slice_count * (1 + self.dimensions.values().map(BTreeMap::len).sum::<usize>());
        let slices = largest(self.slices, MOST);
        let in_each = (MOST_IN_SLICES / slices.as_ref().map_or(slice_count, BTreeSet::len).max(1)).clamp(FEWEST, MOST);
        let dimensions =
            self.dimensions.into_iter().filter_map(|(name, values)| Some((name, largest(values, in_each)?))).collect();
        ShownGroups { slices, dimensions, all }
    }
}

/// The names with the largest numbers, of equal ones the first; `None` if that is all of them.
fn largest(sizes: BTreeMap<String, i64>, most: usize) -> Option<BTreeSet<String>> {
    if sizes.len() <= most {
        return None;
    }
    let mut sizes: Vec<(String, i64)> = sizes.into_iter().collect();
    sizes.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    Some(sizes.into_iter().take(most).map(|(name, _)| name).collect())
}

impl ShownGroups {
    /// Whether the rows of a slice are shown.
    pub fn has_slice(&self, slice: &str) -> bool {
        self.slices.as_ref().is_none_or(|shown| shown.contains(slice))
    }

    /// The rows of a batch of any table that are of groups to be shown.
    ///
    /// # Errors
    /// Exit 5 if a column is of another type.
    pub fn rows(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let column = |name: &str| batch.column_by_name(name).map(Names::of).transpose();
        let mut keep = vec![true; batch.num_rows()];
        if let Some((shown, slices)) = self.slices.as_ref().zip(column("slice")?) {
            slices.keep_rows(&mut keep, |name| shown.contains(name));
        }
        if let Some((dimensions, values)) = column("dimension")?.zip(column("dimension_value")?) {
            for (name, shown) in &self.dimensions {
                let is_shown: Vec<bool> = values.names().map(|value| shown.contains(value)).collect();
                let is_of = |row: usize| dimensions.name(dimensions.number(row)) == name;
                let is_kept = |row: usize| is_shown.get(values.number(row)).is_none_or(|shown| *shown);
                keep.iter_mut().enumerate().for_each(|(row, keep)| *keep &= !is_of(row) || is_kept(row));
            }
        }
        if keep.iter().all(|keep| *keep) {
            return Ok(batch.clone());
        }
        filter_record_batch(batch, &BooleanArray::from(keep))
            .map_err(|e| Error::bug(format!("rows of a report cannot be chosen: {e}")).caused_by(e))
    }
}

fn unusable(column: &str) -> Error {
    Error::new(
        crate::error::Kind::State,
        format!("column {column} of table segments is missing or of another type; run the job again with this version of rfmill"),
    )
}

/// A column of names, each with a number.
struct Names(ArrayRef);

impl Names {
    fn of(array: &ArrayRef) -> Result<Names> {
        let kind = DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8));
        cast(array, &kind).map(Names).map_err(|e| Error::bug(format!("names of groups cannot be read: {e}")).caused_by(e))
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.as_dictionary::<UInt32Type>().values().as_string::<i32>().iter().map(Option::unwrap_or_default)
    }

    /// The number of a row's name; that of none for null.
    fn number(&self, row: usize) -> usize {
        self.0.as_dictionary::<UInt32Type>().key(row).unwrap_or(usize::MAX)
    }

    fn name(&self, number: usize) -> &str {
        let names = self.0.as_dictionary::<UInt32Type>().values().as_string::<i32>();
        if number < names.len() { names.value(number) } else { "" }
    }

    fn keep_rows(&self, keep: &mut [bool], is_kept: impl Fn(&str) -> bool) {
        let kept: Vec<bool> = self.names().map(is_kept).collect();
        keep.iter_mut().enumerate().for_each(|(row, keep)| *keep &= kept.get(self.number(row)).is_none_or(|kept| *kept));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Date32Array, Int64Array, StringArray};

    use super::*;

    /// Date, slice, dimension, value and customers.
    type SizeRow<'a> = (i32, String, &'a str, String, i64);

    fn segments(rows: &[SizeRow<'_>]) -> RecordBatch {
        let text = |of: fn(&SizeRow<'_>) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values(rows.iter().map(of))) };
        RecordBatch::try_from_iter([
            ("as_of", Arc::new(Date32Array::from_iter_values(rows.iter().map(|row| row.0))) as ArrayRef),
            ("slice", text(|row| row.1.clone())),
            ("dimension", text(|row| row.2.to_owned())),
            ("dimension_value", text(|row| row.3.clone())),
            ("customers", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.4)))),
        ])
        .expect("a batch")
    }

    #[test]
    fn the_largest_groups_of_the_last_date_are_shown() -> Result<()> {
        let all = || ALL.to_owned();
        let mut rows = vec![(1, all(), ALL, all(), 9_000), (2, all(), ALL, all(), 9_000)];
        for city in 0..300i64 {
            // Large cities of the first date are small at the second.
            rows.push((1, all(), "city", format!("city {city}"), city));
            rows.push((2, all(), "city", format!("city {city}"), 300 - city));
            rows.push((2, all(), "plan", format!("plan {}", city % 3), 1));
        }
        let batch = segments(&rows);
        let mut sizes = GroupSizes::default();
        // Files give their rows in batches.
        sizes.add(&batch.slice(0, 400))?;
        sizes.add(&batch.slice(400, batch.num_rows() - 400))?;
        let shown = sizes.shown();
        assert_eq!(shown.all, 304, "the total, 300 cities and 3 plans");
        let kept = shown.rows(&batch)?;
        let names = Names::of(kept.column(3))?;
        let cities: BTreeSet<&str> = names.names().filter(|name| name.starts_with("city")).collect();
        let wanted: BTreeSet<String> = (0..200).map(|city| format!("city {city}")).collect();
        let kept_rows: BTreeSet<String> = (0..kept.num_rows()).map(|row| names.name(names.number(row)).to_owned()).collect();
        assert!(cities.len() >= 200);
        assert_eq!(kept_rows.into_iter().filter(|name| name.starts_with("city")).collect::<BTreeSet<_>>(), wanted);
        assert_eq!(kept.num_rows(), 2 + 2 * 200 + 300);
        Ok(())
    }

    #[test]
    fn few_groups_are_all_shown() -> Result<()> {
        let all = || ALL.to_owned();
        let rows: Vec<_> = (0..MOST).map(|slice| (1, format!("shop {slice}"), ALL, all(), 1)).collect();
        let mut sizes = GroupSizes::default();
        sizes.add(&segments(&rows))?;
        assert_eq!(sizes.shown().rows(&segments(&rows))?.num_rows(), MOST);
        let rows: Vec<_> =
            (0..=MOST).map(|slice| (1, format!("shop {slice:03}"), ALL, all(), 1 + i64::from(slice == MOST))).collect();
        let mut sizes = GroupSizes::default();
        sizes.add(&segments(&rows))?;
        let kept = sizes.shown().rows(&segments(&rows))?;
        let names = Names::of(kept.column(1))?;
        assert_eq!(kept.num_rows(), MOST);
        // The largest, and of equal ones the first.
        assert_eq!(names.name(names.number(MOST - 1)), "shop 200");
        assert_eq!(names.name(names.number(MOST - 2)), "shop 198");
        Ok(())
    }
}
