//! Random shops and the shapes of jobs over them.

use crate::support::calendar::{date_text, days_from_civil};
use crate::support::cases::{Column, ColumnData, Rng};
use crate::support::files::write_file;
use crate::support::oracle::{Calendar, Job, Lookback, Periods, TextEncoding, moments};
use crate::support::run::Workshop;

/// An order line.
#[derive(Clone, Debug)]
pub struct Line {
    pub customer: i64,
    pub order: i64,
    pub date: i64,
    pub cents: i64,
    pub region: &'static str,
}

/// Two years of orders from 2022 on.
pub struct Shop {
    pub lines: Vec<Line>,
}

impl Shop {
    /// Buyers with rhythms of their own, some of whom pause or stop; one in eight orders is sent back, and now and then
    /// somebody sends back what the data do not have.
    pub fn new(seed: u64) -> Shop {
        let mut rng = Rng::new(seed ^ 0x0051_0b5e);
        let (first, last) = (days_from_civil(2022, 1, 1), days_from_civil(2023, 12, 31));
        let mut lines = Vec::new();
        let mut order = 0;
        for customer in 1..=rng.between(40, 160) {
            let home = *rng.pick(&["north", "south", "west"]);
            let rhythm = *rng.pick(&[3, 10, 30, 30, 60, 90, 200]);
            let mut date = first + rng.between(0, 600);
            let mut buy = |date: i64, sign: i64, rng: &mut Rng| {
                order += 1;
                let region = if rng.chance(85) { home } else { "south" };
                for _ in 0..rng.between(1, 3) {
                    // A return is one of minus lines only, so that taking away minus lines takes away returns.
                    let cents = if sign > 0 && rng.chance(4) { 0 } else { sign * rng.between(1, 9_000) };
                    // Rows of an order may come a little later than it.
                    let date = date + if rng.chance(10) { rng.between(1, 4) } else { 0 };
                    lines.push(Line { customer, order, date, cents, region });
                }
            };
            if rng.chance(5) {
                buy(date - rng.between(0, 30), -1, &mut rng);
            }
            while date <= last && !rng.chance(6) {
                buy(date, 1, &mut rng);
                if rng.chance(12) {
                    buy(date + rng.between(1, 40), -1, &mut rng);
                }
                date += rng.between(1, 2 * rhythm) + if rng.chance(5) { 200 } else { 0 };
            }
        }
        // Somebody buys on the first and on the last day.
        lines.push(Line { customer: 1, order: order + 1, date: first, cents: 1_200, region: "north" });
        lines.push(Line { customer: 1, order: order + 2, date: last, cents: 1_500, region: "north" });
        Shop { lines }
    }
}

/// Writes lines as two Parquet files into a folder of a workshop.
pub fn write(shop: &Workshop, folder: &str, lines: &[Line], seed: u64) {
    let mut rng = Rng::new(seed);
    std::fs::create_dir_all(shop.path(folder)).expect("a data folder");
    let half = lines.len() / 2;
    for (name, lines) in [("a", &lines[..half]), ("b", &lines[half..])] {
        let ints = |of: fn(&Line) -> i64| ColumnData::Int {
            bits: 64,
            signed: true,
            values: lines.iter().map(|line| Some(of(line).into())).collect(),
        };
        let regions = lines.iter().map(|line| Some(line.region.to_string())).collect();
        let column = |name: &str, data| Column { name: name.into(), data };
        let columns = [
            column("customer_id", ints(|line| line.customer)),
            column("order_id", ints(|line| line.order)),
            column("ordered_at", ColumnData::Date(lines.iter().map(|line| Some(line.date as i32)).collect())),
            column(
                "amount",
                ColumnData::Decimal {
                    precision: 12,
                    scale: 2,
                    values: lines.iter().map(|line| Some(line.cents.into())).collect(),
                },
            ),
            column("region", ColumnData::Text { encoding: TextEncoding::Dictionary, values: regions }),
        ];
        write_file(&shop.path(folder).join(format!("{name}.parquet")), &columns, &mut rng);
    }
}

/// What differs between jobs.
#[derive(Clone, Debug)]
pub struct Shape {
    pub slices: bool,
    pub lookback_only: bool,
    pub gross: bool,
    pub frozen: bool,
    pub lookback: &'static str,
    pub method: &'static str,
    pub periods: Periods,
    pub compare: Vec<&'static str>,
    /// Names for `[output] columns`; empty for the default columns.
    pub columns: &'static str,
}

impl Shape {
    /// The shape of a seed; its last date lies before the shop's last order.
    pub fn random(seed: u64) -> Shape {
        let mut rng = Rng::new(seed ^ 0x5a9e);
        let day = |year, month, day| days_from_civil(year, month, day);
        let periods = match seed % 4 {
            0 => Periods::Every(Calendar::Month, day(2022, 11, 1), day(2023, 6, 30)),
            1 => Periods::Every(Calendar::Quarter, day(2022, 1, 1), day(2023, 9, 30)),
            2 => Periods::AsOf(vec![day(2022, 1, 3), day(2022, 12, 31), day(2023, 3, 7), day(2023, 11, 11)]),
            _ => Periods::Every(Calendar::Week, day(2023, 2, 6), day(2023, 4, 2)),
        };
        Shape {
            slices: rng.chance(50),
            lookback_only: rng.chance(40),
            gross: rng.chance(40),
            frozen: rng.chance(30),
            lookback: rng.pick::<&str>(&["all", "90d", "2 quarters", "6 months"]),
            method: rng.pick::<&str>(&["quantile", "rank", "r_rfm"]),
            periods,
            compare: if rng.chance(40) { vec!["1 month"] } else { Vec::new() },
            columns: "",
        }
    }

    /// The as-of dates.
    pub fn dates(&self) -> Vec<i64> {
        let job = Job { periods: self.periods.clone(), lookback: Lookback::All, ..Job::default() };
        moments(&job).iter().map(|m| m.as_of).collect()
    }

    /// The job file over `data`, with output in `out`.
    pub fn job(&self) -> String {
        let population = if self.lookback_only { "lookback" } else { "ever" };
        let monetary = if self.gross { "gross" } else { "net" };
        let slice = if self.slices { "slice = \"region\"" } else { "" };
        let periods = match &self.periods {
            Periods::AsOf(dates) => {
                let dates: Vec<String> = dates.iter().map(|d| date_text(*d)).collect();
                format!("as_of = [{}]", dates.join(", "))
            }
            Periods::Every(every, from, to) => {
                let every = format!("{every:?}").to_lowercase();
                format!("every = \"{every}\"\nfrom = {}\nto = {}", date_text(*from), date_text(*to))
            }
            Periods::List(_) => panic!("no shape has listed periods"),
        };
        let columns: Vec<String> = self.columns.split_whitespace().map(|name| format!("{name:?}")).collect();
        let columns = if columns.is_empty() { String::new() } else { format!("columns = [{}]", columns.join(", ")) };
        format!(
            "name = \"invariants\"\npopulation = \"{population}\"\n\n[orders]\npath = \"data\"\n\
             customer_id = \"customer_id\"\nordered_at = \"ordered_at\"\namount = \"amount\"\n\
             order_id = \"order_id\"\nmonetary = \"{monetary}\"\n{slice}\n\n\
             [periods]\n{periods}\ncompare = {:?}\n\n\
             [score]\nmethod = \"{}\"\nlookback = \"{}\"\ncuts = \"{}\"\n\n\
             [output]\npath = \"out\"\nreport = []\nkeep_runs = 100\n{columns}\n",
            self.compare,
            self.method,
            self.lookback,
            if self.frozen { "frozen" } else { "each" },
        )
    }
}
