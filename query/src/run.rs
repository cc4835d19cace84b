//! Plans a query, runs it in the streaming engine and writes its result.

use std::path::Path;

use polars::prelude::*;
use polars::sql::SQLContext;
use rfmill_query_request::{Done, Failure, OrderColumns, RepeatedMoney, Request, Source, Task};

use crate::exact;
use crate::failure::{Result, bad_cast, contract, engine, io, root};
use crate::memory;
use crate::sources::{CsvFiles, Table, count_rows, first_fault, tables};
use crate::sql::{self, Checked};
use crate::values::{BadValue, money};

/// Digits of money behind those of the job, so that what it cannot hold is seen and not rounded.
const MORE_DIGITS: u32 = 4;

/// Rows of a row group of the result: enough to read fast, and few enough that several of them, on their way to the file, take little
/// memory.
const GROUP_ROWS: usize = 1 << 18;

/// Runs a request.
///
/// # Errors
/// Exit 2: SQL that cannot be; exit 3: values that cannot be cast, columns that are missing, files that break their form; exit 4:
/// files that cannot be read; exit 7: no room.
pub fn run(request: &Request) -> Result<Done> {
    let checked = sql::check(request)?;
    let mut csv = CsvFiles::open(request, &checked.names)?;
    loop {
        let done = attempt(request, &checked, &csv);
        // A query that failed may have read a file that was cut within quotes, and one that did not may have left rows unread.
        if csv.settle(request)? {
            continue;
        }
        let source_rows = match request.task {
            Task::Plan => request.sources.iter().map(|source| vec![None; source.files.len()]).collect(),
            Task::Run => request.sources.iter().map(|source| csv.rows(source)).collect(),
        };
        return done.map(|done| Done { source_rows, peak_memory: memory::peak(), ..done });
    }
}

/// Runs a request over files whose form is taken for granted.
fn attempt(request: &Request, checked: &Checked, csv: &CsvFiles) -> Result<Done> {
    let bad = BadValue::default();
    let tables = tables(request, &checked.names, checked.names_rows, csv, &bad)?;
    let failed = |error: PolarsError| failure(request, &tables, csv, &bad, &error);
    let mut context = SQLContext::new();
    for table in &tables {
        context.register(&table.name, table.frame.clone());
    }
    let mut frame = context.execute(&request.sql).map_err(failed)?;
    exact::check(request, &frame)?;
    frame = shaped(request, frame, &bad)?;
    let mut done = Done::default();
    match request.task {
        Task::Plan => {
            done.plan = Some(frame.describe_optimized_plan().map_err(failed)?);
            let schema = frame.collect_schema().map_err(failed)?;
            write(DataFrame::empty_with_schema(&schema).lazy(), &request.output).map_err(failed)?;
        }
        Task::Run => {
            write(frame, &request.output).map_err(failed)?;
            let result = || LazyFrame::scan_parquet(engine_path(&request.output)?, ScanArgsParquet::default());
            done.rows = result().and_then(count_rows).map_err(failed)?;
            done.repeated_money = repeated_money(request, checked, result).map_err(failed)?;
        }
    }
    Ok(done)
}

fn engine_path(path: &Path) -> PolarsResult<PlRefPath> {
    PlRefPath::try_from_path(path)
}

/// Runs a query into a Parquet file.
fn write(frame: LazyFrame, path: &Path) -> PolarsResult<()> {
    let options = ParquetWriteOptions {
        compression: ParquetCompression::Snappy,
        row_group_size: Some(GROUP_ROWS),
        ..ParquetWriteOptions::default()
    };
    let target = SinkDestination::File { target: SinkTarget::Path(engine_path(path)?) };
    let format = FileWriteFormat::Parquet(options.into());
    frame.sink(target, format, UnifiedSinkArgs::default())?.collect_with_engine(Engine::Streaming).map(|_| ())
}

/// The result with the columns that the job needs, as Parquet holds them.
fn shaped(request: &Request, mut frame: LazyFrame, bad: &BadValue) -> Result<LazyFrame> {
    let key = &request.key;
    let schema = frame.collect_schema().map_err(|e| engine(key, &e))?;
    for column in &request.columns {
        if !schema.contains(&column.name) {
            let names: Vec<&str> = schema.iter_names().map(PlSmallStr::as_str).take(40).collect();
            return Err(contract(format!(
                "{key} gives no column {:?} ({}); it gives {}. Name it in the SELECT, with AS where it has another name",
                column.name,
                column.key,
                names.join(", ")
            )));
        }
    }
    let scale = request.amount_scale + MORE_DIGITS;
    let is_money = |name: &str| request.columns.iter().any(|column| column.is_money && column.name == name);
    let mut changed = Vec::new();
    for (name, dtype) in schema.iter() {
        match dtype {
            DataType::String if is_money(name) => changed.push(money(name, scale, bad)),
            DataType::Int128 | DataType::UInt128 => changed.push(col(name.clone()).strict_cast(DataType::Decimal(38, 0))),
            dtype if dtype.is_categorical() || dtype.is_enum() => changed.push(col(name.clone()).strict_cast(DataType::String)),
            _ => {}
        }
    }
    Ok(if changed.is_empty() { frame } else { frame.with_columns(changed) })
}

/// After a join, the orders of several rows, and those that carry the same money on each: the whole order's, perhaps.
fn repeated_money(
    request: &Request,
    checked: &Checked,
    result: impl Fn() -> PolarsResult<LazyFrame>,
) -> PolarsResult<Option<RepeatedMoney>> {
    let Some(OrderColumns { customer, order, amount }) = request.orders.as_ref().filter(|_| checked.joins) else {
        return Ok(None);
    };
    let has = |name: &str| col(name).is_not_null();
    let orders = result()?
        .filter(has(order).and(has(customer)))
        .group_by([col(customer.as_str()), col(order.as_str())])
        .agg([
            len().cast(DataType::UInt64).alias("rows"),
            col(amount.as_str()).min().alias("least"),
            col(amount.as_str()).max().alias("most"),
        ])
        .filter(col("rows").gt(lit(1u64)));
    let same = col("least").eq(col("most")).and(col("least").neq(lit(0)));
    let counts = orders
        .select([
            len().cast(DataType::UInt64).alias("orders"),
            same.clone().cast(DataType::UInt64).sum().alias("repeated"),
            col("rows").filter(same).sum().alias("rows"),
        ])
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let count = |name: &str| -> PolarsResult<u64> { Ok(counts.column(name)?.get(0)?.extract::<u64>().unwrap_or(0)) };
    Ok(Some(RepeatedMoney { orders: count("orders")?, repeated: count("repeated")?, rows: count("rows")? }))
}

/// Why a query failed, with the row of the value where one could not be read.
fn failure(request: &Request, tables: &[Table], csv: &CsvFiles, bad: &BadValue, error: &PolarsError) -> Failure {
    let place = |column: &str, value: &str| place(request, tables, csv, column, value);
    if let Some(bad) = bad.take() {
        let place = place(&bad.column, &bad.value);
        return contract(format!("{}: {place}column {:?} holds {:?}, which {}", request.key, bad.column, bad.value, bad.why));
    }
    if let PolarsError::IO { error, .. } = root(error) {
        return io(&format!("read or write what {} needs", request.key), error);
    }
    match bad_cast(&root(error).to_string()) {
        Some(cast) => {
            let value = cast.values.first().cloned().unwrap_or_default();
            let place = place(&cast.column, &value);
            contract(format!(
                "{}: {place}column {:?} holds {value:?}, which cannot be cast to {}; correct the data, or use TRY_CAST, which gives null",
                request.key, cast.column, cast.to
            ))
        }
        None => first_fault(&request.sources).unwrap_or_else(|| engine(&request.key, error)),
    }
}

/// The first row of a source that has a text in a column of that name, as the beginning of a sentence; nothing if none has, because
/// the query had changed the value.
fn place(request: &Request, tables: &[Table], csv: &CsvFiles, column: &str, value: &str) -> String {
    for table in tables {
        let mut frame = table.written.clone();
        let is_text = frame.collect_schema().is_ok_and(|schema| schema.get(column) == Some(&DataType::String));
        if !is_text {
            continue;
        }
        let found = frame.with_row_index("row in the source", Some(1)).filter(col(column).eq(lit(value))).limit(1);
        let row = found
            .select([col("row in the source")])
            .collect_with_engine(Engine::Streaming)
            .ok()
            .and_then(|found| found.unwrap_single().column("row in the source").ok()?.get(0).ok()?.extract::<u64>());
        let source = request.sources.iter().find(|source| source.name == table.name);
        if let (Some(row), Some(source)) = (row, source) {
            return in_file(source, &csv.rows(source), row);
        }
    }
    String::new()
}

/// The file of a row of a source, and its number there.
fn in_file(source: &Source, rows: &[Option<u64>], mut row: u64) -> String {
    for (file, rows) in source.files.iter().zip(rows) {
        match rows {
            Some(rows) if row > *rows => row -= rows,
            Some(_) => return format!("{}, row {row}: ", file.name),
            None if source.files.len() == 1 => return format!("{}, row {row}: ", file.name),
            None => break,
        }
    }
    format!("source {:?}, row {row}: ", source.name)
}
