//! Files that were made to mislead: their headers and footers lie, or they are far larger inside than outside.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};

use super::flips::{CHECKED, PLAIN, rewritten, with_deltas};
use super::mill::{Came, Mill};
use super::thrift::{Parts, Value};
use crate::fixture::{Bench, assert_message, dates, ints as integers, orders, orders_but, parquet_bytes, texts};

/// The orders of the tests without compression, with both versions of pages.
fn plain() -> Vec<u8> {
    rewritten(Compression::UNCOMPRESSED, WriterVersion::PARQUET_1_0)
}

/// The refusal of a changed file.
#[track_caller]
fn refusal(mill: &Mill, file: &[u8], expected: &str) {
    let began = Instant::now();
    match mill.run(file) {
        Came::Refused(error) => {
            assert_eq!(error.kind().exit_code(), 4, "{error}");
            assert!(error.to_string().contains("orders.parquet"), "{error}");
            assert!(error.to_string().contains(expected), "\n   found: {error}\nexpected: {expected}");
        }
        other => panic!("{other:?}, expected {expected}"),
    }
    assert!(began.elapsed() < Duration::from_secs(10));
}

/// Changes one page header after the other.
fn with_header(file: &[u8], column: i64, page: usize, change: impl Fn(&mut Value)) -> Vec<u8> {
    let mut parts = Parts::of(file);
    let (at, mut header, length) = parts.page(0, column, page).unwrap();
    change(&mut header);
    parts.replace_header(0, column, at, length, &header);
    parts.bytes()
}

#[test]
fn a_destroyed_beginning_is_refused() {
    let mill = Mill::new(PLAIN, "");
    for at in 0..4 {
        let mut file = PLAIN.to_vec();
        file[at] ^= 0x20;
        refusal(&mill, &file, "it begins like");
    }
}

#[test]
fn files_one_after_the_other_are_refused() {
    let small = parquet_bytes(&orders());
    let mill = Mill::new(PLAIN, "");
    for (first, second) in [(PLAIN, PLAIN), (CHECKED, PLAIN), (PLAIN, CHECKED), (&small, PLAIN), (PLAIN, &small)] {
        let both = [first, second].concat();
        refusal(
            &mill,
            &both,
            &format!("is several Parquet files, one after the other (the last one begins at byte {})", first.len()),
        );
        refusal(&mill, &[&both, second].concat(), "is several Parquet files, one after the other");
    }
}

#[test]
fn bytes_that_no_footer_names_are_passed_over() {
    // Padding before the footer, as Hadoop writes it, and a note of the writer's own.
    for between in [vec![0; 100_000], b"written by nobody".to_vec()] {
        let mill = Mill::new(PLAIN, "");
        let mut parts = Parts::of(PLAIN);
        parts.body.extend_from_slice(&between);
        assert!(matches!(mill.run(&parts.bytes()), Came::Same));
    }
}

#[test]
fn headers_that_lie_are_refused() {
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY] {
            let file = rewritten(compression, version);
            let mill = Mill::new(&file, "");
            let data = if version == WriterVersion::PARQUET_1_0 { 5 } else { 8 };
            // The amounts, behind their dictionary.
            let lie = |path: &'static [i64], to: i64| with_header(&file, 3, 1, |header| header.set(path, to));
            for values in [0, 1, 199, 201, 1 << 30, i64::from(i32::MAX), -1] {
                let path: &'static [i64] = if data == 5 { &[5, 1] } else { &[8, 1] };
                refusal(&mill, &lie(path, values), "values");
            }
            for size in [-1, 1 << 20, i64::from(i32::MAX)] {
                refusal(&mill, &lie(&[2], size), "claims to unpack");
                refusal(&mill, &lie(&[3], size), "claims");
            }
            refusal(&mill, &lie(&[1], 7), "unknown kind");
            refusal(&mill, &lie(&[1], 2), "");
        }
    }
}

/// Memory is reserved for as many values as a dictionary counts: found by the fuzzer of assignments.
#[test]
fn dictionaries_that_count_too_much_are_refused() {
    for column in [1, 3, 5] {
        let mill = Mill::new(PLAIN, "");
        for values in [-1, 10_000, i64::from(i32::MAX)] {
            let file = with_header(PLAIN, column, 0, |header| header.set(&[7, 1], values));
            refusal(&mill, &file, &format!("counts {values} values in"));
        }
    }
}

/// The counts stand in the content of the page, where no header bounds them.
#[test]
fn lengths_that_count_too_much_are_refused() {
    let file = with_deltas();
    let mill = Mill::new(&file, "");
    assert!(matches!(mill.run(&file), Came::Same));
    for column in [1, 5] {
        let mut parts = Parts::of(&file);
        let (at, _, length) = parts.page(0, column, 0).unwrap();
        let levels = u32::from_le_bytes(parts.body[at + length..at + length + 4].try_into().unwrap()) as usize;
        // Block size in two bytes, parts in one, then the count in two: 200, made 16,328.
        let count = at + length + 4 + levels + 3;
        assert_eq!(parts.body[count..count + 2], [0xc8, 0x01]);
        let mut wrong = file.clone();
        wrong[count + 1] = 0x7f;
        refusal(&mill, &wrong, "holds more lengths than values");
    }
}

#[test]
fn dictionaries_that_lie_are_refused() {
    let file = plain();
    let mill = Mill::new(&file, "");
    let mut parts = Parts::of(&file);
    // Behind the definition levels stands the width of the keys, then the keys.
    let (at, _, length) = parts.page(0, 3, 1).unwrap();
    let levels = u32::from_le_bytes(parts.body[at + length..at + length + 4].try_into().unwrap()) as usize;
    let width = at + length + 4 + levels;
    for wrong in [33, 64, 255] {
        let mut file = file.clone();
        file[width] = wrong;
        refusal(&mill, &file, "");
    }
    let mut beyond = file.clone();
    beyond[width + 2..width + 20].fill(0xff);
    refusal(&mill, &beyond, "");
}

/// A page that says it has 2 GiB, with footers that agree: memory for it must not be asked for.
#[test]
fn a_page_of_two_gigabytes_in_a_small_file_is_refused() {
    for compression in [Compression::SNAPPY, Compression::ZSTD(ZstdLevel::default()), Compression::UNCOMPRESSED] {
        let file = rewritten(compression, WriterVersion::PARQUET_1_0);
        let mut parts = Parts::of(&file);
        let (at, mut header, length) = parts.page(0, 3, 1).unwrap();
        let more = i64::from(i32::MAX) - header.int(&[2]).unwrap();
        header.set(&[2], i64::from(i32::MAX));
        parts.replace_header(0, 3, at, length, &header);
        let total = parts.footer.int(&[4, 0, 1, 3, 3, 6]).unwrap();
        parts.footer.set(&[4, 0, 1, 3, 3, 6], total + more);
        let bench = Bench::empty();
        bench.write("job.toml", super::mill::JOB);
        bench.write("orders.parquet", parts.bytes());
        // With 1 GiB of address space a request for 2 GiB would end the program.
        let mut command = std::process::Command::new("sh");
        let script = format!("ulimit -v 1048576 && exec {} run job.toml --quiet --threads 1", crate::fixture::PROGRAM);
        let output = command.args(["-c", &script]).current_dir(bench.path(".")).output().unwrap();
        let (code, message) = match compression {
            Compression::ZSTD(_) => (
                7,
                "error: orders.parquet: in row group 0, page 1 of column \"amount\" unpacks from … bytes to 2147483647, more than 1000 times as much and more than 268435456; write the file again with smaller pages.",
            ),
            _ => (
                4,
                "error: orders.parquet is damaged: in row group 0, page 1 of column \"amount\" claims to unpack from … bytes to 2147483647…; write the file again or restore it from its source.",
            ),
        };
        assert_message(&output.into(), code, message);
    }
}

#[test]
fn columns_that_share_bytes_are_refused() {
    let mut parts = Parts::of(PLAIN);
    for field in [7, 9, 11] {
        let of_other = parts.footer.int(&[4, 0, 1, 3, 3, field]).unwrap();
        parts.footer.set(&[4, 1, 1, 3, 3, field], of_other);
    }
    refusal(&Mill::new(PLAIN, ""), &parts.bytes(), "share the bytes");
}

#[test]
fn footers_that_lie_about_rows_are_refused() {
    let mill = Mill::new(PLAIN, "");
    let with = |path: &[i64], to: i64| {
        let mut parts = Parts::of(PLAIN);
        parts.footer.set(path, to);
        parts.bytes()
    };
    refusal(&mill, &with(&[3], 401), "its footer counts 401 rows and its row groups 400");
    refusal(&mill, &with(&[4, 0, 3], 201), "row group 0 counts 201 rows");
    refusal(&mill, &with(&[4, 0, 3], -200), "counts -200 rows");
    refusal(&mill, &with(&[4, 0, 1, 3, 3, 5], 201), "of which column \"amount\" has 201 values");
    refusal(&mill, &with(&[4, 0, 1, 3, 3, 6], 1), "in a column of 1 by its footer");
}

/// Row groups without rows, as PyArrow writes them: with a dictionary, and no data page.
#[test]
fn empty_row_groups_are_read() {
    let mill = Mill::new(PLAIN, "");
    let mut parts = Parts::of(PLAIN);
    let mut group = parts.footer.at(&[4, 0]).unwrap().clone();
    group.set(&[3], 0);
    for column in 0..6 {
        let at = parts.body.len() as i64;
        // A dictionary of no values in no bytes.
        let dictionary = Value::Struct(vec![
            (1, Value::Int(5, 2)),
            (2, Value::Int(5, 0)),
            (3, Value::Int(5, 0)),
            (7, Value::Struct(vec![(1, Value::Int(5, 0)), (2, Value::Int(5, 0))])),
        ]);
        let bytes = dictionary.bytes();
        for (field, value) in [(5, 0), (6, bytes.len() as i64), (7, bytes.len() as i64), (9, 0), (11, at)] {
            group.set(&[1, column, 3, field], value);
        }
        parts.body.extend(bytes);
    }
    parts.footer.list(&[4]).push(group);
    assert!(matches!(mill.run(&parts.bytes()), Came::Same));
}

/// A file of nested groups, `depth` deep, without rows.
fn nested(depth: usize) -> Vec<u8> {
    let name = || (4, Value::Binary(b"g".to_vec()));
    let mut schema = vec![Value::Struct(vec![name(), (5, Value::Int(5, 1))])];
    let group = || Value::Struct(vec![(3, Value::Int(5, 1)), name(), (5, Value::Int(5, 1))]);
    schema.extend((0..depth).map(|_| group()));
    schema.push(Value::Struct(vec![(1, Value::Int(5, 2)), (3, Value::Int(5, 1)), name()]));
    let footer = Value::Struct(vec![
        (1, Value::Int(5, 1)),
        (2, Value::List(12, schema)),
        (3, Value::Int(6, 0)),
        (4, Value::List(12, vec![])),
    ]);
    Parts { body: b"PAR1".to_vec(), footer }.bytes()
}

#[test]
fn deep_nesting_is_refused_before_anything_calls_itself() {
    let mill = Mill::new(PLAIN, "");
    for depth in [500, 10_000, 1_000_000] {
        refusal(&mill, &nested(depth), &format!("nests its columns {} deep; expected at most 200", depth + 1));
    }
    match mill.run(&nested(150)) {
        Came::Refused(error) => assert_eq!(error.kind().exit_code(), 3, "{error}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn many_columns_are_read() {
    let bench = Bench::new();
    let mut columns: Vec<(String, ArrayRef)> = orders().into_iter().map(|(n, c)| (n.to_owned(), c)).collect();
    // As many as a test may take; the scale test has more.
    columns.extend((0..3_000).map(|n| (format!("c{n}"), integers([n; 8]))));
    let columns: Vec<(&str, ArrayRef)> = columns.iter().map(|(n, c)| (n.as_str(), Arc::clone(c))).collect();
    bench.parquet("orders/a.parquet", &columns);
    bench.runs();
    assert_eq!(bench.table("ledger.parquet"), [["orders/a.parquet", "kept", "8", "858.53"]]);
}

#[test]
fn many_row_groups_are_read() {
    let bench = Bench::new();
    let batch = RecordBatch::try_from_iter(orders()).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    for _ in 0..1_000 {
        writer.write(&batch).unwrap();
        writer.flush().unwrap();
    }
    writer.close().unwrap();
    bench.write("orders/a.parquet", bytes);
    bench.runs();
    assert_eq!(bench.table("ledger.parquet"), [["orders/a.parquet", "kept", "8000", "858530.00"]]);
}

/// Wrong statistics change no result: the one thing that they decide, whether a row group lies after the last as-of date, is
/// held against its dates.
#[test]
fn wrong_statistics_change_no_result() {
    let job = |shop: &crate::support::run::Workshop| {
        let text = super::mill::JOB.replace("order_id = \"order_id\"\n", "").replace("slice = \"region\"\n", "");
        shop.write("job.toml", &text.replace("2023-12-31, 2024-12-31", "2023-06-30"));
    };
    let mill = Mill::with(PLAIN, job);
    assert!(matches!(mill.run(PLAIN), Came::Same));
    let day = |n: i64| (n * 86_400_000_000).to_le_bytes().to_vec();
    for column in 0..6 {
        for (least, most) in
            [(vec![0; 8], vec![0xff; 8]), (day(20_000), day(20_100)), (day(20_100), day(20_000)), (vec![], vec![1])]
        {
            let mut parts = Parts::of(PLAIN);
            for group in 0..2 {
                let statistics = [4, group, 1, column, 3, 12];
                if let Some(Value::Struct(fields)) = parts.footer.at(&statistics) {
                    for (id, value) in fields.iter_mut() {
                        match id {
                            1 | 5 => *value = Value::Binary(most.clone()),
                            2 | 6 => *value = Value::Binary(least.clone()),
                            _ => {}
                        }
                    }
                }
            }
            match mill.run(&parts.bytes()) {
                Came::Same => {}
                Came::Refused(error) => assert_eq!(error.kind().exit_code(), 4, "{error}"),
                other => panic!("column {column}: {other:?}"),
            }
        }
    }
}

#[test]
fn statistics_that_place_rows_wrongly_are_refused() {
    let bench = Bench::with_run();
    bench.edit("[2024-12-31]", "[2024-06-30]");
    bench.parquet("orders/b.parquet", &orders_but("ordered_at", dates(["2024-12-01"; 8])));
    bench.runs();
    let kept = bench.table("ledger.parquet");
    assert!(kept.contains(&["orders/b.parquet", "after_as_of", "8", "858.53"].map(String::from).to_vec()), "{kept:?}");
    // The same statistics over other dates.
    let mut lying = Parts::of(&parquet_bytes(&orders_but("ordered_at", dates(["2024-03-01"; 8]))));
    let day = 20_058i32.to_le_bytes().to_vec();
    let Some(Value::Struct(fields)) = lying.footer.at(&[4, 0, 1, 1, 3, 12]) else { panic!("no statistics") };
    fields.iter_mut().filter(|(id, _)| [1, 2, 5, 6].contains(id)).for_each(|(_, value)| *value = Value::Binary(day.clone()));
    bench.write("orders/b.parquet", lying.bytes());
    bench.refuses(4, "error: orders/b.parquet is damaged: the statistics of column \"ordered_at\" place row 1 after 2024-06-30, and its date is another one; write the file again or restore it from its source.");
}

/// Pages that unpack to a thousand times their size are read, within limits.
#[test]
fn a_bomb_that_is_not_too_large_is_read() {
    let bench = Bench::new();
    let note = "0".repeat(8 << 20);
    let mut columns = orders();
    columns.push(("note", texts([note.as_str(); 8])));
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).set_dictionary_enabled(false);
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    assert!(bytes.len() < 100_000, "{}", bytes.len());
    bench.write("orders/a.parquet", bytes);
    bench.append("[[orders.keep]]\ncolumn = \"note\"\nmatches = \"^0\"");
    bench.runs();
    assert_eq!(bench.table("ledger.parquet"), [["orders/a.parquet", "kept", "8", "858.53"]]);
}
