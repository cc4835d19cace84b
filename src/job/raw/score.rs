//! `[score]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::RawNumber;

/// How recency, frequency and monetary become scores.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawScore {
    /// Number of scores per axis; 1 is worst, `bins` is best on all three axes. Schemes that use scores are written for 2 to
    /// 10.
    #[serde(default = "five")]
    #[schemars(extend("x-type" = "integer 2–100"))]
    pub bins: u32,
    /// Scoring method of every axis that has none of its own.
    #[serde(default)]
    pub method: Method,
    /// For `rank`: which rank equal values get.
    #[serde(default)]
    pub ties: Ties,
    /// For `thresholds`: whether a value on a cut stays below it (`right`) or has passed it (`left`).
    #[serde(default)]
    pub closed: Closed,
    /// For `thresholds`: cuts per axis (`recency_days`, `frequency`, `monetary`), ascending, `bins − 1` of them, in printed
    /// units.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("x-type" = "table of lists"))]
    pub thresholds: BTreeMap<AxisName, Vec<RawNumber>>,
    /// How far back frequency and monetary look.
    #[serde(default = "all")]
    #[schemars(extend("x-type" = "length"))]
    pub lookback: String,
    /// Whether frequency counts purchases or days with a purchase.
    #[serde(default)]
    pub count: Count,
    /// Whether monetary is the sum, or the mean per purchase with two more digits.
    #[serde(default)]
    pub monetary_as: MonetaryAs,
    /// Every as-of date has its own cut points; or those of the first date hold; or those of a `cutpoints.parquet`, of the
    /// last as-of date in it.
    #[serde(default = "each")]
    #[schemars(extend("x-type" = "`\"each\"`, `\"frozen\"`, path"))]
    pub cuts: String,
    /// What divides high from low in `r_level`, `f_level`, `m_level`.
    #[serde(default)]
    pub levels: Levels,
    /// Settings of recency alone; `recency` is another name of this key.
    #[serde(default, alias = "recency", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "`method`, `cuts`, `ties`, `closed`", "x-key" = "[score.recency_days]"))]
    pub recency_days: Option<RawAxis>,
    /// Settings of frequency alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "`method`, `cuts`, `ties`, `closed`", "x-key" = "[score.frequency]"))]
    pub frequency: Option<RawAxis>,
    /// Settings of monetary alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "`method`, `cuts`, `ties`, `closed`", "x-key" = "[score.monetary]"))]
    pub monetary: Option<RawAxis>,
    /// Ranges over measures; customers outside are listed without scores.
    #[serde(default, skip_serializing_if = "toml::map::Map::is_empty")]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    #[schemars(extend("x-type" = "conditions", "x-key" = "[score.only]"))]
    pub only: toml::map::Map<String, toml::Value>,
}

impl Default for RawScore {
    fn default() -> Self {
        RawScore {
            bins: five(),
            method: Method::default(),
            ties: Ties::default(),
            closed: Closed::default(),
            thresholds: BTreeMap::new(),
            lookback: all(),
            count: Count::default(),
            monetary_as: MonetaryAs::default(),
            cuts: each(),
            levels: Levels::default(),
            recency_days: None,
            frequency: None,
            monetary: None,
            only: toml::map::Map::new(),
        }
    }
}

/// Settings of one axis.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawAxis {
    /// Scoring method of this axis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// Cuts (`thresholds`), ascending, in printed units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cuts: Option<Vec<RawNumber>>,
    /// Which rank equal values get (`rank`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ties: Option<Ties>,
    /// Which bin a value on a cut belongs to (`thresholds`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closed>,
}

/// An axis as a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AxisName {
    /// Recency.
    #[serde(alias = "recency")]
    RecencyDays,
    /// Frequency.
    Frequency,
    /// Monetary.
    Monetary,
}

/// How values become scores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Type 7 quantiles; a value above a cut scores higher.
    #[default]
    Quantile,
    /// ceil(bins · rank / customers).
    Rank,
    /// SQL `NTILE` by value and customer id; splits equal values.
    Ntile,
    /// Explicit cuts.
    Thresholds,
    /// As the R package rfm 0.3.0.
    RRfm,
}

/// Which rank equal values get.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// The lowest.
    #[default]
    Min,
    /// The mean of lowest and highest.
    Mid,
    /// The highest.
    Max,
}

/// Which bin a value on a cut belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// The lower one: a value must be above the cut to pass it.
    #[default]
    Right,
    /// The upper one: a value on the cut has passed it.
    Left,
}

/// What frequency counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// Purchases.
    #[default]
    Orders,
    /// Days with a purchase.
    OrderDays,
}

/// What monetary is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MonetaryAs {
    /// The sum.
    #[default]
    Sum,
    /// The mean per purchase, with two more digits.
    Average,
}

/// What divides high from low.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Levels {
    /// The mean of the measure.
    #[default]
    Mean,
    /// The median of the measure.
    Median,
    /// The mean of the score.
    Score,
}

fn five() -> u32 {
    5
}

fn all() -> String {
    "all".into()
}

fn each() -> String {
    "each".into()
}
