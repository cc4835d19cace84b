//! The values of events: exact integers from the columns that a job names for its kinds.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type};

use super::decode::{self, Integers, Problem};
use super::source::Source;
use crate::domain::{EventKind, pow10};
use crate::error::{Error, Result};
use crate::job::{Job, ValueColumn};

/// The columns of values that a run reads.
#[derive(Debug, Clone, Default)]
pub(super) struct EventValues {
    /// The columns, each once.
    pub columns: Vec<String>,
    /// By number of a kind: where its values are.
    of_kinds: Vec<Option<KindValues>>,
}

/// Where the values of a kind are.
#[derive(Debug, Clone)]
struct KindValues {
    kind: EventKind,
    /// Its index among the columns.
    column: usize,
    scale: u32,
}

/// The values of a batch of events, decoded as far as they are wanted.
pub(super) struct BatchValues<'a> {
    values: &'a EventValues,
    arrays: &'a [ArrayRef],
    /// By number of a kind: its column in integers of its scale, with the problems of rows, ascending.
    decoded: Vec<Option<Integers>>,
}

impl EventValues {
    /// The columns of the kinds whose values a run needs.
    pub fn of(job: &Job, needs: impl Fn(EventKind) -> bool) -> EventValues {
        let mut all = EventValues { columns: Vec::new(), of_kinds: vec![None; job.event_kinds.all.count()] };
        for (kind, ValueColumn { column, scale, .. }) in job.event_kinds.value_columns().filter(|(kind, _)| needs(*kind)) {
            let at = all.columns.iter().position(|known| known == column).unwrap_or_else(|| {
                all.columns.push(column.clone());
                all.columns.len() - 1
            });
            if let Some(of_kind) = all.of_kinds.get_mut(job.event_kinds.all.number(kind)) {
                *of_kind = Some(KindValues { kind, column: at, scale: u32::from(*scale) });
            }
        }
        all
    }

    /// Whether any is read.
    pub fn are_read(&self) -> bool {
        !self.columns.is_empty()
    }

    /// Those of a batch, whose columns of values these are.
    pub fn batch<'a>(&'a self, arrays: &'a [ArrayRef]) -> BatchValues<'a> {
        BatchValues { values: self, arrays, decoded: (0..self.of_kinds.len()).map(|_| None).collect() }
    }
}

impl BatchValues<'_> {
    /// The value of the event in a row, which is of the kind with this number; none if it has none.
    ///
    /// # Errors
    /// Exit 3, with `place` of the row, if it is no number of the kind's scale.
    pub fn get(&mut self, number: usize, row: usize, place: impl FnOnce() -> String) -> Result<Option<i64>> {
        let Some(Some(of_kind)) = self.values.of_kinds.get(number) else { return Ok(None) };
        let (Some(array), Some(decoded)) = (self.arrays.get(of_kind.column), self.decoded.get_mut(number)) else {
            return Err(Error::bug("a column of the values of events was not read"));
        };
        if decoded.is_none() {
            let mut integers = Integers::default();
            decode::money(&[array], of_kind.scale, &mut integers)?;
            *decoded = Some(integers);
        }
        let Some(integers) = decoded else { return Ok(None) };
        let problem = integers.problems.binary_search_by_key(&row, |(row, _)| *row).ok();
        let value = integers.values.get(row).copied();
        match problem.and_then(|at| integers.problems.get(at)).map(|(_, problem)| *problem) {
            None => match value {
                Some(value) if pow10(DIGITS).is_some_and(|limit| i128::from(value).abs() < limit) => Ok(Some(value)),
                _ => Err(self.wrong(of_kind, &place(), "a number of more than 18 digits", MANY)),
            },
            Some(Problem::Null) => Ok(None),
            Some(Problem::NonFinite) if is_nan(array, row) => Ok(None),
            Some(Problem::NonFinite) => Err(self.wrong(of_kind, &place(), "an infinite number", CORRECT)),
            Some(Problem::Finer) => {
                let found = format!("a number with more than {} digits behind the point", of_kind.scale);
                Err(self.wrong(of_kind, &place(), &found, FINER))
            }
            Some(Problem::Overflow | Problem::OutOfRange) => {
                Err(self.wrong(of_kind, &place(), "a number of more than 18 digits", MANY))
            }
        }
    }

    #[cold]
    fn wrong(&self, of_kind: &KindValues, place: &str, found: &str, next: &str) -> Error {
        let kind = of_kind.kind.name();
        let column = self.values.columns.get(of_kind.column).map_or("", String::as_str);
        Error::contract(format!(
            "{place}: column {column:?} (events.kinds.{kind}.value) holds {found}; {}",
            next.replace("KIND", kind)
        ))
    }
}

/// Digits of a value, as tables hold them.
const DIGITS: u32 = 18;
/// What to do about a value.
const CORRECT: &str = "correct it where the file is written, or leave it empty";
const FINER: &str = "raise events.kinds.KIND.scale, or round it where the file is written";
const MANY: &str = "lower events.kinds.KIND.scale, or correct it where the file is written";

/// The place of a row for errors.
pub(super) fn place(source: &Source, row: u64) -> String {
    format!("{}, row {}", source.name(), source.row_number(row))
}

fn is_nan(array: &ArrayRef, row: usize) -> bool {
    match array.data_type() {
        DataType::Float32 => array.as_primitive_opt::<Float32Type>().is_some_and(|values| values.value(row).is_nan()),
        DataType::Float64 => array.as_primitive_opt::<Float64Type>().is_some_and(|values| values.value(row).is_nan()),
        _ => false,
    }
}
