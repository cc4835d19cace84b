//! What a sample shows of each column: how its values are written, which of them are equal, and where there are none.

use std::collections::{BTreeMap, HashMap};

use super::date_form::{DateForm, is_null_date};
use super::number_form::NumberForm;
use super::rows::{Header, More, Part, Reading, Size, Stored, Table};
use super::words::Words;
use crate::error::Result;

/// Rows that are looked at.
const ROWS: usize = 20_000;

/// Files that they are taken from; of a large table pieces.
const FILES: usize = 10;

/// Texts longer than this are neither dates nor numbers nor names of anything.
const LONG: usize = 96;

/// The rows that were looked at, column by column.
#[derive(Debug)]
pub struct Sample {
    /// Rows.
    pub rows: usize,
    /// Whether these are all rows of the table.
    pub is_whole: bool,
    /// The columns that a job can use.
    pub columns: Vec<Column>,
}

/// A column.
#[derive(Debug)]
pub struct Column {
    /// Its number in the table.
    pub at: usize,
    /// Its name.
    pub name: String,
    /// The words of its name.
    pub words: Words,
    /// Those of the part of its name that counts, if it has others: outside of brackets, or in the struct that holds most columns.
    pub core: Option<Words>,
    /// How its values are stored.
    pub stored: Stored,
    /// Whether it is a field of a struct.
    pub is_field: bool,
    /// Per row which of `values` it has, from 1; 0 is none.
    pub codes: Vec<u32>,
    /// Its different values.
    pub values: Vec<String>,
    /// Rows by value.
    pub counts: Vec<u32>,
    /// Rows without a value.
    pub nulls: usize,
    /// How its numbers are written, if all values are numbers.
    pub number: Option<NumberForm>,
    /// The numbers of `values`; none if they are no numbers.
    pub numbers: Vec<f64>,
    /// The forms of dates that all values have.
    pub dates: Vec<DateForm>,
}

impl Column {
    /// Rows with a value.
    pub fn filled(&self) -> usize {
        self.codes.len() - self.nulls
    }

    /// The share of rows without a value.
    pub fn null_share(&self) -> f64 {
        self.nulls as f64 / self.codes.len().max(1) as f64
    }

    /// The share of rows with a date that stands for none.
    pub fn null_date_share(&self) -> f64 {
        let rows: u64 = self
            .values
            .iter()
            .zip(&self.counts)
            .filter(|(value, _)| is_null_date(value))
            .map(|(_, count)| u64::from(*count))
            .sum();
        rows as f64 / self.codes.len().max(1) as f64
    }

    /// Whether its numbers are all whole.
    pub fn is_whole(&self) -> bool {
        !self.numbers.is_empty() && self.numbers.iter().all(|number| number.fract() == 0.0)
    }

    /// The share of rows with a value whose number passes a test.
    pub fn share_where(&self, test: impl Fn(f64) -> bool) -> f64 {
        let rows: u64 =
            self.numbers.iter().zip(&self.counts).filter(|(number, _)| test(**number)).map(|(_, count)| u64::from(*count)).sum();
        rows as f64 / self.filled().max(1) as f64
    }

    /// The number of a row.
    pub fn number_at(&self, row: usize) -> Option<f64> {
        let code = *self.codes.get(row)?;
        self.numbers.get(usize::try_from(code).ok()?.checked_sub(1)?).copied()
    }

    /// Whether it is text, as far as SQL and the job are concerned.
    pub fn is_text(&self) -> bool {
        matches!(self.stored, Stored::Text | Stored::Path)
    }
}

/// A column while its rows are read.
struct Growing {
    codes: Vec<u32>,
    known: HashMap<String, u32>,
    values: Vec<String>,
    counts: Vec<u32>,
}

/// Looks at rows of a table.
///
/// # Errors
/// As [`Table::each`].
pub fn sample(table: &Table, reading: &Reading) -> Result<Sample> {
    let used: Vec<usize> = (0..table.columns.len())
        .filter(|at| table.columns.get(*at).is_some_and(|column| column.stored != Stored::Other))
        .collect();
    let every = table.file_count().div_ceil(FILES).max(1);
    let (parts, quota): (Vec<Part>, usize) = match reading.is_all {
        true => {
            let parts: Vec<Part> = table.all().into_iter().step_by(every).collect();
            let quota = ROWS.div_ceil(parts.len().max(1));
            (parts, quota)
        }
        false => {
            let rows = ROWS.div_ceil(FILES);
            // Pieces of Parquet have as many rows as that; those of text have more.
            let quota = if matches!(reading.size, Size::Rows(_)) { usize::MAX } else { rows };
            (table.spread(FILES as u64, rows as u64)?, quota)
        }
    };
    let mut growing: Vec<Growing> = used
        .iter()
        .map(|_| Growing { codes: Vec::new(), known: HashMap::new(), values: Vec::new(), counts: Vec::new() })
        .collect();
    let (mut rows, mut is_whole) = (0, every == 1 && reading.is_all);
    for part in parts {
        let mut of_part = 0;
        table.each(&used, &[part], &mut |values| {
            if of_part == quota {
                is_whole = false;
                return Ok(More::NextPart);
            }
            for (column, value) in growing.iter_mut().zip(values) {
                column.push(*value);
            }
            of_part += 1;
            rows += 1;
            Ok(More::Wanted)
        })?;
    }
    let wrapper = wrapper(used.iter().filter_map(|at| table.columns.get(*at)).map(|header| header.name.as_str()));
    let mut columns: Vec<Column> = used
        .iter()
        .zip(growing)
        .filter_map(|(at, growing)| Some((*at, table.columns.get(*at)?, growing)))
        .map(|(at, header, growing)| growing.column(at, header, wrapper.as_deref()))
        .collect();
    join_number_forms(&mut columns);
    Ok(Sample { rows, is_whole, columns })
}

/// The struct that holds most columns, such as `fields` of `fields.customer` and `fields.total`.
fn wrapper<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all = 0;
    for name in names {
        all += 1;
        for (point, _) in name.match_indices('.') {
            *counts.entry(name.get(..point).unwrap_or_default()).or_default() += 1;
        }
    }
    // The deepest.
    let holding = counts.into_iter().filter(|(_, count)| count * 2 > all);
    holding.max_by_key(|(name, _)| name.len()).map(|(name, _)| name.to_owned())
}

impl Growing {
    fn push(&mut self, value: Option<&str>) {
        let Some(value) = value else { return self.codes.push(0) };
        let code = match self.known.get(value) {
            Some(code) => *code,
            None => {
                self.values.push(value.to_owned());
                self.counts.push(0);
                let code = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
                self.known.insert(value.to_owned(), code);
                code
            }
        };
        if let Some(count) = self.counts.get_mut(code as usize - 1) {
            *count += 1;
        }
        self.codes.push(code);
    }

    fn column(self, at: usize, header: &Header, wrapper: Option<&str>) -> Column {
        let Header { name, stored, is_field } = header;
        let Growing { codes, values, counts, .. } = self;
        let nulls = codes.iter().filter(|code| **code == 0).count();
        let is_short = values.iter().all(|value| value.len() <= LONG) && !values.is_empty();
        let texts = || values.iter().map(String::as_str);
        let number = match stored {
            Stored::Integer | Stored::Decimal | Stored::Float if !values.is_empty() => Some(NumberForm::plain()),
            Stored::Text if is_short => NumberForm::of(texts()),
            _ => None,
        };
        let float = |text: &str| text.parse().ok();
        let read = |text: &str| number.as_ref().and_then(|form| form.read(text).or_else(|| float(text)));
        let numbers: Vec<f64> =
            if number.is_some() { texts().map(|text| read(text).unwrap_or(f64::NAN)).collect() } else { Vec::new() };
        let dates = match stored {
            Stored::Text | Stored::Path | Stored::Date | Stored::Timestamp { .. } | Stored::Integer if is_short => {
                forms_of(&texts().collect::<Vec<_>>())
            }
            _ => Vec::new(),
        };
        Column {
            at,
            name: name.to_owned(),
            words: Words::of(name),
            core: Words::within(name, wrapper).or_else(|| Words::outside_brackets(name)),
            stored: stored.clone(),
            is_field: *is_field,
            codes,
            values,
            counts,
            nulls,
            number,
            numbers,
            dates,
        }
    }
}

/// The forms of dates that all of these values have, but for dates that stand for none.
pub fn forms_of(values: &[&str]) -> Vec<DateForm> {
    let mut values = values.iter().filter(|value| !is_null_date(value));
    let Some(first) = values.next() else { return Vec::new() };
    let mut forms = DateForm::of(first);
    for value in values {
        forms.retain(|form| form.read(value).is_some());
        if forms.is_empty() {
            break;
        }
    }
    // A fraction of a second may be there in none of them.
    if forms.iter().any(|form| !form.pattern.contains("%.f")) {
        forms.retain(|form| !form.pattern.contains("%.f"));
    }
    forms
}

/// A file has one way to write numbers: where one column shows that a comma stands before fractions, a point before three digits is a
/// mark of thousands in the others.
fn join_number_forms(columns: &mut [Column]) {
    let settled = |form: &&NumberForm| form.decimal_comma && !form.is_open;
    if !columns.iter().any(|column| column.number.as_ref().is_some_and(|form| settled(&form))) {
        return;
    }
    for column in columns.iter_mut().filter(|column| column.stored == Stored::Text) {
        let is_open = column.number.as_ref().is_some_and(|form| form.is_open);
        let has_point = is_open || column.values.iter().any(|value| value.contains('.'));
        let Some(own) = column.number.clone() else { continue };
        let form = NumberForm { decimal_comma: true, is_rewritten: true, is_open: false, ..own };
        let numbers: Option<Vec<f64>> = column.values.iter().map(|value| form.read(value)).collect();
        if let Some(numbers) = numbers.filter(|_| has_point) {
            column.numbers = numbers;
            column.number = Some(form);
        }
    }
}
