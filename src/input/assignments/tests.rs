//! Tables as people write them, and the whole message about those that cannot be read.

use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::file::properties::WriterProperties;
use arrow::array::*;
use arrow::datatypes::*;

use super::*;
use crate::assign::{AssignedIds, Rejected};
use crate::domain::{CustomerIds, Day};
use crate::error::Kind;
use crate::temp::{TempDir, tempdir};

struct Desk(TempDir);

impl Desk {
    fn new() -> Desk {
        Desk(tempdir().unwrap())
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.0.path().join(name), content).unwrap();
    }

    /// Writes a Parquet file with row groups of two rows.
    fn parquet(&self, name: &str, columns: &[(&str, ArrayRef)]) {
        self.parquet_in_groups(name, columns, 2);
    }

    /// Writes a Parquet file with row groups of so many rows.
    fn parquet_in_groups(&self, name: &str, columns: &[(&str, ArrayRef)], rows: usize) {
        let batch = RecordBatch::try_from_iter_with_nullable(columns.iter().map(|(n, a)| (*n, a.clone(), true))).unwrap();
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(rows)).build();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        self.write(name, bytes);
    }

    fn read_as(&self, pattern: &str, change: impl Fn(&mut Request)) -> Result<Assignments> {
        let zone = Zone::named("Europe/Berlin", "orders.timezone").unwrap();
        let mut request = Request {
            whose: "strategy \"mail\"".into(),
            strategy: Some("mail"),
            arms: vec!["control", "mail"],
            control: Some("control"),
            id: IdType::Text,
            scale: 2,
            zone: &zone,
            naive_zone: None,
            parts: 1,
        };
        change(&mut request);
        let files = open(&[(pattern.into(), self.0.path().join(pattern))], "strategy.assignments", None)?;
        Ok(read(&files, &request)?.remove(0))
    }

    /// The rows of every part.
    fn read_parts(&self, pattern: &str, parts: usize, id: IdType) -> Vec<Assignments> {
        let zone = Zone::named("UTC", "orders.timezone").unwrap();
        let request = Request {
            whose: "strategy \"mail\"".into(),
            strategy: None,
            arms: Vec::new(),
            control: None,
            id,
            scale: 2,
            zone: &zone,
            naive_zone: None,
            parts,
        };
        let files = open(&[(pattern.into(), self.0.path().join(pattern))], "strategy.assignments", None).unwrap();
        read(&files, &request).unwrap()
    }

    fn read(&self, pattern: &str) -> Result<Assignments> {
        self.read_as(pattern, |_| {})
    }

    #[track_caller]
    fn refuses(&self, pattern: &str, kind: Kind, message: &str) {
        self.refuses_as(pattern, |_| {}, kind, message);
    }

    #[track_caller]
    fn refuses_as(&self, pattern: &str, change: impl Fn(&mut Request), kind: Kind, message: &str) {
        let error = self.read_as(pattern, change).unwrap_err();
        let folder = format!("{}/", self.0.path().display());
        assert_eq!((error.kind(), error.to_string().replace(&folder, "").as_str()), (kind, message));
    }
}

/// A table as rows of text.
fn rows(table: &Assignments) -> Vec<String> {
    let row = |at: usize| {
        let id = match &table.ids {
            AssignedIds::Int(keys) => keys.at(at).to_string(),
            AssignedIds::Text(texts) => String::from_utf8(texts.get(at).to_vec()).unwrap(),
        };
        let mut out = vec![id, table.arms[usize::from(table.arm(at))].clone()];
        out.push(table.day(at).to_string());
        out.extend(table.stratum.as_ref().map(|s| table.strata[s[at] as usize].clone()));
        out.extend(table.cost.as_ref().map(|c| c[at].to_string()));
        out.extend(table.contacts.as_ref().map(|c| c[at].to_string()));
        out.extend(table.ended_on.as_ref().map(|e| e[at].map_or("-".into(), |d| d.to_string())));
        out.join(" ")
    };
    (0..table.len()).map(row).collect()
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from_iter(values.iter().copied()))
}

fn dates(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(Date32Array::from_iter(values.iter().map(|v| v.map(|d| Day::parse(d).unwrap().0))))
}

const CSV: &str = "\
customer_id,arm,assigned_on,stratum,cost,contacts,ended_on,note
C1,control,2024-04-01,At Risk,0,0,,x
\"C,2\",mail,2024-04-02,\"New\",0.35,3,2024-04-09,
C3,mail,2024-04-03,,,,,
";

const ROWS: [&str; 3] =
    ["C1 control 2024-04-01 At Risk 0 0 -", "C,2 mail 2024-04-02 New 35 3 2024-04-09", "C3 mail 2024-04-03 (none) 0 0 -"];

#[test]
fn csv_and_parquet_are_read_alike() {
    let desk = Desk::new();
    desk.write("plain.csv", CSV);
    desk.write("marked.CSV", format!("\u{feff}{}", CSV.replace('\n', "\r\n")));
    let arms = Arc::new([Some("control"), Some("mail"), Some("mail")].into_iter().collect::<DictionaryArray<Int8Type>>());
    // One second before midnight in Berlin, and a cent in a finer decimal.
    let instants = ["2024-04-01T12:00:00Z", "2024-04-02T21:59:59Z", "2024-04-02T22:00:00Z"];
    let instants = instants.map(|t| t.parse::<jiff::Timestamp>().unwrap().as_microsecond());
    desk.parquet(
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
    desk.parquet(
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
        let table = desk.read(name).unwrap();
        assert_eq!(rows(&table), ROWS, "{name}");
        assert_eq!((table.rows_read, table.null_costs, table.rejected), (3, 1, Rejected::default()), "{name}");
        assert_eq!(table.arms, ["control", "mail"]);
        assert_eq!(table.strata.as_ref(), ["(none)", "At Risk", "New"]);
    }
    // Fingerprints tell contents apart.
    let hash = |name: &str| open(&[(name.into(), desk.0.path().join(name))], "key", None).unwrap().remove(0).hash;
    assert_eq!(hash("plain.csv"), crate::hash::sha256(CSV.as_bytes()));
    assert_ne!(hash("plain.csv"), hash("marked.CSV"));
}

#[test]
fn integer_ids_have_the_orders_type() {
    let desk = Desk::new();
    desk.write("a.csv", "customer_id,arm,assigned_on\n-7,mail,2024-04-01\n 12 ,control,2024-04-01\n");
    let keys = |table: Assignments| match table.ids {
        AssignedIds::Int(keys) => keys.iter().collect::<Vec<_>>(),
        AssignedIds::Text(_) => panic!("text"),
    };
    assert_eq!(keys(desk.read_as("a.csv", |r| r.id = IdType::Signed(64)).unwrap()), [-7, 12]);
    desk.refuses_as(
        "a.csv",
        |r| r.id = IdType::Unsigned(64),
        Kind::Contract,
        "a.csv, line 2: customer_id is \"-7\", but the orders' ids are integers; expected a number such as 1017",
    );
    let table = |ids: ArrayRef| {
        desk.parquet(
            "a.parquet",
            &[("customer_id", ids), ("arm", texts(&[Some("mail"); 2])), ("assigned_on", dates(&[Some("2024-04-01"); 2]))],
        );
    };
    table(Arc::new(Int16Array::from(vec![3, 5])));
    assert_eq!(keys(desk.read_as("a.parquet", |r| r.id = IdType::Signed(64)).unwrap()), [3, 5]);
    let unsigned = [3, 5].map(CustomerIds::key_of_unsigned);
    assert_eq!(keys(desk.read_as("a.parquet", |r| r.id = IdType::Unsigned(64)).unwrap()), unsigned);
    desk.refuses(
        "a.parquet",
        Kind::Contract,
        "a.parquet: column \"customer_id\" is of type int16; expected a string, as the orders' ids are. Convert it where the file is written",
    );
    table(Arc::new(UInt64Array::from(vec![3, u64::MAX])));
    assert_eq!(
        keys(desk.read_as("a.parquet", |r| r.id = IdType::Unsigned(64)).unwrap()),
        [3, u64::MAX].map(CustomerIds::key_of_unsigned)
    );
    desk.refuses_as(
        "a.parquet",
        |r| r.id = IdType::Signed(64),
        Kind::Contract,
        "a.parquet, row 2: customer_id is 18446744073709551615, which no order's customer_id can be; correct it",
    );
}

#[test]
fn rows_that_are_no_assignments_are_counted() {
    let desk = Desk::new();
    let table = "strategy,customer_id,arm,assigned_on\nmail,C1,mail,2024-04-01\n,C1,mail,2024-04-01\nsms,,,\nmail,,mail,2024-04-01\n\
                 mail,C1,,2024-04-01\nmail,C1,mail,\n";
    desk.write("a.csv", table);
    let optional: Vec<Option<&str>> = vec![Some("mail"), None, Some("sms"), Some("mail"), Some("mail"), Some("mail")];
    desk.parquet(
        "a.parquet",
        &[
            ("strategy", texts(&optional)),
            ("customer_id", texts(&[Some("C1"), Some("C1"), None, None, Some("C1"), Some("C1")])),
            ("arm", texts(&[Some("mail"), Some("mail"), None, Some("mail"), None, Some("mail")])),
            ("assigned_on", dates(&[Some("2024-04-01"), Some("2024-04-01"), None, Some("2024-04-01"), Some("2024-04-01"), None])),
        ],
    );
    for name in ["a.csv", "a.parquet"] {
        let got = desk.read(name).unwrap();
        assert_eq!(rows(&got), ["C1 mail 2024-04-01"], "{name}");
        let rejected = Rejected { null_strategy: 1, null_customer: 1, null_arm: 1, null_assigned_on: 1, date_out_of_range: 0 };
        assert_eq!((got.rows_read, got.other_strategies, got.rejected), (6, 1, rejected), "{name}");
        assert_eq!(got.rejected.total(), 4);
    }
    desk.parquet(
        "far.parquet",
        &[
            ("customer_id", texts(&[Some("C1"), Some("C2")])),
            ("arm", texts(&[Some("mail"); 2])),
            ("assigned_on", Arc::new(Date32Array::from(vec![10_000_000, 0]))),
        ],
    );
    assert_eq!(desk.read("far.parquet").unwrap().rejected.date_out_of_range, 1);
}

#[test]
fn files_are_put_together() {
    let desk = Desk::new();
    desk.write("q1.csv", "customer_id,arm,assigned_on,state\nC1,mail,2024-01-01,New\n");
    desk.write("q2.csv", "customer_id,arm,assigned_on,cost\nC2,control,2024-04-01,1\nC3,mail,2024-04-01,\n");
    desk.parquet(
        "q3.parquet",
        &[("customer_id", texts(&[Some("C4")])), ("arm", texts(&[Some("mail")])), ("assigned_on", dates(&[Some("2024-07-01")]))],
    );
    let table = desk.read("q*").unwrap();
    let want = [
        "C1 mail 2024-01-01 New 0",
        "C2 control 2024-04-01 (none) 100",
        "C3 mail 2024-04-01 (none) 0",
        "C4 mail 2024-07-01 (none) 0",
    ];
    assert_eq!((rows(&table), table.null_costs), (want.map(String::from).to_vec(), 3));
    // Whichever file comes first.
    desk.write("q0.csv", "customer_id,arm,assigned_on\nC0,mail,2023-10-01\n");
    assert_eq!(rows(&desk.read("q*").unwrap())[..2], ["C0 mail 2023-10-01 (none) 0", "C1 mail 2024-01-01 New 0"]);
    // Without arms in the job, those found are numbered by name.
    let found = desk.read_as("q*", |r| (r.arms.clear(), r.control = None, ()).2).unwrap();
    assert_eq!(found.arms, ["control", "mail"]);
    assert_eq!(found.arm.iter().collect::<Vec<_>>(), [1, 1, 0, 1, 1]);
}

/// More arms than a byte can number, in files that meet them in other orders.
#[test]
fn many_arms_are_told_apart() {
    let desk = Desk::new();
    let arm = |n: usize| format!("arm {:03}", n * 7 % 300);
    let table = |numbers: std::ops::Range<usize>| {
        let (ids, arms): (Vec<String>, Vec<String>) = numbers.map(|n| (format!("C{n:03}"), arm(n))).unzip();
        let some = |texts: &[String]| -> ArrayRef { Arc::new(StringArray::from(texts.to_vec())) };
        let days = Arc::new(Date32Array::from(vec![0; ids.len()]));
        [("customer_id", some(&ids)), ("arm", some(&arms)), ("assigned_on", days)]
    };
    desk.parquet_in_groups("1.parquet", &table(0..299), 1_000);
    desk.parquet("2.parquet", &table(299..300));
    let found = desk.read_as("*.parquet", |r| (r.arms.clear(), r.control = None, ()).2).unwrap();
    assert_eq!(found.arms.len(), 300);
    let names: Vec<&str> = (0..300).map(|row| found.arms[usize::from(found.arm(row))].as_str()).collect();
    assert_eq!(names, (0..300).map(arm).collect::<Vec<_>>());
}

/// A row goes to the part of its customer whole, and keeps its place among the part's rows.
#[test]
fn rows_are_laid_out_by_parts() {
    let desk = Desk::new();
    let lines = |of: std::ops::Range<i64>| {
        let line = |n: i64| {
            // The last ids and days are larger than most.
            let (id, year) = (n * 37 % 101 + ((n / 120) << 40), if n < 130 { 2024 } else { 2200 });
            format!("{id},{},{year}-01-{:02},{n}\n", if n % 3 == 0 { "a" } else { "b" }, n % 28 + 1)
        };
        of.map(line).collect::<String>()
    };
    desk.write("1.csv", format!("customer_id,arm,assigned_on,cost\n{}", lines(0..60)));
    desk.write("2.csv", format!("customer_id,arm,assigned_on,cost\n{}", lines(60..150)));
    for id in [IdType::Signed(64), IdType::Text] {
        let [whole] = desk.read_parts("*.csv", 1, id).try_into().unwrap();
        let parts = desk.read_parts("*.csv", 8, id);
        assert_eq!((parts.len(), parts.iter().map(|part| part.rows_read).sum::<u64>()), (8, 150));
        let part_of = |row: usize| {
            let hash = match &whole.ids {
                AssignedIds::Int(keys) => crate::bucket::hash_key(keys.at(row)),
                AssignedIds::Text(texts) => crate::bucket::hash_text(texts.get(row)),
            };
            (hash >> 61) as usize
        };
        for (number, part) in parts.iter().enumerate() {
            let all = rows(&whole);
            let own: Vec<String> = (0..whole.len()).filter(|row| part_of(*row) == number).map(|row| all[row].clone()).collect();
            assert_eq!(rows(part), own);
        }
    }
}

/// ChunkTotals batches are laid out as lines are, whether every row counts or some lack what they need; few names and many, short and
/// long.
#[test]
fn batches_are_laid_out_as_lines_are() {
    let desk = Desk::new();
    let long = |n: i64| format!("a name of more than twelve bytes, {n}");
    for (lacks, names) in [(false, 2), (true, 2), (false, 7), (true, 7)] {
        let count = 9_000i64;
        let lacks = |n: i64, every: i64| lacks && n % every == 0;
        let ids: Vec<Option<i64>> = (0..count).map(|n| (!lacks(n, 11)).then_some(n * 37 % 8_009)).collect();
        let name = |n: i64| if n % names > 4 { long(n % names) } else { format!("arm {}", n % names) };
        let arms: Vec<Option<String>> = (0..count).map(|n| (!lacks(n, 13)).then(|| name(n * n / 3))).collect();
        let days: Vec<Option<String>> =
            (0..count).map(|n| (!lacks(n, 17)).then(|| format!("2024-01-{:02}", n / 50 % 28 + 1))).collect();
        let strata: Vec<Option<String>> = (0..count).map(|n| (n % 19 > 0).then(|| name(n / 7))).collect();
        let text = |values: &[Option<String>]| texts(&values.iter().map(Option::as_deref).collect::<Vec<_>>());
        let columns = [
            ("customer_id", Arc::new(Int64Array::from(ids.clone())) as ArrayRef),
            ("arm", text(&arms)),
            ("assigned_on", dates(&days.iter().map(Option::as_deref).collect::<Vec<_>>())),
            ("stratum", text(&strata)),
        ];
        // One row group of two batches.
        desk.parquet_in_groups("a.parquet", &columns, count as usize);
        let mut lines = String::from("customer_id,arm,assigned_on,stratum\n");
        for row in 0..count as usize {
            let id = ids[row].map(|id| id.to_string()).unwrap_or_default();
            let [arm, day, stratum] = [&arms, &days, &strata].map(|column| column[row].clone().unwrap_or_default());
            lines += &format!("{id},\"{arm}\",{day},\"{stratum}\"\n");
        }
        desk.write("a.csv", lines);
        for parts in [1, 8] {
            let read = |file: &str| desk.read_parts(file, parts, IdType::Signed(64));
            let (batches, lines) = (read("a.parquet"), read("a.csv"));
            assert_eq!(batches.len(), parts);
            for (one, other) in batches.iter().zip(&lines) {
                assert!(rows(one) == rows(other));
                assert_eq!((one.rows_read, &one.rejected, &one.arms), (other.rows_read, &other.rejected, &other.arms));
            }
            assert_eq!(batches[0].rows_read, count as u64);
            assert_eq!(batches.iter().map(Assignments::len).sum::<usize>() < count as usize, lacks(0, 1));
        }
    }
}

/// What `assign` guards against spreadsheets is read back as it was.
#[test]
fn guarded_ids_are_themselves_again() {
    let desk = Desk::new();
    let ids = ["=1+1", "-5", "'", "'=x", "'abc", "@", "plain", "+49"];
    let lines: Vec<String> = ids.iter().map(|id| format!("{},mail,2024-04-01", crate::tables::escape_formula(id))).collect();
    desk.write("a.csv", format!("customer_id,arm,assigned_on\n{}\n", lines.join("\n")));
    assert_eq!(rows(&desk.read("a.csv").unwrap()), ids.map(|id| format!("{id} mail 2024-04-01")));
    // An apostrophe that guards nothing is a part of the id.
    desk.write("a.csv", "customer_id,arm,assigned_on\n'abc,mail,2024-04-01\n");
    assert_eq!(rows(&desk.read("a.csv").unwrap()), ["'abc mail 2024-04-01"]);
}

#[test]
fn wrong_csv_is_refused() {
    const HEAD: &str = "customer_id,arm,assigned_on";
    let cases: [(String, Kind, &str); 19] = [
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
            format!("{HEAD}\n\"C\n1\",mail,2024-04-01\nC2,male,2024-04-01\n"),
            Kind::Contract,
            "a.csv, line 4: \"male\" is no arm of strategy \"mail\"; did you mean \"mail\"? (arms: control, mail; found: mail in 1 rows, male in 1 rows); correct the table or the split",
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
    let desk = Desk::new();
    for (content, kind, message) in cases {
        desk.write("a.csv", content);
        desk.refuses("a.csv", kind, message);
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
        desk.write("a.csv", content);
        desk.refuses("a.csv", Kind::Input, message);
    }
    desk.refuses(
        "none.csv",
        Kind::Input,
        "there is no file or folder none.csv; check strategy.assignments (it is relative to the job file)",
    );
}

#[test]
fn wrong_parquet_is_refused() {
    let desk = Desk::new();
    let good: [(&str, ArrayRef); 3] = [
        ("customer_id", texts(&[Some("C1"), Some("C2"), Some("C3")])),
        ("arm", texts(&[Some("mail"), Some("control"), Some("mail")])),
        ("assigned_on", dates(&[Some("2024-04-01"); 3])),
    ];
    let with = |name: &'static str, column: ArrayRef| {
        let mut columns = good.to_vec();
        columns.retain(|(n, _)| *n != name);
        columns.push((name, column));
        desk.parquet("a.parquet", &columns);
    };
    desk.parquet("a.parquet", &good[..2]);
    desk.refuses("a.parquet", Kind::Contract, "a.parquet has no column \"assigned_on\" (its columns are customer_id, arm); expected customer_id, arm and assigned_on at least");
    with("assigned_on", texts(&[Some("2024-04-01"); 3]));
    desk.refuses("a.parquet", Kind::Contract, "a.parquet: column \"assigned_on\" is of type string; expected a date or a timestamp. Convert it where the file is written");
    with("arm", texts(&[Some("mail"), Some("control"), Some("sms")]));
    desk.refuses("a.parquet", Kind::Contract, "a.parquet, row 3: \"sms\" is no arm of strategy \"mail\" (arms: control, mail; found: control in 1 rows, mail in 1 rows, sms in 1 rows); correct the table or the split");
    desk.refuses_as(
        "a.parquet",
        |r| (r.arms.clear(), r.control = Some("kontrol"), ()).2,
        Kind::Contract,
        "strategy \"mail\": the control arm \"kontrol\" is not among the assignments; did you mean \"control\"? (found: control in 1 rows, mail in 1 rows, sms in 1 rows); correct the table or the name",
    );
    with("arm", texts(&[Some("mail"), Some("control"), Some("MAIL")]));
    desk.refuses_as(
        "a.parquet",
        |r| r.arms.clear(),
        Kind::Contract,
        "a.parquet, row 1: the arms \"MAIL\" and \"mail\" of strategy \"mail\" differ only in case or blanks; write one name",
    );
    with("arm", texts(&[Some("mail"), Some("control"), Some("(all)")]));
    desk.refuses_as(
        "a.parquet",
        |r| r.arms.clear(),
        Kind::Contract,
        "a.parquet, row 3: the arm \"(all)\" of strategy \"mail\" begins with a parenthesis, as tables write what is no arm, such as (all); give it another name",
    );
    with("cost", Arc::new(Decimal128Array::from(vec![10, 20, 25]).with_data_type(DataType::Decimal128(12, 3))));
    desk.refuses(
        "a.parquet",
        Kind::Contract,
        "a.parquet, row 3: cost has more than 2 digits behind the point; round it, or set orders.amount_scale",
    );
    with("cost", Arc::new(Float64Array::from(vec![1.0, f64::NAN, 2.0])));
    desk.refuses("a.parquet", Kind::Contract, "a.parquet, row 2: cost is no finite amount, or too large; correct it");
    with("cost", Arc::new(Float64Array::from(vec![1.0, -0.5, 2.0])));
    desk.refuses(
        "a.parquet",
        Kind::Contract,
        "a.parquet, row 2: cost is -0.50; expected 0 or more: what a treatment brings is in the orders, not in its cost",
    );
    for contacts in [0.5, -1.0, f64::NAN, 1e10] {
        with("contacts", Arc::new(Float64Array::from(vec![1.0, 2.0, contacts])));
        let message = format!("a.parquet, row 3: contacts is {contacts}; expected a whole number from 0");
        desk.refuses("a.parquet", Kind::Contract, &message);
    }
    // A column in which nothing is known yet has no type.
    for name in ["contacts", "ended_on"] {
        with(name, Arc::new(arrow::array::NullArray::new(3)));
        let table = desk.read("a.parquet").unwrap();
        assert_eq!((table.contacts, table.ended_on), (None, None));
    }
    with("contacts", Arc::new(Int32Array::from(vec![1, 2, -1])));
    desk.refuses("a.parquet", Kind::Contract, "a.parquet, row 3: contacts is -1; expected a whole number from 0");
    with("ended_on", dates(&[None, None, Some("2024-03-01")]));
    desk.refuses(
        "a.parquet",
        Kind::Contract,
        "a.parquet, row 3: ended_on (2024-03-01) lies before assigned_on (2024-04-01); correct the row",
    );
    desk.write("a.parquet", CSV);
    desk.refuses("a.parquet", Kind::Input, "a.parquet is not a Parquet file: it begins like text, perhaps CSV; expected the bytes PAR1. Check what wrote it, or take it out of strategy.assignments");
    // Damage is an error, never a panic.
    desk.parquet("a.parquet", &good);
    let whole = std::fs::read(desk.0.path().join("a.parquet")).unwrap();
    for at in 4..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        desk.write("a.parquet", bytes);
        let _ = desk.read("a.parquet");
    }
}
