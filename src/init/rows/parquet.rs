//! Parquet files: their columns, and their rows as texts.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::parts::Piece;
use super::table::{Header, More, Stored, Visit};
use crate::error::{Error, Result};
use crate::input::reader::FileReader;
use crate::input::schema::read_schema;
use crate::input::source::Source;

/// The columns of a file, and those of its path.
pub fn look(source: &Source) -> Vec<Header> {
    let schema = read_schema(source);
    let fields = schema.fields().iter().map(|field| Header {
        name: field.name().clone(),
        stored: stored(field.data_type()),
        is_field: false,
    });
    let mut headers: Vec<Header> = fields.collect();
    for (name, _) in &source.input.partitions {
        if !headers.iter().any(|header| header.name == *name) {
            headers.push(Header { name: name.clone(), stored: Stored::Path, is_field: false });
        }
    }
    headers
}

fn stored(data_type: &DataType) -> Stored {
    match data_type {
        DataType::Utf8View => Stored::Text,
        DataType::Boolean => Stored::Boolean,
        DataType::Date32 | DataType::Date64 => Stored::Date,
        DataType::Timestamp(_, zone) => Stored::Timestamp { zoned: zone.is_some() },
        DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) if *scale >= 0 => Stored::Decimal,
        DataType::Float32 | DataType::Float64 => Stored::Float,
        data_type if data_type.is_integer() => Stored::Integer,
        _ => Stored::Other,
    }
}

/// Calls `visit` with these columns of every row of a piece.
pub fn each(source: &Source, piece: &Piece, names: &[&str], visit: &mut Visit<'_>) -> Result<()> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let reader = FileReader::new(source, &names, "")?;
    let file = source.reopen()?;
    let mut buffers = Vec::new();
    let mut is_enough = false;
    let all = 0..u64::MAX;
    let (groups, ranges) = match piece {
        Piece::Rows { group, ranges } => (*group..*group + 1, ranges.as_slice()),
        _ => (0..source.metadata.metadata().num_row_groups(), std::slice::from_ref(&all)),
    };
    for group in groups {
        let read = reader.read(&file, group, &mut buffers, |first, columns| {
            let end = first + columns.first().map_or(0, |column| column.len() as u64);
            for range in ranges {
                let (from, to) = (range.start.max(first), range.end.min(end));
                if from < to && !is_enough {
                    is_enough = batch(&columns_within(columns, from - first, to - from), visit)? == More::NextPart;
                }
            }
            is_enough |= ranges.last().is_none_or(|last| last.end <= end);
            // The reader goes on to the end of the row group unless it fails.
            if is_enough { Err(Error::bug("a sample is complete")) } else { Ok(()) }
        });
        match read {
            Err(_) if is_enough => return Ok(()),
            read => read?,
        }
    }
    Ok(())
}

fn columns_within(columns: &[ArrayRef], from: u64, length: u64) -> Vec<ArrayRef> {
    columns.iter().map(|column| column.slice(from as usize, length as usize)).collect()
}

fn batch(columns: &[ArrayRef], visit: &mut Visit<'_>) -> Result<More> {
    let options = FormatOptions::default();
    let columns: Vec<ArrayRef> = columns.iter().map(with_offset).collect();
    let shown = columns
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
        .collect::<std::result::Result<Vec<_>, _>>();
    let shown = shown.map_err(|e| Error::bug(format!("a column cannot be shown: {e}")))?;
    let rows = columns.first().map_or(0, |column| column.len());
    for row in 0..rows {
        let texts: Vec<Option<String>> = columns
            .iter()
            .zip(&shown)
            .map(|(column, shown)| (!column.is_null(row)).then(|| shown.value(row).to_string()))
            .collect();
        let values: Vec<Option<&str>> = texts.iter().map(|text| text.as_deref().filter(|text| !text.is_empty())).collect();
        if visit(&values)? == More::NextPart {
            return Ok(More::NextPart);
        }
    }
    Ok(More::Wanted)
}

/// Instants with an offset in place of the name of a zone, which the library cannot show.
fn with_offset(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Timestamp(_, Some(_)) => cast(column, &DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())))
            .unwrap_or_else(|_| Arc::clone(column)),
        _ => Arc::clone(column),
    }
}
