//! A slow and obvious second opinion on every number that a run prints.
//!
//! Written from the meaning of the tables alone: sort and loop, one customer after the other, nothing shared with the
//! program. Money is an `i128` of minor units, cut points are exact fractions, dates are days since 1970-01-01.
//!
//! Where the meaning leaves room, the most literal reading is taken, and [`Answer::notes`] says that the case depends
//! on it; the names of the notes are listed in [`notes`].

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::calendar::{self, DAY, TimeUnit};

// ---------------------------------------------------------------------------------------------------------------
// Input
// ---------------------------------------------------------------------------------------------------------------

/// One cell of an input row. The column's [`Kind`] says which variants are legal in it.
#[derive(Clone, Debug)]
pub enum Value {
    Null,
    /// An integer of any width.
    Int(i128),
    Text(String),
    /// The unscaled number of a decimal; the column knows its scale.
    Decimal(i128),
    /// A float; the value of a 32-bit column is widened, which is exact.
    Float(f64),
    /// Days since 1970-01-01.
    Date(i64),
    /// The raw number of a timestamp; the column knows its unit.
    Timestamp(i64),
}

/// How the strings of a text column are stored; it never changes a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextEncoding {
    Plain,
    /// Strings with 64-bit offsets.
    Large,
    Dictionary,
}

/// The logical type of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 8, 16, 32 or 64 bits.
    Int {
        bits: u8,
        signed: bool,
    },
    Text(TextEncoding),
    Decimal {
        precision: u8,
        scale: u8,
    },
    /// 32 or 64 bits.
    Float {
        bits: u8,
    },
    Date,
    /// With a zone the raw number is an instant (whatever the zone is called), without one it is wall-clock time.
    Timestamp {
        unit: TimeUnit,
        zone: Option<String>,
    },
}

/// Name and type of a column; all files of a case have the same columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSpec {
    pub name: String,
    pub kind: Kind,
}

/// The cells of one row, in the order of [`Input::columns`].
pub type Row = Vec<Value>;

/// One input file.
#[derive(Clone, Debug)]
pub struct InputFile {
    /// File name without a folder; files are taken in the bytewise order of their names.
    pub name: String,
    pub rows: Vec<Row>,
}

/// Everything that is read.
#[derive(Clone, Debug)]
pub struct Input {
    pub columns: Vec<ColumnSpec>,
    pub files: Vec<InputFile>,
}

// ---------------------------------------------------------------------------------------------------------------
// Job
// ---------------------------------------------------------------------------------------------------------------

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
    fn compare(self, value: i128, digits: u32) -> Ordering {
        (value * ten_to(self.digits)).cmp(&(self.unscaled * ten_to(digits)))
    }

    /// The nearest double.
    fn as_f64(self) -> f64 {
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
    pub order_id: Option<String>,
    pub slice: Option<String>,
    pub timezone: String,
    pub naive_timezone: Option<String>,
    pub dedupe_rows: bool,
    pub latest: Option<Latest>,
    pub keep: Vec<Predicate>,
    pub returns: Option<Predicate>,
    pub monetary: Money,
    pub zero_amount: ZeroAmount,
    pub max_rejected: f64,
    pub max_no_customer: f64,
    /// Ascending.
    pub as_of: Vec<i64>,
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
}

impl Default for Job {
    /// A job that gives nothing but the columns `customer_id`, `ordered_at` and `amount`. It still needs an as-of date.
    fn default() -> Job {
        Job {
            customer_id: "customer_id".into(),
            ordered_at: "ordered_at".into(),
            amount: vec!["amount".into()],
            amount_scale: 2,
            order_id: None,
            slice: None,
            timezone: "UTC".into(),
            naive_timezone: None,
            dedupe_rows: false,
            latest: None,
            keep: Vec::new(),
            returns: None,
            monetary: Money::Net,
            zero_amount: ZeroAmount::Purchase,
            max_rejected: 0.0,
            max_no_customer: 1.0,
            as_of: Vec::new(),
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
        }
    }
}

impl Job {
    /// The digits of `monetary` after the point: two more for an average.
    pub fn monetary_digits(&self) -> u32 {
        match self.monetary_as {
            MonetaryAs::Sum => self.amount_scale,
            MonetaryAs::Average => self.amount_scale + 2,
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------
// Output
// ---------------------------------------------------------------------------------------------------------------

/// A customer id; numbers sort numerically, texts by their bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Id {
    Int(i128),
    Text(String),
}

/// An exact fraction; the denominator is positive, the fraction need not be in lowest terms.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    pub num: i128,
    pub den: i128,
}

impl Ratio {
    /// How the fraction stands to a whole number.
    pub fn compare_to(self, whole: i128) -> Ordering {
        self.num.cmp(&(whole * self.den))
    }

    /// The nearest double of the fraction divided by `10^digits`.
    pub fn printed(self, digits: u32) -> f64 {
        self.num as f64 / self.den as f64 / ten_to(digits) as f64
    }
}

impl PartialEq for Ratio {
    fn eq(&self, other: &Ratio) -> bool {
        self.num * other.den == other.num * self.den
    }
}

/// Rows and money of one outcome of one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerSum {
    pub rows: u64,
    /// In minor units; a row whose amount cannot be read counts 0.
    pub money: i128,
}

/// `frequency@L` and `monetary@L` of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtLookback {
    pub lookback: Lookback,
    pub frequency: i128,
    /// With [`Job::monetary_digits`] digits.
    pub monetary: i128,
}

/// One customer of one slice at one as-of date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerRow {
    pub id: Id,
    pub first_order: i64,
    pub last_order: i64,
    pub recency_days: i128,
    pub frequency: i128,
    /// With [`Job::monetary_digits`] digits.
    pub monetary: i128,
    /// With `amount_scale + 2` digits; none at frequency 0.
    pub avg_order_value: Option<i128>,
    pub tenure_days: i128,
    pub lifetime_orders: i128,
    /// A sum in minor units, also where `monetary` is a mean.
    pub lifetime_monetary: i128,
    /// The money of the lookback in minor units, before any average; what `segments` sums as revenue.
    pub revenue: i128,
    /// One per [`Job::extra_lookbacks`].
    pub at: Vec<AtLookback>,
    /// Of recency, frequency and monetary; none for a customer outside `[score.only]`.
    pub scores: [Option<u32>; 3],
    pub levels: [Option<Level>; 3],
    /// One per [`Job::schemes`].
    pub states: Vec<String>,
}

/// The cut points of one axis.
#[derive(Clone, Debug, PartialEq)]
pub struct AxisCuts {
    pub axis: Axis,
    /// Which side of a cut a value on it belongs to: `Right` means that only a value above the cut is beyond it.
    pub closed: Closed,
    /// `bins - 1` cuts, ascending in the measure, in minor units (days, orders). Empty for `ntile`, which has none.
    ///
    /// `None` is a cut of `rank` that nobody reaches from the better side: above every frequency and every amount,
    /// below every recency.
    pub cuts: Vec<Option<Ratio>>,
    /// Scored customers per bin, ascending in the measure.
    pub customers: Vec<u64>,
}

/// One state of one scheme.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentRow {
    pub scheme: String,
    pub state: String,
    pub customers: u64,
    /// Sum of `frequency`.
    pub orders: i128,
    /// Sum of the lookback's money, in minor units.
    pub revenue: i128,
    /// Customers with a frequency of 2 or more.
    pub repeat_customers: u64,
}

/// One slice at one as-of date; only slices with customers are listed.
#[derive(Clone, Debug)]
pub struct SliceAnswer {
    /// None without `[orders] slice`.
    pub slice: Option<String>,
    /// Ascending by id.
    pub customers: Vec<CustomerRow>,
    /// One per axis; empty if the slice has no cut points (nobody was scored, now or at the frozen date).
    pub cuts: Vec<AxisCuts>,
    /// The bound between low and high per axis, in minor units (or in scores); empty like `cuts`.
    pub level_bounds: Vec<Ratio>,
    /// Ascending by the order of the job's schemes, then by state.
    pub segments: Vec<SegmentRow>,
}

/// One as-of date.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub as_of: i64,
    /// Ascending by slice.
    pub slices: Vec<SliceAnswer>,
}

/// What a run must say.
#[derive(Clone, Debug)]
pub struct Answer {
    /// By file name and outcome; only outcomes with rows are listed.
    pub ledger: BTreeMap<(String, String), LedgerSum>,
    /// One per as-of date, in the job's order.
    pub snapshots: Vec<Snapshot>,
    /// Readings of the meaning on which this answer depends and another reader might differ, see [`notes`].
    pub notes: BTreeSet<&'static str>,
}

/// A run that must fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub exit: i32,
    pub why: String,
}

/// The names of the readings in [`Answer::notes`].
pub mod notes {
    /// Two rows that are equal but for nothing, NaN included, count as duplicates.
    pub const NAN_DUPLICATE: &str = "rows with NaN are duplicates";
    /// A NaN fails `min`, `max`, `above`, `below` and `in`, and passes `not_in` and `not_null`.
    pub const NAN_IN_PREDICATE: &str = "NaN in a predicate compares like IEEE";
    /// Fully equal rows that share the greatest `by`: the first by path and position counts, the rest is superseded.
    pub const LATEST_EQUAL_ROWS: &str = "equal rows share the greatest by";
    /// Different rows share a `by` that is not the greatest of their key: no failure.
    pub const LATEST_LOWER_TIE: &str = "a tie below the greatest by";
    /// A row with a null in the latest key is never superseded; a null `by` is less than every value.
    pub const LATEST_NULL: &str = "null in the latest key or by";
    /// `zero_amount = "drop"` leaves an order that matches `[orders.returns]` as a return.
    pub const ZERO_RETURN: &str = "a zero return is not dropped";
    /// A zero row without customer is no order, so `no_customer` and not `filtered:zero_amount`.
    pub const ZERO_WITHOUT_ORDER: &str = "a zero row that is no order";
    /// A dropped zero order is `filtered:zero_amount` even after the last as-of date.
    pub const ZERO_AFTER_AS_OF: &str = "a zero order after the last as-of date";
    /// Only returns are kept: legal, without any customer.
    pub const ONLY_RETURNS: &str = "only returns are kept";
    /// `avg_order_value` divides by `frequency`, also where that counts days.
    pub const AVERAGE_BY_DAYS: &str = "avg_order_value under order_days";
    /// `monetary_as = "average"` divides by purchases, also where `frequency` counts days.
    pub const MEAN_BY_ORDERS: &str = "average per purchase under order_days";
    /// `lifetime_orders` counts orders, also where `frequency` counts days.
    pub const LIFETIME_ORDERS: &str = "lifetime_orders under order_days";
    /// `lifetime_monetary` stays a sum under `monetary_as = "average"`; only `monetary` and `monetary@L` become means.
    pub const LIFETIME_SUM: &str = "lifetime_monetary is a sum under monetary_as average";
    /// `avg_order_value` divides the sum, not the average.
    pub const AVERAGE_OF_SUM: &str = "avg_order_value under monetary_as average";
    /// A slice without scored customers at the frozen date has no cut points, so its customers are unscored.
    pub const FROZEN_NOBODY: &str = "no frozen cut points in a slice";
    /// The bounds of levels are frozen with the cut points.
    pub const FROZEN_LEVELS: &str = "levels are frozen";
    /// An empty score of `rank` shares the cut of the next better score that has members.
    pub const RANK_EMPTY_SCORE: &str = "rank leaves scores empty";
    /// An unscored customer has the state `(unscored)` in a scheme that asks for levels and for no score.
    pub const UNSCORED_LEVEL: &str = "unscored in a scheme over levels";
}

// ---------------------------------------------------------------------------------------------------------------
// Numbers
// ---------------------------------------------------------------------------------------------------------------

/// 10 to the power of `n`.
pub fn ten_to(n: u32) -> i128 {
    10_i128.pow(n)
}

/// `num / den` rounded to the nearest whole number, a half to the even one; `den` is positive.
pub fn divide_half_even(num: i128, den: i128) -> i128 {
    let (floor, rest) = (num.div_euclid(den), num.rem_euclid(den));
    match (2 * rest).cmp(&den) {
        Ordering::Less => floor,
        Ordering::Greater => floor + 1,
        Ordering::Equal => floor + floor.rem_euclid(2),
    }
}

/// `x · 10^digits` rounded half to even in double precision.
pub fn scale_float(x: f64, digits: u32) -> i128 {
    let power: f64 = format!("1e{digits}").parse().expect("a power of ten");
    (x * power).round_ties_even() as i128
}

/// `num / den` rounded up; `den` is positive.
fn divide_up(num: i128, den: i128) -> i128 {
    -(-num).div_euclid(den)
}

/// A total order of cells of one column, only used to find equal rows and the newest one.
fn compare_values(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Int(x), Value::Int(y)) => x.cmp(y),
        (Value::Text(x), Value::Text(y)) => x.as_bytes().cmp(y.as_bytes()),
        (Value::Decimal(x), Value::Decimal(y)) => x.cmp(y),
        (Value::Float(x), Value::Float(y)) => x.total_cmp(y),
        (Value::Date(x), Value::Date(y)) => x.cmp(y),
        (Value::Timestamp(x), Value::Timestamp(y)) => x.cmp(y),
        _ => panic!("{a:?} and {b:?} cannot be of one column"),
    }
}

/// The same for whole rows, or parts of them.
fn compare_rows(a: &[Value], b: &[Value]) -> Ordering {
    a.iter().zip(b).map(|(x, y)| compare_values(x, y)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
}

// ---------------------------------------------------------------------------------------------------------------
// Orders
// ---------------------------------------------------------------------------------------------------------------

/// What the amount of a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    Null,
    NonFinite,
    /// A decimal with digits beyond the amount scale.
    TooPrecise,
    Money(i128),
}

/// The amount of one row.
pub fn amount_of(job: &Job, columns: &[ColumnSpec], row: &[Value]) -> Amount {
    let cells: Vec<(&Kind, &Value)> = job.amount.iter().map(|name| cell(columns, row, name)).collect();
    if cells.iter().any(|(_, v)| matches!(v, Value::Null)) {
        return Amount::Null;
    }
    if cells.iter().any(|(_, v)| matches!(v, Value::Float(x) if !x.is_finite())) {
        return Amount::NonFinite;
    }
    let scale = job.amount_scale;
    if let [(kind, value)] = cells[..] {
        return match (kind, value) {
            (_, Value::Int(n)) => Amount::Money(n * ten_to(scale)),
            (_, Value::Float(x)) => Amount::Money(scale_float(*x, scale)),
            (Kind::Decimal { scale: own, .. }, Value::Decimal(n)) => {
                let all_digits = n * ten_to(scale);
                let power = ten_to(u32::from(*own));
                if all_digits % power == 0 { Amount::Money(all_digits / power) } else { Amount::TooPrecise }
            }
            other => panic!("{other:?} is no amount"),
        };
    }
    let (mut product, mut digits) = (1, 0);
    for (kind, value) in cells {
        match (kind, value) {
            (_, Value::Int(n)) => product *= n,
            (_, Value::Float(x)) => {
                product *= scale_float(*x, scale + 4);
                digits += scale + 4;
            }
            (Kind::Decimal { scale: own, .. }, Value::Decimal(n)) => {
                product *= n;
                digits += u32::from(*own);
            }
            other => panic!("{other:?} is no amount"),
        }
    }
    Amount::Money(divide_half_even(product * ten_to(scale), ten_to(digits)))
}

/// Type and content of a named cell.
fn cell<'a>(columns: &'a [ColumnSpec], row: &'a [Value], name: &str) -> (&'a Kind, &'a Value) {
    let i = columns.iter().position(|c| c.name == name).unwrap_or_else(|| panic!("no column {name}"));
    (&columns[i].kind, &row[i])
}

/// How a cell stands to a literal; none if one of them is not a number and the other is, or for NaN.
fn compare_literal(kind: &Kind, value: &Value, literal: &Literal) -> Option<Ordering> {
    match (kind, value, literal) {
        (_, Value::Int(n), Literal::Number(d)) => Some(d.compare(*n, 0)),
        (Kind::Decimal { scale, .. }, Value::Decimal(n), Literal::Number(d)) => Some(d.compare(*n, u32::from(*scale))),
        (_, Value::Float(x), Literal::Number(d)) => x.partial_cmp(&d.as_f64()),
        (_, Value::Text(t), Literal::Text(l)) => Some(t.as_bytes().cmp(l.as_bytes())),
        _ => panic!("{value:?} cannot be held against {literal:?}"),
    }
}

/// True if the row meets the predicate; null never does.
pub fn passes(predicate: &Predicate, columns: &[ColumnSpec], row: &[Value]) -> bool {
    let (kind, value) = cell(columns, row, &predicate.column);
    if matches!(value, Value::Null) {
        return false;
    }
    let order = |literal: &Literal| compare_literal(kind, value, literal);
    match &predicate.test {
        PredicateTest::In(list) => list.iter().any(|l| order(l) == Some(Ordering::Equal)),
        PredicateTest::NotIn(list) => list.iter().all(|l| order(l) != Some(Ordering::Equal)),
        PredicateTest::Min(l) => matches!(order(l), Some(Ordering::Greater | Ordering::Equal)),
        PredicateTest::Max(l) => matches!(order(l), Some(Ordering::Less | Ordering::Equal)),
        PredicateTest::Above(l) => order(l) == Some(Ordering::Greater),
        PredicateTest::Below(l) => order(l) == Some(Ordering::Less),
        PredicateTest::StartsWith(start) => {
            matches!(value, Value::Text(t) if t.starts_with(start.as_str()))
        }
        PredicateTest::NotNull => true,
    }
}

/// The local date of a non-null `ordered_at`.
fn business_date(job: &Job, kind: &Kind, value: &Value) -> i64 {
    match (kind, value) {
        (_, Value::Date(d)) => *d,
        (Kind::Timestamp { unit, zone }, Value::Timestamp(raw)) => {
            let seconds = unit.whole_seconds(*raw);
            match (zone, &job.naive_timezone) {
                (Some(_), _) => calendar::local_date(&job.timezone, seconds),
                (None, None) => seconds.div_euclid(DAY),
                (None, Some(zone)) => calendar::local_date(&job.timezone, calendar::instant_of_wall_clock(zone, seconds)),
            }
        }
        other => panic!("{other:?} is no date"),
    }
}

/// A row on its way through the ledger.
struct Line<'a> {
    file: &'a str,
    row: &'a Row,
    amount: Amount,
    /// Empty until decided.
    outcome: String,
}

impl Line<'_> {
    fn open(&self) -> bool {
        self.outcome.is_empty()
    }
}

/// One order after its lines are summed.
#[derive(Clone, Debug)]
struct Order {
    slice: Option<String>,
    customer: Id,
    date: i64,
    money: i128,
    is_return: bool,
}

/// The ledger and the kept orders, or why the run fails.
struct Read {
    ledger: BTreeMap<(String, String), LedgerSum>,
    orders: Vec<Order>,
}

fn fail<T>(exit: i32, why: impl Into<String>) -> Result<T, Failure> {
    Err(Failure { exit, why: why.into() })
}

/// Follows every row to its outcome.
fn read_orders(job: &Job, input: &Input, seen: &mut BTreeSet<&'static str>) -> Result<Read, Failure> {
    let columns = &input.columns;
    let mut files: Vec<&InputFile> = input.files.iter().collect();
    files.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
    let mut lines: Vec<Line> = Vec::new();
    for file in files {
        for row in &file.rows {
            lines.push(Line { file: &file.name, row, amount: amount_of(job, columns, row), outcome: String::new() });
        }
    }
    if lines.iter().any(|l| l.amount == Amount::TooPrecise) {
        return fail(3, "an amount has digits beyond amount_scale");
    }

    // 1. Rows that repeat an earlier one.
    if job.dedupe_rows {
        let mut order: Vec<usize> = (0..lines.len()).collect();
        order.sort_by(|&a, &b| compare_rows(lines[a].row, lines[b].row).then(a.cmp(&b)));
        for pair in order.windows(2) {
            if compare_rows(lines[pair[0]].row, lines[pair[1]].row).is_eq() {
                lines[pair[1]].outcome = "duplicate".into();
                if lines[pair[1]].row.iter().any(|v| matches!(v, Value::Float(x) if x.is_nan())) {
                    seen.insert(notes::NAN_DUPLICATE);
                }
            }
        }
    }

    // 2. Rows that a newer one replaces.
    if let Some(latest) = &job.latest {
        let key_of = |line: &Line| -> Vec<Value> { latest.key.iter().map(|k| cell(columns, line.row, k).1.clone()).collect() };
        let by_of = |line: &Line| cell(columns, line.row, &latest.by).1.clone();
        let mut order: Vec<usize> = (0..lines.len()).filter(|&i| lines[i].open()).collect();
        order.sort_by(|&a, &b| compare_rows(&key_of(&lines[a]), &key_of(&lines[b])).then(a.cmp(&b)));
        let mut superseded = Vec::new();
        for group in order.chunk_by(|&a, &b| compare_rows(&key_of(&lines[a]), &key_of(&lines[b])).is_eq()) {
            let key_has_null = key_of(&lines[group[0]]).iter().any(|v| matches!(v, Value::Null));
            if key_has_null || group.iter().any(|&i| matches!(by_of(&lines[i]), Value::Null)) {
                seen.insert(notes::LATEST_NULL);
            }
            if key_has_null {
                continue;
            }
            let mut newest = group[0];
            for &i in group {
                if compare_values(&by_of(&lines[i]), &by_of(&lines[newest])).is_gt() {
                    newest = i;
                }
            }
            for &i in group {
                if i == newest {
                    continue;
                }
                let same_by = compare_values(&by_of(&lines[i]), &by_of(&lines[newest])).is_eq();
                if same_by && compare_rows(lines[i].row, lines[newest].row).is_ne() {
                    return fail(3, "different rows share the greatest value of the latest column");
                }
                if same_by {
                    seen.insert(notes::LATEST_EQUAL_ROWS);
                }
                if group.iter().any(|&j| {
                    !same_by
                        && compare_values(&by_of(&lines[i]), &by_of(&lines[j])).is_eq()
                        && compare_rows(lines[i].row, lines[j].row).is_ne()
                }) {
                    seen.insert(notes::LATEST_LOWER_TIE);
                }
                superseded.push(i);
            }
        }
        for i in superseded {
            lines[i].outcome = "superseded".into();
        }
    }

    // 3. Rows that are not wanted.
    for line in lines.iter_mut().filter(|l| l.open()) {
        for predicate in &job.keep {
            if matches!(cell(columns, line.row, &predicate.column).1, Value::Float(x) if x.is_nan()) {
                seen.insert(notes::NAN_IN_PREDICATE);
            }
            if !passes(predicate, columns, line.row) {
                line.outcome = format!("filtered:{}", predicate.column);
                break;
            }
        }
    }

    // 4. Guest orders, and rows that cannot be read.
    for line in lines.iter_mut().filter(|l| l.open()) {
        let is_null = |name: &str| matches!(cell(columns, line.row, name).1, Value::Null);
        let outcome = if is_null(&job.customer_id) {
            "no_customer"
        } else if job.slice.as_ref().is_some_and(|s| is_null(s)) {
            "rejected:null_slice"
        } else if is_null(&job.ordered_at) {
            "rejected:null_date"
        } else if job.order_id.as_ref().is_some_and(|o| is_null(o)) {
            "rejected:null_order_id"
        } else if line.amount == Amount::Null {
            "rejected:null_amount"
        } else if line.amount == Amount::NonFinite {
            "rejected:non_finite_amount"
        } else {
            ""
        };
        let no_order = !outcome.is_empty() && line.amount == Amount::Money(0);
        if no_order && job.zero_amount == ZeroAmount::Drop {
            seen.insert(notes::ZERO_WITHOUT_ORDER);
        }
        line.outcome = outcome.into();
    }

    // 5. Orders: rows of one slice, customer and order id, or every row by itself.
    let mut groups: BTreeMap<(Option<String>, Id, OrderKey), Vec<usize>> = BTreeMap::new();
    for (i, line) in lines.iter().enumerate() {
        if !line.open() {
            continue;
        }
        let slice = job.slice.as_ref().map(|s| match cell(columns, line.row, s).1 {
            Value::Text(t) => t.clone(),
            other => panic!("{other:?} is no slice"),
        });
        let customer = id_of(cell(columns, line.row, &job.customer_id).1);
        let order = match &job.order_id {
            Some(name) => OrderKey::Named(id_of(cell(columns, line.row, name).1)),
            None => OrderKey::Row(i),
        };
        groups.entry((slice, customer, order)).or_default().push(i);
    }
    let last_as_of = *job.as_of.last().expect("an as-of date");
    let mut orders = Vec::new();
    for ((slice, customer, _), members) in groups {
        let money_of = |i: usize| match lines[i].amount {
            Amount::Money(m) => m,
            other => panic!("{other:?} in an order"),
        };
        let date_of = |i: usize| {
            let (kind, value) = cell(columns, lines[i].row, &job.ordered_at);
            business_date(job, kind, value)
        };
        let money: i128 = members.iter().map(|&i| money_of(i)).sum();
        let date = members.iter().map(|&i| date_of(i)).min().expect("a line");
        let named = match &job.returns {
            Some(predicate) => members.iter().any(|&i| passes(predicate, columns, lines[i].row)),
            None => false,
        };
        if let Some(predicate) = &job.returns {
            let nan = |i: &usize| matches!(cell(columns, lines[*i].row, &predicate.column).1, Value::Float(x) if x.is_nan());
            if members.iter().any(nan) {
                seen.insert(notes::NAN_IN_PREDICATE);
            }
        }
        let is_return = named || money < 0;
        let drop_zero = job.zero_amount == ZeroAmount::Drop && money == 0;
        if drop_zero && is_return {
            seen.insert(notes::ZERO_RETURN);
        }
        let outcome = if drop_zero && !is_return {
            if date > last_as_of {
                seen.insert(notes::ZERO_AFTER_AS_OF);
            }
            "filtered:zero_amount"
        } else if date > last_as_of {
            "after_as_of"
        } else {
            orders.push(Order { slice, customer, date, money, is_return });
            "kept"
        };
        for i in members {
            lines[i].outcome = outcome.into();
        }
    }

    // 6. The account of all rows, and its gates.
    let mut ledger: BTreeMap<(String, String), LedgerSum> = BTreeMap::new();
    for line in &lines {
        let sum = ledger.entry((line.file.to_string(), line.outcome.clone())).or_default();
        sum.rows += 1;
        if let Amount::Money(m) = line.amount {
            sum.money += m;
        }
    }
    let share = |start: &str| {
        let part = lines.iter().filter(|l| l.outcome.starts_with(start)).count();
        if lines.is_empty() { 0.0 } else { part as f64 / lines.len() as f64 }
    };
    if share("rejected:") > job.max_rejected {
        return fail(3, "more rejected rows than max_rejected");
    }
    if share("no_customer") > job.max_no_customer {
        return fail(3, "more rows without customer than max_no_customer");
    }
    if orders.is_empty() {
        return fail(3, "no kept order on or before the last as-of date");
    }
    if orders.iter().all(|o| o.is_return) {
        seen.insert(notes::ONLY_RETURNS);
    }
    Ok(Read { ledger, orders })
}

/// What makes lines one order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum OrderKey {
    Named(Id),
    Row(usize),
}

/// A non-null integer or text as an id.
fn id_of(value: &Value) -> Id {
    match value {
        Value::Int(n) => Id::Int(*n),
        Value::Text(t) => Id::Text(t.clone()),
        other => panic!("{other:?} is no id"),
    }
}

// ---------------------------------------------------------------------------------------------------------------
// Measures
// ---------------------------------------------------------------------------------------------------------------

/// Purchases and money between two dates.
struct Sums {
    purchases: i128,
    order_days: i128,
    /// In minor units, with or without returns as the job says.
    money: i128,
}

/// Sums one customer's orders on or after `start` (all without one) and on or before `as_of`.
fn sums(job: &Job, orders: &[&Order], start: Option<i64>, as_of: i64) -> Sums {
    let mut days = BTreeSet::new();
    let mut result = Sums { purchases: 0, order_days: 0, money: 0 };
    for order in orders {
        if order.date > as_of || start.is_some_and(|s| order.date < s) {
            continue;
        }
        if !order.is_return {
            result.purchases += 1;
            days.insert(order.date);
        }
        if !order.is_return || job.monetary == Money::Net {
            result.money += order.money;
        }
    }
    result.order_days = days.len() as i128;
    result
}

/// `frequency` of such sums.
fn frequency_of(job: &Job, sums: &Sums) -> i128 {
    match job.count {
        Count::Orders => sums.purchases,
        Count::OrderDays => sums.order_days,
    }
}

/// `monetary` of such sums, with [`Job::monetary_digits`] digits.
fn monetary_of(job: &Job, sums: &Sums) -> i128 {
    match job.monetary_as {
        MonetaryAs::Sum => sums.money,
        MonetaryAs::Average if sums.purchases == 0 => 0,
        MonetaryAs::Average => divide_half_even(sums.money * 100, sums.purchases),
    }
}

/// The measures of one customer, still without scores; none if the customer is not of the population.
fn measure(job: &Job, id: &Id, orders: &[&Order], as_of: i64, seen: &mut BTreeSet<&'static str>) -> Option<CustomerRow> {
    let purchases: Vec<i64> = orders.iter().filter(|o| !o.is_return && o.date <= as_of).map(|o| o.date).collect();
    let first_order = *purchases.iter().min()?;
    let last_order = *purchases.iter().max()?;
    let inside = sums(job, orders, job.lookback.start(as_of), as_of);
    if job.population == Population::Lookback && inside.purchases == 0 {
        return None;
    }
    let lifetime = sums(job, orders, None, as_of);
    let frequency = frequency_of(job, &inside);
    if inside.purchases != inside.order_days && job.count == Count::OrderDays {
        seen.insert(notes::AVERAGE_BY_DAYS);
        if job.monetary_as == MonetaryAs::Average {
            seen.insert(notes::MEAN_BY_ORDERS);
        }
    }
    if lifetime.purchases != lifetime.order_days && job.count == Count::OrderDays {
        seen.insert(notes::LIFETIME_ORDERS);
    }
    if job.monetary_as == MonetaryAs::Average {
        seen.insert(notes::LIFETIME_SUM);
        seen.insert(notes::AVERAGE_OF_SUM);
    }
    let at = |lookback: &Lookback| {
        let part = sums(job, orders, lookback.start(as_of), as_of);
        AtLookback { lookback: *lookback, frequency: frequency_of(job, &part), monetary: monetary_of(job, &part) }
    };
    Some(CustomerRow {
        id: id.clone(),
        first_order,
        last_order,
        recency_days: i128::from(as_of - last_order),
        frequency,
        monetary: monetary_of(job, &inside),
        avg_order_value: (frequency > 0).then(|| divide_half_even(inside.money * 100, frequency)),
        tenure_days: i128::from(as_of - first_order),
        lifetime_orders: lifetime.purchases,
        lifetime_monetary: lifetime.money,
        revenue: inside.money,
        at: job.extra_lookbacks.iter().map(at).collect(),
        scores: [None; 3],
        levels: [None; 3],
        states: Vec::new(),
    })
}

/// A measure's value and its digits after the point; none for null.
fn measure_value(job: &Job, row: &CustomerRow, measure: Measure) -> Option<(i128, u32)> {
    let at = |lookback: Lookback| row.at.iter().find(|a| a.lookback == lookback).expect("a lookback of the job");
    match measure {
        Measure::RecencyDays => Some((row.recency_days, 0)),
        Measure::Frequency(None) => Some((row.frequency, 0)),
        Measure::Frequency(Some(l)) => Some((at(l).frequency, 0)),
        Measure::Monetary(None) => Some((row.monetary, job.monetary_digits())),
        Measure::Monetary(Some(l)) => Some((at(l).monetary, job.monetary_digits())),
        Measure::AvgOrderValue => row.avg_order_value.map(|v| (v, job.amount_scale + 2)),
        Measure::TenureDays => Some((row.tenure_days, 0)),
        Measure::LifetimeOrders => Some((row.lifetime_orders, 0)),
        Measure::LifetimeMonetary => Some((row.lifetime_monetary, job.amount_scale)),
    }
}

/// True if a number (none for null) passes a test.
fn holds(test: Test, number: Option<(i128, u32)>) -> bool {
    let Some((value, digits)) = number else {
        return test == Test::IsNull;
    };
    match test {
        Test::Between(low, high) => {
            low.is_none_or(|d| d.compare(value, digits).is_ge()) && high.is_none_or(|d| d.compare(value, digits).is_le())
        }
        Test::Above(d) => d.compare(value, digits).is_gt(),
        Test::Below(d) => d.compare(value, digits).is_lt(),
        Test::IsNull => false,
    }
}

// ---------------------------------------------------------------------------------------------------------------
// Scores
// ---------------------------------------------------------------------------------------------------------------

/// Type-7 cut points at k/bins, ascending; the values need not be sorted and must not be empty.
pub fn quantile_cuts(values: &[i128], bins: u32) -> Vec<Ratio> {
    let mut v = values.to_vec();
    v.sort();
    let b = bins as usize;
    let mut cuts = Vec::new();
    for k in 1..b {
        let h = (v.len() - 1) * k;
        let (low, weight) = (h / b, h % b);
        let mut times_b = b as i128 * v[low];
        if weight > 0 {
            times_b += weight as i128 * (v[low + 1] - v[low]);
        }
        cuts.push(Ratio { num: times_b, den: b as i128 });
    }
    cuts
}

/// `ceil(bins · rank / n)` of every value, ranks ascending from the smallest value.
pub fn rank_scores(values: &[i128], bins: u32, ties: Ties) -> Vec<u32> {
    let n = values.len() as i128;
    let mut scores = Vec::new();
    for x in values {
        let less = values.iter().filter(|y| *y < x).count() as i128;
        let same = values.iter().filter(|y| *y == x).count() as i128;
        let (first, last) = (less + 1, less + same);
        let twice_rank = match ties {
            Ties::Min => 2 * first,
            Ties::Mid => first + last,
            Ties::Max => 2 * last,
        };
        scores.push(divide_up(i128::from(bins) * twice_rank, 2 * n) as u32);
    }
    scores
}

/// SQL `NTILE(bins)` over rows that are already in order: the tile of each position.
pub fn ntile_of_positions(n: usize, bins: u32) -> Vec<u32> {
    let (size, longer) = (n / bins as usize, n % bins as usize);
    let mut tiles = Vec::new();
    for tile in 1..=bins {
        let rows = if (tile as usize) <= longer { size + 1 } else { size };
        tiles.extend(std::iter::repeat_n(tile, rows));
    }
    tiles
}

/// `NTILE(bins)` of values by (value, id), for recency by (value descending, id).
pub fn ntile_scores(axis: Axis, values: &[i128], ids: &[Id], bins: u32) -> Vec<u32> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| {
        let by_value = match axis {
            Axis::Recency => values[b].cmp(&values[a]),
            _ => values[a].cmp(&values[b]),
        };
        by_value.then(ids[a].cmp(&ids[b]))
    });
    let mut scores = vec![0; values.len()];
    for (position, tile) in ntile_of_positions(values.len(), bins).into_iter().enumerate() {
        scores[order[position]] = tile;
    }
    scores
}

/// The cut points of one axis over the scored customers' values, and the side on which they are closed.
///
/// Ascending in the measure. `digits` are the measure's digits after the point. `ntile` has no cuts.
pub fn cut_points(method: &Method, axis: Axis, values: &[i128], bins: u32, digits: u32) -> (Vec<Option<Ratio>>, Closed) {
    match method {
        Method::Quantile => (quantile_cuts(values, bins).into_iter().map(Some).collect(), Closed::Right),
        Method::RRfm => {
            let unit = ten_to(digits);
            let moved = |c: Ratio| Some(Ratio { num: c.num + unit * c.den, den: c.den });
            (quantile_cuts(values, bins).into_iter().map(moved).collect(), Closed::Left)
        }
        Method::Thresholds { cuts, closed } => {
            let minor = |d: &Decimal| Some(Ratio { num: d.unscaled * ten_to(digits), den: ten_to(d.digits) });
            (cuts.iter().map(minor).collect(), *closed)
        }
        Method::Rank(ties) => {
            let whole = |x: i128| Ratio { num: x, den: 1 };
            if axis == Axis::Recency {
                // Mirrored: the cut of a score is its longest recency; bins ascend while scores descend.
                let mirrored: Vec<i128> = values.iter().map(|x| -x).collect();
                let scores = rank_scores(&mirrored, bins, *ties);
                let longest = |score: u32| (0..values.len()).filter(|&i| scores[i] >= score).map(|i| values[i]).max();
                ((1..bins).map(|bin| longest(bins + 1 - bin).map(whole)).collect(), Closed::Right)
            } else {
                let scores = rank_scores(values, bins, *ties);
                let smallest = |score: u32| (0..values.len()).filter(|&i| scores[i] >= score).map(|i| values[i]).min();
                ((1..bins).map(|bin| smallest(bin + 1).map(whole)).collect(), Closed::Left)
            }
        }
        Method::Ntile => (Vec::new(), Closed::Right),
    }
}

/// The bin (1..=bins, ascending in the measure) of a value among cut points.
pub fn bin_of(axis: Axis, cuts: &[Option<Ratio>], closed: Closed, value: i128) -> u32 {
    let mut bin = 1;
    for cut in cuts {
        let beyond = match cut {
            Some(cut) => match closed {
                Closed::Right => cut.compare_to(value).is_lt(),
                Closed::Left => cut.compare_to(value).is_le(),
            },
            // Nobody is on the better side of this cut of `rank`.
            None => axis == Axis::Recency,
        };
        bin += u32::from(beyond);
    }
    bin
}

/// The score of a bin: higher is better on every axis.
fn score_of_bin(axis: Axis, bins: u32, bin: u32) -> u32 {
    if axis == Axis::Recency { bins + 1 - bin } else { bin }
}

/// What `cuts = "frozen"` keeps of a slice at the first as-of date.
#[derive(Clone)]
struct Bounds {
    cuts: [(Vec<Option<Ratio>>, Closed); 3],
    levels: [Ratio; 3],
}

/// Scores, levels, states and sums of the customers of one slice.
fn finish_slice(
    job: &Job,
    slice: Option<String>,
    mut customers: Vec<CustomerRow>,
    is_first_date: bool,
    frozen: &mut BTreeMap<Option<String>, Bounds>,
    seen: &mut BTreeSet<&'static str>,
) -> SliceAnswer {
    let bins = job.bins;
    let scored: Vec<usize> = (0..customers.len())
        .filter(|&i| job.only.iter().all(|(m, test)| holds(*test, measure_value(job, &customers[i], *m))))
        .collect();
    let ids: Vec<Id> = scored.iter().map(|&i| customers[i].id.clone()).collect();
    let values = Axis::ALL.map(|axis| -> Vec<i128> {
        let of = |row: &CustomerRow| match axis {
            Axis::Recency => row.recency_days,
            Axis::Frequency => row.frequency,
            Axis::Monetary => row.monetary,
        };
        scored.iter().map(|&i| of(&customers[i])).collect()
    });

    // The cut points of today, or those of the first date.
    let old_cuts = if job.frozen && !is_first_date { Some(frozen.get(&slice).cloned()) } else { None };
    let cuts = match &old_cuts {
        Some(None) => None,
        Some(Some(bounds)) => Some(bounds.cuts.clone()),
        None if scored.is_empty() => None,
        None => Some(Axis::ALL.map(|axis| {
            let digits = if axis == Axis::Monetary { job.monetary_digits() } else { 0 };
            cut_points(&job.methods[axis as usize], axis, &values[axis as usize], bins, digits)
        })),
    };
    let Some(cuts) = cuts else {
        // Nobody to score, or nothing to score by.
        if !scored.is_empty() {
            seen.insert(notes::FROZEN_NOBODY);
        }
        let segments = give_states(job, &mut customers, seen);
        return SliceAnswer { slice, customers, cuts: Vec::new(), level_bounds: Vec::new(), segments };
    };

    // Scores.
    let mut scores: [Vec<u32>; 3] = [Vec::new(), Vec::new(), Vec::new()];
    for axis in Axis::ALL {
        let (points, closed) = &cuts[axis as usize];
        let v = &values[axis as usize];
        let by_cuts: Vec<u32> = v.iter().map(|x| score_of_bin(axis, bins, bin_of(axis, points, *closed, *x))).collect();
        scores[axis as usize] = match &job.methods[axis as usize] {
            Method::Ntile => ntile_scores(axis, v, &ids, bins),
            Method::Rank(ties) if old_cuts.is_none() => {
                let mirrored: Vec<i128> = v.iter().map(|x| -x).collect();
                let direct = rank_scores(if axis == Axis::Recency { &mirrored } else { v }, bins, *ties);
                assert_eq!(direct, by_cuts, "the cuts of a rank must give its scores back");
                let used: BTreeSet<u32> = direct.iter().copied().collect();
                if used.len() < bins as usize {
                    seen.insert(notes::RANK_EMPTY_SCORE);
                }
                direct
            }
            _ => by_cuts,
        };
    }

    // Levels.
    let level_bounds = match &old_cuts {
        Some(Some(bounds)) => {
            if job.schemes.iter().any(Scheme::uses_levels) {
                seen.insert(notes::FROZEN_LEVELS);
            }
            bounds.levels
        }
        _ => Axis::ALL.map(|axis| level_bound(job.levels, &values[axis as usize], &scores[axis as usize])),
    };
    for (k, &i) in scored.iter().enumerate() {
        for axis in Axis::ALL {
            let a = axis as usize;
            customers[i].scores[a] = Some(scores[a][k]);
            let x = if job.levels == Levels::Score { i128::from(scores[a][k]) } else { values[a][k] };
            let bound = level_bounds[a].compare_to(x);
            let high = if axis == Axis::Recency && job.levels != Levels::Score { bound.is_ge() } else { bound.is_le() };
            customers[i].levels[a] = Some(if high { Level::High } else { Level::Low });
        }
    }
    if job.frozen && is_first_date {
        frozen.insert(slice.clone(), Bounds { cuts: cuts.clone(), levels: level_bounds });
    }

    let axis_cuts = Axis::ALL.map(|axis| {
        let (points, closed) = cuts[axis as usize].clone();
        let mut per_bin = vec![0; bins as usize];
        for score in &scores[axis as usize] {
            per_bin[score_of_bin(axis, bins, *score) as usize - 1] += 1;
        }
        AxisCuts { axis, closed, cuts: points, customers: per_bin }
    });
    let segments = give_states(job, &mut customers, seen);
    SliceAnswer { slice, customers, cuts: axis_cuts.to_vec(), level_bounds: level_bounds.to_vec(), segments }
}

/// The bound of a level: a mean or median of the values, or the mean score.
fn level_bound(levels: Levels, values: &[i128], scores: &[u32]) -> Ratio {
    let n = values.len();
    match levels {
        Levels::Mean => Ratio { num: values.iter().sum(), den: n as i128 },
        Levels::Median => {
            let mut v = values.to_vec();
            v.sort();
            Ratio { num: v[(n - 1) / 2] + v[n / 2], den: 2 }
        }
        Levels::Score => Ratio { num: scores.iter().map(|s| i128::from(*s)).sum(), den: n as i128 },
    }
}

// ---------------------------------------------------------------------------------------------------------------
// Schemes
// ---------------------------------------------------------------------------------------------------------------

/// True if one condition holds for a customer.
fn condition_holds(job: &Job, row: &CustomerRow, condition: &Condition) -> bool {
    let score = |axis: Axis| row.scores[axis as usize].map(i128::from);
    match condition {
        Condition::Measure(measure, test) => holds(*test, measure_value(job, row, *measure)),
        Condition::Score(axis, test) => holds(*test, score(*axis).map(|s| (s, 0))),
        Condition::Level(axis, level) => row.levels[*axis as usize] == Some(*level),
        Condition::FPlusM(test) => {
            let sum = match (score(Axis::Frequency), score(Axis::Monetary)) {
                (Some(f), Some(m)) => Some((f + m, 0)),
                _ => None,
            };
            holds(*test, sum)
        }
        Condition::Cells(cells) => cells.iter().any(|cell| row.scores == cell.map(Some)),
    }
}

/// Gives every customer a state per scheme and sums them.
fn give_states(job: &Job, customers: &mut [CustomerRow], seen: &mut BTreeSet<&'static str>) -> Vec<SegmentRow> {
    let mut segments = Vec::new();
    for scheme in &job.schemes {
        let mut by_state: BTreeMap<String, SegmentRow> = BTreeMap::new();
        for row in customers.iter_mut() {
            let unscored = row.scores.contains(&None);
            let state = if unscored && scheme.uses_scores() {
                if scheme.uses_levels_only() {
                    seen.insert(notes::UNSCORED_LEVEL);
                }
                "(unscored)".to_string()
            } else {
                let rule = scheme.rules.iter().find(|r| r.when.iter().all(|c| condition_holds(job, row, c)));
                rule.expect("a rule for every customer").state.clone()
            };
            let segment = by_state.entry(state.clone()).or_insert_with(|| SegmentRow {
                scheme: scheme.column.clone(),
                state: state.clone(),
                ..SegmentRow::default()
            });
            segment.customers += 1;
            segment.orders += row.frequency;
            segment.revenue += row.revenue;
            segment.repeat_customers += u64::from(row.frequency >= 2);
            row.states.push(state);
        }
        segments.extend(by_state.into_values());
    }
    segments
}

// ---------------------------------------------------------------------------------------------------------------
// The whole
// ---------------------------------------------------------------------------------------------------------------

/// Everything a run of this job over this input must say, or the exit code it must fail with.
pub fn solve(job: &Job, input: &Input) -> Result<Answer, Failure> {
    if job.frozen && job.methods.contains(&Method::Ntile) {
        return fail(2, "ntile has no cut points to freeze");
    }
    let mut seen = BTreeSet::new();
    let read = read_orders(job, input, &mut seen)?;
    let mut customers: BTreeMap<(Option<String>, Id), Vec<&Order>> = BTreeMap::new();
    for order in &read.orders {
        customers.entry((order.slice.clone(), order.customer.clone())).or_default().push(order);
    }
    let mut frozen = BTreeMap::new();
    let mut snapshots = Vec::new();
    for (k, &as_of) in job.as_of.iter().enumerate() {
        let mut rows: BTreeMap<Option<String>, Vec<CustomerRow>> = BTreeMap::new();
        for ((slice, id), orders) in &customers {
            if let Some(row) = measure(job, id, orders, as_of, &mut seen) {
                rows.entry(slice.clone()).or_default().push(row);
            }
        }
        let slices = rows.into_iter().map(|(slice, list)| finish_slice(job, slice, list, k == 0, &mut frozen, &mut seen));
        snapshots.push(Snapshot { as_of, slices: slices.collect() });
    }
    Ok(Answer { ledger: read.ledger, snapshots, notes: seen })
}

#[cfg(test)]
mod tests {
    use super::*;
    use calendar::days_from_civil;

    fn date(year: i64, month: i64, day: i64) -> i64 {
        days_from_civil(year, month, day)
    }

    fn column(name: &str, kind: Kind) -> ColumnSpec {
        ColumnSpec { name: name.into(), kind }
    }

    fn text() -> Kind {
        Kind::Text(TextEncoding::Plain)
    }

    fn int() -> Kind {
        Kind::Int { bits: 64, signed: true }
    }

    fn cents() -> Kind {
        Kind::Decimal { precision: 12, scale: 2 }
    }

    fn t(s: &str) -> Value {
        Value::Text(s.into())
    }

    fn number(n: i128) -> Literal {
        Literal::Number(Decimal::whole(n))
    }

    /// Customer, date and cents, nothing else.
    fn simple(rows: &[(i128, i64, i128)]) -> Input {
        Input {
            columns: vec![column("customer_id", int()), column("ordered_at", Kind::Date), column("amount", cents())],
            files: vec![InputFile {
                name: "a.parquet".into(),
                rows: rows.iter().map(|(c, d, a)| vec![Value::Int(*c), Value::Date(*d), Value::Decimal(*a)]).collect(),
            }],
        }
    }

    fn ledger_of(answer: &Answer) -> Vec<(&str, &str, u64, i128)> {
        answer.ledger.iter().map(|((f, o), s)| (f.as_str(), o.as_str(), s.rows, s.money)).collect()
    }

    fn only_slice(answer: &Answer, k: usize) -> &SliceAnswer {
        assert_eq!(answer.snapshots[k].slices.len(), 1);
        &answer.snapshots[k].slices[0]
    }

    // Values of numpy 2.4.6 `quantile` (linear) and DuckDB 2.0.0 `quantile_cont`, times the bins.
    #[test]
    fn quantile_cuts_equal_numpy_and_duckdb() {
        let v = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];
        let times_b = |values: &[i128], b: u32| -> Vec<i128> { quantile_cuts(values, b).iter().map(|c| c.num).collect() };
        assert_eq!(times_b(&v, 3), [9, 15]); // 3, 5
        assert_eq!(times_b(&v, 4), [10, 16, 20]); // 2.5, 4, 5
        assert_eq!(times_b(&v, 5), [10, 15, 25, 25]); // 2, 3, 5, 5
        assert_eq!(times_b(&v, 7), [10, 20, 23, 33, 35, 39]); // 1.428571, 2.857143, 3.285714, 4.714286, 5, 5.571429
        let w = [-700, -700, 0, 125, 125, 125, 99_999];
        assert_eq!(times_b(&w, 4), [-1400, 500, 500]); // -350, 125, 125
        assert_eq!(times_b(&w, 5), [-2800, 250, 625, 625]); // -560, 50, 125, 125
        assert_eq!(times_b(&w, 7), [-4900, -1400, 500, 875, 875, 100_749]); // the last is 14392.714286
        assert_eq!(times_b(&[8], 5), [40, 40, 40, 40]);
    }

    fn quantile_scores(axis: Axis, values: &[i128], bins: u32) -> Vec<u32> {
        let (cuts, closed) = cut_points(&Method::Quantile, axis, values, bins, 0);
        values.iter().map(|x| score_of_bin(axis, bins, bin_of(axis, &cuts, closed, *x))).collect()
    }

    // Values of pandas 3.1.1 `qcut(..., labels=False) + 1`.
    #[test]
    fn quantile_scores_equal_pandas() {
        let x = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 7];
        assert_eq!(quantile_scores(Axis::Frequency, &x, 3), [1, 1, 2, 1, 2, 3, 1, 3, 2, 1, 2, 3, 3]);
        let fifths = [2, 1, 3, 1, 3, 5, 1, 4, 3, 2, 3, 5, 5];
        assert_eq!(quantile_scores(Axis::Monetary, &x, 5), fifths);
        assert_eq!(quantile_scores(Axis::Recency, &x, 5), fifths.map(|s| 6 - s));
        assert_eq!(quantile_scores(Axis::Frequency, &[7, 7, 7], 5), [1, 1, 1]);
        assert_eq!(quantile_scores(Axis::Recency, &[7, 7, 7], 5), [5, 5, 5]);
    }

    const VALUES: [i128; 11] = [5, 5, 5, 1, 1, 3, 3, 3, 9, 5, 1];

    // Values of pandas `rank(method)`, then ceil(5 · rank / 11) in fractions.
    #[test]
    fn rank_scores_equal_pandas() {
        assert_eq!(rank_scores(&VALUES, 5, Ties::Min), [4, 4, 4, 1, 1, 2, 2, 2, 5, 4, 1]);
        assert_eq!(rank_scores(&VALUES, 5, Ties::Mid), [4, 4, 4, 1, 1, 3, 3, 3, 5, 4, 1]);
        assert_eq!(rank_scores(&VALUES, 5, Ties::Max), [5, 5, 5, 2, 2, 3, 3, 3, 5, 5, 2]);
        let longest_first = VALUES.map(|x| -x);
        assert_eq!(rank_scores(&longest_first, 5, Ties::Min), [1, 1, 1, 5, 5, 3, 3, 3, 1, 1, 5]);
        assert_eq!(rank_scores(&longest_first, 5, Ties::Mid), [2, 2, 2, 5, 5, 4, 4, 4, 1, 2, 5]);
        assert_eq!(rank_scores(&longest_first, 5, Ties::Max), [3, 3, 3, 5, 5, 4, 4, 4, 1, 3, 5]);
    }

    // Values of DuckDB `ntile(b) over (order by v, id)`, and `order by v desc, id` for recency.
    #[test]
    fn ntile_equals_duckdb() {
        let ids: Vec<Id> = [7, 1, 9, 4, 2, 8, 3, 10, 5, 6, 11].map(Id::Int).to_vec();
        let up = |bins| ntile_scores(Axis::Frequency, &VALUES, &ids, bins);
        let down = |bins| ntile_scores(Axis::Recency, &VALUES, &ids, bins);
        assert_eq!(up(3), [3, 2, 3, 1, 1, 2, 1, 2, 3, 2, 1]);
        assert_eq!(down(3), [1, 1, 2, 3, 3, 2, 2, 2, 1, 1, 3]);
        assert_eq!(up(5), [4, 3, 5, 1, 1, 2, 2, 3, 5, 4, 1]);
        assert_eq!(down(5), [2, 1, 2, 5, 4, 3, 3, 4, 1, 1, 5]);
        assert_eq!(up(10), [8, 6, 9, 1, 1, 4, 3, 5, 10, 7, 2]);
        assert_eq!(down(12), [4, 2, 5, 10, 9, 7, 6, 8, 1, 3, 11]);
    }

    #[test]
    fn the_cuts_of_a_rank_are_its_smallest_members() {
        let (cuts, closed) = cut_points(&Method::Rank(Ties::Min), Axis::Frequency, &VALUES, 5, 0);
        // Scores 1, 2, 4 and 5 have members; score 3 shares the cut of score 4.
        let whole = |x: i128| Some(Ratio { num: x, den: 1 });
        assert_eq!(cuts, [whole(3), whole(5), whole(5), whole(9)]);
        assert_eq!(closed, Closed::Left);
        assert_eq!([0, 3, 4, 5, 8, 9].map(|x| bin_of(Axis::Frequency, &cuts, closed, x)), [1, 2, 2, 4, 4, 5]);
        // Recency, mirrored: score 5 up to 1 day, score 3 up to 3 days, and the rest score 1.
        let (cuts, closed) = cut_points(&Method::Rank(Ties::Min), Axis::Recency, &VALUES, 5, 0);
        assert_eq!(cuts, [whole(1), whole(1), whole(3), whole(3)]);
        assert_eq!(closed, Closed::Right);
        // All alike: nobody is above score 1 on either axis.
        for axis in [Axis::Frequency, Axis::Recency] {
            let (cuts, closed) = cut_points(&Method::Rank(Ties::Min), axis, &[4, 4, 4, 4, 4, 4], 5, 0);
            assert_eq!(cuts, [None, None, None, None]);
            assert_eq!(score_of_bin(axis, 5, bin_of(axis, &cuts, closed, 4)), 1);
        }
    }

    #[test]
    fn thresholds_and_r_rfm_stand_on_their_sides() {
        let cuts = vec![Decimal::whole(1), Decimal { unscaled: 250, digits: 2 }];
        let right = Method::Thresholds { cuts: cuts.clone(), closed: Closed::Right };
        let (points, closed) = cut_points(&right, Axis::Monetary, &[], 3, 2);
        assert_eq!([100, 101, 250, 251].map(|x| bin_of(Axis::Monetary, &points, closed, x)), [1, 2, 2, 3]);
        let left = Method::Thresholds { cuts, closed: Closed::Left };
        let (points, closed) = cut_points(&left, Axis::Monetary, &[], 3, 2);
        assert_eq!([99, 100, 249, 250].map(|x| bin_of(Axis::Monetary, &points, closed, x)), [1, 2, 2, 3]);
        // Two bins over 10 and 20 cents: the cut is 15 cents, plus one whole unit; a value on the cut is above it.
        let (points, closed) = cut_points(&Method::RRfm, Axis::Monetary, &[10, 20], 2, 2);
        assert_eq!(points, [Some(Ratio { num: 115, den: 1 })]);
        assert_eq!([114, 115].map(|x| bin_of(Axis::Monetary, &points, closed, x)), [1, 2]);
    }

    #[test]
    fn halves_go_to_the_even_side() {
        let halves = [(1, 2, 0), (3, 2, 2), (-1, 2, 0), (-3, 2, -2), (5, 3, 2), (-5, 3, -2), (25, 10, 2), (-25, 10, -2)];
        for (num, den, want) in halves {
            assert_eq!(divide_half_even(num, den), want, "{num}/{den}");
        }
        // numpy `rint(x * 100.0)`.
        let floats = [(2.675, 268), (1.005, 100), (0.125, 12), (0.375, 38), (-0.125, -12), (19.99, 1999), (-2.675, -268)];
        for (x, want) in floats {
            assert_eq!(scale_float(x, 2), want, "{x}");
        }
        assert_eq!(scale_float(1_000_000_000.015, 2), 100_000_000_002);
    }

    #[test]
    fn amounts_are_exact() {
        let columns =
            [column("f", Kind::Float { bits: 64 }), column("i", int()), column("d", Kind::Decimal { precision: 9, scale: 3 })];
        let amount = |names: &[&str], scale: u32, row: [Value; 3]| {
            let job = Job { amount: names.iter().map(|n| n.to_string()).collect(), amount_scale: scale, ..Job::default() };
            amount_of(&job, &columns, &row)
        };
        let row = |f: f64, i: i128, d: i128| [Value::Float(f), Value::Int(i), Value::Decimal(d)];
        assert_eq!(amount(&["i"], 2, row(0.0, 7, 0)), Amount::Money(700));
        assert_eq!(amount(&["d"], 2, row(0.0, 0, 1230)), Amount::Money(123));
        assert_eq!(amount(&["d"], 2, row(0.0, 0, 1235)), Amount::TooPrecise);
        assert_eq!(amount(&["d"], 4, row(0.0, 0, -1235)), Amount::Money(-12_350));
        // 3 · 2.675 = 8.025, a tie in cents, goes to the even 8.02; 5 · 0.125 = 0.625 goes to 0.62.
        assert_eq!(amount(&["i", "f"], 2, row(2.675, 3, 0)), Amount::Money(802));
        assert_eq!(amount(&["f", "i"], 2, row(0.125, 5, 0)), Amount::Money(62));
        assert_eq!(amount(&["f", "i"], 2, row(0.125, -15, 0)), Amount::Money(-188));
        assert_eq!(amount(&["d", "i"], 2, row(0.0, 3, 1235)), Amount::Money(370)); // 3.705
        assert_eq!(amount(&["d", "f"], 2, row(1.5, 0, 1235)), Amount::Money(185)); // 1.8525
        assert_eq!(amount(&["i", "f"], 2, row(f64::NAN, 3, 0)), Amount::NonFinite);
        assert_eq!(amount(&["i", "f"], 2, [Value::Float(f64::INFINITY), Value::Null, Value::Null]), Amount::Null);
    }

    #[test]
    fn lookbacks_end_the_day_after() {
        assert_eq!(Lookback::Days(1).start(100), Some(100));
        assert_eq!(Lookback::Quarters(2).start(date(2024, 6, 30)), Some(date(2024, 1, 1)));
        assert_eq!(Lookback::Months(1).start(date(2024, 3, 30)), Some(date(2024, 2, 29)));
        assert_eq!(Lookback::Years(1).start(date(2024, 2, 28)), Some(date(2023, 2, 28)));
    }

    /// Two customers, two returns, one zero order, three dates.
    fn small() -> Input {
        simple(&[
            (1, date(2024, 1, 10), 1000),
            (1, date(2024, 2, 10), 500),
            (1, date(2024, 2, 10), 201),
            (1, date(2024, 2, 20), -300),
            (2, date(2024, 1, 31), 0),
            (2, date(2024, 2, 5), -100),
            (3, date(2024, 1, 2), -50),
            (1, date(2024, 4, 1), 999),
        ])
    }

    #[test]
    fn measures_by_hand() {
        let job = Job {
            as_of: vec![date(2024, 1, 31), date(2024, 2, 29)],
            lookback: Lookback::Months(1),
            extra_lookbacks: vec![Lookback::Days(10)],
            ..Job::default()
        };
        let answer = solve(&job, &small()).unwrap();
        assert_eq!(ledger_of(&answer), [("a.parquet", "after_as_of", 1, 999), ("a.parquet", "kept", 7, 1251)]);
        let january = &only_slice(&answer, 0).customers;
        assert_eq!(january.len(), 2, "customer 3 never bought");
        assert_eq!((january[0].recency_days, january[0].frequency, january[0].monetary), (21, 1, 1000));
        let february = &only_slice(&answer, 1).customers;
        let one = &february[0];
        assert_eq!((one.first_order, one.last_order), (date(2024, 1, 10), date(2024, 2, 10)));
        assert_eq!((one.recency_days, one.tenure_days), (19, 50));
        // The lookback is 1 to 29 February: two orders of one day, and a return.
        assert_eq!((one.frequency, one.monetary, one.revenue), (2, 401, 401));
        assert_eq!(one.avg_order_value, Some(20_050)); // 2.0050
        assert_eq!((one.lifetime_orders, one.lifetime_monetary), (3, 1401));
        assert_eq!((one.at[0].frequency, one.at[0].monetary), (0, -300));
        let two = &february[1];
        assert_eq!((two.frequency, two.monetary, two.avg_order_value, two.lifetime_orders), (0, -100, None, 1));

        let gross = Job { monetary: Money::Gross, count: Count::OrderDays, ..job.clone() };
        let one = &only_slice(&solve(&gross, &small()).unwrap(), 1).customers[0].clone();
        assert_eq!((one.frequency, one.monetary, one.avg_order_value), (1, 701, Some(70_100)));
        let average = Job { monetary_as: MonetaryAs::Average, ..job.clone() };
        let list = &only_slice(&solve(&average, &small()).unwrap(), 1).customers.clone();
        assert_eq!((list[0].monetary, list[0].revenue, list[1].monetary), (20_050, 401, 0));
        let lookback = Job { population: Population::Lookback, ..job };
        assert_eq!(only_slice(&solve(&lookback, &small()).unwrap(), 1).customers.len(), 1);
    }

    #[test]
    fn a_mean_per_purchase_is_rounded_to_even() {
        let input = simple(&[(1, 0, 100), (1, 0, 100), (1, 0, 125), (2, 0, 1), (2, 0, 0)]);
        let job = Job { as_of: vec![0], monetary_as: MonetaryAs::Average, ..Job::default() };
        let list = &only_slice(&solve(&job, &input).unwrap(), 0).customers.clone();
        assert_eq!(list[0].monetary, 10_833); // 325 / 3 cents = 1.0833
        assert_eq!(list[1].monetary, 50); // 0.0050
    }

    #[test]
    fn lines_are_one_order_of_the_earliest_date() {
        let mut input = simple(&[(1, 10, 700), (1, 12, -200), (1, 14, 100), (2, 14, 5), (1, 11, -9)]);
        input.columns.push(column("order_id", text()));
        for (row, id) in input.files[0].rows.iter_mut().zip(["a", "a", "b", "a", "c"]) {
            row.push(t(id));
        }
        let job = Job { order_id: Some("order_id".into()), as_of: vec![10, 13], ..Job::default() };
        let answer = solve(&job, &input).unwrap();
        assert_eq!(ledger_of(&answer), [("a.parquet", "after_as_of", 2, 105), ("a.parquet", "kept", 3, 491)]);
        let first = &only_slice(&answer, 0).customers[0];
        assert_eq!((first.frequency, first.monetary), (1, 500), "the later line belongs to the earlier order");
        let second = &only_slice(&answer, 1).customers[0];
        assert_eq!((second.frequency, second.monetary, second.last_order), (1, 491, 10));

        // Any line that matches makes the whole order a return.
        let returns = Predicate { column: "amount".into(), test: PredicateTest::Below(number(-1)) };
        let failed = solve(&Job { returns: Some(returns), as_of: vec![10], ..job }, &input).unwrap();
        assert!(failed.snapshots[0].slices.is_empty() && failed.notes.contains(notes::ONLY_RETURNS));
    }

    /// One row per outcome, in the order of the ledger, over two files.
    #[test]
    fn every_outcome_by_hand() {
        let columns = vec![
            column("customer_id", text()),
            column("ordered_at", Kind::Date),
            column("amount", Kind::Float { bits: 64 }),
            column("order_id", int()),
            column("region", text()),
            column("status", text()),
            column("version", int()),
        ];
        let row = |c: Value, d: i64, a: f64, o: i128, r: &str, s: &str, v: i128| {
            vec![c, Value::Date(d), Value::Float(a), Value::Int(o), t(r), t(s), Value::Int(v)]
        };
        let null_at = |mut row: Row, i: usize| {
            row[i] = Value::Null;
            row
        };
        let b = vec![
            row(t("x"), 5, 1.0, 1, "n", "paid", 1),
            row(t("x"), 5, 2.0, 1, "n", "cancelled", 2),
            row(t("x"), 5, 3.0, 2, "n", "paid", 1),
            row(Value::Null, 5, 4.0, 3, "n", "paid", 1),
            null_at(row(t("x"), 5, 5.0, 4, "n", "paid", 1), 4),
            null_at(null_at(row(t("x"), 5, 6.0, 5, "n", "paid", 1), 1), 2),
            null_at(row(t("x"), 5, 7.0, 6, "n", "paid", 1), 2),
            row(t("x"), 5, f64::NAN, 7, "n", "paid", 1),
            row(t("x"), 9, 8.0, 8, "n", "paid", 1),
            row(t("x"), 5, 0.0, 9, "n", "paid", 1),
            null_at(row(t("x"), 5, 9.0, 10, "n", "paid", 1), 5),
        ];
        let a = vec![row(t("x"), 5, 3.0, 2, "n", "paid", 1), row(t("x"), 4, 0.5, 11, "s", "paid", 1)];
        let input = Input {
            columns,
            files: vec![InputFile { name: "b.parquet".into(), rows: b }, InputFile { name: "a.parquet".into(), rows: a }],
        };
        let job = Job {
            order_id: Some("order_id".into()),
            slice: Some("region".into()),
            dedupe_rows: true,
            latest: Some(Latest { key: vec!["order_id".into()], by: "version".into() }),
            keep: vec![Predicate {
                column: "status".into(),
                test: PredicateTest::NotIn(vec![Literal::Text("cancelled".into())]),
            }],
            zero_amount: ZeroAmount::Drop,
            max_rejected: 0.5,
            as_of: vec![5],
            ..Job::default()
        };
        let answer = solve(&job, &input).unwrap();
        assert_eq!(
            ledger_of(&answer),
            [
                ("a.parquet", "kept", 2, 350),
                ("b.parquet", "after_as_of", 1, 800),
                ("b.parquet", "duplicate", 1, 300),
                ("b.parquet", "filtered:status", 2, 1100),
                ("b.parquet", "filtered:zero_amount", 1, 0),
                ("b.parquet", "no_customer", 1, 400),
                ("b.parquet", "rejected:non_finite_amount", 1, 0),
                ("b.parquet", "rejected:null_amount", 1, 0),
                ("b.parquet", "rejected:null_date", 1, 0),
                ("b.parquet", "rejected:null_slice", 1, 500),
                ("b.parquet", "superseded", 1, 100),
            ]
        );
        let slices: Vec<_> = answer.snapshots[0].slices.iter().map(|s| s.slice.clone().unwrap()).collect();
        assert_eq!(slices, ["n", "s"]);

        // Four of thirteen rows are rejected, one has no customer.
        let tight = |rejected: f64, guests: f64| {
            let job = Job { max_rejected: rejected, max_no_customer: guests, ..job.clone() };
            solve(&job, &input).map(|_| ()).map_err(|f| f.exit)
        };
        assert_eq!(tight(0.3, 1.0), Err(3));
        assert_eq!(tight(0.5, 0.05), Err(3));
        assert_eq!(tight(4.0 / 13.0, 1.0 / 13.0), Ok(()));
        assert_eq!(solve(&Job { as_of: vec![3], ..job.clone() }, &input).unwrap_err().exit, 3);
    }

    #[test]
    fn ties_of_the_latest_row_fail_only_if_the_rows_differ() {
        let mut input = simple(&[(1, 5, 100), (1, 5, 100), (1, 4, 300)]);
        input.columns.push(column("version", int()));
        for (row, v) in input.files[0].rows.iter_mut().zip([2, 2, 1]) {
            row.push(Value::Int(v));
        }
        let latest = Some(Latest { key: vec!["customer_id".into()], by: "version".into() });
        let job = Job { latest, as_of: vec![9], ..Job::default() };
        let answer = solve(&job, &input).unwrap();
        assert_eq!(ledger_of(&answer), [("a.parquet", "kept", 1, 100), ("a.parquet", "superseded", 2, 400)]);
        input.files[0].rows[1][1] = Value::Date(6);
        assert_eq!(solve(&job, &input).unwrap_err().exit, 3);
    }

    #[test]
    fn timestamps_become_local_dates() {
        let noon = |y, m, d, h: i64| date(y, m, d) * DAY + h * 3600;
        let kind = |unit, zone: Option<&str>| Kind::Timestamp { unit, zone: zone.map(String::from) };
        let read = |timezone: &str, naive: Option<&str>, kind: Kind, raw: i64| {
            let job = Job { timezone: timezone.into(), naive_timezone: naive.map(String::from), ..Job::default() };
            business_date(&job, &kind, &Value::Timestamp(raw))
        };
        let three = noon(2024, 7, 1, 3);
        assert_eq!(read("America/New_York", None, kind(TimeUnit::Second, Some("Europe/Berlin")), three), date(2024, 6, 30));
        assert_eq!(read("America/New_York", None, kind(TimeUnit::Second, None), three), date(2024, 7, 1));
        assert_eq!(read("America/New_York", Some("UTC"), kind(TimeUnit::Millisecond, None), three * 1000), date(2024, 6, 30));
        let evening = noon(2024, 6, 30, 20) * 1_000_000;
        assert_eq!(read("Europe/Berlin", Some("America/New_York"), kind(TimeUnit::Microsecond, None), evening), date(2024, 7, 1));
        assert_eq!(read("UTC", None, kind(TimeUnit::Nanosecond, Some("UTC")), -1), -1);
        // Python's zoneinfo on random instants.
        for (instant, day) in [(1_314_272_509, 15_211), (1_781_178_002, 20_615), (1_237_760_436, 14_325)] {
            assert_eq!(read("America/New_York", None, kind(TimeUnit::Second, Some("UTC")), instant), day);
        }
        for (instant, day) in [(1_296_614_242, 15_007), (1_701_969_374, 19_698), (1_652_637_352, 19_127)] {
            assert_eq!(read("Europe/Berlin", None, kind(TimeUnit::Second, Some("UTC")), instant), day);
        }
    }

    #[test]
    fn null_and_nan_in_predicates() {
        let columns = [column("x", Kind::Float { bits: 64 })];
        let ask = |test: PredicateTest, value: Value| passes(&Predicate { column: "x".into(), test }, &columns, &[value]);
        let half = || Literal::Number(Decimal { unscaled: 5, digits: 1 });
        assert!(ask(PredicateTest::Min(half()), Value::Float(0.5)) && ask(PredicateTest::Max(half()), Value::Float(0.5)));
        assert!(!ask(PredicateTest::Above(half()), Value::Float(0.5)) && !ask(PredicateTest::Below(half()), Value::Float(0.5)));
        assert!(ask(PredicateTest::In(vec![half()]), Value::Float(0.5)));
        assert!(!ask(PredicateTest::NotIn(vec![half()]), Value::Null) && !ask(PredicateTest::NotNull, Value::Null));
        assert!(ask(PredicateTest::NotNull, Value::Float(f64::NAN)) && !ask(PredicateTest::Min(half()), Value::Float(f64::NAN)));
    }

    /// Six customers with frequencies 1, 1, 2, 3, 3, 8 on their own last days.
    fn six() -> Input {
        let mut rows = Vec::new();
        for (c, n) in [1, 1, 2, 3, 3, 8].into_iter().enumerate() {
            for k in 0..n {
                rows.push((c as i128, 100 - 10 * c as i64 - k, 100));
            }
        }
        simple(&rows)
    }

    #[test]
    fn levels_only_and_states() {
        let between = |lo: i128, hi: i128| Test::Between(Some(Decimal::whole(lo)), Some(Decimal::whole(hi)));
        let rule = |state: &str, when: Vec<Condition>| Rule { state: state.into(), when };
        let job = Job {
            as_of: vec![100],
            bins: 3,
            only: vec![(Measure::Frequency(None), between(1, 3))],
            schemes: vec![
                Scheme {
                    column: "segment".into(),
                    rules: vec![
                        rule("often", vec![Condition::Score(Axis::Frequency, between(3, 3))]),
                        rule("near", vec![Condition::Level(Axis::Recency, Level::High)]),
                        rule("rest", vec![]),
                    ],
                },
                Scheme {
                    column: "tier".into(),
                    rules: vec![
                        rule("big", vec![Condition::Measure(Measure::Monetary(None), Test::Above(Decimal::whole(3)))]),
                        rule("small", vec![]),
                    ],
                },
            ],
            ..Job::default()
        };
        let answer = solve(&job, &six()).unwrap();
        let slice = only_slice(&answer, 0);
        // Five are scored: frequencies 1, 1, 2, 3, 3, so the cuts are 4/3 and 8/3; mean 2, mean recency 20.
        let f: Vec<_> = slice.customers.iter().map(|c| c.scores[1]).collect();
        assert_eq!(f, [Some(1), Some(1), Some(2), Some(3), Some(3), None]);
        assert_eq!(slice.cuts[1].cuts, [Some(Ratio { num: 4, den: 3 }), Some(Ratio { num: 8, den: 3 })]);
        assert_eq!(slice.cuts[1].customers, [2, 1, 2]);
        let levels: Vec<_> = slice.customers.iter().map(|c| c.levels).collect();
        let (low, high) = (Some(Level::Low), Some(Level::High));
        assert_eq!(levels[2], [high, high, high]); // recency 20, frequency 2, monetary 2: on the means
        assert_eq!(levels[3], [low, high, high]);
        assert_eq!(levels[5], [None; 3]);
        let segment: Vec<_> = slice.customers.iter().map(|c| c.states[0].as_str()).collect();
        assert_eq!(segment, ["near", "near", "near", "often", "often", "(unscored)"]);
        let tier: Vec<_> = slice.customers.iter().map(|c| c.states[1].as_str()).collect();
        assert_eq!(tier, ["small", "small", "small", "small", "small", "big"]);
        let sums: Vec<_> =
            slice.segments.iter().map(|s| (s.state.as_str(), s.customers, s.orders, s.revenue, s.repeat_customers)).collect();
        assert_eq!(
            sums,
            [
                ("(unscored)", 1, 8, 800, 1),
                ("near", 3, 4, 400, 1),
                ("often", 2, 6, 600, 2),
                ("big", 1, 8, 800, 1),
                ("small", 5, 10, 1000, 3),
            ]
        );
        let median = solve(&Job { levels: Levels::Median, only: vec![], ..job.clone() }, &six()).unwrap();
        assert_eq!(only_slice(&median, 0).level_bounds[1], Ratio { num: 5, den: 2 });
        let score = solve(&Job { levels: Levels::Score, ..job }, &six()).unwrap();
        assert_eq!(only_slice(&score, 0).level_bounds[1], Ratio { num: 10, den: 5 });
    }

    #[test]
    fn frozen_cuts_stay_those_of_the_first_date() {
        let input = simple(&[(1, 10, 100), (2, 10, 200), (3, 10, 300), (1, 20, 5000), (2, 20, 6000), (4, 20, 150)]);
        let job = Job { as_of: vec![10, 20], bins: 2, frozen: true, ..Job::default() };
        let answer = solve(&job, &input).unwrap();
        let monetary = |k: usize| -> Vec<_> { only_slice(&answer, k).customers.iter().map(|c| c.scores[2].unwrap()).collect() };
        assert_eq!(monetary(0), [1, 1, 2]);
        assert_eq!(monetary(1), [2, 2, 2, 1]);
        assert_eq!(only_slice(&answer, 1).cuts[2].cuts, [Some(Ratio { num: 200, den: 1 })]);
        assert_eq!(only_slice(&answer, 1).cuts[2].customers, [1, 3]);
        let refused = Job { methods: [Method::Quantile, Method::Ntile, Method::Quantile], ..job };
        assert_eq!(solve(&refused, &input).unwrap_err().exit, 2);
    }
}
