//! Tables as people write them.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int16Array, StringArray, TimestampMicrosecondArray,
    UInt64Array,
};
use arrow::datatypes::{DataType, Int8Type};

use super::super::open;
use super::support::{CSV, Folder, dates, rows, texts};
use crate::assign::{AssignedIds, Assignments, Rejected};
use crate::domain::{CustomerIds, IdType};
use crate::error::Kind;
use crate::job::paths::InputPaths;

const ROWS: [&str; 3] =
    ["C1 control 2024-04-01 At Risk 0 0 -", "C,2 mail 2024-04-02 New 35 3 2024-04-09", "C3 mail 2024-04-03 (none) 0 0 -"];

#[test]
fn csv_and_parquet_are_read_alike() {
    let folder = Folder::new();
    folder.write("plain.csv", CSV);
    folder.write("marked.CSV", format!("\u{feff}{}", CSV.replace('\n', "\r\n")));
    let arms = Arc::new([Some("control"), Some("mail"), Some("mail")].into_iter().collect::<DictionaryArray<Int8Type>>());
    // One second before midnight in Berlin, and a cent in a finer decimal.
    let instants = ["2024-04-01T12:00:00Z", "2024-04-02T21:59:59Z", "2024-04-02T22:00:00Z"];
    let instants = instants.map(|t| t.parse::<jiff::Timestamp>().unwrap().as_microsecond());
    folder.parquet(
        "table.parquet",
        &[
            ("note", texts(&[None; 3])),
            ("customer_id", texts(&[Some("C1"), Some("C,2"), Some("C3")])),
            ("assigned_on", Arc::new(TimestampMicrosecondArray::from(instants.to_vec()).with_timezone("UTC"))),
            ("arm", arms),
            ("stratum", texts(&[Some("At Risk"), Some("New"), None])),
            (
                "cost",
                Arc::new(Decimal128Array::from(vec![Some(0), Some(3500), None]).with_data_type(DataType::Decimal128(12, 4))),
            ),
            ("contacts", Arc::new(UInt64Array::from(vec![Some(0), Some(3), None]))),
            ("ended_on", dates(&[None, Some("2024-04-09"), None])),
        ],
    );
    // Writers that know no missing integers make floats of contacts.
    folder.parquet(
        "floats.parquet",
        &[
            ("customer_id", texts(&[Some("C1"), Some("C,2"), Some("C3")])),
            ("assigned_on", dates(&[Some("2024-04-01"), Some("2024-04-02"), Some("2024-04-03")])),
            ("arm", texts(&[Some("control"), Some("mail"), Some("mail")])),
            ("state", texts(&[Some("At Risk"), Some("New"), None])),
            ("cost", Arc::new(Float64Array::from(vec![Some(0.0), Some(0.35), None]))),
            ("contacts", Arc::new(Float64Array::from(vec![Some(0.0), Some(3.0), None]))),
            ("ended_on", dates(&[None, Some("2024-04-09"), None])),
        ],
    );
    for name in ["plain.csv", "marked.CSV", "table.parquet", "floats.parquet"] {
        let table = folder.read(name).unwrap();
        assert_eq!(rows(&table), ROWS, "{name}");
        assert_eq!((table.rows_read, table.null_costs, table.rejected), (3, 1, Rejected::default()), "{name}");
        assert_eq!(table.arms, ["control", "mail"]);
        assert_eq!(table.strata.as_ref(), ["(none)", "At Risk", "New"]);
    }
    // Fingerprints tell contents apart.
    let hash = |name: &str| open(&InputPaths::one(name, folder.0.path().join(name)), "key", None, false).unwrap().remove(0).hash;
    assert_eq!(hash("plain.csv"), crate::hash::sha256(CSV.as_bytes()));
    assert_ne!(hash("plain.csv"), hash("marked.CSV"));
}

#[test]
fn integer_ids_have_the_orders_type() {
    let folder = Folder::new();
    folder.write("a.csv", "customer_id,arm,assigned_on\n-7,mail,2024-04-01\n 12 ,control,2024-04-01\n");
    let keys = |table: Assignments| match table.ids {
        AssignedIds::Int(keys) => keys.iter().collect::<Vec<_>>(),
        AssignedIds::Text(_) => panic!("text"),
    };
    assert_eq!(keys(folder.read_as("a.csv", |r| r.id = IdType::Signed(64)).unwrap()), [-7, 12]);
    folder.refuses_as(
        "a.csv",
        |r| r.id = IdType::Unsigned(64),
        Kind::Contract,
        "a.csv, line 2: customer_id is \"-7\", but the orders' ids are integers; expected a number such as 1017",
    );
    let table = |ids: ArrayRef| {
        folder.parquet(
            "a.parquet",
            &[("customer_id", ids), ("arm", texts(&[Some("mail"); 2])), ("assigned_on", dates(&[Some("2024-04-01"); 2]))],
        );
    };
    table(Arc::new(Int16Array::from(vec![3, 5])));
    assert_eq!(keys(folder.read_as("a.parquet", |r| r.id = IdType::Signed(64)).unwrap()), [3, 5]);
    let unsigned = [3, 5].map(CustomerIds::key_of_unsigned);
    assert_eq!(keys(folder.read_as("a.parquet", |r| r.id = IdType::Unsigned(64)).unwrap()), unsigned);
    folder.refuses(
        "a.parquet",
        Kind::Contract,
        "a.parquet: column \"customer_id\" is of type int16; expected a string, as the orders' ids are. Convert it where the file is written",
    );
    table(Arc::new(UInt64Array::from(vec![3, u64::MAX])));
    assert_eq!(
        keys(folder.read_as("a.parquet", |r| r.id = IdType::Unsigned(64)).unwrap()),
        [3, u64::MAX].map(CustomerIds::key_of_unsigned)
    );
    folder.refuses_as(
        "a.parquet",
        |r| r.id = IdType::Signed(64),
        Kind::Contract,
        "a.parquet, row 2: customer_id is 18446744073709551615, which no order's customer_id can be; correct it",
    );
}

#[test]
fn rows_that_are_no_assignments_are_counted() {
    let folder = Folder::new();
    let table = "strategy,customer_id,arm,assigned_on\nmail,C1,mail,2024-04-01\n,C1,mail,2024-04-01\nsms,,,\nmail,,mail,2024-04-01\n\
                 mail,C1,,2024-04-01\nmail,C1,mail,\n";
    folder.write("a.csv", table);
    let optional: Vec<Option<&str>> = vec![Some("mail"), None, Some("sms"), Some("mail"), Some("mail"), Some("mail")];
    folder.parquet(
        "a.parquet",
        &[
            ("strategy", texts(&optional)),
            ("customer_id", texts(&[Some("C1"), Some("C1"), None, None, Some("C1"), Some("C1")])),
            ("arm", texts(&[Some("mail"), Some("mail"), None, Some("mail"), None, Some("mail")])),
            ("assigned_on", dates(&[Some("2024-04-01"), Some("2024-04-01"), None, Some("2024-04-01"), Some("2024-04-01"), None])),
        ],
    );
    for name in ["a.csv", "a.parquet"] {
        let got = folder.read(name).unwrap();
        assert_eq!(rows(&got), ["C1 mail 2024-04-01"], "{name}");
        let rejected = Rejected { null_strategy: 1, null_customer: 1, null_arm: 1, null_assigned_on: 1, date_out_of_range: 0 };
        assert_eq!((got.rows_read, got.other_strategies, got.rejected), (6, 1, rejected), "{name}");
        assert_eq!(got.rejected.total(), 4);
    }
    folder.parquet(
        "far.parquet",
        &[
            ("customer_id", texts(&[Some("C1"), Some("C2")])),
            ("arm", texts(&[Some("mail"); 2])),
            ("assigned_on", Arc::new(Date32Array::from(vec![10_000_000, 0]))),
        ],
    );
    assert_eq!(folder.read("far.parquet").unwrap().rejected.date_out_of_range, 1);
}

#[test]
fn files_are_put_together() {
    let folder = Folder::new();
    folder.write("q1.csv", "customer_id,arm,assigned_on,state\nC1,mail,2024-01-01,New\n");
    folder.write("q2.csv", "customer_id,arm,assigned_on,cost\nC2,control,2024-04-01,1\nC3,mail,2024-04-01,\n");
    folder.parquet(
        "q3.parquet",
        &[("customer_id", texts(&[Some("C4")])), ("arm", texts(&[Some("mail")])), ("assigned_on", dates(&[Some("2024-07-01")]))],
    );
    let table = folder.read("q*").unwrap();
    let want = [
        "C1 mail 2024-01-01 New 0",
        "C2 control 2024-04-01 (none) 100",
        "C3 mail 2024-04-01 (none) 0",
        "C4 mail 2024-07-01 (none) 0",
    ];
    assert_eq!((rows(&table), table.null_costs), (want.map(String::from).to_vec(), 3));
    // Whichever file comes first.
    folder.write("q0.csv", "customer_id,arm,assigned_on\nC0,mail,2023-10-01\n");
    assert_eq!(rows(&folder.read("q*").unwrap())[..2], ["C0 mail 2023-10-01 (none) 0", "C1 mail 2024-01-01 New 0"]);
    // Without arms in the job, those found are numbered by name.
    let found = folder.read_as("q*", |r| (r.arms.clear(), r.control = None, ()).2).unwrap();
    assert_eq!(found.arms, ["control", "mail"]);
    assert_eq!(found.arm.iter().collect::<Vec<_>>(), [1, 1, 0, 1, 1]);
}

/// More arms than a byte can number, in files that meet them in other orders.
#[test]
fn many_arms_are_told_apart() {
    let folder = Folder::new();
    let arm = |n: usize| format!("arm {:03}", n * 7 % 300);
    let table = |numbers: std::ops::Range<usize>| {
        let (ids, arms): (Vec<String>, Vec<String>) = numbers.map(|n| (format!("C{n:03}"), arm(n))).unzip();
        let some = |texts: &[String]| -> ArrayRef { Arc::new(StringArray::from(texts.to_vec())) };
        let days = Arc::new(Date32Array::from(vec![0; ids.len()]));
        [("customer_id", some(&ids)), ("arm", some(&arms)), ("assigned_on", days)]
    };
    folder.parquet_in_groups("1.parquet", &table(0..299), 1_000);
    folder.parquet("2.parquet", &table(299..300));
    let found = folder.read_as("*.parquet", |r| (r.arms.clear(), r.control = None, ()).2).unwrap();
    assert_eq!(found.arms.len(), 300);
    let names: Vec<&str> = (0..300).map(|row| found.arms[usize::from(found.arm(row))].as_str()).collect();
    assert_eq!(names, (0..300).map(arm).collect::<Vec<_>>());
}

/// What `assign` guards against spreadsheets is read back as it was.
#[test]
fn guarded_ids_are_themselves_again() {
    let folder = Folder::new();
    let ids = ["=1+1", "-5", "'", "'=x", "'abc", "@", "plain", "+49"];
    let lines: Vec<String> = ids.iter().map(|id| format!("{},mail,2024-04-01", crate::tables::escape_formula(id))).collect();
    folder.write("a.csv", format!("customer_id,arm,assigned_on\n{}\n", lines.join("\n")));
    assert_eq!(rows(&folder.read("a.csv").unwrap()), ids.map(|id| format!("{id} mail 2024-04-01")));
    // An apostrophe that guards nothing is a part of the id.
    folder.write("a.csv", "customer_id,arm,assigned_on\n'abc,mail,2024-04-01\n");
    assert_eq!(rows(&folder.read("a.csv").unwrap()), ["'abc mail 2024-04-01"]);
}
