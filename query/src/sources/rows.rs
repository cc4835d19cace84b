//! The rows of CSV files as a table of the engine, of which each thread reads a part at a time, and of that the columns that are asked
//! for. The engine's own reader of CSV takes short rows and open quotes without a word, and looks at each byte twice more.
//!
//! The engine gives a function the rows of a table in pieces, and tells it no more than what is in them. So the table under that
//! function has nothing but row numbers, [`SPAN`] of them for each part, under the name of every column; the optimizer leaves out
//! those that nobody needs, and the function returns the text of the others.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use polars::prelude::*;
use polars_plan::dsl::DslPlan;
use polars_plan::plans::{DslFunction, FunctionIR};
use rfmill_query_request::CsvFormat;

use super::csv::CsvFile;
use super::parts::{Found, Parts};

/// Row numbers that stand for a part: as many as the engine gives at once, so that it gives one part at a time.
const SPAN: usize = 100_000;

/// The column of row numbers.
const NUMBER: &str = "part";

/// The rows of files with the same columns, one below the other; `name` tells them from those of other files.
pub fn table(name: String, files: &[&CsvFile], format: &CsvFormat) -> LazyFrame {
    let columns = files.first().map_or(&[][..], |file| &file.columns);
    let part = |file: &&CsvFile| {
        let parts = file.parts.clone();
        (0..parts.count()).map(move |number| Part { parts: parts.clone(), number })
    };
    let parts: Vec<Part> = files.iter().flat_map(part).collect();
    let span = SPAN.min(IdxSize::MAX as usize / parts.len().max(1));
    let numbers = DataFrame::empty_with_height(parts.len() * span).lazy().with_row_index(NUMBER, None);
    let numbers = numbers.select(columns.iter().map(|column| col(NUMBER).alias(column.as_str())).collect::<Vec<_>>());
    let reader = Reader {
        parts,
        span,
        fields: columns.iter().enumerate().map(|(field, name)| (name.as_str().into(), field)).collect(),
        has_header: format.header,
        null_values: format.null_values.clone(),
        rows: AtomicUsize::new(0),
    };
    LazyFrame::from(DslPlan::MapFunction {
        input: Arc::new(numbers.logical_plan),
        function: DslFunction::FunctionIR(FunctionIR::Opaque {
            function: Arc::new(move |numbers: DataFrame| reader.read(&numbers)),
            schema: Some(Arc::new(|numbers: &Schema| Ok(Arc::new(as_text(numbers))))),
            predicate_pd: false,
            projection_pd: true,
            streamable: true,
            fmt_str: name.into(),
        }),
    })
}

fn as_text(numbers: &Schema) -> Schema {
    numbers.iter_names().map(|name| Field::new(name.clone(), DataType::String)).collect()
}

/// A part of a file.
struct Part {
    parts: Arc<Parts>,
    number: usize,
}

/// Reads the parts for which row numbers stand.
struct Reader {
    parts: Vec<Part>,
    span: usize,
    /// The columns, and the fields that hold them.
    fields: BTreeMap<PlSmallStr, usize>,
    has_header: bool,
    null_values: Vec<String>,
    /// Rows of the part that was read last, by which memory is taken for the next.
    rows: AtomicUsize,
}

impl Reader {
    /// The rows of the parts whose first row number is among those given, in the columns that these have.
    fn read(&self, numbers: &DataFrame) -> PolarsResult<DataFrame> {
        let mut builders = Vec::new();
        let mut slots = vec![None; self.fields.len()];
        for (slot, column) in numbers.columns().iter().enumerate() {
            let field = self.fields.get(column.name()).and_then(|field| slots.get_mut(*field));
            *field.ok_or_else(|| polars_err!(ColumnNotFound: "{}", column.name()))? = Some(slot);
            builders.push(StringChunkedBuilder::new(column.name().clone(), self.rows.load(Ordering::Relaxed)));
        }
        let first = match numbers.columns().first() {
            Some(column) if numbers.height() > 0 => column.get(0)?.extract::<usize>().unwrap_or(0),
            Some(_) => 0,
            None => polars_bail!(ComputeError: "a CSV file without columns"),
        };
        let mut rows = 0;
        for part in first.div_ceil(self.span)..(first + numbers.height()).div_ceil(self.span) {
            if let Some(part) = self.parts.get(part) {
                rows += self.read_part(part, &slots, &mut builders)?;
            }
        }
        self.rows.store(rows, Ordering::Relaxed);
        DataFrame::new(rows, builders.into_iter().map(|builder| builder.finish().into_column()).collect())
    }

    /// Appends the rows of a part, and gives how many.
    fn read_part(&self, part: &Part, slots: &[Option<usize>], builders: &mut [StringChunkedBuilder]) -> PolarsResult<usize> {
        let header = usize::from(self.has_header && part.number == 0);
        let mut record = 0;
        let found = part.parts.read(part.number, |number, field| {
            record += usize::from(number == 0);
            let Some(Some(slot)) = slots.get(number) else { return };
            let Some(builder) = builders.get_mut(*slot).filter(|_| record > header) else { return };
            if self.null_values.iter().any(|null| null == field.text) {
                builder.append_null();
            } else if field.has_quotes {
                builder.append_value(field.text.replace("\"\"", "\""));
            } else {
                builder.append_value(field.text);
            }
        })?;
        match found {
            Found::Records(records) => Ok(records as usize - header.min(records as usize)),
            Found::Fault => Err(polars_err!(ComputeError: "a part of a CSV file has a fault")),
        }
    }
}
