//! The same orders give the same bytes: on any number of threads, in any files, in any physical form, in any time zone and
//! locale of the machine. That a limit of memory changes none is tested in `memory`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{cast, concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema};
use jiff::civil::Date;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::WriterProperties;
use rfmill::internals::hash::sha256;
use rfmill::internals::sample::{self, SampleSpec};

use crate::support::cases::Rng;
use crate::support::run::{Workshop, files_below, said, table_hashes};

/// Order lines, slices, several dates, every kind of measure, all tables.
const JOB: &str = r#"
name = "determinism"
[orders]
path = "data"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"
order_id = "order_id"
slice = "region"
category = "category"
discount = "discount"
timezone = "Europe/Berlin"
max_rejected = 0.1
[[orders.keep]]
column = "status"
in = ["paid", "shipped", "returned"]
[periods]
as_of = [2023-06-30, 2024-02-29, 2024-12-31]
[score]
lookback = "12 months"
levels = "median"
[score.frequency]
method = "ntile"
[schemes]
lifecycle = "recency_windows"
warning = "churn_warning"
value = "eight_value"
[output]
path = "out"
report = []
cohorts_by = ["first_category", "first_discounted"]
"#;

/// A folder with the job and sample orders.
fn shop() -> Workshop {
    let shop = Workshop::new();
    let mut spec = SampleSpec::new(60_000, 3, Date::constant(2023, 1, 1), Date::constant(2024, 12, 31));
    spec.string_ids = true;
    spec.bad_rows = 99;
    sample::write(&spec, &shop.path("data"), &|_| ()).expect("a sample");
    shop.write("job.toml", JOB);
    shop
}

/// Runs the job into a fresh output folder.
fn run(shop: &Workshop, arguments: &[&str]) -> BTreeMap<String, String> {
    let _ = fs::remove_dir_all(shop.path("out"));
    let output = shop.run(arguments);
    assert!(output.status.success(), "{}", said(&output));
    hashes(&shop.path("out/latest"))
}

/// The hash of every table file of a run, by its path in it.
fn hashes(folder: &Path) -> BTreeMap<String, String> {
    let hashes = table_hashes(folder);
    for table in ["customers/as_of=2024-12-31", "cutpoints", "segments", "ledger"] {
        assert!(hashes.keys().any(|path| path.starts_with(table)), "{table} is missing in {:?}", hashes.keys());
    }
    hashes
}

/// All but the ledger, which names files.
fn without_ledger(mut hashes: BTreeMap<String, String>) -> BTreeMap<String, String> {
    hashes.retain(|path, _| !path.starts_with("ledger"));
    hashes
}

#[test]
fn threads_change_no_byte() {
    let shop = shop();
    let one = run(&shop, &["--quiet", "--threads", "1"]);
    for threads in ["2", "8"] {
        assert_eq!(one, run(&shop, &["--quiet", "--threads", threads]), "{threads} threads");
    }
}

#[test]
fn time_zone_and_locale_of_the_machine_change_no_byte() {
    let shop = shop();
    let usual = run(&shop, &["--quiet"]);
    for zone in ["Asia/Shanghai", "America/New_York", "nowhere"] {
        let _ = fs::remove_dir_all(shop.path("out"));
        let output = shop.command().args(["run", "job.toml", "--quiet"]).env("TZ", zone).output().expect("the program");
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(usual, hashes(&shop.path("out/latest")), "{zone}");
    }
    for locale in ["de_DE.UTF-8", "tr_TR.UTF-8", "C"] {
        let _ = fs::remove_dir_all(shop.path("out"));
        let output = shop.command().args(["run", "job.toml", "--quiet"]).env("LC_ALL", locale).env("LANG", locale).output();
        assert!(output.is_ok_and(|output| output.status.success()), "{locale}");
        assert_eq!(usual, hashes(&shop.path("out/latest")), "{locale}");
    }
}

/// All rows of the sample in one batch.
fn all_rows(folder: &Path) -> RecordBatch {
    let open = |path: &Path| ParquetRecordBatchReaderBuilder::try_new(File::open(path).expect("a file")).expect("a Parquet file");
    let files = files_below(folder);
    let batches: Vec<_> = files.iter().flat_map(|path| open(path).build().expect("a reader")).map(|b| b.expect("rows")).collect();
    concat_batches(&batches[0].schema(), &batches).expect("one schema")
}

fn write(path: &Path, batch: &RecordBatch, group: usize) {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group)).build();
    let mut writer =
        ArrowWriter::try_new(File::create(path).expect("a file"), batch.schema(), Some(properties)).expect("a writer");
    writer.write(batch).expect("rows");
    writer.close().expect("a footer");
}

/// Strings in another encoding, decimals in another precision.
fn recoded(batch: &RecordBatch, text: &DataType) -> RecordBatch {
    let columns = batch.columns().iter().map(|column| -> ArrayRef {
        let kind = match column.data_type() {
            DataType::Utf8 | DataType::Dictionary(..) => text.clone(),
            DataType::Decimal64(_, scale) => DataType::Decimal128(30, *scale),
            other => other.clone(),
        };
        cast(column, &kind).expect("the same values")
    });
    let columns: Vec<ArrayRef> = columns.collect();
    let fields = batch
        .schema()
        .fields()
        .iter()
        .zip(&columns)
        .map(|(f, c)| Field::new(f.name(), c.data_type().clone(), true))
        .collect::<Vec<_>>();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("the same columns")
}

#[test]
fn how_the_rows_are_stored_changes_no_byte() {
    let shop = shop();
    let before = without_ledger(run(&shop, &["--quiet"]));
    let rows = all_rows(&shop.path("data"));
    let mut rng = Rng::new(5);
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let ways =
        [(1, 1 << 20, DataType::Utf8), (7, 1_000, dictionary), (3, 10_000, DataType::LargeUtf8), (40, 333, DataType::Utf8View)];
    for (files, group, text) in ways {
        fs::remove_dir_all(shop.path("data")).expect("the last way");
        fs::create_dir(shop.path("data")).expect("a new folder");
        let mut order: Vec<u32> = (0..rows.num_rows() as u32).collect();
        rng.shuffle(&mut order);
        let batch = recoded(&take_record_batch(&rows, &UInt32Array::from(order)).expect("all rows"), &text);
        let size = batch.num_rows().div_ceil(files);
        for number in 0..files {
            let start = number * size;
            let part = batch.slice(start, size.min(batch.num_rows() - start));
            write(&shop.path(&format!("data/{}.parquet", (number * 17) % 41)), &part, group);
        }
        assert_eq!(before, without_ledger(run(&shop, &["--quiet"])), "{files} files, row groups of {group}, {text}");
    }
}

#[test]
fn a_rerun_is_recognised_and_other_dates_join() {
    let shop = shop();
    let whole = run(&shop, &[]);
    let again = shop.run(&[]);
    assert!(again.status.success() && String::from_utf8_lossy(&again.stderr).contains("already computed"), "{}", said(&again));
    assert_eq!(whole, hashes(&shop.path("out/latest")));

    let customers = |date: &str| {
        let files = files_below(&shop.path(&format!("out/tables/customers/as_of={date}")));
        files.iter().map(|path| sha256(&fs::read(path).expect("a file"))).collect::<Vec<_>>()
    };
    let dates = ["2023-06-30", "2024-02-29", "2024-12-31"];
    let before = dates.map(customers);
    assert!(before.iter().all(|files| !files.is_empty()));
    let other = shop.run(&["--quiet", "--as-of", "2024-09-30"]);
    assert!(other.status.success(), "{}", said(&other));
    assert_eq!(before, dates.map(customers), "the first run's dates stay");
    assert!(!customers("2024-09-30").is_empty());
    for table in ["cutpoints", "segments"] {
        for date in dates.into_iter().chain(["2024-09-30"]) {
            assert!(!files_below(&shop.path(&format!("out/tables/{table}/as_of={date}"))).is_empty(), "{table} of {date}");
        }
    }
}
