//! A made-up shop: customers who come, buy and leave by a seeded generator, and all summed tables of a run over them, as the
//! engine writes them. The tables agree with each other because they are counted from the same customers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray,
};
use arrow::datatypes::UInt16Type;
use parquet::arrow::ArrowWriter;
use rfmill::internals::domain::Day;
use serde_json::json;

/// A cell on its way into a Parquet file.
#[derive(Debug, Clone)]
pub enum V {
    Null,
    T(String),
    I(i64),
    F(f64),
    /// Cents.
    M(i128),
    D(Day),
    B(bool),
}

fn t(text: impl Into<String>) -> V {
    V::T(text.into())
}

fn opt<T>(value: Option<T>, of: fn(T) -> V) -> V {
    value.map_or(V::Null, of)
}

/// Rows under columns like `as_of:d`; the letter is the type: `t`ext, `s`tate, `i`nt64, int32 (`n`), `f`loat, `m`oney,
/// `d`ate, `b`ool.
#[derive(Debug, Clone)]
pub struct Sheet {
    columns: Vec<(String, char)>,
    rows: Vec<Vec<V>>,
}

impl Sheet {
    pub fn new(columns: &str) -> Sheet {
        let columns = columns.split_whitespace().map(|c| {
            let (name, kind) = c.split_once(':').expect("name:type");
            (name.to_owned(), kind.chars().next().expect("a type"))
        });
        Sheet { columns: columns.collect(), rows: Vec::new() }
    }

    pub fn row(&mut self, row: Vec<V>) {
        assert_eq!(row.len(), self.columns.len(), "{:?}", self.columns);
        self.rows.push(row);
    }

    fn array(&self, place: usize) -> ArrayRef {
        let cells = || self.rows.iter().map(|r| r[place].clone());
        fn of<T>(cells: impl Iterator<Item = V>, take: fn(V) -> Option<T>) -> Vec<Option<T>> {
            cells.map(|v| if matches!(v, V::Null) { None } else { Some(take(v).expect("the type of its column")) }).collect()
        }
        fn text(v: V) -> Option<String> {
            if let V::T(text) = v { Some(text) } else { None }
        }
        fn int(v: V) -> Option<i64> {
            if let V::I(n) = v { Some(n) } else { None }
        }
        match self.columns[place].1 {
            't' => Arc::new(StringArray::from(of(cells(), text))),
            's' => {
                let values = of(cells(), text);
                Arc::new(values.iter().map(Option::as_deref).collect::<DictionaryArray<UInt16Type>>())
            }
            'i' => Arc::new(Int64Array::from(of(cells(), int))),
            'n' => Arc::new(of(cells(), int).into_iter().map(|n| n.map(|n| n as i32)).collect::<Int32Array>()),
            'f' => Arc::new(Float64Array::from(of(cells(), |v| if let V::F(x) = v { Some(x) } else { None }))),
            'd' => Arc::new(Date32Array::from(of(cells(), |v| if let V::D(day) = v { Some(day.0) } else { None }))),
            'b' => Arc::new(BooleanArray::from(of(cells(), |v| if let V::B(b) = v { Some(b) } else { None }))),
            'm' => {
                let array = Decimal128Array::from(of(cells(), |v| if let V::M(cents) = v { Some(cents) } else { None }));
                Arc::new(array.with_precision_and_scale(38, 2).expect("a decimal"))
            }
            other => panic!("no type {other}"),
        }
    }

    /// As a Parquet file.
    pub fn bytes(&self) -> Vec<u8> {
        let arrays = self.columns.iter().enumerate().map(|(place, (name, _))| (name.as_str(), self.array(place), true));
        let batch = RecordBatch::try_from_iter_with_nullable(arrays).expect("a batch");
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a writer");
        writer.write(&batch).expect("rows");
        writer.close().expect("a file");
        bytes
    }
}

/// A small generator (Knuth's MMIX), so that the shop is the same everywhere.
struct Luck(u64);

impl Luck {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() * n as f64) as usize
    }
}

/// How the shop is.
#[derive(Debug, Clone)]
pub struct Shop {
    pub customers: usize,
    pub periods: usize,
    /// Name of the job.
    pub job: String,
    /// Names that stand for states, regions and strategies instead of the usual ones.
    pub names: BTreeMap<&'static str, String>,
    pub warnings: Vec<String>,
}

impl Default for Shop {
    fn default() -> Shop {
        Shop { customers: 6000, periods: 8, job: "quarterly".into(), names: BTreeMap::new(), warnings: Vec::new() }
    }
}

/// A customer at the end of a period.
#[derive(Debug, Clone, Default)]
struct Seen {
    segment: usize,
    lifecycle: usize,
    orders: i64,
    cents: i128,
    lookback_orders: i64,
    lookback_cents: i128,
    last_year_cents: i128,
    since: i64,
    lifetime: i64,
    total_cents: i128,
}

const SEGMENTS: [&str; 10] = [
    "Champions",
    "Loyal",
    "Potential Loyalist",
    "New",
    "Promising",
    "Need Attention",
    "About to Sleep",
    "Can't Lose",
    "At Risk",
    "Hibernating",
];
const LIFECYCLE: [&str; 5] = ["active", "silent", "sleeping", "lapsing", "churned"];

/// Whether a state of `standard` or `recency_windows` is at risk: from Need Attention to At Risk, from silent to lapsing.
fn is_at_risk(scheme: usize, place: usize) -> bool {
    if scheme == 0 { (5..=8).contains(&place) } else { (1..=3).contains(&place) }
}

/// The last day of quarter `q`, counted from the first of 2023.
fn quarter_end(q: i64) -> Day {
    let (year, quarter) = (2023 + q.div_euclid(4), q.rem_euclid(4) as usize);
    Day::parse(&format!("{year}-{}", ["03-31", "06-30", "09-30", "12-31"][quarter])).expect("a date")
}

fn quarter_start(q: i64) -> Day {
    quarter_end(q - 1).next()
}

fn label(q: i64) -> String {
    format!("{}-Q{}", 2023 + q.div_euclid(4), q.rem_euclid(4) + 1)
}

fn share(part: i64, whole: i64) -> V {
    if whole == 0 { V::Null } else { V::F(part as f64 / whole as f64) }
}

/// Wilson's interval.
fn wilson(part: i64, whole: i64) -> [f64; 2] {
    let (n, p, z) = (whole as f64, part as f64 / whole as f64, 1.959_963_984_540_054);
    let centre = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    [(centre - half).max(0.0), (centre + half).min(1.0)]
}

/// The tables of a shop.
pub struct Tables {
    /// Name, path in the run, content.
    pub files: Vec<(&'static str, String, Sheet)>,
}

impl Shop {
    fn name(&self, name: &'static str) -> String {
        self.names.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }

    fn states(&self, scheme: usize) -> Vec<String> {
        let names: &[&'static str] = if scheme == 0 { &SEGMENTS } else { &LIFECYCLE };
        names.iter().map(|n| self.name(n)).collect()
    }

    /// Every customer at the end of every period; `None` before the first order.
    fn live(&self) -> Vec<(i64, Vec<Option<Seen>>)> {
        let mut luck = Luck(42);
        let first = -3i64;
        let last = self.periods as i64;
        let life = |luck: &mut Luck| {
            let start = first + luck.below((last - first) as usize) as i64;
            let kind = luck.next();
            let (chance, fade) = if kind < 0.12 {
                (0.92, 0.985)
            } else if kind < 0.45 {
                (0.6, 0.85)
            } else {
                (0.3, 0.6)
            };
            let mut chance: f64 = chance;
            let mut orders: Vec<(i64, i128)> = Vec::new();
            let mut seen: Vec<Option<Seen>> = Vec::new();
            let mut total = Seen::default();
            for q in first..last {
                let mut own = (0i64, 0i128);
                if q >= start {
                    let season = if q.rem_euclid(4) == 3 { 1.2 } else { 1.0 };
                    let mut again = if q == start { 1.0 } else { (chance * season).min(0.97) };
                    while luck.next() < again && own.0 < 9 {
                        own.0 += 1;
                        let size = 4.0 * (1.0 - luck.next()).ln().abs() + 0.8;
                        own.1 += (size * if kind < 0.12 { 2900.0 } else { 1700.0 }) as i128;
                        again = chance * 0.55;
                    }
                    chance *= fade;
                }
                orders.push(own);
                if own.0 > 0 {
                    total.since = -1;
                }
                total.since += 1;
                total.lifetime += own.0;
                total.total_cents += own.1;
                if q >= 0 {
                    let at = orders.len();
                    let window = &orders[at.saturating_sub(4)..];
                    let lookback: i64 = window.iter().map(|o| o.0).sum();
                    let to_last = at - total.since.min(at as i64) as usize;
                    let year = &orders[to_last.saturating_sub(4)..to_last];
                    let seen_now = Seen {
                        segment: segment(total.since, lookback, total.lifetime),
                        lifecycle: total.since.min(4) as usize,
                        orders: own.0,
                        cents: own.1,
                        lookback_orders: lookback,
                        lookback_cents: window.iter().map(|o| o.1).sum(),
                        last_year_cents: year.iter().map(|o| o.1).sum(),
                        ..total.clone()
                    };
                    seen.push((q >= start).then_some(seen_now));
                }
            }
            (start, seen)
        };
        (0..self.customers).map(|_| life(&mut luck)).collect()
    }

    /// All tables.
    pub fn tables(&self) -> Tables {
        let people = self.live();
        let mut files = Vec::new();
        let mut add = |name: &'static str, sheet: Sheet| files.push((name, format!("{name}.parquet"), sheet));
        add("segments", self.segments(&people));
        add("transitions", self.transitions(&people));
        add("growth", self.growth(&people));
        add("cohorts", self.cohorts(&people));
        add("concentration", self.concentration(&people));
        add("cutpoints", self.cutpoints(&people));
        add("ledger", self.ledger());
        add("dim_state", self.dim_state());
        add("dim_period", self.dim_period());
        let [effects, pooled, to_date, verdicts, before_after] =
            super::shop_effects::tables(&|n| self.name(n), &self.states(0), self.periods);
        add("effects", effects);
        add("effects_over_time", pooled);
        add("effects_to_date", to_date);
        add("verdicts", verdicts);
        add("before_after", before_after);
        for (q, sheet) in self.movers(&people) {
            files.push(("movers", format!("movers/as_of={}/part-000.parquet", quarter_end(q)), sheet));
        }
        Tables { files }
    }

    fn region(&self, number: usize) -> String {
        self.name(if number.is_multiple_of(3) { "north" } else { "south" })
    }

    fn segments(&self, people: &[(i64, Vec<Option<Seen>>)]) -> Sheet {
        let mut sheet = Sheet::new(
            "as_of:d slice:s dimension:s dimension_value:s scheme:s state:s customers:i customer_share:f orders:i revenue:m \
             revenue_share:f avg_order_value:m repeat_customers:i revenue_at_risk:m mean_recency_days:f mean_frequency:f \
             mean_monetary:m annual_value:m margin:m cost_to_serve:m \
             contribution:m answers:i satisfaction:f",
        );
        let groups = [None, Some(self.name("north")), Some(self.name("south"))];
        for q in 0..self.periods {
            for (group, scheme) in groups.iter().flat_map(|g| [(g, 0usize), (g, 1)]) {
                let inside = |number: usize| group.as_ref().is_none_or(|g| *g == self.region(number));
                let here: Vec<&Seen> =
                    people.iter().enumerate().filter(|(n, _)| inside(*n)).filter_map(|(_, p)| p.1[q].as_ref()).collect();
                let all = here.len() as i64;
                let money: i128 = here.iter().map(|s| s.lookback_cents).sum();
                for (place, state) in self.states(scheme).into_iter().enumerate() {
                    let own: Vec<&&Seen> =
                        here.iter().filter(|s| if scheme == 0 { s.segment == place } else { s.lifecycle == place }).collect();
                    let n = own.len() as i64;
                    if n == 0 {
                        continue;
                    }
                    let revenue: i128 = own.iter().map(|s| s.lookback_cents).sum();
                    let orders: i64 = own.iter().map(|s| s.lookback_orders).sum();
                    let annual_value = own.iter().map(|s| s.last_year_cents).sum();
                    sheet.row(vec![
                        V::D(quarter_end(q as i64)),
                        t("(all)"),
                        t(if group.is_some() { self.name("region") } else { "(all)".into() }),
                        t(group.clone().unwrap_or("(all)".into())),
                        t(if scheme == 0 { "segment" } else { "lifecycle" }),
                        t(state),
                        V::I(n),
                        share(n, all),
                        V::I(orders),
                        V::M(revenue),
                        if money == 0 { V::Null } else { V::F(revenue as f64 / money as f64) },
                        if orders == 0 { V::Null } else { V::M(revenue / i128::from(orders)) },
                        V::I(own.iter().filter(|s| s.lookback_orders > 1).count() as i64),
                        if is_at_risk(scheme, place) { V::M(annual_value) } else { V::Null },
                        V::F(own.iter().map(|s| s.since as f64 * 91.0 + 40.0).sum::<f64>() / n as f64),
                        V::F(orders as f64 / n as f64),
                        V::M(revenue / i128::from(n)),
                        V::M(annual_value),
                        V::Null,
                        V::Null,
                        V::Null,
                        V::Null,
                        V::Null,
                    ]);
                }
            }
        }
        sheet
    }

    fn transitions(&self, people: &[(i64, Vec<Option<Seen>>)]) -> Sheet {
        let mut sheet = Sheet::new(
            "as_of:d slice:s dimension:s dimension_value:s scheme:s from_state:s to_state:s from_as_of:d customers:i rate:f \
             rate_low:f rate_high:f revenue:m",
        );
        for q in 1..self.periods {
            for scheme in [0, 1] {
                let states = self.states(scheme);
                let name = |seen: &Option<Seen>| match seen {
                    None => (states.len(), "(none)".to_owned()),
                    Some(s) => {
                        let place = if scheme == 0 { s.segment } else { s.lifecycle };
                        (place, states[place].clone())
                    }
                };
                let mut pairs: BTreeMap<((usize, String), (usize, String)), (i64, i128)> = BTreeMap::new();
                let mut from: BTreeMap<usize, i64> = BTreeMap::new();
                for (_, seen) in people.iter().filter(|p| p.1[q].is_some()) {
                    let pair = (name(&seen[q - 1]), name(&seen[q]));
                    *from.entry(pair.0.0).or_default() += 1;
                    let sum = pairs.entry(pair).or_default();
                    *sum = (sum.0 + 1, sum.1 + seen[q].as_ref().map_or(0, |s| s.cents));
                }
                for ((before, after), (n, cents)) in pairs {
                    let whole = from[&before.0];
                    let [low, high] = wilson(n, whole);
                    sheet.row(vec![
                        V::D(quarter_end(q as i64)),
                        t("(all)"),
                        t("(all)"),
                        t("(all)"),
                        t(if scheme == 0 { "segment" } else { "lifecycle" }),
                        t(before.1),
                        t(after.1),
                        V::D(quarter_end(q as i64 - 1)),
                        V::I(n),
                        share(n, whole),
                        V::F(low),
                        V::F(high),
                        V::M(cents),
                    ]);
                }
            }
        }
        sheet
    }

    /// One row per changed state, with ids that no report may show.
    fn movers(&self, people: &[(i64, Vec<Option<Seen>>)]) -> Vec<(i64, Sheet)> {
        let mut luck = Luck(7);
        let mut out = Vec::new();
        for q in 1..self.periods {
            let mut sheet = Sheet::new("customer_id:t scheme:s from_as_of:d from_state:s to_state:s reason:s");
            for (number, (_, seen)) in people.iter().enumerate() {
                let (Some(before), Some(now)) = (&seen[q - 1], &seen[q]) else { continue };
                for (scheme, from, to) in [(0, before.segment, now.segment), (1, before.lifecycle, now.lifecycle)] {
                    if from == to {
                        continue;
                    }
                    let cuts = scheme == 0 && luck.next() < 0.12;
                    let states = self.states(scheme);
                    sheet.row(vec![
                        t(format!("CANARY-{number:06}")),
                        t(if scheme == 0 { "segment" } else { "lifecycle" }),
                        V::D(quarter_end(q as i64 - 1)),
                        t(states[from].clone()),
                        t(states[to].clone()),
                        t(if cuts { "cut_points" } else { "behaviour" }),
                    ]);
                }
            }
            out.push((q as i64, sheet));
        }
        out
    }

    fn growth(&self, people: &[(i64, Vec<Option<Seen>>)]) -> Sheet {
        let mut sheet = Sheet::new(
            "as_of:d slice:s scheme:s from_state:s from_as_of:d customers:i active:i new:i retained:i resurrected:i lapsed:i \
             inactive:i previous_active:i change:i retention_rate:f churn_rate:f reactivation_rate:f revenue:m",
        );
        let states = self.states(0);
        for q in 1..self.periods {
            let place = |p: &(i64, Vec<Option<Seen>>)| p.1[q - 1].as_ref().map_or(states.len(), |s| s.segment);
            for group in std::iter::once(None).chain((0..=states.len()).map(Some)) {
                let own: Vec<_> = people.iter().filter(|p| p.1[q].is_some() && group.is_none_or(|g| g == place(p))).collect();
                if own.is_empty() {
                    continue;
                }
                let bought = |p: &(i64, Vec<Option<Seen>>), q: usize| p.1[q].as_ref().is_some_and(|s| s.orders > 0);
                let count = |of: &dyn Fn(&(i64, Vec<Option<Seen>>)) -> bool| own.iter().filter(|p| of(p)).count() as i64;
                let new = count(&|p| p.0 == q as i64);
                let retained = count(&|p| bought(p, q) && bought(p, q - 1));
                let active = count(&|p| bought(p, q));
                let lapsed = count(&|p| !bought(p, q) && bought(p, q - 1));
                let (before, back) = (retained + lapsed, active - new - retained);
                let sleeping = count(&|p| p.0 < q as i64 && !bought(p, q - 1));
                let name = group.map_or("(all)".to_owned(), |g| states.get(g).cloned().unwrap_or("(none)".into()));
                sheet.row(vec![
                    V::D(quarter_end(q as i64)),
                    t("(all)"),
                    t(if group.is_some() { "segment" } else { "(all)" }),
                    t(name),
                    V::D(quarter_end(q as i64 - 1)),
                    V::I(own.len() as i64),
                    V::I(active),
                    V::I(new),
                    V::I(retained),
                    V::I(back),
                    V::I(lapsed),
                    V::I(own.len() as i64 - active - lapsed),
                    V::I(before),
                    V::I(active - before),
                    share(retained, before),
                    share(lapsed, before),
                    share(back, sleeping),
                    V::M(own.iter().filter_map(|p| p.1[q].as_ref()).map(|s| s.cents).sum()),
                ]);
            }
        }
        sheet
    }

    fn cohorts(&self, people: &[(i64, Vec<Option<Seen>>)]) -> Sheet {
        let mut sheet = Sheet::new(
            "as_of:d slice:s cohort_start:d cohort_end:d periods_since:n customers:i active_customers:i retention_rate:f \
             repeat_customers:i repeat_rate:f orders:i revenue:m revenue_to_date:m spend:m cac:f payback_ratio:f dimension:s dimension_value:s",
        );
        for q in 0..self.periods as i64 {
            for cohort in std::iter::once(None).chain((0..=q).map(Some)) {
                let own: Vec<&Seen> = people
                    .iter()
                    .filter(|p| cohort.map_or(p.0 < 0, |c| p.0 == c))
                    .filter_map(|p| p.1[q as usize].as_ref())
                    .collect();
                if own.is_empty() {
                    continue;
                }
                let n = own.len() as i64;
                let active = own.iter().filter(|s| s.orders > 0).count() as i64;
                let repeat = own.iter().filter(|s| s.lifetime > 1).count() as i64;
                let to_date: i128 = own.iter().map(|s| s.total_cents).sum();
                let spend = cohort.map(|c| 900_000 + i128::from(c) * 40_000);
                sheet.row(vec![
                    V::D(quarter_end(q)),
                    t("(all)"),
                    opt(cohort.map(quarter_start), V::D),
                    opt(cohort.map(quarter_end), V::D),
                    opt(cohort.map(|c| q - c), V::I),
                    V::I(n),
                    V::I(active),
                    share(active, n),
                    V::I(repeat),
                    share(repeat, n),
                    V::I(own.iter().map(|s| s.orders).sum()),
                    V::M(own.iter().map(|s| s.cents).sum()),
                    V::M(to_date),
                    opt(spend, V::M),
                    opt(spend.map(|s| s as f64 / 100.0 / n as f64), V::F),
                    opt(spend.map(|s| to_date as f64 / s as f64), V::F),
                    t("(all)"),
                    t("(all)"),
                ]);
            }
        }
        sheet
    }

    fn concentration(&self, people: &[(i64, Vec<Option<Seen>>)]) -> Sheet {
        let mut sheet = Sheet::new("as_of:d slice:s customers:i revenue:m top_1_share:f top_10_share:f top_20_share:f gini:f");
        for q in 0..self.periods {
            let mut money: Vec<i128> = people
                .iter()
                .filter_map(|p| p.1[q].as_ref())
                .filter(|s| s.lookback_orders > 0)
                .map(|s| s.lookback_cents)
                .collect();
            money.sort();
            let n = money.len();
            let all: i128 = money.iter().sum();
            let top = |percent: usize| {
                let best: i128 = money.iter().rev().take((n * percent).div_ceil(100)).sum();
                V::F(best as f64 / all as f64)
            };
            let ranked: f64 = money.iter().enumerate().map(|(i, m)| (i + 1) as f64 * *m as f64).sum();
            let gini = 2.0 * ranked / (n as f64 * all as f64) - (n as f64 + 1.0) / n as f64;
            let row =
                vec![V::D(quarter_end(q as i64)), t("(all)"), V::I(n as i64), V::M(all), top(1), top(10), top(20), V::F(gini)];
            sheet.row(row);
        }
        sheet
    }

    fn cutpoints(&self, people: &[(i64, Vec<Option<Seen>>)]) -> Sheet {
        let mut sheet =
            Sheet::new("as_of:d slice:s axis:s bin:n lower:f upper:f lower_exact:t upper_exact:t closed:s customers:i");
        for q in 0..self.periods {
            let all = people.iter().filter(|p| p.1[q].is_some()).count() as i64;
            for axis in ["recency_days", "frequency", "monetary"] {
                for bin in 1..=5i64 {
                    let cut = |b: i64| (1..5).contains(&b).then_some(b * 30);
                    let n = all / 5 + if bin == 1 { all % 5 } else { 0 };
                    sheet.row(vec![
                        V::D(quarter_end(q as i64)),
                        t("(all)"),
                        t(axis),
                        V::I(bin),
                        opt(cut(bin - 1).map(|c| c as f64), V::F),
                        opt(cut(bin).map(|c| c as f64), V::F),
                        opt(cut(bin - 1).map(|c| format!("{c}/1")), V::T),
                        opt(cut(bin).map(|c| format!("{c}/1")), V::T),
                        t("right"),
                        V::I(n),
                    ]);
                }
            }
        }
        sheet
    }

    fn ledger(&self) -> Sheet {
        let mut sheet = Sheet::new("file:t outcome:s row_count:i amount:m");
        for (file, kept) in [("orders/2023.parquet", 21_412), ("orders/2024.parquet", 24_877)] {
            for (outcome, rows, cents) in [
                ("kept", kept, kept as i128 * 6_150),
                ("filtered:status", 312, 1_877_200),
                ("no_customer", 90, 402_233),
                ("rejected:null_date", 3, 9_900),
            ] {
                sheet.row(vec![t(self.name(file)), t(outcome), V::I(rows), V::M(cents)]);
            }
        }
        sheet
    }

    fn dim_state(&self) -> Sheet {
        let mut sheet = Sheet::new(
            "scheme:s state:s rank:n label_en:t label_zh_hans:t definition:t action:t colour:t is_at_risk:b scheme_place:n",
        );
        for (scheme, builtin) in ["standard", "recency_windows"].iter().enumerate() {
            let text = rfmill::internals::scheme::builtin_text(builtin).expect("a scheme");
            let file: toml::Table = text.parse().expect("TOML");
            for (rank, (name, state)) in self.states(scheme).iter().zip(file["states"].as_array().expect("states")).enumerate() {
                let original = state["name"].as_str().expect("a name");
                let renamed = name != original;
                let zh = state["labels"]["zh-Hans"].as_str().expect("a label");
                let en = original[..1].to_uppercase() + &original[1..];
                let action = if scheme == 0 && rank == 8 { t(self.name("Call them")) } else { V::Null };
                sheet.row(vec![
                    t(if scheme == 0 { "segment" } else { "lifecycle" }),
                    t(name.clone()),
                    V::I(rank as i64 + 1),
                    if renamed { V::Null } else { t(en) },
                    if renamed { V::Null } else { t(zh) },
                    t(state["definition"].as_str().expect("a definition")),
                    action,
                    if renamed { t(self.name("colour")) } else { V::Null },
                    V::B(is_at_risk(scheme, rank)),
                    V::I(scheme as i64 + 1),
                ]);
            }
        }
        sheet
    }

    fn dim_period(&self) -> Sheet {
        let mut sheet = Sheet::new(
            "as_of:d period_start:d period_end:d label:t same_period_last_year:d is_partial:b history_complete:b role:t period_before:d",
        );
        for q in 0..self.periods as i64 {
            sheet.row(vec![
                V::D(quarter_end(q)),
                V::D(quarter_start(q)),
                V::D(quarter_end(q)),
                t(label(q)),
                opt((q >= 4).then(|| quarter_end(q - 4)), V::D),
                V::B(false),
                V::B(q >= 1),
                t("own"),
                opt((q >= 1).then(|| quarter_end(q - 1)), V::D),
            ]);
        }
        sheet
    }

    /// Writes the tables and their manifest as a run.
    pub fn write(&self, folder: &Path) {
        let tables = self.tables();
        let mut entries: BTreeMap<&str, Vec<serde_json::Value>> = BTreeMap::new();
        for (name, path, sheet) in &tables.files {
            let bytes = sheet.bytes();
            let to = folder.join(path);
            fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
            fs::write(&to, &bytes).expect("a file");
            let entry = json!({ "path": path, "rows": sheet.rows.len(), "bytes": bytes.len(), "sha256": "" });
            entries.entry(name).or_default().push(entry);
        }
        let tables: Vec<_> =
            entries.into_iter().map(|(name, files)| json!({ "name": name, "rows": 0, "files": files })).collect();
        let job = json!({
            "name": self.job,
            "orders": { "timezone": "Europe/London", "monetary": "net", "max_rejected": 0.001 },
            "score": { "bins": 5, "method": "quantile", "lookback": "4 quarters" },
            "checks": { "newest_order_within": "2d" },
        });
        let as_of: Vec<String> = (0..self.periods as i64).map(|q| quarter_end(q).to_string()).collect();
        let manifest = json!({
            "rfmill": "0.1.0", "run_id": "0123456789abcdef", "job_name": self.job, "engine": "native", "as_of": as_of, "job": job,
            "job_sha256": "", "inputs": [], "input_rows": 47_099, "inputs_verified": false, "tables": tables, "cut_points": [],
            "warnings": self.warnings, "timings": [], "peak_memory_bytes": null,
        });
        fs::write(folder.join("manifest.json"), manifest.to_string()).expect("a manifest");
    }
}

fn segment(since: i64, lookback: i64, lifetime: i64) -> usize {
    match (since, lookback, lifetime) {
        (0, 6.., _) => 0,
        (0, 3.., _) => 1,
        (0, 2, _) => 2,
        (0, _, 1) => 3,
        (0, _, _) => 4,
        (1, _, 3..) => 5,
        (1, _, _) => 6,
        (2..=3, _, 6..) => 7,
        (2..=3, _, 3..) => 8,
        _ => 9,
    }
}
