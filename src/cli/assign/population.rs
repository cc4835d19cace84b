//! The committed `customers` of an as-of date, with the columns that a draw of arms needs.

use std::collections::HashMap;
use std::path::Path;

use arrow::array::{Array, StringViewArray};
use arrow::datatypes::DataType;
use rayon::prelude::*;

use crate::domain::{CustomerIds, IdType, StringIds};
use crate::error::{Error, Result, suggestion};
use crate::input::column_types::id_type;
use crate::input::decode::{self, Integers};
use crate::input::files;
use crate::input::reader::FileReader;
use crate::input::schema::read_schema;
use crate::input::source::Source;
use crate::storage::Place;

/// Customers with some of their columns; all columns have one length.
#[derive(Debug, Clone)]
pub(super) struct Population {
    /// Type of the customer ids.
    pub kind: IdType,
    /// The customers, each once.
    pub ids: CustomerIds,
    /// The columns of states that were asked for, in that order.
    pub columns: Vec<DictionaryColumn>,
    /// The money that was asked for, 0 where it is null; empty if none was.
    pub money: Vec<i64>,
}

/// A column of names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DictionaryColumn {
    /// Index into `names` per customer.
    pub codes: Vec<u32>,
    /// The names, ascending.
    pub names: Vec<String>,
}

/// Which columns and rows to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct PopulationRequest<'a> {
    /// Columns of states, with the flag that names each.
    pub columns: &'a [(&'a str, &'static str)],
    /// The slice whose customers count.
    pub slice: Option<&'a str>,
    /// A column of money.
    pub money: Option<&'a str>,
}

/// The name for a null state.
const NO_STATE: &str = "(none)";

/// Reads the customers of a folder of Parquet files.
///
/// # Errors
/// Exit 2 if a column or slice is not there; exit 4 if a file cannot be read.
pub(super) fn read(folder: &Place, wanted: &PopulationRequest) -> Result<Population> {
    let inputs =
        files::find(&[(folder.to_string(), folder.local().map(Path::to_owned).unwrap_or_default())], "the output folder")?.files;
    let sources: Vec<Source> = inputs.into_iter().map(|input| Source::open(input, None)).collect::<Result<_>>()?;
    let first = sources.first().ok_or_else(|| Error::bug("a folder of customers without files"))?;
    let table = CustomersColumns::find(first, folder, wanted)?;
    let tasks: Vec<(&Source, usize)> =
        sources.iter().flat_map(|s| (0..s.metadata.metadata().num_row_groups()).map(move |group| (s, group))).collect();
    let parts: Vec<Result<RowGroupColumns>> = tasks.into_par_iter().map(|(source, group)| table.read(source, group)).collect();
    let mut all = RowGroupColumns::default();
    for part in parts {
        all.append(part?);
    }
    if let Some(slice) = wanted.slice {
        table.keep_slice(&mut all, slice)?;
    }
    let count = wanted.columns.len();
    let columns = all.texts.into_iter().take(count).map(DictionaryBuilder::finish).collect();
    let ids = match table.kind {
        IdType::Text => CustomerIds::Text(all.text_ids),
        _ => CustomerIds::Int(all.keys),
    };
    Ok(Population { kind: table.kind, ids, columns, money: all.money })
}

/// The columns that are read, and where they are.
struct CustomersColumns {
    kind: IdType,
    names: Vec<String>,
    /// How many columns of names follow the id: the wanted ones, and the slice.
    texts: usize,
    money: Option<usize>,
    scale: u32,
}

impl CustomersColumns {
    fn find(source: &Source, folder: &Place, wanted: &PopulationRequest) -> Result<CustomersColumns> {
        let schema = read_schema(source);
        let field = |name: &str| schema.fields().iter().find(|f| f.name() == name);
        let id = field("customer_id")
            .ok_or_else(|| Error::input(format!("{} has no column \"customer_id\"; run the job again", source.name())))?;
        let mut names = vec!["customer_id".to_owned()];
        let sliced = field("slice").is_some();
        for (column, flag) in wanted.columns {
            let is_text = field(column).is_some_and(|f| *f.data_type() == DataType::Utf8View);
            if !is_text {
                let texts = schema.fields().iter().filter(|f| *f.data_type() == DataType::Utf8View && f.name() != "customer_id");
                let texts: Vec<&str> = texts.map(|f| f.name().as_str()).collect();
                return Err(Error::usage(format!(
                    "{flag} names {column:?}, which is no column of states in {folder}{} (columns: {}); name one of them",
                    suggestion(column, texts.iter().copied()),
                    texts.join(", ")
                )));
            }
            names.push((*column).to_owned());
        }
        match (wanted.slice, sliced) {
            (Some(_), true) => names.push("slice".into()),
            (None, false) => {}
            (None, true) => {
                return Err(Error::usage(format!(
                    "the customers in {folder} stand once in every slice; name the slice to draw from with --slice"
                )));
            }
            (Some(slice), false) => {
                return Err(Error::usage(format!(
                    "--slice is {slice:?}, but the customers in {folder} have no slices; remove it"
                )));
            }
        }
        let texts = names.len() - 1;
        let (money, scale) = match wanted.money.and_then(field).map(|f| f.data_type()) {
            Some(DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale)) => (Some(names.len()), (*scale).max(0) as u32),
            _ => (None, 0),
        };
        names.extend(money.and(wanted.money).map(str::to_owned));
        Ok(CustomersColumns { kind: id_type(id.data_type())?, names, texts, money, scale })
    }

    fn read(&self, source: &Source, group: usize) -> Result<RowGroupColumns> {
        let reader = FileReader::new(source, &self.names, "")?;
        let file = source.reopen()?;
        let mut part = RowGroupColumns::default();
        part.texts.resize_with(self.texts, DictionaryBuilder::default);
        reader.read(&file, group, &mut Vec::new(), |_, columns| {
            let column =
                |at: usize| columns.get(at).ok_or_else(|| Error::bug("a column of the customers is missing from its batch"));
            match self.kind {
                IdType::Text => {
                    let texts = decode::texts(column(0)?)?;
                    (0..texts.len()).for_each(|row| part.text_ids.push(texts.value(row).as_bytes()));
                }
                _ => {
                    let mut keys = Vec::new();
                    decode::keys(column(0)?, &mut keys, |_, id| Error::bug(format!("the customers table has the id {id}")))?;
                    part.keys.extend(keys);
                }
            }
            for (at, values) in part.texts.iter_mut().enumerate() {
                let texts: &StringViewArray = decode::texts(column(at + 1)?)?;
                let name = |row: usize| if texts.is_null(row) { NO_STATE } else { texts.value(row) };
                (0..texts.len()).for_each(|row| values.push(name(row)));
            }
            if let Some(at) = self.money {
                let mut money = Integers::default();
                decode::money(&[column(at)?], self.scale, &mut money)?;
                part.money.extend(money.values);
            }
            Ok(())
        })?;
        Ok(part)
    }

    /// Leaves only the customers of a slice, whose column is the last.
    fn keep_slice(&self, all: &mut RowGroupColumns, slice: &str) -> Result<()> {
        let slices = all.texts.pop().unwrap_or_default();
        let Some(code) = slices.names.iter().position(|name| name == slice) else {
            let found = slices.finish().names;
            return Err(Error::usage(format!(
                "--slice is {slice:?}, in which no customer stands{} (slices: {}); name one of them",
                suggestion(slice, found.iter().map(String::as_str)),
                found.iter().take(20).cloned().collect::<Vec<_>>().join(", ")
            )));
        };
        let keep: Vec<bool> = slices.codes.iter().map(|c| *c as usize == code).collect();
        retain(&mut all.keys, &keep);
        if self.kind == IdType::Text {
            let mut kept = StringIds::default();
            keep.iter().enumerate().filter(|(_, keep)| **keep).for_each(|(row, _)| kept.push(all.text_ids.get(row)));
            all.text_ids = kept;
        }
        all.texts.iter_mut().for_each(|text| retain(&mut text.codes, &keep));
        retain(&mut all.money, &keep);
        Ok(())
    }
}

fn retain<T>(values: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    values.retain(|_| keep.next() == Some(&true));
}

/// The columns of a row group, or of all.
#[derive(Debug, Default)]
struct RowGroupColumns {
    keys: Vec<i64>,
    text_ids: StringIds,
    texts: Vec<DictionaryBuilder>,
    money: Vec<i64>,
}

impl RowGroupColumns {
    fn append(&mut self, other: RowGroupColumns) {
        self.keys.extend(other.keys);
        (0..other.text_ids.len()).for_each(|at| self.text_ids.push(other.text_ids.get(at)));
        self.texts.resize_with(other.texts.len(), DictionaryBuilder::default);
        for (all, own) in self.texts.iter_mut().zip(other.texts) {
            let codes: Vec<u32> = own.names.iter().map(|name| all.code(name)).collect();
            all.codes.extend(own.codes.iter().filter_map(|code| codes.get(*code as usize)));
        }
        self.money.extend(other.money);
    }
}

/// A column of names while it is read, with codes in the order of their first use.
#[derive(Debug, Default)]
struct DictionaryBuilder {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
    codes: Vec<u32>,
}

impl DictionaryBuilder {
    fn code(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    fn push(&mut self, name: &str) {
        let code = self.code(name);
        self.codes.push(code);
    }

    /// Renumbers the names that are still used in their order.
    fn finish(self) -> DictionaryColumn {
        let mut used = vec![false; self.names.len()];
        self.codes.iter().filter_map(|code| used.get_mut(*code as usize).map(|u| *u = true)).for_each(drop);
        let mut order: Vec<usize> = (0..self.names.len()).filter(|at| used.get(*at) == Some(&true)).collect();
        order.sort_unstable_by_key(|at| self.names.get(*at));
        let mut numbers = vec![0u32; self.names.len()];
        for (number, at) in (0..).zip(&order) {
            if let Some(own) = numbers.get_mut(*at) {
                *own = number;
            }
        }
        let codes = self.codes.iter().filter_map(|code| numbers.get(*code as usize).copied()).collect();
        DictionaryColumn { codes, names: order.into_iter().filter_map(|at| self.names.get(at).cloned()).collect() }
    }
}
