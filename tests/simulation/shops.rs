//! Customers of shops, real and made up: what each spent in two windows, one after the other.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, TimestampMicrosecondType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal, Poisson};

/// Days of a window.
const DAYS: i32 = 91;

/// Shops made up: customers, the share who buy in a window, and σ of log-normal money.
pub const MADE_UP: [(usize, f64, f64); 6] =
    [(200, 0.3, 0.9), (2_000, 0.3, 0.9), (2_000, 0.3, 1.8), (2_000, 0.015, 0.9), (20_000, 0.3, 1.8), (20_000, 0.015, 0.9)];

/// The shares that are held out of them.
pub const SHARES: [f64; 5] = [0.01, 0.05, 0.1, 0.2, 0.5];

/// A customer.
#[derive(Debug, Clone, Copy)]
pub struct Spender {
    /// Spend in the window, cents.
    pub after: i64,
    /// Spend in the window before.
    pub before: i64,
    /// Orders in the window.
    pub orders: i64,
    /// The tier, an index of [`Shop::tiers`].
    pub tier: usize,
}

/// A shop.
pub struct Shop {
    pub name: String,
    pub tiers: Vec<&'static str>,
    pub customers: Vec<Spender>,
}

/// Tiers by orders before the window.
const TIERS: [(&str, usize); 4] = [("one order", 1), ("two orders", 2), ("three or four", 4), ("five and more", usize::MAX)];

fn data(file: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let path = std::env::var_os("RFMILL_SHARED").map_or_else(beside, PathBuf::from).join("data").join(file);
    if !path.exists() {
        super::say(&format!("SKIPPED: {}", path.display()), "is not there; set RFMILL_SHARED to the folder whose data/ holds it");
        return None;
    }
    Some(path)
}

/// A column as 64-bit integers, if it is there: days, cents or counts.
fn integers(batch: &RecordBatch, name: &str) -> Vec<Option<i64>> {
    let column = batch.column_by_name(name).expect("a column");
    let rows = 0..column.len();
    let valid = |row: usize| column.is_valid(row);
    match column.data_type() {
        DataType::Date32 => rows.map(|r| valid(r).then(|| i64::from(column.as_primitive::<Date32Type>().value(r)))).collect(),
        DataType::Timestamp(..) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>();
            rows.map(|r| valid(r).then(|| micros.value(r).div_euclid(86_400_000_000))).collect()
        }
        DataType::Decimal128(..) => {
            rows.map(|r| valid(r).then(|| column.as_primitive::<Decimal128Type>().value(r) as i64)).collect()
        }
        DataType::Float64 => {
            let money = column.as_primitive::<Float64Type>();
            rows.map(|r| valid(r).then(|| (money.value(r) * 100.0).round() as i64)).collect()
        }
        DataType::Int32 => rows.map(|r| valid(r).then(|| i64::from(column.as_primitive::<Int32Type>().value(r)))).collect(),
        _ => rows.map(|r| valid(r).then(|| column.as_string::<i32>().value(r).parse().unwrap_or(-1))).collect(),
    }
}

/// Customer, day, and cents of every line.
fn lines(file: &str, customer: &str, day: &str, money: &str, times: Option<&str>) -> Option<Vec<(i64, i64, i64)>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(data(file)?).expect("a file")).expect("Parquet");
    let mut all = Vec::new();
    for batch in reader.build().expect("a reader") {
        let batch = batch.expect("rows");
        let quantity = times.map(|name| integers(&batch, name));
        let columns = integers(&batch, customer).into_iter().zip(integers(&batch, day)).zip(integers(&batch, money));
        for (row, ((customer, day), money)) in columns.enumerate() {
            let times = quantity.as_ref().map_or(Some(1), |quantity| quantity[row]);
            if let (Some(customer), Some(day), Some(money), Some(times)) = (customer, day, money, times) {
                all.push((customer, day, money * times));
            }
        }
    }
    Some(all)
}

/// Customer, day, and cents of every line of the shops whose orders are public.
pub fn spend() -> Vec<(&'static str, Vec<(i64, i64, i64)>)> {
    let retail = lines("online_retail.parquet", "CustomerID", "InvoiceDate", "UnitPrice", Some("Quantity"));
    let cdnow = lines("cdnow_master.parquet", "customer_id", "date", "dollar_value", None);
    [("Online Retail", retail), ("CDNOW", cdnow)].into_iter().filter_map(|(name, lines)| Some((name, lines?))).collect()
}

/// Cents by customer and quarter, over these last quarters of 91 days, of who had ordered before the second one.
pub fn by_quarter(lines: &[(i64, i64, i64)], quarters: usize) -> Vec<Vec<i64>> {
    let end = lines.iter().map(|line| line.1).max().expect("lines") + 1;
    let start = end - i64::from(DAYS) * quarters as i64;
    let mut customers: BTreeMap<i64, (bool, Vec<i64>)> = BTreeMap::new();
    for (customer, day, money) in lines {
        let own = customers.entry(*customer).or_insert_with(|| (false, vec![0; quarters]));
        own.0 |= *money > 0 && *day < start + i64::from(DAYS);
        if *day >= start {
            own.1[((day - start) / i64::from(DAYS)) as usize] += money;
        }
    }
    customers.into_values().filter(|(is_known, _)| *is_known).map(|(_, spend)| spend).collect()
}

impl Shop {
    /// A shop of whom lines are known: its last 91 days and the 91 before, of customers who had ordered by then.
    fn of_lines(name: &str, lines: &[(i64, i64, i64)]) -> Shop {
        let end = lines.iter().map(|line| line.1).max().expect("lines") + 1;
        let start = end - i64::from(DAYS);
        let mut customers: BTreeMap<i64, (i64, i64, Vec<i64>, Vec<i64>)> = BTreeMap::new();
        for (customer, day, money) in lines {
            let own = customers.entry(*customer).or_default();
            match () {
                () if *day >= start => own.0 += money,
                () if *day >= start - i64::from(DAYS) => own.1 += money,
                () => {}
            }
            if *money > 0 {
                let days = if *day < start { &mut own.2 } else { &mut own.3 };
                days.push(*day);
            }
        }
        let distinct = |mut days: Vec<i64>| {
            days.sort_unstable();
            days.dedup();
            days.len()
        };
        let of = |(after, before, earlier, later): (i64, i64, Vec<i64>, Vec<i64>)| {
            let known = distinct(earlier);
            let tier = TIERS.iter().position(|(_, most)| known <= *most)?;
            (known > 0).then(|| Spender { after, before, orders: distinct(later) as i64, tier })
        };
        let customers = customers.into_values().filter_map(of).collect();
        Shop { name: name.into(), tiers: TIERS.iter().map(|tier| tier.0).collect(), customers }
    }

    /// The shops whose orders are public.
    pub fn real() -> Vec<Shop> {
        spend().into_iter().map(|(name, lines)| Shop::of_lines(name, &lines)).collect()
    }

    /// A shop where this share of customers buys in a window, mostly the same ones, for log-normal money with this σ.
    pub fn made_up(rng: &mut ChaCha8Rng, customers: usize, buying: f64, sigma: f64) -> Shop {
        let money = LogNormal::new(8.0, sigma * 0.8).expect("a log-normal");
        let noise = LogNormal::new(0.0, sigma * 0.6).expect("a log-normal");
        let rate = -(1.0 - buying.min(0.999)).ln();
        let spread = LogNormal::new(-0.32, 0.8).expect("a log-normal");
        let mut one = || {
            let (level, rate) = (money.sample(rng), rate * spread.sample(rng));
            let mut window = || {
                let orders = Poisson::new(rate).expect("a Poisson").sample(rng) as i64;
                (orders, (0..orders).map(|_| (level * noise.sample(rng)).round() as i64).sum())
            };
            let ((orders, after), (_, before)) = (window(), window());
            Spender { after, before, orders, tier: 0 }
        };
        let name = format!("{customers} customers, {:.1} % buy, σ {sigma}", 100.0 * buying);
        Shop { name, tiers: vec!["all"], customers: (0..customers).map(|_| one()).collect() }
    }

    /// Draws `share` of every tier into the control arm: by customer, whether held out.
    pub fn draw(&self, rng: &mut ChaCha8Rng, share: f64) -> Vec<bool> {
        let mut held_out = vec![false; self.customers.len()];
        for tier in 0..self.tiers.len() {
            let mut members: Vec<usize> = (0..self.customers.len()).filter(|at| self.customers[*at].tier == tier).collect();
            let controls = (members.len() as f64 * share).round() as usize;
            for at in 0..controls {
                let other = rng.random_range(at..members.len());
                members.swap(at, other);
                held_out[members[at]] = true;
            }
        }
        held_out
    }
}
