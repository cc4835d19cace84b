//! A made-up shop: orders with lines, and the values of columns of any kind for them.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// An order.
pub struct Order {
    pub number: u64,
    pub customer: u64,
    pub time: DateTime,
    pub lines: Vec<Line>,
    pub shipping: i64,
    pub discount: i64,
    pub refund: i64,
    /// Decides values that nothing else does.
    pub chance: u64,
}

/// A line; money in cents.
pub struct Line {
    pub product: usize,
    pub quantity: i64,
    pub price: i64,
}

/// Name, category, price in cents.
const PRODUCTS: [(&str, &str, i64); 6] = [
    ("Green tea 100 g", "Tea", 890),
    ("Black tea, loose", "Tea", 1250),
    ("Porcelain cup", "Cups", 1495),
    ("Glass cup", "Cups", 999),
    ("Tea pot \"Oslo\"", "Pots", 4900),
    ("Cast iron pot", "Pots", 118_900),
];

impl Order {
    pub fn subtotal(&self) -> i64 {
        self.lines.iter().map(|line| line.quantity * line.price).sum()
    }

    pub fn total(&self) -> i64 {
        self.subtotal() + self.shipping - self.discount
    }
}

/// 400 orders of up to 120 customers from 2023 to the middle of 2024, in the order of time; `lines` is whether orders have several.
pub fn orders(seed: u64, lines: bool) -> Vec<Order> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut times: Vec<DateTime> = (0..400)
        .map(|_| {
            let day = Date::constant(2023, 1, 1).saturating_add(random.random_range(0..540i64).days());
            day.at(random.random_range(7..23), random.random_range(0..60), random.random_range(0..60), 0)
        })
        .collect();
    times.sort();
    let order = |(number, time): (usize, DateTime)| {
        let count = if lines { random.random_range(1..4) } else { 1 };
        let lines = (0..count).map(|_| {
            let product = random.random_range(0..PRODUCTS.len());
            Line { product, quantity: random.random_range(1..4), price: PRODUCTS[product].2 }
        });
        let lines: Vec<Line> = lines.collect();
        let share: f64 = random.random_range(0.0..1.0);
        Order {
            number: number as u64,
            customer: (share * share * 120.0) as u64,
            time,
            shipping: [0, 490][random.random_range(0..2)],
            discount: [0, 0, 0, 200][random.random_range(0..4)],
            refund: [0, 0, 0, 0, 0, 0, 0, 0, 0, 500][random.random_range(0..10)],
            chance: random.random_range(0..1_000_000),
            lines,
        }
    };
    times.into_iter().enumerate().map(order).collect()
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Made {
    Text(String),
    Whole(i64),
    Cents(i64),
    Flag(bool),
    Moment(DateTime),
    Instant(DateTime),
    Day(Date),
    Nothing,
}

fn text(text: impl Into<String>) -> Made {
    Made::Text(text.into())
}

/// A number of `order` behind a prefix, which may end in the digits of the first.
fn numbered(prefix: &str, number: u64) -> String {
    let digits = prefix.chars().rev().take_while(char::is_ascii_digit).count();
    let (word, first) = prefix.split_at(prefix.len() - digits);
    let first: u64 = first.parse().unwrap_or(1);
    let width = if digits == 0 { 4 } else { digits };
    format!("{word}{:0width$}", first + number)
}

/// One of some values between slashes, of which `paid*8` stands for eight.
fn one_of(list: &str, chance: u64) -> String {
    let values: Vec<&str> = list
        .split('/')
        .flat_map(|value| match value.rsplit_once('*') {
            Some((value, times)) => vec![value; times.parse().expect("a number")],
            None => vec![value],
        })
        .collect();
    values[chance as usize % values.len()].to_owned()
}

/// A word that looks drawn.
fn token(seed: u64) -> String {
    format!("{:014x}", seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 8)
}

/// The value of a column of a kind on a line of an order.
pub fn value(kind: &str, order: &Order, line: usize) -> Made {
    let (kind, of) = kind.split_once(':').unwrap_or((kind, ""));
    let at = &order.lines[line];
    let zoned = |zone: &str| order.time.to_zoned(TimeZone::get(zone).expect("a zone")).expect("a time");
    let customer = order.customer;
    match kind {
        "order" => text(numbered(of, order.number)),
        "serial" | "int" => Made::Whole(of.parse::<i64>().expect("a number") + order.number as i64),
        "token" => text(format!("{of}{}", token(order.number))),
        "linetoken" => text(token(order.number * 10 + line as u64 + 7_000)),
        "email" => text(format!("person{customer}@example.org")),
        "name" => text(format!("Person Number{customer}")),
        "firstname" => text(["Ann", "Bob", "Cem", "Dora"][customer as usize % 4]),
        "lastname" => text(format!("Number{customer}")),
        "nickname" => text(format!("tb{}", token(customer).split_at(6).0)),
        "phone" => text(format!("1390000{customer:04}")),
        "street" => text(format!("Street {}", customer % 30)),
        "zip" => text(format!("{:05}", 10_115 + customer)),
        "city" => text(["Berlin", "Köln", "Ulm"][customer as usize % 3]),
        "ip" => text(format!("192.0.2.{}", customer % 250)),
        "customerid" => Made::Whole(of.parse::<i64>().expect("a number") + customer as i64),
        "customercode" => text(format!("{of}{customer:04}")),
        "customertoken" => text(format!("{of}{}", token(customer + 90_000))),
        "time" if of.contains("%z") || of.contains("%:z") => text(zoned("Europe/Berlin").strftime(of).to_string()),
        "time" | "date" => text(order.time.strftime(of).to_string()),
        "clock" => text(order.time.strftime("%H:%M:%S").to_string()),
        "timestamp" if of.is_empty() => Made::Moment(order.time),
        "timestamp" => Made::Instant(order.time),
        "day" => Made::Day(order.time.date()),
        "epoch" => Made::Whole(Zoned::timestamp(&zoned("UTC")).as_second()),
        "total" => Made::Cents(order.total()),
        "subtotal" => Made::Cents(order.subtotal()),
        "tax" => Made::Cents(order.total() * 19 / 119),
        "shipping" => Made::Cents(order.shipping),
        "discount" => Made::Cents(order.discount),
        "negdiscount" => Made::Cents(-order.discount),
        "refund" => Made::Cents(order.refund),
        "totalcents" => Made::Whole(order.total()),
        "refundcents" => Made::Whole(order.refund),
        "zero" => Made::Cents(0),
        "zero_int" => Made::Whole(0),
        "linetotal" => Made::Cents(at.quantity * at.price),
        "unitprice" => Made::Cents(at.price),
        "linecost" => Made::Cents(at.quantity * at.price * 6 / 10),
        "unitcost" => Made::Cents(at.price * 6 / 10),
        "quantity" => Made::Whole(at.quantity),
        "lineno" => Made::Whole((line as i64 + 1) * 10),
        "sku" => text(format!("SKU-{}", at.product)),
        "product" => text(PRODUCTS[at.product].0),
        "category" => text(PRODUCTS[at.product].1),
        "status" | "choice" => match one_of(of, order.chance / if kind == "status" { 1 } else { 7 }) {
            empty if empty.is_empty() => Made::Nothing,
            value => text(value),
        },
        "shop" => text(["A", "B"][(order.number % 2) as usize]),
        // Each shop counts its own receipts.
        "shopreceipt" => text(format!("R{:05}", order.number / 2)),
        "const" => text(of),
        "const_int" => Made::Whole(of.parse().expect("a number")),
        "flag" => Made::Flag(order.chance.is_multiple_of(2)),
        "bool" => Made::Flag(of == "true"),
        "empty" => Made::Nothing,
        other => panic!("no kind {other}"),
    }
}
