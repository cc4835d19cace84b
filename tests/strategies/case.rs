//! Random small jobs with strategies: few customers, so that everything meets everything.

use std::fmt::Write;
use std::path::Path;

use arrow::array::ArrayRef;

use crate::fixture::{decimals, ints, parquet_bytes, texts};

/// Customers who order; further ones are only assigned.
pub const KNOWN: usize = 40;
/// All customers.
pub const CUSTOMERS: usize = 48;
/// 2023-01-01.
pub const START: i32 = 19_358;
/// 2023-12-31.
pub const LAST: i32 = 19_722;
pub const SLICES: [&str; 2] = ["north", "south"];
pub const ARMS: [&str; 3] = ["control", "mail", "sms"];
pub const STRATA: [&str; 2] = ["new", "old"];
/// Scheme columns with their ladders.
pub const SCHEMES: [(&str, &[&str]); 2] =
    [("lifecycle", &["active", "silent", "sleeping", "lapsing", "churned"]), ("tier", &["high", "middle", "low"])];

/// What effects may be shown by: scheme columns, then a dimension of the customers table, then a column of the assignments.
pub const BY: [&str; 4] = ["lifecycle", "tier", "country", "wave"];
/// Numbers of these.
pub const COUNTRY: usize = 2;
pub const WAVE: usize = 3;

pub struct Order {
    pub customer: usize,
    pub day: i32,
    pub amount: i64,
    pub cost: i64,
    pub slice: usize,
}

pub struct Event {
    pub customer: usize,
    pub day: i32,
    pub value: &'static str,
}

/// The values of the events, and the kind that each counts as; some have none.
pub const EVENTS: [(&str, &str); 4] = [("open", "opens"), ("Clicked", "clicks"), ("visit", ""), ("click", "clicks")];

pub struct Row {
    pub customer: usize,
    pub arm: usize,
    pub day: i32,
    pub stratum: usize,
    pub cost: i64,
    pub ended: Option<i32>,
}

impl Row {
    pub fn contacts(&self) -> i64 {
        (self.cost * 7 + self.day as i64) % 5
    }

    /// The value in the column of the assignments by which effects are shown.
    pub fn wave(&self) -> Option<&'static str> {
        [Some("late"), Some("early"), None][(self.cost * 3 + self.day as i64 + self.customer as i64) as usize % 3]
    }
}

/// What the customers table says of a customer: whether they are in it, and their country.
pub fn country(customer: usize) -> Option<Option<&'static str>> {
    [Some(Some("se")), Some(Some("dk")), Some(None), None, Some(Some("dk"))][customer * 7 % 5]
}

pub struct Strategy {
    pub name: String,
    pub design: &'static str,
    /// First and last days.
    pub periods: Vec<(i32, i32)>,
    /// Whether these are the job's.
    pub own_periods: bool,
    pub baseline: Option<(i32, i32)>,
    pub outcome_days: Option<i32>,
    pub after: bool,
    pub outcomes: Vec<String>,
    /// Numbers in [`BY`].
    pub by: Vec<usize>,
    /// Scheme columns by number; strata are one more.
    pub match_on: Vec<usize>,
    pub winsorise: bool,
    pub overlap: &'static str,
    pub slice: Option<usize>,
    pub has_strata: bool,
    pub has_cost: bool,
    pub has_end: bool,
    pub has_contacts: bool,
    pub rows: Vec<Row>,
}

pub struct Case {
    pub text: bool,
    pub sliced: bool,
    pub has_cost: bool,
    pub gross: bool,
    /// Whether there is a customers table.
    pub has_customers: bool,
    pub orders: Vec<Order>,
    /// None without a section of events.
    pub events: Option<Vec<Event>>,
    pub strategies: Vec<Strategy>,
}

/// A small generator of its own, so that cases stay what they are.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x1234_5678_9ABC_DEF1)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % bound as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// A date as text.
pub fn date(day: i32) -> String {
    rfmill::internals::domain::Day(day).to_string()
}

impl Case {
    pub fn new(seed: u64) -> Case {
        let mut random = Random::new(seed);
        let r = &mut random;
        let (text, sliced, has_cost, gross) = (r.one_in(2), r.one_in(4), r.one_in(3), r.one_in(3));
        let first = START - 300 + r.below(250) as i32;
        let count = 80 + r.below(300);
        let orders = (0..count)
            .map(|_| {
                let customer = r.below(KNOWN);
                let amount = if r.one_in(9) { -(r.below(4_000) as i64) } else { r.below(9_000) as i64 };
                let day = first + r.below((LAST + 20 - first) as usize) as i32;
                Order { customer, day, amount, cost: r.below(5_000) as i64, slice: r.below(SLICES.len()) }
            })
            .collect();
        // Decided by the seed itself, so that the other choices stay what they are.
        let has_customers = seed.is_multiple_of(3);
        let r_events = &mut Random::new(seed ^ 0x5EED);
        let mut event = || Event {
            customer: r_events.below(CUSTOMERS),
            day: START - 150 + r_events.below(540) as i32,
            value: r_events.pick(&EVENTS).0,
        };
        let events = (seed % 4 == 1).then(|| (0..400).map(|_| event()).collect());
        let mut case = Case { text, sliced, has_cost, gross, has_customers, orders, events, strategies: Vec::new() };
        for number in 0..1 + r.below(3) {
            let strategy = case.strategy(number, r);
            case.strategies.push(strategy);
        }
        case
    }

    fn strategy(&self, number: usize, r: &mut Random) -> Strategy {
        let design = *r.pick(&["randomised", "randomised", "matched", "before_after"]);
        let own_periods = r.one_in(2);
        let quarters = [(0, 89), (90, 180), (181, 272), (273, 364)].map(|(a, b)| (START + a, START + b));
        let months = [(90, 119), (120, 150), (212, 242)].map(|(a, b)| (START + a, START + b));
        let periods: Vec<(i32, i32)> = match (own_periods, r.below(3)) {
            (true, _) => quarters.to_vec(),
            (false, 0) => months[r.below(2)..].to_vec(),
            (false, _) => {
                let mut day = START + r.below(120) as i32;
                (0..1 + r.below(3))
                    .map(|_| {
                        let start = day + r.below(30) as i32;
                        day = start + 5 + r.below(80) as i32;
                        (start, day - 1 - r.below(3) as i32)
                    })
                    .collect()
            }
        };
        let baseline = (periods.len() == 1 && r.one_in(2)).then(|| {
            let end = periods[0].0 - 1 - r.below(20) as i32;
            (end - r.below(60) as i32, end)
        });
        let mut outcomes: Vec<String> = ["converted", "orders", "revenue", "margin", "retained", "avg_order_value"]
            .iter()
            .filter(|_| !r.one_in(3))
            .map(ToString::to_string)
            .collect();
        for (scheme, _) in SCHEMES {
            if r.one_in(4) {
                outcomes.push(format!("{}:{scheme}", r.pick(&["moved_up", "moved_down"])));
            }
        }
        if !outcomes.iter().any(|o| ["converted", "orders", "revenue", "margin", "retained"].contains(&o.as_str())) {
            outcomes.push("orders".into());
        }
        if self.events.is_some() {
            let named = ["event:clicks", "events:clicks", "events:opens", "event:events", "events:events"];
            let wanted = named.into_iter().enumerate().filter(|(at, _)| (at + number + periods.len()).is_multiple_of(2));
            outcomes.extend(wanted.map(|(_, name)| name.to_owned()));
        }
        let mut by: Vec<usize> = (0..SCHEMES.len()).filter(|_| r.one_in(2)).collect();
        by.extend((self.has_customers && !(number + periods.len()).is_multiple_of(3)).then_some(COUNTRY));
        by.extend((design != "before_after" && self.orders.len().is_multiple_of(2)).then_some(WAVE));
        let has_strata = r.one_in(2);
        let mut match_on: Vec<usize> = Vec::new();
        if design == "matched" {
            match_on = (0..SCHEMES.len() + usize::from(has_strata)).filter(|_| r.one_in(2)).collect();
            if match_on.is_empty() {
                match_on.push(0);
            }
        }
        // All on one day, or on any day of the period; some in no period at all.
        let one_day = r.one_in(3);
        let arms = if design == "before_after" { 1..2 + r.below(2) } else { 0..2 + r.below(2) };
        let mut rows = Vec::new();
        // Now and then a period has everybody.
        for (start, end) in &periods {
            let customers = if r.one_in(5) { CUSTOMERS } else { 0 };
            for customer in 0..customers {
                let day = start + r.below((end - start + 1) as usize) as i32;
                let (arm, stratum) = (arms.start + r.below(arms.len()), r.below(STRATA.len()));
                rows.push(Row { customer, arm, day, stratum, cost: 1, ended: None });
            }
        }
        for (start, end) in &periods {
            for _ in 0..r.below(60) {
                let day = if one_day { *start } else { start + r.below((end - start + 1) as usize) as i32 };
                let day = if r.one_in(20) { start - 1 - r.below(40) as i32 } else { day };
                let ended = r.one_in(2).then(|| day + r.below(40) as i32);
                let arm = arms.start + r.below(arms.len());
                rows.push(Row {
                    customer: r.below(CUSTOMERS),
                    arm,
                    day,
                    stratum: r.below(STRATA.len()),
                    cost: r.below(300) as i64,
                    ended,
                });
            }
        }
        // The job names its arms, so that tables without one of them can be read; a table needs a row.
        rows.push(Row { customer: 0, arm: arms.start, day: periods[0].0, stratum: 0, cost: 7, ended: None });
        Strategy {
            name: format!("s{number}"),
            design,
            own_periods,
            baseline,
            outcome_days: r.one_in(2).then(|| 1 + r.below(90) as i32),
            after: r.one_in(3),
            outcomes,
            by,
            match_on,
            winsorise: r.one_in(3),
            overlap: ["keep", "exclude", "first"][r.below(3)],
            slice: self.sliced.then(|| r.below(SLICES.len())),
            has_strata,
            has_cost: r.one_in(3),
            has_end: r.one_in(3),
            has_contacts: (number + periods.len()).is_multiple_of(2),
            periods,
            rows,
        }
    }

    /// The id of a customer. Long ones are equal at their beginnings, and every order of bytes is one of customers.
    pub fn id(&self, customer: usize) -> String {
        if self.text { format!("customer-{:04}", (customer * 37) % 101) } else { ((customer as i64 * 37) % 101 - 50).to_string() }
    }

    fn ids(&self, customers: impl Iterator<Item = usize>) -> ArrayRef {
        let all: Vec<String> = customers.map(|c| self.id(c)).collect();
        match self.text {
            true => texts(all.iter().map(String::as_str)),
            false => ints(all.iter().map(|id| id.parse::<i64>().expect("a number"))),
        }
    }

    /// Writes orders and assignments into a folder, and `later` further orders after the last as-of date.
    pub fn write(&self, folder: &Path, later: usize) {
        let write = |name: &str, columns: &[(&str, ArrayRef)]| {
            std::fs::write(folder.join(name), parquet_bytes(columns)).expect("a file");
        };
        let after = Order { customer: 0, day: LAST + 30, amount: 100, cost: 0, slice: 0 };
        let orders = || self.orders.iter().chain(std::iter::repeat_n(&after, later));
        let days: Vec<String> = orders().map(|o| date(o.day)).collect();
        let mut columns = vec![
            ("customer_id", self.ids(orders().map(|o| o.customer))),
            ("ordered_at", crate::fixture::dates(days.iter().map(String::as_str))),
            ("amount", decimals(2, orders().map(|o| i128::from(o.amount)))),
            ("cost", decimals(2, orders().map(|o| i128::from(o.cost)))),
        ];
        columns.push(("region", texts(orders().map(|o| SLICES[o.slice]))));
        write("orders.parquet", &columns);
        if let Some(events) = &self.events {
            let days: Vec<String> = events.iter().map(|event| date(event.day)).collect();
            let columns = [
                ("customer_id", self.ids(events.iter().map(|event| event.customer))),
                ("event", texts(events.iter().map(|event| event.value))),
                ("at", crate::fixture::dates(days.iter().map(String::as_str))),
            ];
            write("events.parquet", &columns);
        }
        if self.has_customers {
            let rows = || (0..CUSTOMERS).filter_map(|customer| Some((customer, country(customer)?)));
            let columns = [
                ("customer_id", self.ids(rows().map(|(customer, _)| customer))),
                (BY[COUNTRY], texts(rows().map(|(_, country)| country))),
            ];
            write("customers.parquet", &columns);
        }
        for strategy in &self.strategies {
            let rows = &strategy.rows;
            let days: Vec<String> = rows.iter().map(|row| date(row.day)).collect();
            let ends: Vec<Option<String>> = rows.iter().map(|row| row.ended.map(date)).collect();
            let mut columns = vec![
                ("customer_id", self.ids(rows.iter().map(|row| row.customer))),
                ("arm", texts(rows.iter().map(|row| ARMS[row.arm]))),
                ("assigned_on", crate::fixture::dates(days.iter().map(String::as_str))),
            ];
            if strategy.has_strata {
                columns.push(("stratum", texts(rows.iter().map(|row| STRATA[row.stratum]))));
            }
            if strategy.has_cost {
                columns.push(("cost", decimals(2, rows.iter().map(|row| i128::from(row.cost)))));
            }
            if strategy.has_contacts {
                columns.push(("contacts", ints(rows.iter().map(Row::contacts))));
            }
            if strategy.by.contains(&WAVE) {
                columns.push((BY[WAVE], texts(rows.iter().map(Row::wave))));
            }
            if strategy.has_end {
                columns.push(("ended_on", crate::fixture::dates(ends.iter().map(Option::as_deref))));
            }
            write(&format!("{}.parquet", strategy.name), &columns);
        }
    }

    /// The job file without strategies, for these dates.
    pub fn job(&self, periods: &str, score: &str, tables: &str) -> String {
        let mut out = String::from("name = \"test\"\n[orders]\npath = \"orders.parquet\"\n");
        out.push_str("customer_id = \"customer_id\"\nordered_at = \"ordered_at\"\namount = \"amount\"\n");
        if self.has_cost {
            out.push_str("cost = \"cost\"\n");
        }
        if self.gross {
            out.push_str("monetary = \"gross\"\n");
        }
        if self.sliced {
            out.push_str("slice = \"region\"\n");
        }
        if self.has_customers {
            out.push_str(
                "[customers]\npath = \"customers.parquet\"\ncustomer_id = \"customer_id\"\ndimensions = [\"country\"]\n",
            );
        }
        if self.events.is_some() {
            out.push_str("[events]\npath = \"events.parquet\"\ncustomer_id = \"customer_id\"\nevent = \"event\"\nat = \"at\"\n");
        }
        write!(
            out,
            "[periods]\n{periods}\n[score]\n{score}\n[schemes]\nlifecycle = \"recency_windows\"\ntier = \"value_tier\"\n"
        )
        .expect("text");
        write!(out, "[output]\npath = \"out\"\nreport = []\n{tables}\n").expect("text");
        out
    }

    /// The whole job file.
    pub fn whole_job(&self) -> String {
        let mut out = self.job("every = \"quarter\"\nfrom = 2023-01-01\nto = 2023-12-31", "", "");
        for strategy in &self.strategies {
            out.push_str(&strategy.section(self.has_cost));
        }
        out
    }
}

impl Strategy {
    fn section(&self, has_cost: bool) -> String {
        let mut out = format!("[[strategy]]\nname = {:?}\ndesign = {:?}\n", self.name, self.design);
        let mut line = |text: String| {
            out.push_str(&text);
            out.push('\n');
        };
        line(format!("assignments = \"{}.parquet\"", self.name));
        if self.design != "before_after" {
            line("control = \"control\"".into());
        }
        if self.design == "randomised" {
            line("split = { control = \"1/3\", mail = \"1/3\", sms = \"1/3\" }".into());
        }
        let span = |(from, to): &(i32, i32)| format!("{{ from = {}, to = {} }}", date(*from), date(*to));
        if !self.own_periods {
            line(format!("periods = [{}]", self.periods.iter().map(span).collect::<Vec<_>>().join(", ")));
        }
        if let Some(baseline) = &self.baseline {
            line(format!("baseline = {}", span(baseline)));
        }
        if let Some(days) = self.outcome_days {
            line(format!("outcome_days = {days}"));
        }
        line(format!("after = {}\noutcomes = {:?}\noverlap = {:?}", self.after, self.outcomes, self.overlap));
        let names = |of: &[usize]| of.iter().map(|s| SCHEMES.get(*s).map_or("stratum", |s| s.0)).collect::<Vec<_>>();
        line(format!("by = {:?}", self.by.iter().map(|by| BY[*by]).collect::<Vec<_>>()));
        if !self.match_on.is_empty() {
            line(format!("match_on = {:?}", names(&self.match_on)));
        }
        if self.winsorise {
            line("winsorise = \"0.8\"".into());
        }
        if !has_cost {
            line("margin_rate = \"0.35\"".into());
        }
        if let Some(slice) = self.slice {
            line(format!("slice = {:?}", SLICES[slice]));
        }
        out
    }
}
