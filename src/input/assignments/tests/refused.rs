//! The whole message about tables that cannot be read.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Float64Array, Int32Array};
use arrow::datatypes::DataType;

use super::support::{CSV, Folder, dates, texts};
use crate::error::Kind;

#[test]
fn wrong_csv_is_refused() {
    const HEAD: &str = "customer_id,arm,assigned_on";
    let cases: [(String, Kind, &str); 22] = [
        (
            "".into(),
            Kind::Contract,
            "a.csv is empty; expected a first line that names the columns, customer_id, arm and assigned_on at least",
        ),
        (
            "customer,arm,assigned_on\n".into(),
            Kind::Contract,
            "a.csv has no column \"customer_id\"; did you mean \"customer\"? (its first line names customer, arm, assigned_on); name the columns in the first line, customer_id, arm and assigned_on at least",
        ),
        (
            "customer_id;arm;assigned_on\n".into(),
            Kind::Contract,
            "a.csv has no column \"customer_id\" (its first line names customer_id;arm;assigned_on); name the columns in the first line, customer_id, arm and assigned_on at least. Fields are separated by commas",
        ),
        (
            "customer_id,arm,arm,assigned_on\n".into(),
            Kind::Contract,
            "a.csv has several columns named \"arm\"; rename all but one",
        ),
        (HEAD.into(), Kind::Contract, "strategy \"mail\" has no assignments: a.csv has no rows; check the path"),
        (
            format!("{HEAD}\n,mail,2024-04-01\n"),
            Kind::Contract,
            "strategy \"mail\" has no assignments: all rows of its table are rejected (1 null_customer); correct the table",
        ),
        (
            format!("{HEAD}\nC1,mail,01/04/2024\n"),
            Kind::Contract,
            "a.csv, line 2: assigned_on is \"01/04/2024\"; expected a date such as 2024-12-31",
        ),
        (
            format!("{HEAD}\nC1,mail,2024-04-01\nC1,mail\n"),
            Kind::Contract,
            "a.csv, line 3: 2 fields, where the first line names 3; put fields with commas into double quotes",
        ),
        (
            format!("{HEAD}\nC1,mail,2024-04-01\n\"C2,mail,2024-04-01\nC3,mail,2024-04-01\nC4,\"mail\",2024-04-01\n"),
            Kind::Contract,
            "a.csv, line 3: customer_id holds a line break, as behind a quote that is not closed; close the quote, or take the line break out",
        ),
        (
            format!("{HEAD}\nC1,mail,2024-04-01\nC2,mail,\"2024-04-01"),
            Kind::Contract,
            "a.csv, line 3: a quote is not closed before the file ends; close it, or write the file again if its end is missing",
        ),
        (
            "customer_id,\"arm,assigned_on\nC1,mail,2024-04-01\n".into(),
            Kind::Contract,
            "a.csv, line 1: the name of column 2 holds a line break, as behind a quote that is not closed; close the quote, or take the line break out",
        ),
        (
            format!("{HEAD}\n\"C\"\"1\",mail,2024-04-01\nC2,male,2024-04-01\n"),
            Kind::Contract,
            "a.csv, line 3: \"male\" is no arm of strategy \"mail\"; did you mean \"mail\"? (arms: control, mail; found: mail in 1 rows, male in 1 rows); correct the table or the split",
        ),
        (
            format!("{HEAD}\nC2,Mail ,2024-04-01\n"),
            Kind::Contract,
            "a.csv, line 2: \"Mail \" is no arm of strategy \"mail\", though \"mail\" differs from it only in case or blanks (arms: control, mail; found: Mail  in 1 rows); correct the table or the split",
        ),
        (
            format!("{HEAD},state\nC1,mail,2024-04-01,New\nC2,mail,2024-04-01,new\n"),
            Kind::Contract,
            "a.csv, line 3: the strata \"New\" and \"new\" of strategy \"mail\" differ only in case or blanks; write one name",
        ),
        (
            format!("{HEAD},strategy\nC1,mail,2024-04-01,mail\nC1,mail,2024-04-01,Mail\n"),
            Kind::Contract,
            "a.csv, line 3: the column \"strategy\" says \"Mail\", which differs from \"mail\" only in case or blanks; write one name in the job and in the table",
        ),
        (
            format!("{HEAD},strategy\nC1,mail,2024-04-01,mails\n"),
            Kind::Contract,
            "strategy \"mail\" has no assignments: no row of its table has \"mail\" in the column \"strategy\"; did you mean \"mails\"? (strategies found: mails); correct the table or the name",
        ),
        (
            format!("{HEAD},strategy\nC1,mail,2024-04-01,mails\n,mail,2024-04-01,mail\n"),
            Kind::Contract,
            "strategy \"mail\" has no assignments: no row of its table that is not rejected has \"mail\" in the column \"strategy\"; did you mean \"mails\"? (strategies found: mails; rejected rows: 1 null_customer); correct the table or the name",
        ),
        (
            format!("{HEAD},stratum\nC1,mail,2024-04-01,(all)\n"),
            Kind::Contract,
            "a.csv, line 2: a stratum of strategy \"mail\" is called \"(all)\", which tables call all strata together; give it another name",
        ),
        (
            format!("{HEAD},cost\nC1,mail,2024-04-01,0.355\n"),
            Kind::Contract,
            "a.csv, line 2: cost is \"0.355\", which has more than 2 digits behind the point; round it, or set orders.amount_scale",
        ),
        (
            format!("{HEAD},cost\nC1,mail,2024-04-01,\"1,50\"\n"),
            Kind::Contract,
            "a.csv, line 2: cost is \"1,50\"; expected an amount such as 0.35",
        ),
        (
            format!("{HEAD},cost\nC1,mail,2024-04-01,-0.35\n"),
            Kind::Contract,
            "a.csv, line 2: cost is -0.35; expected 0 or more: what a treatment brings is in the orders, not in its cost",
        ),
        (
            format!("{HEAD},contacts,ended_on\nC1,mail,2024-04-01,1,2024-03-31\n"),
            Kind::Contract,
            "a.csv, line 2: ended_on (2024-03-31) lies before assigned_on (2024-04-01); correct the line",
        ),
    ];
    let folder = Folder::new();
    for (content, kind, message) in cases {
        folder.write("a.csv", content);
        folder.refuses("a.csv", kind, message);
    }
    let bytes: [(&[u8], &str); 4] = [
        (
            b"customer_id,arm,assigned_on\nC\xe91,mail,2024-04-01\n",
            "a.csv, line 2: this is not UTF-8 text; save the file as UTF-8",
        ),
        (b"\xff\xfec\0u\0s\0", "a.csv, line 1: this is not UTF-8 text; save the file as UTF-8"),
        (
            b"PAR1....PAR1",
            "a.csv is not CSV: it begins like a Parquet file; give it the ending of what it is, or write it as CSV",
        ),
        (
            b"\x1f\x8b\x08\x00",
            "a.csv is not CSV: it begins like a gzip file; give it the ending of what it is, or write it as CSV",
        ),
    ];
    for (content, message) in bytes {
        folder.write("a.csv", content);
        folder.refuses("a.csv", Kind::Input, message);
    }
    folder.refuses(
        "none.csv",
        Kind::Input,
        "there is no file or folder none.csv; check strategy.assignments (it is relative to the job file)",
    );
}

#[test]
fn wrong_parquet_is_refused() {
    let folder = Folder::new();
    let good: [(&str, ArrayRef); 3] = [
        ("customer_id", texts(&[Some("C1"), Some("C2"), Some("C3")])),
        ("arm", texts(&[Some("mail"), Some("control"), Some("mail")])),
        ("assigned_on", dates(&[Some("2024-04-01"); 3])),
    ];
    let with = |name: &'static str, column: ArrayRef| {
        let mut columns = good.to_vec();
        columns.retain(|(n, _)| *n != name);
        columns.push((name, column));
        folder.parquet("a.parquet", &columns);
    };
    folder.parquet("a.parquet", &good[..2]);
    folder.refuses("a.parquet", Kind::Contract, "a.parquet has no column \"assigned_on\" (its columns are customer_id, arm); expected customer_id, arm and assigned_on at least");
    with("assigned_on", texts(&[Some("2024-04-01"); 3]));
    folder.refuses("a.parquet", Kind::Contract, "a.parquet: column \"assigned_on\" is of type string; expected a date or a timestamp. Convert it where the file is written");
    with("arm", texts(&[Some("mail"), Some("control"), Some("sms")]));
    folder.refuses("a.parquet", Kind::Contract, "a.parquet, row 3: \"sms\" is no arm of strategy \"mail\" (arms: control, mail; found: control in 1 rows, mail in 1 rows, sms in 1 rows); correct the table or the split");
    folder.refuses_as(
        "a.parquet",
        |r| (r.arms.clear(), r.control = Some("kontrol"), ()).2,
        Kind::Contract,
        "strategy \"mail\": the control arm \"kontrol\" is not among the assignments; did you mean \"control\"? (found: control in 1 rows, mail in 1 rows, sms in 1 rows); correct the table or the name",
    );
    with("arm", texts(&[Some("mail"), Some("control"), Some("MAIL")]));
    folder.refuses_as(
        "a.parquet",
        |r| r.arms.clear(),
        Kind::Contract,
        "a.parquet, row 1: the arms \"MAIL\" and \"mail\" of strategy \"mail\" differ only in case or blanks; write one name",
    );
    with("arm", texts(&[Some("mail"), Some("control"), Some("(all)")]));
    folder.refuses_as(
        "a.parquet",
        |r| r.arms.clear(),
        Kind::Contract,
        "a.parquet, row 3: the arm \"(all)\" of strategy \"mail\" begins with a parenthesis, as tables write what is no arm, such as (all); give it another name",
    );
    with("cost", Arc::new(Decimal128Array::from(vec![10, 20, 25]).with_data_type(DataType::Decimal128(12, 3))));
    folder.refuses(
        "a.parquet",
        Kind::Contract,
        "a.parquet, row 3: cost has more than 2 digits behind the point; round it, or set orders.amount_scale",
    );
    with("cost", Arc::new(Float64Array::from(vec![1.0, f64::NAN, 2.0])));
    folder.refuses("a.parquet", Kind::Contract, "a.parquet, row 2: cost is no finite amount, or too large; correct it");
    with("cost", Arc::new(Float64Array::from(vec![1.0, -0.5, 2.0])));
    folder.refuses(
        "a.parquet",
        Kind::Contract,
        "a.parquet, row 2: cost is -0.50; expected 0 or more: what a treatment brings is in the orders, not in its cost",
    );
    for contacts in [0.5, -1.0, f64::NAN, 1e10] {
        with("contacts", Arc::new(Float64Array::from(vec![1.0, 2.0, contacts])));
        let message = format!("a.parquet, row 3: contacts is {contacts}; expected a whole number from 0");
        folder.refuses("a.parquet", Kind::Contract, &message);
    }
    // A column in which nothing is known yet has no type.
    for name in ["contacts", "ended_on"] {
        with(name, Arc::new(arrow::array::NullArray::new(3)));
        let table = folder.read("a.parquet").unwrap();
        assert_eq!((table.contacts, table.ended_on), (None, None));
    }
    with("contacts", Arc::new(Int32Array::from(vec![1, 2, -1])));
    folder.refuses("a.parquet", Kind::Contract, "a.parquet, row 3: contacts is -1; expected a whole number from 0");
    with("ended_on", dates(&[None, None, Some("2024-03-01")]));
    folder.refuses(
        "a.parquet",
        Kind::Contract,
        "a.parquet, row 3: ended_on (2024-03-01) lies before assigned_on (2024-04-01); correct the row",
    );
    folder.write("a.parquet", CSV);
    folder.refuses("a.parquet", Kind::Input, "a.parquet is not a Parquet file: it begins like text, perhaps CSV; expected the bytes PAR1. Check what wrote it, convert it (duckdb -c \"COPY (FROM read_csv('a.parquet')) TO 'a.converted.parquet'\"), or take it out of strategy.assignments");
    // Damage is an error, never a panic.
    folder.parquet("a.parquet", &good);
    let whole = std::fs::read(folder.0.path().join("a.parquet")).unwrap();
    for at in 4..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        folder.write("a.parquet", bytes);
        let _ = folder.read("a.parquet");
    }
}
