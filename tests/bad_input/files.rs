//! Files that are missing, empty, something else, cut off or damaged; and which files a path means.

use crate::fixture::{Bench, decimals, ints, orders, parquet_bytes, texts, with_ids};

#[test]
fn a_glob_without_files_is_refused() {
    let bench = Bench::with_run();
    bench.edit("path = \"orders\"", "path = \"orders/2025-*.parquet\"");
    bench.refuses(4, "error: no file matches orders/2025-*.parquet; check orders.path (it is relative to the job file).");
}

#[test]
fn a_missing_file_is_refused() {
    let bench = Bench::with_run();
    bench.edit("path = \"orders\"", "path = [\"orders\", \"more/b.parquet\"]");
    bench.refuses(4, "error: there is no file or folder more/b.parquet; check orders.path (it is relative to the job file).");
}

/// A path may read like the text of any library.
#[test]
fn a_missing_file_is_missing_whatever_its_folder_is_called() {
    for folder in ["out of memory", "not enough memory (os error 12)", "Too many open files (os error 24)"] {
        let bench = Bench::with_run();
        bench.edit("path = \"orders\"", &format!("path = \"{folder}/b.parquet\""));
        bench.refuses(
            4,
            &format!("error: there is no file or folder {folder}/b.parquet; check orders.path (it is relative to the job file)."),
        );
    }
}

#[test]
fn an_empty_folder_is_refused() {
    let bench = Bench::with_run();
    bench.write("other/notes.txt", "no orders");
    bench.edit("path = \"orders\"", "path = \"other\"");
    bench.refuses(4, "error: the folder other holds no Parquet file; expected files ending in .parquet (names that begin with \".\" or \"_\" are passed over); 1 file of the folder other is passed over, since its name does not end in .parquet (\"notes.txt\").");
}

#[test]
fn files_without_rows_are_fine_beside_others() {
    let bench = Bench::new();
    let none: Vec<_> = orders().into_iter().map(|(name, column)| (name, column.slice(0, 0))).collect();
    bench.parquet("orders/b.parquet", &none);
    bench.runs();
    let kept: Vec<Vec<String>> = bench.table("ledger.parquet");
    assert_eq!(kept, [["orders/a.parquet", "kept", "8", "858.53"]]);
}

#[test]
fn files_without_rows_alone_are_refused() {
    let bench = Bench::with_run();
    let none: Vec<_> = orders().into_iter().map(|(name, column)| (name, column.slice(0, 0))).collect();
    bench.parquet("orders/a.parquet", &none);
    bench
        .refuses(3, "error: there is no order on or before the as-of date 2024-12-31: the input has no rows; check orders.path.");
}

#[test]
fn a_file_of_no_bytes_is_refused() {
    let bench = Bench::with_run();
    bench.write("orders/b.parquet", "");
    bench.refuses(4, "error: orders/b.parquet is empty (0 bytes), not a Parquet file; write it again or remove it.");
}

#[test]
fn other_formats_are_recognised() {
    let csv = "customer_id,ordered_at,amount\n1,2024-01-01,5\n";
    let utf_16: Vec<u8> = std::iter::once(0xfeff).chain(csv.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let latin: Vec<u8> = "customer_id;Straße\n1;Müller\n".chars().map(|c| c as u8).collect();
    let workbook = b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00aaaaaaaaaaaaaa\x13\x00\x08\x02[Content_Types].xml";
    let duckdb = |reader: &str| format!(", convert it (duckdb -c \"COPY (FROM {reader}) TO 'orders/b.converted.parquet'\")");
    let pyarrow = |read: &str| {
        format!(
            ", convert it (python -c \"import pyarrow.{} as f, pyarrow.parquet as p; p.write_table(f.read_table('orders/b.parquet'), 'orders/b.converted.parquet')\")",
            read
        )
    };
    let csv_reader = duckdb("read_csv('orders/b.parquet')");
    let formats: [(&[u8], &str, String); 17] = [
        (csv.as_bytes(), "text, perhaps CSV", csv_reader.clone()),
        (&[b"\xef\xbb\xbf", csv.as_bytes()].concat(), "text with a byte order mark, perhaps CSV", csv_reader.clone()),
        (&utf_16, "text in UTF-16, perhaps CSV", duckdb("read_csv('orders/b.parquet', encoding = 'utf-16')")),
        (&latin, "text, perhaps CSV", csv_reader.clone()),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03aaaaaaaa", "a gzip file", String::new()),
        (b"{\"customer_id\": 1, \"amount\": 5}\n", "JSON", duckdb("read_json('orders/b.parquet')")),
        (b"\n <?xml version=\"1.0\"?>", "HTML or XML", String::new()),
        (b"PK\x03\x04aaaaaaaaaaaaaaaa", "a zip file", String::new()),
        (workbook, "an Excel workbook", duckdb("read_xlsx('orders/b.parquet')")),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1aaaa", "an Excel workbook of the old kind (.xls)", String::new()),
        (b"ARROW1\x00\x00aaaaaaaaaaaaaa", "an Arrow IPC (Feather) file", pyarrow("feather")),
        (b"FEA1aaaaaaaaaaaaaaaa", "a Feather file of the old kind", pyarrow("feather")),
        (b"ORC\x08\x01aaaaaaaaaaaaaaaa", "an ORC file", pyarrow("orc")),
        (b"Obj\x01aaaaaaaaaaaaaaa", "an Avro file", String::new()),
        (b"SQLite format 3\x00aaaa", "an SQLite database", String::new()),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer", String::new()),
        (b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "something else", String::new()),
    ];
    for (bytes, name, convert) in formats {
        let bench = Bench::new();
        bench.write("orders/b.parquet", bytes);
        bench.refuses(4, &format!("error: orders/b.parquet is not a Parquet file: it begins like {name}; expected the bytes PAR1. Check what wrote it{convert}, or take it out of orders.path."));
    }
}

#[test]
fn a_folder_in_the_place_of_a_file_is_refused() {
    let bench = Bench::with_run();
    bench.edit("path = \"orders\"", "path = \"/dev/null\"");
    bench.refuses(4, "error: /dev/null is not a regular file; remove it from orders.path.");
}

#[test]
fn truncated_files_are_refused() {
    let bench = Bench::with_run();
    let whole = bench.read("orders/a.parquet");
    for length in [1, 3, 4, 8, 11, 12, 13, whole.len() / 2, whole.len() - 9, whole.len() - 8, whole.len() - 4, whole.len() - 1] {
        bench.write("orders/b.parquet", &whole[..length]);
        let message = match length {
            ..12 => {
                "error: orders/b.parquet is damaged: it is truncated to … byte…; write the file again or restore it from its source."
            }
            _ => {
                "error: orders/b.parquet is damaged: it is truncated or its footer is gone (the last bytes are not those of a Parquet file); write the file again or restore it from its source."
            }
        };
        bench.refuses(4, message);
    }
}

#[test]
fn destroyed_footers_are_refused() {
    let bench = Bench::with_run();
    let whole = bench.read("orders/a.parquet");
    let end = whole.len() - 8;
    let footer = u32::from_le_bytes(whole[end..end + 4].try_into().unwrap()) as usize;
    // All of it overwritten, and its length wrong in several ways.
    for byte in [0x00, 0x55, 0xff] {
        let mut bytes = whole.clone();
        bytes[end - footer..end].fill(byte);
        bench.write("orders/b.parquet", bytes);
        bench.refuses(4, "error: orders/b.parquet is damaged: …; write the file again or restore it from its source.");
    }
    for length in [0, 1, footer as u32 / 2, footer as u32 - 1, footer as u32 + 1, end as u32, u32::MAX] {
        let mut bytes = whole.clone();
        bytes[end..end + 4].copy_from_slice(&length.to_le_bytes());
        bench.write("orders/b.parquet", bytes);
        bench.refuses(4, "error: orders/b.parquet is damaged: …; write the file again or restore it from its source.");
    }
}

/// Flips every third byte of a file, one after the other. Without checksums a changed value cannot be told from a true
/// one, but the program never panics, never dies and never counts other rows than the footer.
#[test]
fn flipped_bytes_never_stop_the_program() {
    let bench = Bench::with_run();
    let whole = bench.read("orders/a.parquet");
    std::fs::create_dir(bench.path("elsewhere")).unwrap();
    let before = bench.visible();
    for (at, bit) in (0..whole.len()).step_by(3).zip([1u8, 128, 16, 255].into_iter().cycle()) {
        let mut bytes = whole.clone();
        bytes[at] ^= bit;
        bench.write("orders/a.parquet", bytes);
        let output = format!("elsewhere/{at}");
        let ran = bench.rfmill(&["run", "job.toml", "--quiet", "--output", &output, "--threads", "1"]);
        assert!([0, 3, 4].contains(&ran.code), "byte {at} ^ {bit}: exit {} {}", ran.code, ran.err);
        assert!(!ran.err.contains("panicked"), "byte {at} ^ {bit}: {}", ran.err);
        if ran.code != 0 {
            assert!(
                ran.err.starts_with(&crate::fixture::error_head(ran.code))
                    && ran.err.ends_with(".\n")
                    && ran.err.lines().count() == 1,
                "byte {at}: {}",
                ran.err
            );
            assert!(ran.err.contains("orders/a.parquet") || ran.code == 3, "byte {at}: {}", ran.err);
            assert!(!bench.path(&output).join("latest").exists());
            assert_eq!(crate::fixture::visible(&bench.path(&output)).runs, [""; 0]);
        }
    }
    assert_eq!(bench.visible(), before);
}

/// The file was written by PyArrow with `write_page_checksum=True`: 8 orders, no compression.
#[test]
fn page_checksums_are_checked() {
    let whole = include_bytes!("../data/page_checksums.parquet");
    let bench = Bench::with_run();
    bench.write("orders/a.parquet", whole);
    bench.runs();
    // The first customer id stands once in the file: in the data page, since there are no statistics.
    let marker = 12_345_678i64.to_le_bytes();
    let at = whole.windows(8).position(|w| w == marker).unwrap();
    let mut bytes = whole.to_vec();
    bytes[at] ^= 1;
    bench.write("orders/a.parquet", bytes);
    bench.refuses(4, "error: orders/a.parquet is damaged: row group 0 cannot be decoded (Parquet argument error: Parquet error: Page CRC checksum mismatch); write the file again or restore it from its source.");
}

#[test]
fn hidden_files_are_passed_over() {
    let bench = Bench::new();
    bench.write("orders/_SUCCESS", "");
    bench.write("orders/_temporary/0/part.parquet", "half a file");
    bench.write("orders/.b.parquet.crc", "crc");
    bench.write("orders/.c.parquet", "half a file");
    bench.write("orders/readme.txt", "text");
    for path in ["orders", "orders/", "orders/*.parquet", "orders/**/*.parquet"] {
        bench.write("job.toml", crate::fixture::JOB.replace("path = \"orders\"", &format!("path = \"{path}\"")));
        bench.runs();
        assert_eq!(bench.table("ledger.parquet"), [["orders/a.parquet", "kept", "8", "858.53"]], "{path}");
    }
}

#[test]
fn lists_and_globs_name_every_file_once_in_path_order() {
    let bench = Bench::new();
    bench.parquet("orders/2024/b.parquet", &orders());
    bench.parquet("more/z.parquet", &orders());
    bench.edit("path = \"orders\"", "path = [\"orders/**/*.parquet\", \"more\", \"orders/a.parquet\"]");
    bench.in_orders("dedupe = \"rows\"");
    bench.runs();
    // The first file by path keeps its rows.
    assert_eq!(
        bench.table("ledger.parquet"),
        [
            ["more/z.parquet", "kept", "8", "858.53"],
            ["orders/2024/b.parquet", "duplicate", "8", "858.53"],
            ["orders/a.parquet", "duplicate", "8", "858.53"],
        ]
    );
}

#[test]
fn partitions_of_the_path_are_columns() {
    let bench = Bench::empty();
    bench.write("job.toml", crate::fixture::JOB);
    let part = |ids: [i64; 2]| vec![("customer_id", ints(ids)), ("amount", decimals(2, [100, 200]))];
    bench.parquet("orders/region=EU%20West/ordered_at=2024-05-01/a.parquet", &part([1, 2]));
    bench.parquet("orders/region=US/ordered_at=2024-06-01/a.parquet", &part([1, 3]));
    bench.in_orders("slice = \"region\"");
    bench.runs();
    let rows = bench.table("customers/as_of=2024-12-31/part-000.parquet");
    let shown: Vec<Vec<&str>> = rows.iter().map(|r| r[..4].iter().map(String::as_str).collect()).collect();
    assert_eq!(
        shown,
        [
            ["1", "EU West", "2024-05-01", "2024-05-01"],
            ["2", "EU West", "2024-05-01", "2024-05-01"],
            ["1", "US", "2024-06-01", "2024-06-01"],
            ["3", "US", "2024-06-01", "2024-06-01"],
        ]
    );
    bench.parquet("orders/region=US/ordered_at=yesterday/a.parquet", &part([1, 3]));
    bench.refuses(3, "error: orders/region=US/ordered_at=yesterday/a.parquet: the path gives the date \"yesterday\"; expected a form such as 2024-12-31.");
}

#[test]
fn a_partition_with_a_null_date_is_rejected_row_by_row() {
    let bench = Bench::new();
    bench.write("orders/a.parquet", parquet_bytes(&orders()));
    std::fs::remove_file(bench.path("orders/a.parquet")).unwrap();
    let part = vec![("customer_id", ints([1, 2])), ("amount", decimals(2, [100, 200]))];
    bench.parquet("orders/ordered_at=__HIVE_DEFAULT_PARTITION__/a.parquet", &part);
    bench.parquet("orders/ordered_at=2024-06-01/a.parquet", &part);
    bench.refuses(3, "error: 2 of 4 rows (50.0000 %) are rejected, most of them rejected:null_date (2 in orders/ordered_at=__HIVE_DEFAULT_PARTITION__/a.parquet, column \"ordered_at\"); orders.max_rejected allows 0 %. Correct the data, filter the rows with orders.keep, or raise orders.max_rejected.");
}

#[test]
fn names_with_control_characters_are_escaped() {
    let bench = Bench::new();
    bench.write("orders/\u{1b}[31mb\n.parquet", "not Parquet");
    bench.refuses(4, "error: orders/\\u{1b}[31mb\\n.parquet is not a Parquet file: it begins like text, perhaps CSV; expected the bytes PAR1. Check what wrote it, or take it out of orders.path.");
}

#[test]
fn string_ids_work_as_integer_ids_do() {
    let bench = Bench::new();
    bench.parquet("orders/a.parquet", &with_ids(texts(["007", "07", "a", "b", "é", "z", "客", ""])));
    let ran = bench.runs();
    assert!(ran.err.contains("warning: 1 orders carry an empty customer id"), "{}", ran.err);
}
