//! The job file and the scheme files of a case.

use std::fmt::Write;

use super::{Case, PathStyle};
use crate::support::calendar::date_text;
use crate::support::oracle::*;

impl Case {
    /// The job file for input in the folder `data_dir` and output in `out`.
    pub fn job_toml(&self, data_dir: &str, out: &str) -> String {
        let job = &self.job;
        let plain = Job::default();
        let all = self.show_defaults;
        let mut t = String::new();
        writeln!(t, "name = \"case-{}\"", self.seed).unwrap();
        if all || job.population != plain.population {
            let word = if job.population == Population::Ever { "ever" } else { "lookback" };
            writeln!(t, "population = \"{word}\"").unwrap();
        }
        writeln!(t, "\n[orders]").unwrap();
        let path = match self.path_style {
            PathStyle::Folder => quoted(data_dir),
            PathStyle::Glob => quoted(&format!("{data_dir}/*.parquet")),
            PathStyle::List => {
                let file = |f: &InputFile| quoted(&format!("{data_dir}/{}", f.name));
                bracketed(self.input.files.iter().map(file))
            }
        };
        writeln!(t, "path = {path}").unwrap();
        writeln!(t, "customer_id = {}", quoted(&job.customer_id)).unwrap();
        writeln!(t, "ordered_at = {}", quoted(&job.ordered_at)).unwrap();
        match &job.amount[..] {
            [one] => writeln!(t, "amount = {}", quoted(one)).unwrap(),
            many => writeln!(t, "amount = {}", bracketed(many.iter().map(|m| quoted(m)))).unwrap(),
        }
        if all || job.amount_scale != plain.amount_scale {
            writeln!(t, "amount_scale = {}", job.amount_scale).unwrap();
        }
        match &job.order_id[..] {
            [] => {}
            [one] => writeln!(t, "order_id = {}", quoted(one)).unwrap(),
            many => writeln!(t, "order_id = {}", bracketed(many.iter().map(|m| quoted(m)))).unwrap(),
        }
        if !job.guests.is_empty() {
            let guest = |value: &Value| match value {
                Value::Int(n) if i64::try_from(*n).is_ok() => n.to_string(),
                Value::Int(n) => quoted(&n.to_string()),
                Value::Text(text) => quoted(text),
                other => panic!("{other:?} is no guest"),
            };
            writeln!(t, "guests = {}", bracketed(job.guests.iter().map(guest))).unwrap();
        }
        if let Some(name) = &job.slice {
            writeln!(t, "slice = {}", quoted(name)).unwrap();
        }
        if all || job.timezone != plain.timezone {
            writeln!(t, "timezone = {}", quoted(&job.timezone)).unwrap();
        }
        if let Some(zone) = &job.naive_timezone {
            writeln!(t, "naive_timezone = {}", quoted(zone)).unwrap();
        }
        if all || job.dedupe_rows {
            writeln!(t, "dedupe = \"{}\"", if job.dedupe_rows { "rows" } else { "none" }).unwrap();
        }
        if all || job.monetary != plain.monetary {
            writeln!(t, "monetary = \"{}\"", if job.monetary == Money::Net { "net" } else { "gross" }).unwrap();
        }
        if all || job.zero_amount != plain.zero_amount {
            let word = if job.zero_amount == ZeroAmount::Purchase { "purchase" } else { "drop" };
            writeln!(t, "zero_amount = \"{word}\"").unwrap();
        }
        if all || job.max_rejected != plain.max_rejected {
            writeln!(t, "max_rejected = {:?}", job.max_rejected).unwrap();
        }
        if all || job.max_no_customer != plain.max_no_customer {
            writeln!(t, "max_no_customer = {:?}", job.max_no_customer).unwrap();
        }
        for predicate in &job.keep {
            writeln!(t, "\n[[orders.keep]]\n{}", predicate_toml(predicate)).unwrap();
        }
        if let Some(predicate) = &job.returns {
            writeln!(t, "\n[orders.returns]\n{}", predicate_toml(predicate)).unwrap();
            if all || job.negate {
                writeln!(t, "negate = {}", job.negate).unwrap();
            }
        }
        if let Some(predicate) = &job.money_only {
            writeln!(t, "\n[orders.money_only]\n{}", predicate_toml(predicate)).unwrap();
        }
        if let Some(latest) = &job.latest {
            let key = bracketed(latest.key.iter().map(|k| quoted(k)));
            writeln!(t, "\n[orders.latest]\nkey = {key}\nby = {}", quoted(&latest.by)).unwrap();
        }
        self.periods_toml(&mut t);
        self.score_toml(&mut t);
        writeln!(t, "\n[schemes]").unwrap();
        for (scheme, (file, _)) in job.schemes.iter().zip(&self.files) {
            writeln!(t, "{} = {}", scheme.column, quoted(file)).unwrap();
        }
        if let Some(horizon) = self.horizon() {
            writeln!(t, "\n[forecast]\nhorizon = {}", quoted(horizon)).unwrap();
        }
        if let Some(strategy) = self.threshold() {
            write!(t, "\n{strategy}").unwrap();
        }
        if !job.acquisition.is_empty() {
            writeln!(t, "\n[acquisition]\npath = \"spend.csv\"").unwrap();
        }
        for (k, scheme) in job.schemes.iter().enumerate() {
            let actions: Vec<_> = job.playbook.iter().filter(|(of, _, _)| *of == k).collect();
            if !actions.is_empty() {
                writeln!(t, "\n[playbook.{}]", scheme.column).unwrap();
            }
            for (_, state, action) in actions {
                writeln!(t, "{} = {}", quoted(state), quoted(action)).unwrap();
            }
        }
        writeln!(t, "\n[output]\npath = {}\nreport = []", quoted(out)).unwrap();
        if let Some(columns) = self.output_columns() {
            writeln!(t, "columns = {}", bracketed(columns.iter().map(|c| quoted(c)))).unwrap();
        }
        t
    }

    /// `[periods]`.
    fn periods_toml(&self, t: &mut String) {
        let job = &self.job;
        writeln!(t, "\n[periods]").unwrap();
        if !job.compare.is_empty() {
            writeln!(t, "compare = {}", bracketed(job.compare.iter().map(|l| quoted(&lookback_text(*l))))).unwrap();
        }
        match &job.periods {
            Periods::AsOf(dates) => writeln!(t, "as_of = {}", bracketed(dates.iter().map(|d| date_text(*d)))).unwrap(),
            Periods::Every(every, from, to) => {
                let unit = format!("{every:?}").to_lowercase();
                writeln!(t, "every = {}\nfrom = {}\nto = {}", quoted(&unit), date_text(*from), date_text(*to)).unwrap();
            }
            Periods::List(list) => {
                for (from, to) in list {
                    writeln!(t, "[[periods.list]]\nfrom = {}\nto = {}", date_text(*from), date_text(*to)).unwrap();
                }
            }
        }
    }

    /// `[score]` and the tables below it.
    fn score_toml(&self, t: &mut String) {
        let job = &self.job;
        let plain = Job::default();
        let all = self.show_defaults;
        writeln!(t, "\n[score]").unwrap();
        if all || job.bins != plain.bins {
            writeln!(t, "bins = {}", job.bins).unwrap();
        }
        let base = &job.methods[self.base_axis as usize];
        if all || *base != Method::Quantile {
            writeln!(t, "method = \"{}\"", method_name(base)).unwrap();
        }
        match base {
            Method::Rank(ties) if all || *ties != Ties::Min => writeln!(t, "ties = \"{}\"", ties_name(*ties)).unwrap(),
            Method::Thresholds { closed, .. } => {
                if all || *closed != Closed::Right {
                    writeln!(t, "closed = \"{}\"", closed_name(*closed)).unwrap();
                }
                let of_axis = |axis: Axis| match &job.methods[axis as usize] {
                    Method::Thresholds { cuts, .. } if self.follows_base(axis) => {
                        Some(format!("{} = {}", axis.measure_name(), cuts_toml(cuts)))
                    }
                    _ => None,
                };
                let list: Vec<String> = Axis::ALL.into_iter().filter_map(of_axis).collect();
                writeln!(t, "thresholds = {{ {} }}", list.join(", ")).unwrap();
            }
            _ => {}
        }
        if all || job.lookback != plain.lookback {
            writeln!(t, "lookback = \"{}\"", lookback_text(job.lookback)).unwrap();
        }
        if all || job.count != plain.count {
            writeln!(t, "count = \"{}\"", if job.count == Count::Orders { "orders" } else { "order_days" }).unwrap();
        }
        if all || job.monetary_as != plain.monetary_as {
            let word = if job.monetary_as == MonetaryAs::Sum { "sum" } else { "average" };
            writeln!(t, "monetary_as = \"{word}\"").unwrap();
        }
        if all || job.frozen {
            writeln!(t, "cuts = \"{}\"", if job.frozen { "frozen" } else { "each" }).unwrap();
        }
        if all || job.levels != plain.levels {
            let word = match job.levels {
                Levels::Mean => "mean",
                Levels::Median => "median",
                Levels::Score => "score",
            };
            writeln!(t, "levels = \"{word}\"").unwrap();
        }
        for axis in Axis::ALL {
            if self.follows_base(axis) {
                continue;
            }
            let method = &job.methods[axis as usize];
            writeln!(t, "\n[score.{}]\nmethod = \"{}\"", axis.measure_name(), method_name(method)).unwrap();
            match method {
                Method::Rank(ties) => writeln!(t, "ties = \"{}\"", ties_name(*ties)).unwrap(),
                Method::Thresholds { cuts, closed } => {
                    writeln!(t, "cuts = {}\nclosed = \"{}\"", cuts_toml(cuts), closed_name(*closed)).unwrap();
                }
                _ => {}
            }
        }
        if !job.only.is_empty() {
            writeln!(t, "\n[score.only]").unwrap();
            for (measure, test) in &job.only {
                writeln!(t, "{} = {}", key_toml(&measure_name(*measure)), test_toml(*test)).unwrap();
            }
        }
    }

    /// True if the axis takes its method from `[score]`.
    fn follows_base(&self, axis: Axis) -> bool {
        let (base, own) = (&self.job.methods[self.base_axis as usize], &self.job.methods[axis as usize]);
        match (base, own) {
            (Method::Thresholds { closed: a, .. }, Method::Thresholds { closed: b, .. }) => a == b,
            _ => base == own,
        }
    }
}

/// A TOML string.
pub(super) fn quoted(text: &str) -> String {
    let mut t = String::from("\"");
    for c in text.chars() {
        if c == '"' || c == '\\' {
            t.push('\\');
        }
        t.push(c);
    }
    t.push('"');
    t
}

/// A TOML array of items that are already written.
fn bracketed(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// A TOML key, quoted where it must be.
fn key_toml(name: &str) -> String {
    if name.contains('@') { quoted(name) } else { name.into() }
}

fn literal_toml(literal: &Literal) -> String {
    match literal {
        Literal::Number(d) => d.text(),
        Literal::Text(s) => quoted(s),
    }
}

fn predicate_toml(predicate: &Predicate) -> String {
    let list = |l: &[Literal]| bracketed(l.iter().map(literal_toml));
    let test = match &predicate.test {
        PredicateTest::In(l) => format!("in = {}", list(l)),
        PredicateTest::NotIn(l) => format!("not_in = {}", list(l)),
        PredicateTest::Min(l) => format!("min = {}", literal_toml(l)),
        PredicateTest::Max(l) => format!("max = {}", literal_toml(l)),
        PredicateTest::Above(l) => format!("above = {}", literal_toml(l)),
        PredicateTest::Below(l) => format!("below = {}", literal_toml(l)),
        PredicateTest::StartsWith(s) => format!("matches = {}", quoted(&format!("^{s}"))),
        PredicateTest::NotNull => "not_null = true".into(),
        PredicateTest::IsNull => "is_null = true".into(),
    };
    format!("column = {}\n{test}", quoted(&predicate.column))
}

/// The name of a measure in job and scheme files and in tables.
pub fn measure_name(measure: Measure) -> String {
    let at = |name: &str, lookback: Option<Lookback>| match lookback {
        None => name.to_string(),
        Some(Lookback::Days(n)) => format!("{name}@{n}d"),
        Some(other) => panic!("no short name for {other:?}"),
    };
    match measure {
        Measure::RecencyDays => "recency_days".into(),
        Measure::Frequency(l) => at("frequency", l),
        Measure::Monetary(l) => at("monetary", l),
        Measure::AvgOrderValue => "avg_order_value".into(),
        Measure::TenureDays => "tenure_days".into(),
        Measure::LifetimeOrders => "lifetime_orders".into(),
        Measure::LifetimeMonetary => "lifetime_monetary".into(),
        Measure::PeriodOrders => "period_orders".into(),
        Measure::PeriodMonetary => "period_monetary".into(),
        Measure::PreviousPeriodOrders => "previous_period_orders".into(),
        Measure::OrdersBeforePeriod => "orders_before_period".into(),
    }
}

fn lookback_text(lookback: Lookback) -> String {
    let (n, unit) = match lookback {
        Lookback::All => return "all".into(),
        Lookback::Days(n) => (n, "day"),
        Lookback::Months(n) => (n, "month"),
        Lookback::Quarters(n) => (n, "quarter"),
        Lookback::Years(n) => (n, "year"),
    };
    format!("{n} {unit}{}", if n == 1 { "" } else { "s" })
}

fn method_name(method: &Method) -> &'static str {
    match method {
        Method::Quantile => "quantile",
        Method::Rank(_) => "rank",
        Method::Ntile => "ntile",
        Method::Thresholds { .. } => "thresholds",
        Method::RRfm => "r_rfm",
    }
}

fn ties_name(ties: Ties) -> &'static str {
    match ties {
        Ties::Min => "min",
        Ties::Mid => "mid",
        Ties::Max => "max",
    }
}

fn closed_name(closed: Closed) -> &'static str {
    if closed == Closed::Right { "right" } else { "left" }
}

/// Cuts of `thresholds`; those with digits after the point are quoted, so that they stay exact.
fn cuts_toml(cuts: &[Decimal]) -> String {
    bracketed(cuts.iter().map(|d| if d.digits == 0 { d.text() } else { quoted(&d.text()) }))
}

fn test_toml(test: Test) -> String {
    match test {
        Test::Between(low, high) => {
            let low = low.map_or("-inf".into(), Decimal::text);
            let high = high.map_or("inf".into(), Decimal::text);
            format!("[{low}, {high}]")
        }
        Test::Above(d) => format!("{{ above = {} }}", d.text()),
        Test::Below(d) => format!("{{ below = {} }}", d.text()),
        Test::IsNull => "{ is_null = true }".into(),
    }
}

pub(super) fn condition_toml(condition: &Condition) -> String {
    match condition {
        Condition::Measure(measure, test) => format!("{} = {}", key_toml(&measure_name(*measure)), test_toml(*test)),
        Condition::Score(axis, test) => format!("{}_score = {}", axis.letter(), test_toml(*test)),
        Condition::Level(axis, level) => {
            format!("{}_level = \"{}\"", axis.letter(), if *level == Level::High { "high" } else { "low" })
        }
        Condition::FPlusM(test) => format!("f_plus_m = {}", test_toml(*test)),
        Condition::Cells(cells) => {
            let cell = |c: &[u32; 3]| quoted(&format!("{}-{}-{}", c[0], c[1], c[2]));
            format!("cells = {}", bracketed(cells.iter().map(cell)))
        }
    }
}

/// The file of costs of acquisition.
pub(super) fn spend_csv(job: &Job) -> String {
    let mut t = String::from("period_start,spend\n");
    for (start, minor) in &job.acquisition {
        let spend = Decimal { unscaled: *minor, digits: job.amount_scale };
        writeln!(t, "{},{}", date_text(*start), spend.text()).unwrap();
    }
    t
}

/// The file of a scheme.
pub(super) fn scheme_toml(scheme: &Scheme, bins: u32) -> String {
    let mut t = format!("name = {}\nsummary = \"A test scheme.\"\n", quoted(&scheme.column));
    if scheme.uses_scores() {
        writeln!(t, "bins = {bins}").unwrap();
    }
    let mut listed: Vec<&str> = Vec::new();
    for rule in &scheme.rules {
        if !listed.contains(&rule.state.as_str()) {
            listed.push(&rule.state);
            writeln!(t, "\n[[states]]\nname = {}", quoted(&rule.state)).unwrap();
        }
    }
    for rule in &scheme.rules {
        writeln!(t, "\n[[rules]]\nstate = {}", quoted(&rule.state)).unwrap();
        if !rule.when.is_empty() {
            let list: Vec<String> = rule.when.iter().map(condition_toml).collect();
            writeln!(t, "when = {{ {} }}", list.join(", ")).unwrap();
        }
    }
    t
}
