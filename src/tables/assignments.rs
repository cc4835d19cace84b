//! The assignment file that `assign` writes: one row per assigned customer, as Parquet or CSV.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, DictionaryArray, Int64Array, RecordBatch, StringArray, UInt16Array, UInt64Array,
};
use arrow::compute::cast;

use super::{ColumnDefinition, ColumnType, EncodedFile, TableDefinition, encode, escape_formula};
use crate::domain::{CustomerIds, Day, IdType};
use crate::error::{Error, Result};

/// The assigned customers; the columns beside `ids` have one entry per row.
#[derive(Debug, Clone)]
pub struct AssignedRows<'a> {
    /// Name of the strategy.
    pub strategy: &'a str,
    /// Customers, more than are assigned.
    pub ids: &'a CustomerIds,
    /// Type of their ids.
    pub kind: IdType,
    /// Places of the assigned customers in `ids`, in the order of the rows.
    pub rows: &'a [usize],
    /// The day they are assigned on.
    pub assigned_on: Day,
    /// Numbers of the arms, with their names.
    pub arms: CodedNames<'a>,
    /// Numbers of the states, with their names.
    pub states: CodedNames<'a>,
    /// Numbers of the strata, with their names.
    pub strata: CodedNames<'a>,
}

/// A column of names by number; at most 65,536 of them.
#[derive(Debug, Clone, Copy)]
pub struct CodedNames<'a> {
    /// Number of every row's name.
    pub codes: &'a [u32],
    /// The names.
    pub names: &'a [String],
}

impl<'a> CodedNames<'a> {
    fn get(&self, row: usize) -> &'a str {
        self.codes.get(row).and_then(|code| self.names.get(*code as usize)).map_or("", String::as_str)
    }

    fn array(&self) -> Result<ArrayRef> {
        let wrong = |e: arrow::error::ArrowError| Error::bug(format!("assignments cannot be put together: {e}")).caused_by(e);
        if self.names.len() > 1 << u16::BITS {
            let count = self.names.len();
            return Err(Error::contract(format!(
                "{count} strata are more than a file of assignments can number, which is 65536"
            )));
        }
        let codes: UInt16Array = self.codes.iter().map(|code| Some(*code as u16)).collect();
        Ok(Arc::new(DictionaryArray::try_new(codes, Arc::new(StringArray::from_iter_values(self.names))).map_err(wrong)?))
    }
}

/// The columns of the file, with customer ids of this type.
pub fn assigned(kind: IdType) -> TableDefinition {
    TableDefinition {
        name: "assignments",
        one_row_per: "assigned customer",
        columns: vec![
            ColumnDefinition::new("customer_id", ColumnType::Id(kind), "The customer, as the orders name them."),
            ColumnDefinition::new("arm", ColumnType::State, "The arm that was drawn."),
            ColumnDefinition::new("assigned_on", ColumnType::Date, "Day from which outcomes count."),
            ColumnDefinition::new("state", ColumnType::State, "State that the customer was drawn from."),
            ColumnDefinition::new("stratum", ColumnType::State, "Stratum within which arms are compared."),
        ],
    }
}

/// The file as Parquet, with the type of ids that the orders have.
///
/// # Errors
/// Exit 1 if Arrow refuses what we built.
pub fn assigned_parquet(of: &AssignedRows) -> Result<EncodedFile> {
    let table = assigned(of.kind);
    let schema = table.schema(true);
    let dates = Date32Array::from_value(of.assigned_on.0, of.rows.len());
    let columns = vec![of.id_array()?, of.arms.array()?, Arc::new(dates) as ArrayRef, of.states.array()?, of.strata.array()?];
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns)
        .map_err(|e| Error::bug(format!("assignments cannot be put together: {e}")).caused_by(e))?;
    encode(&table, &schema, &[&batch], of.strategy)
}

/// The file as CSV. Text that a spreadsheet would take for a formula has an apostrophe before it.
///
/// # Errors
/// Exit 3 if an id or a name holds a line break, which is refused where assignments are read; exit 1 if the CSV writer refuses
/// what we built.
pub fn assigned_csv(of: &AssignedRows) -> Result<Vec<u8>> {
    let wrong = |e: &dyn std::fmt::Display| Error::bug(format!("assignments cannot be written as CSV: {e}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header: Vec<String> = assigned(of.kind).columns.into_iter().map(|field| field.name).collect();
    writer.write_record(&header).map_err(|e| wrong(&e).caused_by(e))?;
    let day = of.assigned_on.to_string();
    let mut id = Vec::new();
    for (row, &at) in of.rows.iter().enumerate() {
        of.ids.write_text(of.kind, at, &mut id);
        let id = std::str::from_utf8(&id).map_err(|e| wrong(&e).caused_by(e))?;
        let id = if of.kind == IdType::Text { escape_formula(id) } else { id.into() };
        let (arm, state, stratum) =
            (escape_formula(of.arms.get(row)), escape_formula(of.states.get(row)), escape_formula(of.strata.get(row)));
        let fields = [&id, &arm, day.as_str(), &state, &stratum];
        if let Some((field, column)) = fields.iter().zip(&header).find(|(field, _)| field.contains(['\n', '\r'])) {
            return Err(Error::contract(format!(
                "{column} is {field:?}: a line break cannot stand in a CSV file of assignments; write Parquet, with a name that ends in .parquet"
            )));
        }
        writer.write_record(fields).map_err(|e| wrong(&e).caused_by(e))?;
    }
    writer.into_inner().map_err(|e| wrong(&e).caused_by(e))
}

impl AssignedRows<'_> {
    fn id_array(&self) -> Result<ArrayRef> {
        let wrong = |e: arrow::error::ArrowError| Error::bug(format!("assignments cannot be put together: {e}")).caused_by(e);
        let keys = match self.ids {
            CustomerIds::Text(texts) => {
                let texts = self.rows.iter().map(|at| std::str::from_utf8(texts.get(*at)).unwrap_or_default());
                return Ok(Arc::new(StringArray::from_iter_values(texts)));
            }
            CustomerIds::Int(keys) => self.rows.iter().map(|at| keys.get(*at).copied().unwrap_or_default()),
        };
        match self.kind {
            IdType::Unsigned(64) => {
                Ok(Arc::new(keys.map(|key| Some(CustomerIds::unsigned_of_key(key))).collect::<UInt64Array>()))
            }
            IdType::Decimal(_) => {
                let array: Decimal128Array = keys.map(|key| Some(i128::from(key))).collect();
                Ok(Arc::new(array.with_data_type(ColumnType::Id(self.kind).arrow())))
            }
            kind => cast(&keys.map(Some).collect::<Int64Array>(), &ColumnType::Id(kind).arrow()).map_err(wrong),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::StringIds;

    #[test]
    fn csv_is_safe_to_open() {
        let mut texts = StringIds::default();
        ["=cmd|'/c calc'!A1", "C,1", "0017"].iter().for_each(|id| texts.push(id.as_bytes()));
        let (arms, states) = (["control".to_owned(), "+mail".into()], ["At \"Risk\"".to_owned()]);
        let of = AssignedRows {
            strategy: "x",
            ids: &CustomerIds::Text(texts),
            kind: IdType::Text,
            rows: &[2, 0, 1],
            assigned_on: Day(0),
            arms: CodedNames { codes: &[0, 1, 1], names: &arms },
            states: CodedNames { codes: &[0; 3], names: &states },
            strata: CodedNames { codes: &[0; 3], names: &states },
        };
        let want = "customer_id,arm,assigned_on,state,stratum\n\
                    0017,control,1970-01-01,\"At \"\"Risk\"\"\",\"At \"\"Risk\"\"\"\n\
                    '=cmd|'/c calc'!A1,'+mail,1970-01-01,\"At \"\"Risk\"\"\",\"At \"\"Risk\"\"\"\n\
                    \"C,1\",'+mail,1970-01-01,\"At \"\"Risk\"\"\",\"At \"\"Risk\"\"\"\n";
        assert_eq!(String::from_utf8(assigned_csv(&of).unwrap()).unwrap(), want);
    }

    /// What reading would refuse is not written.
    #[test]
    fn csv_has_no_line_breaks_within_fields() {
        let mut texts = StringIds::default();
        texts.push(b"C\n1");
        let names = ["a".to_owned()];
        let one = CodedNames { codes: &[0], names: &names };
        let ids = CustomerIds::Text(texts);
        let of = AssignedRows {
            strategy: "x",
            ids: &ids,
            kind: IdType::Text,
            rows: &[0],
            assigned_on: Day(0),
            arms: one,
            states: one,
            strata: one,
        };
        let error = assigned_csv(&of).unwrap_err();
        assert_eq!(error.kind(), crate::error::Kind::Contract);
        assert!(error.to_string().starts_with("customer_id is \"C\\n1\": a line break"), "{error}");
        assert_eq!(assigned_parquet(&of).unwrap().rows, 1);
    }

    #[test]
    fn ids_keep_their_type() {
        let names = ["a".to_owned()];
        let one = CodedNames { codes: &[0], names: &names };
        let largest = CustomerIds::key_of_unsigned(u64::MAX);
        for (kind, key, text) in [
            (IdType::Signed(8), -5, "-5"),
            (IdType::Unsigned(16), 5, "5"),
            (IdType::Signed(64), i64::MIN, "-9223372036854775808"),
            (IdType::Unsigned(64), largest, "18446744073709551615"),
        ] {
            let ids = CustomerIds::Int(vec![key]);
            let of = AssignedRows {
                strategy: "x",
                ids: &ids,
                kind,
                rows: &[0],
                assigned_on: Day(0),
                arms: one,
                states: one,
                strata: one,
            };
            assert_eq!(*of.id_array().unwrap().data_type(), ColumnType::Id(kind).arrow());
            assert_eq!(assigned_parquet(&of).unwrap().rows, 1);
            let lines = String::from_utf8(assigned_csv(&of).unwrap()).unwrap();
            assert_eq!(lines.lines().nth(1), Some(format!("{text},a,1970-01-01,a,a").as_str()));
        }
    }
}
