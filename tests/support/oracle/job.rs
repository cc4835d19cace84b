//! What a job says: every setting that the oracle understands.

use std::cmp::Ordering;

use super::input::Value;
use super::numbers::ten_to;
use crate::support::calendar;

/// An exact decimal number `unscaled / 10^digits`, as a job file writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    pub unscaled: i128,
    pub digits: u32,
}

impl Decimal {
    /// A whole number.
    pub fn whole(n: i128) -> Decimal {
        Decimal { unscaled: n, digits: 0 }
    }

    /// How `value / 10^digits` stands to this number.
    pub fn compare(self, value: i128, digits: u32) -> Ordering {
        (value * ten_to(self.digits)).cmp(&(self.unscaled * ten_to(digits)))
    }

    /// The nearest double.
    pub fn as_f64(self) -> f64 {
        format!("{}e-{}", self.unscaled, self.digits).parse().expect("a number")
    }

    /// As text with all its digits, for example `-0.50`.
    pub fn text(self) -> String {
        let sign = if self.unscaled < 0 { "-" } else { "" };
        let power = ten_to(self.digits);
        let (whole, rest) = (self.unscaled.abs() / power, self.unscaled.abs() % power);
        match self.digits {
            0 => format!("{sign}{whole}"),
            n => format!("{sign}{whole}.{rest:0width$}", width = n as usize),
        }
    }
}

/// A constant in a predicate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    Number(Decimal),
    Text(String),
}

/// What a predicate asks of its column; null fails all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PredicateTest {
    In(Vec<Literal>),
    NotIn(Vec<Literal>),
    /// At least.
    Min(Literal),
    /// At most.
    Max(Literal),
    Above(Literal),
    Below(Literal),
    /// The text starts with this (a regex `^…` of plain letters).
    StartsWith(String),
    NotNull,
    /// The only test that null passes.
    IsNull,
}

/// A condition on one column of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predicate {
    pub column: String,
    pub test: PredicateTest,
}

/// `[orders.latest]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latest {
    pub key: Vec<String>,
    pub by: String,
}

/// Which purchases a measure looks at, counted back from the day after the as-of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookback {
    All,
    Days(i64),
    /// Calendar months, clamped to month ends; quarters are three of them and years twelve.
    Months(i64),
    Quarters(i64),
    Years(i64),
}

impl Lookback {
    /// The first date of the lookback of an as-of date; none if all history counts.
    pub fn start(self, as_of: i64) -> Option<i64> {
        let end = as_of + 1;
        match self {
            Lookback::All => None,
            Lookback::Days(n) => Some(end - n),
            Lookback::Months(n) => Some(calendar::add_months(end, -n)),
            Lookback::Quarters(n) => Some(calendar::add_months(end, -3 * n)),
            Lookback::Years(n) => Some(calendar::add_months(end, -12 * n)),
        }
    }
}

/// A calendar period: `[periods] every`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calendar {
    Day,
    /// Monday to Sunday.
    Week,
    Month,
    Quarter,
    Year,
}

/// Where the as-of dates come from; all dates are inclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Periods {
    /// `as_of`: ascending.
    AsOf(Vec<i64>),
    /// `every`, `from`, `to`; both bounds lie on the calendar.
    Every(Calendar, i64, i64),
    /// `[[periods.list]]`: from and to of each, ascending, without overlap.
    List(Vec<(i64, i64)>),
}

/// Whether returns lower `monetary`: `[orders] monetary`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Money {
    Net,
    Gross,
}

/// What an order of amount zero is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZeroAmount {
    Purchase,
    Drop,
}

/// Who is listed: whoever ever bought, or only who bought in the lookback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Population {
    Ever,
    Lookback,
}

/// What `frequency` counts: orders, or the days on which there was one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    Orders,
    OrderDays,
}

/// What `monetary` is: a sum, or a mean per purchase with two more digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonetaryAs {
    Sum,
    Average,
}

/// What the bound between a low and a high level is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Levels {
    Mean,
    Median,
    Score,
}

/// Which rank equal values share: the lowest of theirs, the middle, the highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ties {
    Min,
    Mid,
    Max,
}

/// On which side bins are closed: `Right` puts a value on a cut below it, `Left` above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    Right,
    Left,
}

/// The three axes, always in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Axis {
    Recency,
    Frequency,
    Monetary,
}

impl Axis {
    pub const ALL: [Axis; 3] = [Axis::Recency, Axis::Frequency, Axis::Monetary];

    /// The measure that the axis scores, which is also its name in job files and in `cutpoints`.
    pub fn measure_name(self) -> &'static str {
        ["recency_days", "frequency", "monetary"][self as usize]
    }

    /// `r`, `f` or `m`.
    pub fn letter(self) -> &'static str {
        ["r", "f", "m"][self as usize]
    }
}

/// How one axis is scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    Quantile,
    Rank(Ties),
    Ntile,
    /// Ascending cuts in printed units.
    Thresholds {
        cuts: Vec<Decimal>,
        closed: Closed,
    },
    RRfm,
}

/// A measure that a rule or `[score.only]` can ask about; `frequency` and `monetary` may have a lookback of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    RecencyDays,
    Frequency(Option<Lookback>),
    Monetary(Option<Lookback>),
    AvgOrderValue,
    TenureDays,
    LifetimeOrders,
    LifetimeMonetary,
    PeriodOrders,
    PeriodMonetary,
    PreviousPeriodOrders,
    OrdersBeforePeriod,
}

impl Measure {
    /// The measures over the period of an as-of date, null where it has none.
    pub const OF_PERIODS: [Measure; 4] =
        [Measure::PeriodOrders, Measure::PeriodMonetary, Measure::PreviousPeriodOrders, Measure::OrdersBeforePeriod];
}

/// A condition on a number, in printed units. Null passes only `IsNull`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// Both ends belong to it; an end may be open.
    Between(Option<Decimal>, Option<Decimal>),
    Above(Decimal),
    Below(Decimal),
    IsNull,
}

/// One half of an axis; high is better on all three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Low,
    High,
}

/// One condition of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    Measure(Measure, Test),
    Score(Axis, Test),
    Level(Axis, Level),
    FPlusM(Test),
    /// Any of these (r, f, m) triples.
    Cells(Vec<[u32; 3]>),
}

/// All conditions must hold; no condition always holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub state: String,
    pub when: Vec<Condition>,
}

/// An ordered rule table; the first rule that holds gives the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// The column of the job that shows the state.
    pub column: String,
    pub rules: Vec<Rule>,
}

impl Scheme {
    /// True if any rule asks for a score, a level or a cell.
    pub fn uses_scores(&self) -> bool {
        self.rules.iter().flat_map(|r| &r.when).any(|c| !matches!(c, Condition::Measure(..)))
    }

    /// True if rules ask for levels, and none for a score or a cell.
    pub fn uses_levels_only(&self) -> bool {
        let scores = |c: &Condition| !matches!(c, Condition::Measure(..) | Condition::Level(..));
        self.uses_levels() && !self.rules.iter().flat_map(|r| &r.when).any(scores)
    }

    /// True if any rule asks for a level.
    pub fn uses_levels(&self) -> bool {
        self.rules.iter().flat_map(|r| &r.when).any(|c| matches!(c, Condition::Level(..)))
    }
}

/// Every setting the oracle understands.
#[derive(Clone, Debug)]
pub struct Job {
    pub customer_id: String,
    pub ordered_at: String,
    /// One column, or several that are multiplied.
    pub amount: Vec<String>,
    pub amount_scale: u32,
    /// The columns that tell orders apart; none if rows are orders.
    pub order_id: Vec<String>,
    pub slice: Option<String>,
    pub timezone: String,
    pub naive_timezone: Option<String>,
    pub dedupe_rows: bool,
    pub latest: Option<Latest>,
    pub keep: Vec<Predicate>,
    pub returns: Option<Predicate>,
    /// `negate` of the returns: rows that pass count with the other sign.
    pub negate: bool,
    pub money_only: Option<Predicate>,
    /// Customers who are nobody.
    pub guests: Vec<Value>,
    pub monetary: Money,
    pub zero_amount: ZeroAmount,
    pub max_rejected: f64,
    pub max_no_customer: f64,
    pub periods: Periods,
    /// `compare`: how long before each as-of date to look for what moved since; never [`Lookback::All`].
    pub compare: Vec<Lookback>,
    /// `--as-of`: the one date that replaces those of `periods`.
    pub only_as_of: Option<i64>,
    pub population: Population,
    pub bins: u32,
    /// Of recency, frequency and monetary.
    pub methods: [Method; 3],
    /// `cuts = "frozen"`.
    pub frozen: bool,
    pub lookback: Lookback,
    /// Lookbacks of `frequency@L` and `monetary@L`.
    pub extra_lookbacks: Vec<Lookback>,
    pub count: Count,
    pub monetary_as: MonetaryAs,
    pub levels: Levels,
    /// `[score.only]`: all of them must hold.
    pub only: Vec<(Measure, Test)>,
    pub schemes: Vec<Scheme>,
    /// `[output] columns` lists every measure, score and state.
    pub lists_columns: bool,
    /// `[acquisition]`: the first day of a period and what was spent in it, minor units.
    pub acquisition: Vec<(i64, i128)>,
    /// `[playbook]`: place of the scheme, state and action.
    pub playbook: Vec<(usize, String, String)>,
}

impl Default for Job {
    /// A job that gives nothing but the columns `customer_id`, `ordered_at` and `amount`. It still needs an as-of date.
    fn default() -> Job {
        Job {
            customer_id: "customer_id".into(),
            ordered_at: "ordered_at".into(),
            amount: vec!["amount".into()],
            amount_scale: 2,
            order_id: Vec::new(),
            slice: None,
            timezone: "UTC".into(),
            naive_timezone: None,
            dedupe_rows: false,
            latest: None,
            keep: Vec::new(),
            returns: None,
            negate: false,
            money_only: None,
            guests: Vec::new(),
            monetary: Money::Net,
            zero_amount: ZeroAmount::Purchase,
            max_rejected: 0.0,
            max_no_customer: 1.0,
            periods: Periods::AsOf(Vec::new()),
            compare: Vec::new(),
            only_as_of: None,
            population: Population::Ever,
            bins: 5,
            methods: [Method::Quantile, Method::Quantile, Method::Quantile],
            frozen: false,
            lookback: Lookback::All,
            extra_lookbacks: Vec::new(),
            count: Count::Orders,
            monetary_as: MonetaryAs::Sum,
            levels: Levels::Mean,
            only: Vec::new(),
            schemes: Vec::new(),
            lists_columns: false,
            acquisition: Vec::new(),
            playbook: Vec::new(),
        }
    }
}

impl Job {
    /// True if a rule or `[score.only]` asks for a measure of periods.
    pub fn uses_periods(&self) -> bool {
        self.used_measures().any(|m| Measure::OF_PERIODS.contains(&m))
    }

    /// The measures that rules and `[score.only]` ask for.
    pub fn used_measures(&self) -> impl Iterator<Item = Measure> {
        let of_rules = self.schemes.iter().flat_map(|s| &s.rules).flat_map(|r| &r.when).filter_map(|c| match c {
            Condition::Measure(m, _) => Some(*m),
            _ => None,
        });
        of_rules.chain(self.only.iter().map(|(m, _)| *m))
    }

    /// The lookbacks of their own that measures have; all of them if the job lists every column.
    pub fn used_lookbacks(&self) -> Vec<Lookback> {
        if self.lists_columns {
            return self.extra_lookbacks.clone();
        }
        let own = self.used_measures().filter_map(|m| match m {
            Measure::Frequency(l) | Measure::Monetary(l) => l,
            _ => None,
        });
        own.collect()
    }

    /// The digits of `monetary` after the point: two more for an average.
    pub fn monetary_digits(&self) -> u32 {
        match self.monetary_as {
            MonetaryAs::Sum => self.amount_scale,
            MonetaryAs::Average => self.amount_scale + 2,
        }
    }
}
