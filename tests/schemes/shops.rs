//! Shops to try schemes on: four made up, whose customers behave as those of their trade do, and two of public data.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{BooleanArray, Date32Array};

use crate::fixture::{decimals, ints, parquet_bytes};
use crate::support::calendar::date_text;
use crate::support::cases::Rng;
use crate::support::run::{Cell, Workshop, read_folder, said};

/// The sections `[orders]` of a shop's job, the date on which its customers are looked at, and its folder.
pub struct Shop {
    pub folder: Workshop,
    pub orders: String,
    /// Days since 1970-01-01.
    pub as_of: i64,
    /// Whether its orders know of discounts.
    pub has_discounts: bool,
}

/// A customer at the date.
pub struct Customer {
    /// By their names.
    numbers: BTreeMap<String, f64>,
    /// By scheme column.
    pub states: BTreeMap<String, String>,
    /// Whether the customer buys within the next 90 days.
    pub buys: bool,
}

impl Customer {
    /// A measure; not a number where it is null, which fails every comparison.
    pub fn number(&self, name: &str) -> f64 {
        self.numbers.get(name).copied().unwrap_or(f64::NAN)
    }
}

/// Days of the made-up orders count from here: 2022-01-01.
const FIRST_DAY: i64 = 18_993;

impl Shop {
    /// The customers at the date, with these measures and the states of these schemes, `column = "scheme"`.
    pub fn customers(&self, measures: &[&str], schemes: &[(&str, &str)]) -> Vec<Customer> {
        let columns: Vec<&str> = measures.iter().copied().chain(schemes.iter().map(|(column, _)| *column)).collect();
        let lines: String = schemes.iter().map(|(column, scheme)| format!("{column} = {scheme:?}\n")).collect();
        let later = self.as_of + 90;
        let [now, then] = [self.as_of, later].map(date_text);
        self.folder.write(
            "job.toml",
            &format!(
                "name = \"shop\"\n[orders]\n{}\n[periods]\nas_of = [{now}, {then}]\n[schemes]\n{lines}[output]\npath = \"out\"\nreport = []\ntables = [\"customers\"]\ncolumns = {columns:?}\n",
                self.orders
            ),
        );
        let output = self.folder.run(&["--quiet"]);
        assert!(output.status.success(), "{}", said(&output));
        let table = |date: &str| read_folder(&self.folder.path(&format!("out/latest/customers/as_of={date}")));
        let (now, then) = (table(&now), table(&then));
        let key = |cell: &Cell| if let Cell::Text(id) = cell { id.clone() } else { cell.int().to_string() };
        let [id, orders] = ["customer_id", "lifetime_orders"].map(|name| then.column(name));
        let later: BTreeMap<String, i128> = then.rows.iter().map(|row| (key(&row[id]), row[orders].int())).collect();
        let customer = |row: BTreeMap<&str, &Cell>| {
            let number = |name: &&str| match row[name] {
                Cell::Null => None,
                Cell::Double(x) => Some(*x),
                Cell::Decimal(digits, scale) => Some(*digits as f64 / 10f64.powi(i32::from(*scale))),
                other => Some(other.int() as f64),
            };
            Customer {
                numbers: measures.iter().filter_map(|name| Some(((*name).to_owned(), number(name)?))).collect(),
                states: schemes.iter().map(|(column, _)| ((*column).to_owned(), row[column].text().to_owned())).collect(),
                buys: later[&key(row["customer_id"])] > row["lifetime_orders"].int(),
            }
        };
        now.records().into_iter().map(customer).collect()
    }

    /// A shop with these orders (customer and day), looked at on `as_of`; every third order of every second customer, and all of
    /// every seventh, are discounted.
    fn made_up(orders: &[(i64, i64)], as_of: i64) -> Shop {
        let folder = Workshop::new();
        let numbered = || orders.iter().zip(0i64..);
        let discounted = numbered().map(|((customer, _), at)| (customer % 2 == 0 && at % 3 == 0) || customer % 7 == 0);
        let columns = [
            ("customer_id", ints(orders.iter().map(|(customer, _)| *customer))),
            ("day", Arc::new(Date32Array::from_iter_values(orders.iter().map(|(_, day)| (FIRST_DAY + day) as i32))) as _),
            ("amount", decimals(2, numbered().map(|(_, at)| i128::from(500 + at * 37 % 9_000)))),
            ("sale", Arc::new(BooleanArray::from_iter(discounted.map(Some))) as _),
        ];
        std::fs::write(folder.path("orders.parquet"), parquet_bytes(&columns)).expect("orders");
        let orders = "path = \"orders.parquet\"\ncustomer_id = \"customer_id\"\nordered_at = \"day\"\namount = \"amount\"\ndiscount = \"sale\"";
        Shop { folder, orders: orders.into(), as_of: FIRST_DAY + as_of, has_discounts: true }
    }

    /// Two years of a shop for daily needs: gaps of one to three weeks. Of ten who come for the first time, four never come again.
    pub fn grocer() -> Shop {
        let mut luck = Luck(Rng::new(1));
        let last = 730;
        let mut orders = Vec::new();
        for customer in 0..6_000 {
            let gap = 3.0 + luck.gamma(4, 8.0);
            let first = luck.0.between(0, last);
            luck.visits(&mut orders, customer, [first, last + 90], gap, [40, 20, 1]);
        }
        Shop::made_up(&orders, last)
    }

    /// Four years of a shop that people need every few years: seven in ten buy once.
    pub fn furniture() -> Shop {
        let mut luck = Luck(Rng::new(2));
        let last = 1_460;
        let mut orders = Vec::new();
        for customer in 0..12_000 {
            let gap = luck.gamma(4, 240.0);
            let first = luck.0.between(0, last);
            luck.visits(&mut orders, customer, [first, last + 90], gap, [70, 35, 35]);
        }
        Shop::made_up(&orders, last)
    }

    /// On 30 November: people who come in every December, and three in ten who came in one only.
    pub fn christmas() -> Shop {
        let mut luck = Luck(Rng::new(3));
        let december = |year: i64| year * 365 + 334;
        let mut orders = Vec::new();
        for customer in 0..3_000 {
            let first = luck.0.between(0, 2);
            let years = if luck.0.chance(30) { 1 } else { 4 - first };
            for year in first..first + years {
                orders.push((customer, december(year) + luck.0.between(0, 23)));
            }
        }
        Shop::made_up(&orders, december(3) - 1)
    }

    /// A shop that opened 91 days ago: six in ten have come once and never will again.
    pub fn young() -> Shop {
        let mut luck = Luck(Rng::new(4));
        let last = 90;
        let mut orders = Vec::new();
        for customer in 0..4_000 {
            let gap = 4.0 + luck.gamma(4, 24.0);
            let first = luck.0.between(0, last);
            luck.visits(&mut orders, customer, [first, last + 90], gap, [60, 30, 5]);
        }
        Shop::made_up(&orders, last)
    }

    /// 23,570 customers of the first quarter of 1997, with 90 days of orders after the date; `None` if the data are not there.
    pub fn cdnow() -> Option<Shop> {
        let data = crate::standard::public("cdnow_master.parquet")?;
        let orders = format!("path = {data:?}\ncustomer_id = \"customer_id\"\nordered_at = \"date\"\namount = \"dollar_value\"");
        // 1998-03-31
        Some(Shop { folder: Workshop::new(), orders, as_of: 10_316, has_discounts: false })
    }

    /// Invoices from December 2010 on, with 90 days of them after the date; `None` if the data are not there.
    pub fn online_retail() -> Option<Shop> {
        let data = crate::standard::public("online_retail.parquet")?;
        let orders = crate::standard::online_retail_orders(&data);
        // 2011-09-09
        Some(Shop { folder: Workshop::new(), orders, as_of: 15_226, has_discounts: false })
    }
}

/// What happens to made-up customers.
struct Luck(Rng);

impl Luck {
    /// A gamma number of this shape and mean.
    fn gamma(&mut self, shape: u32, mean: f64) -> f64 {
        let uniform = |rng: &mut Rng| (rng.below(1 << 40) + 1) as f64 / (1u64 << 40) as f64;
        (0..shape).map(|_| -uniform(&mut self.0).ln()).sum::<f64>() * mean / f64::from(shape)
    }

    /// Visits from a day on until the customer leaves or the data end: with these chances in 100 after the first visit, after the
    /// second and third, and after each later one.
    fn visits(&mut self, orders: &mut Vec<(i64, i64)>, customer: i64, [first, end]: [i64; 2], gap: f64, leaves: [u64; 3]) {
        let mut day = first;
        for visit in 0.. {
            if day > end {
                return;
            }
            orders.push((customer, day));
            if self.0.chance(leaves[[0, 1, 1, 2][visit.min(3)]]) {
                return;
            }
            day += (self.gamma(3, gap).round() as i64).max(1);
        }
    }
}
