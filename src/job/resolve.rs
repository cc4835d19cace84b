//! From the job as written to a [`Job`] that can be run.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::cohorts::CohortsBy;
use super::event_kinds::JobEventKinds;
use super::parse::Source;
use super::paths::InputPaths;
use super::periods::{self, Timeline};
use super::query::{self, QueriedTable, Section};
use super::raw::{Method, MonetaryAs, RawAxis, RawJob, RawNumber, TableName};
use super::{AxisSpec, Cuts, Job, SchemeUse, Score, strategy};
use crate::domain::{AsOf, Day, Decimal, Horizons, LONGEST_HORIZON, Lookback, Ratio, pow10, scheme_of};
use crate::error::{Error, Result};
use crate::storage::{ObjectUrl, Place, SCHEMES, SECRET};

/// What the command line says over the job file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overrides {
    /// `--as-of`.
    pub as_of: Option<Day>,
    /// `--from`.
    pub from: Option<Day>,
    /// `--to`.
    pub to: Option<Day>,
    /// `--output`.
    pub output: Option<PathBuf>,
    /// `--memory-limit`, bytes.
    pub memory_limit: Option<u64>,
    /// `--adopt`.
    pub adopt: bool,
    /// `--part-rows`.
    pub part_rows: Option<u64>,
}

/// Fills in defaults and checks everything that can be checked without data.
///
/// # Errors
/// Exit 2, with the key, what it holds and what was expected.
pub fn resolve(raw: RawJob, source: Source, overrides: &Overrides) -> Result<Job> {
    check_orders(&raw, &source)?;
    let folder = source.folder().to_owned();
    let (queries, sources) = query::resolve(&raw, &source)?;
    let [paths, customer_paths, event_paths] = paths(&raw, &source)?;
    let event_kinds = JobEventKinds::resolve(&raw, &source)?;
    let timeline = periods::timeline(&raw.periods, &source, overrides.as_of, overrides.from, overrides.to)?;
    let score = score(&raw, &source, &folder)?;
    if raw.periods.trend.is_some() && score.cuts == Cuts::Frozen {
        return Err(Error::usage(format!(
            "{}: score.cuts = \"frozen\" takes the cut points of the job's first date, which moves with every night of a trend; give the path of a cutpoints table, or remove periods.trend",
            source.locate("score.cuts", "frozen")
        )));
    }
    let schemes = schemes(&raw, &source)?;
    let context = strategy::Context {
        source: &source,
        dates: &timeline.dates,
        axes: &score.axes,
        schemes: &schemes,
        dimensions: raw.customers.as_ref().map_or(&[], |customers| &customers.dimensions),
        has_cost: raw.orders.cost.is_some(),
        event_kinds: raw.events.is_some().then_some(&event_kinds),
        is_sliced: raw.orders.slice.is_some(),
    };
    let (strategies, thresholds) = strategy::resolve(&raw.strategy, &context)?;
    let of_thresholds = thresholds.iter().flat_map(strategy::Threshold::qualification_days);
    let days: Vec<Day> = strategies.iter().flat_map(strategy::Strategy::state_dates).chain(of_thresholds).collect();
    let Timeline { dates, origins, labels } = timeline.with_hidden(&days, &raw.periods, &source)?;
    let newest_order_within = newest_order_within(&raw, &source)?;
    check_volume(&raw, &source)?;
    let output = output(&raw, &source, overrides)?;
    check_report(&raw, &source)?;
    let cohorts_by = CohortsBy::new(&raw, &source)?;
    let forecast = forecast(&raw, &source, &dates)?;
    let acquisition = raw.acquisition.as_ref().map(|a| (a.path.clone(), Place::of(&a.path, &folder)));
    let tables = tables(&raw, &source, !thresholds.is_empty())?;
    let history_begins = match &raw.orders.history_begins {
        Some(date) => Some(periods::day_at(date, "orders.history_begins", "orders.history_begins", &source)?),
        None => None,
    };
    let keep_runs = raw.output.keep_runs.unwrap_or(10).max(1);
    Ok(Job {
        queries,
        sources,
        paths,
        customer_paths,
        event_paths,
        event_kinds,
        dates,
        origins,
        labels,
        score,
        schemes,
        forecast,
        strategies,
        thresholds,
        newest_order_within,
        acquisition,
        cohorts_by,
        output,
        tables,
        history_begins,
        keep_runs,
        adopt: overrides.adopt,
        memory_limit: overrides.memory_limit,
        part_rows: overrides.part_rows,
        raw,
        source,
    })
}

fn check_orders(raw: &RawJob, source: &Source) -> Result<()> {
    if raw.name.trim().is_empty() {
        return Err(Error::usage(format!("{}: name is empty; give the job a name", source.path.display())));
    }
    if raw.orders.amount_scale > 6 {
        return Err(Error::usage(format!(
            "{}: orders.amount_scale is {}; expected 0 to 6 digits behind the point",
            source.locate("orders.amount_scale", ""),
            raw.orders.amount_scale
        )));
    }
    for (key, share) in [("max_rejected", raw.orders.max_rejected), ("max_no_customer", raw.orders.max_no_customer)] {
        if !(0.0..=1.0).contains(&share) {
            return Err(Error::usage(format!(
                "{}: orders.{key} is {share}; expected a share from 0 to 1",
                source.locate(&format!("orders.{key}"), "")
            )));
        }
    }
    if raw.orders.amount.as_slice().is_empty() {
        return Err(Error::usage(format!(
            "{}: orders.amount is an empty list; name at least one column",
            source.locate("orders.amount", "")
        )));
    }
    if raw.orders.order_id.as_ref().is_some_and(|id| id.as_slice().is_empty()) {
        return Err(Error::usage(format!(
            "{}: orders.order_id is an empty list; name the columns that tell orders apart, or leave the key out",
            source.locate("orders.order_id", "")
        )));
    }
    check_inherit(raw, source)
}

fn check_inherit(raw: &RawJob, source: &Source) -> Result<()> {
    let inherit = &raw.orders.inherit;
    let Some(order_id) = &raw.orders.order_id else {
        return match inherit.is_empty() {
            true => Ok(()),
            false => Err(Error::usage(format!(
                "{}: orders.inherit takes values from the other rows of an order, but no column says which rows are one order; set orders.order_id",
                source.locate("orders.inherit", "")
            ))),
        };
    };
    if let Some(id) = inherit.iter().find(|name| order_id.as_slice().contains(name)) {
        return Err(Error::usage(format!(
            "{}: orders.inherit names {id:?}, which tells orders apart (orders.order_id); take it out of the list",
            source.locate("orders.inherit", "")
        )));
    }
    Ok(())
}

/// The days of `checks.newest_order_within`.
fn newest_order_within(raw: &RawJob, source: &Source) -> Result<Option<i32>> {
    let Some(text) = &raw.checks.newest_order_within else { return Ok(None) };
    match Lookback::parse(text) {
        Ok(Lookback::Days(days)) => Ok(Some(days)),
        _ => Err(Error::usage(format!(
            "{}: checks.newest_order_within is {text:?}; expected a number of days such as \"2d\"",
            source.locate("checks.newest_order_within", text)
        ))),
    }
}

fn check_volume(raw: &RawJob, source: &Source) -> Result<()> {
    match raw.checks.rows_vs_previous {
        Some([least, most]) if !(least >= 0.0 && most >= least) => Err(Error::usage(format!(
            "{}: checks.rows_vs_previous is [{least}, {most}]; expected the least and the greatest ratio, such as [0.5, 2.0]",
            source.locate("checks.rows_vs_previous", "")
        ))),
        _ => Ok(()),
    }
}

/// Refuses a place of a scheme that rfmill does not write to.
fn check_scheme(path: &str, key: &str) -> Result<()> {
    if let Some(url) = ObjectUrl::parse(path).filter(ObjectUrl::has_secret) {
        return Err(Error::usage(format!("{key} is {url}: {}; {}", SECRET.0, SECRET.1)));
    }
    match scheme_of(path) {
        None => Ok(()),
        Some(_) if ObjectUrl::parse(path).is_some() => Ok(()),
        Some(scheme) if SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) => {
            Err(Error::usage(format!("{key} is {path}, and names no bucket; expected a place such as {scheme}://bucket/folder")))
        }
        Some(scheme) => Err(Error::usage(format!(
            "{key} is {path}, and rfmill does not write to {scheme}://; expected a folder on a disk of this machine, or a place that begins with s3://, gs:// or az://"
        ))),
    }
}

fn output(raw: &RawJob, source: &Source, overrides: &Overrides) -> Result<Place> {
    match (&overrides.output, &raw.output.path) {
        (Some(path), _) => check_scheme(&path.to_string_lossy(), "--output").map(|()| Place::of_argument(path)),
        (None, Some(path)) => {
            check_scheme(path, &format!("{}: output.path", source.locate("output.path", path)))?;
            Ok(Place::of(path, source.folder()))
        }
        (None, None) => Err(Error::usage(format!(
            "{}: nowhere to write; give --output FOLDER, or [output] path in the job file",
            source.path.display()
        ))),
    }
}

fn check_report(raw: &RawJob, source: &Source) -> Result<()> {
    if raw.output.crm_rows == Some(0) {
        return Err(Error::usage(format!(
            "{}: output.crm_rows is 0; expected the most rows that a CRM file may have",
            source.locate("output.crm_rows", "")
        )));
    }
    if raw.output.min_group == Some(0) {
        return Err(Error::usage(format!(
            "{}: output.min_group is 0; expected the least number of customers that a report may show",
            source.locate("output.min_group", "")
        )));
    }
    Ok(())
}

/// The horizons of `[forecast]` around the last as-of date.
fn forecast(raw: &RawJob, source: &Source, dates: &[AsOf]) -> Result<Option<Horizons>> {
    let Some(forecast) = &raw.forecast else { return Ok(None) };
    let text = &forecast.horizon;
    let wrong = |why: &str| {
        Err(Error::usage(format!(
            "{}: forecast.horizon is {text:?}; {why}, such as \"90 days\" or \"1 quarter\"",
            source.locate("forecast.horizon", text)
        )))
    };
    let length = match Lookback::parse(text) {
        Ok(length) if length != Lookback::All => length,
        _ => return wrong("expected a length of time"),
    };
    let Some(last) = dates.last() else { return Ok(None) };
    let horizons = Horizons::new(last.date, length);
    match horizons.next.end.0 - horizons.next.origin.0 <= LONGEST_HORIZON {
        true => Ok(Some(horizons)),
        false => wrong("expected at most ten years"),
    }
}

/// The tables to write: those that the job names, or all that it can have.
fn tables(raw: &RawJob, source: &Source, has_thresholds: bool) -> Result<Vec<TableName>> {
    let has_strategies = !raw.strategy.is_empty();
    let names_affinity = raw.output.tables.iter().flatten().any(|table| *table == TableName::Affinity);
    let has_affinity = raw.output.affinity || names_affinity;
    if has_affinity && raw.orders.category.is_none() {
        let (key, value) = if names_affinity { ("output.tables", "affinity") } else { ("output.affinity", "") };
        return Err(Error::usage(format!(
            "{}: the table affinity is asked for, but the job does not say which column holds the category; set orders.category",
            source.locate(key, value)
        )));
    }
    let Some(tables) = &raw.output.tables else {
        let is_there = |table: &TableName| match table {
            TableName::Affinity => has_affinity,
            table if table.is_of_forecast() => raw.forecast.is_some(),
            table if table.is_of_thresholds() => has_thresholds,
            _ => has_strategies || !table.is_of_strategies(),
        };
        return Ok(TableName::ALL.into_iter().filter(is_there).collect());
    };
    if let Some(table) = tables.iter().find(|table| table.is_of_forecast() && raw.forecast.is_none()) {
        return Err(Error::usage(format!(
            "{}: output.tables names {:?}, but the job forecasts nothing; remove it, or add a [forecast] with a horizon",
            source.locate("output.tables", table.name()),
            table.name()
        )));
    }
    if let Some(table) = tables.iter().find(|table| table.is_of_thresholds() && !has_thresholds) {
        return Err(Error::usage(format!(
            "{}: output.tables names {:?}, but the job has no strategy of design threshold; remove it, or add such a strategy",
            source.locate("output.tables", table.name()),
            table.name()
        )));
    }
    match tables.iter().find(|t| t.is_of_strategies() && !has_strategies) {
        Some(table) => Err(Error::usage(format!(
            "{}: output.tables names {:?}, but the job has no [[strategy]] to evaluate; remove it, or add a strategy",
            source.locate("output.tables", table.name()),
            table.name()
        ))),
        None => Ok(tables.iter().copied().chain((has_affinity && !names_affinity).then_some(TableName::Affinity)).collect()),
    }
}

/// Where orders, customers and events are.
fn paths(raw: &RawJob, source: &Source) -> Result<[InputPaths; 3]> {
    let of = |table, path, manifest: &Option<String>, query: &Option<String>| {
        let section = Section { table, path, manifest: manifest.as_deref(), query: query.as_deref() };
        query::paths(&section, source)
    };
    let orders = &raw.orders;
    let customers = raw.customers.as_ref().map(|c| of(QueriedTable::Customers, c.path.as_ref(), &c.manifest, &c.query));
    let events = raw.events.as_ref().map(|e| of(QueriedTable::Events, e.path.as_ref(), &e.manifest, &e.query));
    Ok([
        of(QueriedTable::Orders, orders.path.as_ref(), &orders.manifest, &orders.query)?,
        customers.transpose()?.unwrap_or_default(),
        events.transpose()?.unwrap_or_default(),
    ])
}

fn score(raw: &RawJob, source: &Source, folder: &Path) -> Result<Score> {
    let score = &raw.score;
    if !(2..=100).contains(&score.bins) {
        return Err(Error::usage(format!(
            "{}: score.bins is {}; expected 2 to 100",
            source.locate("score.bins", ""),
            score.bins
        )));
    }
    let lookback = Lookback::parse(&score.lookback).map_err(|e| {
        Error::usage(format!("{}: score.lookback: {e}", source.locate("score.lookback", &score.lookback))).caused_by(e)
    })?;
    let monetary_scale = raw.orders.amount_scale + if score.monetary_as == MonetaryAs::Average { 2 } else { 0 };
    let axis = |name: &str, own: &Option<RawAxis>, shared: Option<&Vec<RawNumber>>, scale: u32| -> Result<AxisSpec> {
        let own = own.clone().unwrap_or_default();
        let method = own.method.unwrap_or(score.method);
        let written = own.cuts.as_ref().or(shared);
        let cuts = match (method, written) {
            (Method::Thresholds, None) => {
                return Err(Error::usage(format!(
                    "{}: {name} is scored by thresholds but has none; give score.thresholds.{name} or score.{name}.cuts with {} ascending cuts",
                    source.locate("score", "thresholds"),
                    score.bins - 1
                )));
            }
            (Method::Thresholds, Some(cuts)) => cuts_of(name, cuts, score.bins, scale, source)?,
            (_, Some(_)) if own.cuts.is_some() || own.method.is_some() || score.method != Method::Thresholds => {
                return Err(Error::usage(format!(
                    "{}: {name} has explicit cuts but method {}; set method = \"thresholds\" or remove the cuts",
                    source.locate(&format!("score.{name}.cuts"), ""),
                    serde_json::to_string(&method).unwrap_or_default()
                )));
            }
            _ => Vec::new(),
        };
        let unit = pow10(scale).ok_or_else(|| Error::bug("money scale out of range"))?;
        Ok(AxisSpec {
            method,
            ties: own.ties.unwrap_or(score.ties),
            closed: own.closed.unwrap_or(score.closed),
            cuts,
            printed_unit: unit,
        })
    };
    use super::raw::AxisName;
    let shared = |name: AxisName| score.thresholds.get(&name);
    let axes = [
        axis("recency_days", &score.recency_days, shared(AxisName::RecencyDays), 0)?,
        axis("frequency", &score.frequency, shared(AxisName::Frequency), 0)?,
        axis("monetary", &score.monetary, shared(AxisName::Monetary), monetary_scale)?,
    ];
    let cuts = match score.cuts.as_str() {
        "each" => Cuts::Each,
        "frozen" => Cuts::Frozen,
        path => Cuts::Table(Place::of(path, folder)),
    };
    if cuts != Cuts::Each && axes.iter().any(|a| a.method == Method::Ntile) {
        return Err(Error::usage(format!(
            "{}: ntile has no cut points, so score.cuts = {:?} cannot be used with it; use method = \"quantile\" or \"rank\", or cuts = \"each\"",
            source.locate("score.cuts", ""),
            score.cuts
        )));
    }
    Ok(Score { bins: score.bins, axes, lookback, count: score.count, monetary_as: score.monetary_as, levels: score.levels, cuts })
}

/// Explicit cuts of an axis in the integers of its measure.
fn cuts_of(name: &str, cuts: &[RawNumber], bins: u32, scale: u32, source: &Source) -> Result<Vec<Ratio>> {
    let place = || source.locate("score", name);
    if cuts.len() + 1 != bins as usize {
        return Err(Error::usage(format!(
            "{}: {name} has {} cuts; {bins} bins need {} of them (change score.bins or the cuts)",
            place(),
            cuts.len(),
            bins - 1
        )));
    }
    let mut out: Vec<Ratio> = Vec::with_capacity(cuts.len());
    for cut in cuts {
        let (text, decimal) = match cut {
            RawNumber::Int(n) => (n.to_string(), Some(Decimal { digits: i128::from(*n), scale: 0 })),
            RawNumber::Float(x) => (x.to_string(), Decimal::from_float(*x)),
            RawNumber::Text(text) => (text.clone(), Decimal::parse(text)),
        };
        let ratio = decimal.and_then(|d| d.shifted(scale)).ok_or_else(|| {
            Error::usage(format!("{}: {name} has the cut {text:?}, which is not a number of at most 30 digits", place()))
        })?;
        if out.last().is_some_and(|before| *before >= ratio) {
            return Err(Error::usage(format!(
                "{}: the cuts of {name} are out of order at {text}; list them in ascending order, each once",
                place()
            )));
        }
        out.push(ratio);
    }
    Ok(out)
}

fn schemes(raw: &RawJob, source: &Source) -> Result<Vec<SchemeUse>> {
    let plain = |column: &str, scheme: &str| SchemeUse {
        column: column.into(),
        scheme: scheme.into(),
        rules: toml::Table::new(),
        overrides: toml::Table::new(),
    };
    let Some(schemes) = &raw.schemes else {
        return Ok(vec![plain("segment", "standard"), plain("lifecycle", "recency_windows")]);
    };
    let mut out = Vec::with_capacity(schemes.len());
    for (column, value) in schemes {
        let wrong = |what: String| Error::usage(format!("{}: schemes.{column} {what}", source.locate("schemes", column)));
        if !column.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') || column.is_empty() {
            return Err(wrong("is no column name; use letters, digits and underscores".into()));
        }
        let used = match value {
            toml::Value::String(name) => plain(column, name),
            toml::Value::Table(table) => {
                let mut used = plain(column, "");
                for (key, value) in table {
                    match (key.as_str(), value) {
                        ("use", toml::Value::String(name)) => used.scheme.clone_from(name),
                        ("rules", toml::Value::Table(rules)) => used.rules.clone_from(rules),
                        ("override", toml::Value::Table(overrides)) => used.overrides.clone_from(overrides),
                        ("use" | "rules" | "override", _) => {
                            return Err(wrong(format!(
                                "has a {key:?} of the wrong type; expected a name for \"use\" and tables for \"rules\" and \"override\""
                            )));
                        }
                        _ => {
                            let near = crate::error::suggestion(key, ["use", "rules", "override"]);
                            return Err(wrong(format!(
                                "has the unknown key {key:?}{near} (possible keys: \"use\", \"rules\", \"override\")"
                            )));
                        }
                    }
                }
                if used.scheme.is_empty() {
                    // `[schemes.tier.rules]` alone changes the built-in of that name.
                    used.scheme.clone_from(column);
                }
                used
            }
            other => {
                return Err(wrong(format!("is {other}; expected the name of a built-in scheme or the path of a scheme file")));
            }
        };
        if !used.overrides.is_empty() && raw.orders.slice.is_none() {
            return Err(wrong(
                "has overrides per slice, but the job has no orders.slice; name the slice column or remove them".into(),
            ));
        }
        out.push(used);
    }
    Ok(out)
}
