//! Rows of tables. A [`table!`] declares a table once, as a struct of its row: every field is a column, its type gives the
//! column's, and the doc comment behind it is the column's description. Schema, writing and reading follow from that, by name.

use arrow::array::RecordBatch;
use rayon::prelude::*;

use super::cell::{Cell, ColumnBuilder, TypeOfColumn, Unfit, Value};
use super::definition::{ColumnDefinition, TableDefinition};
use crate::error::{Error, Kind, Result};

/// A column as its table declares it.
#[derive(Debug)]
pub struct Column<R> {
    /// Its name.
    pub name: &'static str,
    /// Its cell in a row.
    pub cell: fn(&R) -> Value,
    pub(crate) doc: &'static str,
    pub(crate) kind: TypeOfColumn,
}

/// A row of a table, made by [`table!`].
pub trait Row: Sized + Sync + 'static {
    /// The table.
    const TABLE: &'static str;
    /// What a row stands for.
    const ONE_ROW_PER: &'static str;
    /// Its columns in order.
    const COLUMNS: &'static [Column<Self>];

    /// The rows of a batch of `table`, read by column name. A column that the batch lacks is null.
    ///
    /// # Errors
    /// Exit 5 if a column has another type, or is null where the row needs it.
    fn from_batch(table: &str, batch: &RecordBatch) -> Result<Vec<Self>>;

    /// The table, where money has `money_scale` digits after the point.
    fn definition(money_scale: i8) -> TableDefinition {
        let define =
            |column: &Column<Self>| ColumnDefinition::new(column.name, (column.kind)(money_scale), column.doc.trim_ascii_start());
        let columns = Self::COLUMNS.iter().map(define).collect();
        TableDefinition { name: Self::TABLE, one_row_per: Self::ONE_ROW_PER, columns }
    }
}

/// The rows as a batch with the columns of `table`, found by name.
///
/// # Errors
/// As [`BatchBuilder`].
pub fn to_batch<R: Row>(rows: &[R], table: &TableDefinition) -> Result<RecordBatch> {
    let mut batch = BatchBuilder::new(table)?;
    batch.add(rows)?;
    batch.finish()
}

/// A batch with the columns of a table, found by name, while its rows come some at a time.
pub struct BatchBuilder<'a, R: Row> {
    table: &'a TableDefinition,
    columns: Vec<(&'static Column<R>, ColumnBuilder)>,
}

impl<'a, R: Row> BatchBuilder<'a, R> {
    /// A batch without rows.
    ///
    /// # Errors
    /// Exit 1 if a column is not among those of the row, which is a bug.
    pub fn new(table: &'a TableDefinition) -> Result<BatchBuilder<'a, R>> {
        let column = |definition: &ColumnDefinition| {
            let column = R::COLUMNS.iter().find(|column| column.name == definition.name);
            column.zip(ColumnBuilder::new(definition.kind)).ok_or_else(|| unfit(table, &definition.name))
        };
        Ok(BatchBuilder { table, columns: table.columns.iter().map(column).collect::<Result<_>>()? })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// Exit 3 if a column has more different names than it can number; exit 1 if a cell is not of its column's type, which is a
    /// bug.
    pub fn add(&mut self, rows: &[R]) -> Result<()> {
        let table = self.table;
        self.columns.par_iter_mut().try_for_each(|(column, builder)| {
            rows.iter().try_for_each(|row| builder.push((column.cell)(row))).map_err(|why| match why {
                Unfit::Kind => unfit(table, column.name),
                Unfit::TooManyDigits(digits) => {
                    let (column, table) = (column.name, &table.name);
                    let advice =
                        if digits < 38 { "set output.wide_sums = true" } else { "give the job a smaller orders.amount_scale" };
                    Error::contract(format!("a sum of the column {column} of table {table} has over {digits} digits; {advice}"))
                }
                Unfit::TooManyNames => {
                    let most = 1u32 << u16::BITS;
                    Error::contract(format!(
                        "the column {} of table {} has over {most} different values; leave the table out of output.tables",
                        column.name, table.name
                    ))
                }
            })
        })
    }

    /// The batch.
    ///
    /// # Errors
    /// Exit 1 if Arrow refuses it, which is a bug.
    pub fn finish(mut self) -> Result<RecordBatch> {
        let columns = self.columns.iter_mut().map(|(column, builder)| (column.name, builder.finish())).collect();
        self.table.batch(&self.table.schema(true), columns)
    }
}

fn unfit(table: &TableDefinition, column: &str) -> Error {
    Error::bug(format!("rows of {} do not fit the column {column}", table.name))
}

/// The cells of a column by its name, for `from_batch` of [`table!`].
pub(crate) fn cells<T: Cell>(table: &str, column: &str, batch: &RecordBatch) -> Result<Vec<T>> {
    let unusable = |what: String| {
        Error::new(Kind::State, format!("column {column} of table {table} {what}; run the job again with this version of rfmill"))
    };
    let values = match batch.column_by_name(column) {
        Some(array) => Value::of_column(array)
            .ok_or_else(|| unusable(format!("is of type {}, which the report cannot read", array.data_type())))?,
        None => vec![Value::Null; batch.num_rows()],
    };
    let cell = |(row, value)| {
        T::from_value(value).ok_or_else(|| unusable(format!("is missing, null or of another type in row {}", row + 1)))
    };
    values.into_iter().enumerate().map(cell).collect()
}

/// Declares a table: `ROW in "NAME", one row per "WHAT": COLUMN: TYPE, /// DESCRIPTION …`.
///
/// The type of a field is a [`Cell`], which names that of the column. `as` names another one: a `ColumnType`, or `Average`,
/// which is money with two digits more. An `Option` is a column that may be null, in the table or because a report suppresses it.
macro_rules! table {
    (
        $row:ident in $table:literal, one row per $per:literal:
        $($column:ident: $type:ty $(as $kind:ident)?, $(#[doc = $doc:literal])+)+
    ) => {
        #[doc = concat!("A row of `", $table, "`: one per ", $per, ".")]
        #[derive(Debug, Clone, PartialEq)]
        pub struct $row {
            $($(#[doc = $doc])+ pub $column: $type,)+
        }

        impl $crate::tables::Row for $row {
            const TABLE: &'static str = $table;
            const ONE_ROW_PER: &'static str = $per;
            const COLUMNS: &'static [$crate::tables::Column<Self>] = &[$($crate::tables::Column {
                name: stringify!($column),
                cell: |row| $crate::tables::Cell::to_value(&row.$column),
                doc: concat!($($doc),+),
                kind: $crate::tables::row::table!(@type $type $(as $kind)?),
            }),+];

            fn from_batch(table: &str, batch: &arrow::array::RecordBatch) -> $crate::error::Result<Vec<Self>> {
                $(let mut $column = $crate::tables::row::cells::<$type>(table, stringify!($column), batch)?.into_iter();)+
                Ok((0..batch.num_rows()).map_while(|_| Some($row { $($column: $column.next()?,)+ })).collect())
            }
        }
    };
    (@type $type:ty) => { <$type as $crate::tables::Cell>::TYPE };
    (@type $type:ty as Average) => { |scale| $crate::tables::ColumnType::Decimal(38, scale + 2) };
    (@type $type:ty as $kind:ident) => { |_| $crate::tables::ColumnType::$kind };
}
pub(crate) use table;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::ArrayRef;
    use arrow::datatypes::Schema;

    use super::*;
    use crate::tables::{ColumnType, EffectRow};

    /// An effect whose numbers all differ.
    fn effect() -> EffectRow {
        let numbers: Vec<ArrayRef> = (EffectRow::COLUMNS.iter().enumerate())
            .map(|(at, column)| {
                let kind = (column.kind)(2);
                let value = match kind {
                    ColumnType::Double => Value::Double(at as f64 + 0.5),
                    ColumnType::Int64 => Value::Int(at as i64),
                    ColumnType::Date => Value::Date(crate::domain::Day(at as i32)),
                    ColumnType::Boolean => Value::Bool(true),
                    _ => Value::Text(column.name.into()),
                };
                ColumnBuilder::of(std::iter::once(value), kind).expect("a column")
            })
            .collect();
        let table = EffectRow::definition(2);
        let batch = RecordBatch::try_new(table.schema(true), numbers).expect("a batch");
        EffectRow::from_batch("effects", &batch).expect("rows").remove(0)
    }

    /// Two columns of one type may change places in a file or in a definition: rows are read and written by name.
    #[test]
    fn exchanged_columns_keep_their_values() {
        let effect = effect();
        let table = EffectRow::definition(2);
        let place = |name: &str| table.columns.iter().position(|column| column.name == name).expect("a column");
        let (low, high) = (place("net_margin_low"), place("net_margin_high"));
        assert_ne!(effect.net_margin_low, effect.net_margin_high);
        assert_eq!(table.columns[low].kind, table.columns[high].kind);

        let batch = to_batch(std::slice::from_ref(&effect), &table).expect("a batch");
        let (mut fields, mut columns) = (batch.schema().fields().to_vec(), batch.columns().to_vec());
        fields.swap(low, high);
        columns.swap(low, high);
        let exchanged = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("a batch");
        assert_eq!(EffectRow::from_batch("effects", &exchanged).expect("rows"), std::slice::from_ref(&effect));

        let mut exchanged = table.clone();
        exchanged.columns.swap(low, high);
        let batch = to_batch(std::slice::from_ref(&effect), &exchanged).expect("a batch");
        assert_eq!(batch.schema().field(low).name(), "net_margin_high");
        assert_eq!(EffectRow::from_batch("effects", &batch).expect("rows"), [effect]);
    }

    #[test]
    fn batches_hold_the_columns_of_their_table_and_no_others() {
        let table = EffectRow::definition(2);
        let batch = to_batch(&[effect()], &table).expect("a batch");
        let schema = table.schema(true);
        let names = table.columns.iter().map(|column| column.name.as_str());
        let mut arrays: Vec<(&str, ArrayRef)> = names.zip(batch.columns().iter().cloned()).collect();
        arrays.reverse();
        assert_eq!(table.batch(&schema, arrays.clone()).expect("a batch"), batch);
        let last = arrays.pop().expect("a column");
        let message = table.batch(&schema, arrays.clone()).expect_err("a column is missing").to_string();
        assert!(message.contains("the column strategy is missing"), "{message}");
        arrays.extend([("other", Arc::clone(&last.1)), last]);
        let message = table.batch(&schema, arrays).expect_err("a column too many").to_string();
        assert!(message.contains("it has no column other"), "{message}");
    }

    #[test]
    fn a_column_that_the_row_needs_must_be_there() {
        let batch = to_batch(&[effect()], &EffectRow::definition(2)).expect("a batch");
        let without = |name: &str| {
            let keep: Vec<usize> = (0..batch.num_columns()).filter(|at| batch.schema().field(*at).name() != name).collect();
            EffectRow::from_batch("effects", &batch.project(&keep).expect("columns"))
        };
        assert_eq!(without("net_margin_low").expect("rows")[0].net_margin_low, None);
        let message = without("arm").expect_err("no arm").to_string();
        assert!(message.starts_with("column arm of table effects is missing, null or of another type in row 1"), "{message}");
    }
}
