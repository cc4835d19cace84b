//! What `init` guesses of the tables of `shapes.toml`.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int64Array, StringArray, TimestampMicrosecondArray};
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::init;
use super::shop::{Made, Order, orders, value};
use crate::fixture::{Bench, parquet_bytes};

/// The roles that count.
const ROLES: [&str; 11] =
    ["customer", "date", "amount", "order", "rows", "status", "currency", "cost", "discount", "category", "refund"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    pub name: String,
    #[serde(default)]
    pub holdout: bool,
    #[serde(default = "csv")]
    pub format: String,
    #[serde(default = "comma")]
    separator: char,
    #[serde(default)]
    decimal_comma: bool,
    #[serde(default = "utf8")]
    encoding: String,
    rows: String,
    columns: String,
    truth: BTreeMap<String, String>,
}

fn csv() -> String {
    "csv".into()
}

fn comma() -> char {
    ','
}

fn utf8() -> String {
    "utf-8".into()
}

#[derive(Deserialize)]
struct Shapes {
    shape: Vec<Shape>,
}

pub fn shapes() -> Vec<Shape> {
    let shapes: Shapes = toml::from_str(include_str!("shapes.toml")).expect("shapes");
    shapes.shape
}

/// A column: its header, the kind of its values, whether only the first row of an order has one, and in how many percent of the orders
/// there is none.
struct Column<'a> {
    header: &'a str,
    kind: &'a str,
    is_first: bool,
    empty: u64,
}

impl Shape {
    fn columns(&self) -> Vec<Column<'_>> {
        let column = |line| {
            let (header, rest): (&str, &str) = str::split_once(line, " | ").unwrap_or_else(|| panic!("{}: {line:?}", self.name));
            let mut parts = rest.split(" @");
            let kind = parts.next().expect("a kind");
            let mut column = Column { header, kind, is_first: false, empty: 0 };
            for part in parts {
                match part {
                    "first" => column.is_first = true,
                    share => column.empty = share.parse().expect("a share"),
                }
            }
            column
        };
        self.columns.lines().map(column).collect()
    }

    /// The values, row by row.
    fn rows(&self, orders: &[Order]) -> Vec<Vec<Made>> {
        let columns = self.columns();
        let mut rows = Vec::new();
        for order in orders {
            let lines = if self.rows == "orders" { 1 } else { order.lines.len() };
            for line in 0..lines {
                let made = |column: &Column<'_>| match () {
                    () if column.is_first && line > 0 => Made::Nothing,
                    () if order.chance % 100 < column.empty => Made::Nothing,
                    () => value(column.kind, order, line),
                };
                rows.push(columns.iter().map(made).collect());
            }
        }
        rows
    }

    /// Writes the table; gives the name of its file.
    pub fn write(&self, bench: &Bench) -> &'static str {
        let seed = self.name.bytes().fold(7u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
        let rows = self.rows(&orders(seed, self.rows != "orders"));
        match self.format.as_str() {
            "csv" => {
                bench.write("orders.csv", self.csv(&rows));
                "orders.csv"
            }
            "ndjson" => {
                bench.write("orders.ndjson", self.ndjson(&rows));
                "orders.ndjson"
            }
            "parquet" => {
                bench.write("orders.parquet", self.parquet(&rows));
                "orders.parquet"
            }
            other => panic!("no format {other}"),
        }
    }

    fn csv(&self, rows: &[Vec<Made>]) -> Vec<u8> {
        let mut writer = ::csv::WriterBuilder::new().delimiter(self.separator as u8).from_writer(Vec::new());
        writer.write_record(self.columns().iter().map(|column| column.header)).unwrap();
        for row in rows {
            writer.write_record(row.iter().map(|made| self.shown(made))).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let encoding = encoding_rs::Encoding::for_label(self.encoding.as_bytes()).expect("an encoding");
        let (bytes, _, is_lossy) = encoding.encode(&text);
        assert!(!is_lossy, "{} has letters that {} lacks", self.name, self.encoding);
        bytes.into_owned()
    }

    /// A value as people write it.
    fn shown(&self, made: &Made) -> String {
        match made {
            Made::Text(text) => text.clone(),
            Made::Whole(number) => number.to_string(),
            Made::Cents(cents) => money(*cents, self.decimal_comma),
            Made::Flag(flag) => u8::from(*flag).to_string(),
            Made::Moment(time) | Made::Instant(time) => time.to_string(),
            Made::Day(day) => day.to_string(),
            Made::Nothing => String::new(),
        }
    }

    fn ndjson(&self, rows: &[Vec<Made>]) -> String {
        let columns = self.columns();
        let object = |row: &Vec<Made>| {
            let value = |made: &Made| match made {
                Made::Whole(number) => json!(number),
                Made::Cents(cents) => json!(*cents as f64 / 100.0),
                Made::Flag(flag) => json!(flag),
                Made::Nothing => Value::Null,
                made => json!(self.shown(made)),
            };
            let fields: Map<String, Value> =
                columns.iter().zip(row).map(|(column, made)| (column.header.to_owned(), value(made))).collect();
            Value::Object(fields).to_string() + "\n"
        };
        rows.iter().map(object).collect()
    }

    fn parquet(&self, rows: &[Vec<Made>]) -> Vec<u8> {
        let columns = self.columns();
        let arrays = (0..columns.len()).map(|at| self.array(&rows.iter().map(|row| &row[at]).collect::<Vec<&Made>>()));
        let named: Vec<(&str, ArrayRef)> = columns.iter().map(|column| column.header).zip(arrays).collect();
        parquet_bytes(&named)
    }

    fn array(&self, values: &[&Made]) -> ArrayRef {
        let micros = |time: &DateTime| Offset::UTC.to_timestamp(*time).unwrap().as_microsecond();
        let days = |day: &Date| (*day - Date::constant(1970, 1, 1)).get_days();
        let get = |want: fn(&Made) -> Option<i64>| values.iter().map(move |made| want(made));
        match values.iter().find(|made| ***made != Made::Nothing) {
            Some(Made::Whole(_)) => {
                Arc::new(Int64Array::from_iter(get(|made| if let Made::Whole(number) = made { Some(*number) } else { None })))
            }
            Some(Made::Cents(_)) => {
                let cents = get(|made| if let Made::Cents(cents) = made { Some(*cents) } else { None });
                let cents = Decimal128Array::from_iter(cents.map(|cents| cents.map(i128::from)));
                Arc::new(cents.with_precision_and_scale(12, 2).unwrap())
            }
            Some(Made::Flag(_)) => Arc::new(BooleanArray::from_iter(
                values.iter().map(|made| if let Made::Flag(flag) = made { Some(*flag) } else { None }),
            )),
            Some(first @ (Made::Moment(_) | Made::Instant(_))) => {
                let time = |made: &&Made| match made {
                    Made::Moment(time) | Made::Instant(time) => Some(micros(time)),
                    _ => None,
                };
                let array = TimestampMicrosecondArray::from_iter(values.iter().map(time));
                match first {
                    Made::Instant(_) => Arc::new(array.with_timezone("UTC")),
                    _ => Arc::new(array),
                }
            }
            Some(Made::Day(_)) => Arc::new(Date32Array::from_iter(
                values.iter().map(|made| if let Made::Day(day) = made { Some(days(day)) } else { None }),
            )),
            _ => {
                let text = |made: &&Made| if **made == Made::Nothing { None } else { Some(self.shown(made)) };
                Arc::new(StringArray::from_iter(values.iter().map(text)))
            }
        }
    }
}

/// Money with marks between thousands where a comma stands before the fraction.
fn money(cents: i64, decimal_comma: bool) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let (whole, fraction) = (cents.abs() / 100, cents.abs() % 100);
    match (decimal_comma, whole >= 1_000) {
        (false, _) => format!("{sign}{whole}.{fraction:02}"),
        (true, false) => format!("{sign}{whole},{fraction:02}"),
        (true, true) => format!("{sign}{}.{:03},{fraction:02}", whole / 1_000, whole % 1_000),
    }
}

/// What was found of the roles of a shape: right ones, all, and what is wrong.
fn compare(shape: &Shape, roles: &BTreeMap<String, String>) -> (usize, usize, Vec<String>) {
    let truth = |role: &str| match role {
        "rows" => Some(shape.rows.clone()),
        role => shape.truth.get(role).cloned(),
    };
    let (mut right, mut all, mut wrong) = (0, 0, Vec::new());
    for role in ROLES {
        let (truth, found) = (truth(role), roles.get(role));
        let is_right = match (&truth, found) {
            (None, None) => continue,
            (Some(truth), Some(found)) => truth.split('|').any(|one| one == found),
            _ => false,
        };
        all += 1;
        match is_right {
            true => right += 1,
            false => wrong.push(format!(
                "{}: {role} is {}, found {}",
                shape.name,
                truth.as_deref().unwrap_or("none"),
                found.map_or("none", String::as_str)
            )),
        }
    }
    (right, all, wrong)
}

/// At least 90 % of the roles are right, of the shapes by which words and rules were chosen and of those that were kept from that.
#[test]
fn nine_of_ten_roles_are_right() {
    let all = shapes();
    assert!(all.len() >= 40 && all.iter().filter(|shape| shape.holdout).count() * 4 >= all.len(), "{} shapes", all.len());
    for holdout in [false, true] {
        let (mut right, mut count, mut wrong) = (0, 0, Vec::new());
        let shapes: Vec<&Shape> = all.iter().filter(|shape| shape.holdout == holdout).collect();
        for shape in &shapes {
            let bench = Bench::empty();
            let file = shape.write(&bench);
            let ran = bench.rfmill(&["init", file, "--format", "json"]);
            let roles = match ran.code {
                0 => init_again(&bench, file),
                _ => {
                    wrong.push(format!("{}: {}", shape.name, ran.err.trim_end()));
                    BTreeMap::new()
                }
            };
            let of = compare(shape, &roles);
            (right, count) = (right + of.0, count + of.1);
            wrong.extend(of.2);
        }
        let which = if holdout { "kept from whoever chose the words" } else { "by which words were chosen" };
        let shown = if holdout && std::env::var_os("RFMILL_INIT_HOLDOUT").is_none() { String::new() } else { wrong.join("\n  ") };
        eprintln!("{} shapes {which}: {right} of {count} roles are right\n  {shown}", shapes.len());
        assert!(right * 10 >= count * 9, "{right} of {count} roles of the shapes {which} are right");
    }
}

fn init_again(bench: &Bench, file: &str) -> BTreeMap<String, String> {
    init(bench, &[file, "--output", "again.toml"]).roles
}
