//! Finding the job's columns in the files of the orders: each must have a suitable type, and the same in every file.

use std::collections::BTreeMap;

use arrow::datatypes::DataType;

use super::ledger::{FILTERED, OUTCOMES};
use crate::domain::IdType;
use crate::error::{Error, Result};
use crate::input::column_types::{ColumnRole, class, id_type, is_whole, type_name, wider};
use crate::input::joined::SchemaWanted;
use crate::input::predicate::Predicate;
use crate::input::schema::{self, differs, read_schema, serving};
use crate::input::source::Source;
use crate::input::zone::Zone;
use crate::job::Job;
use crate::job::raw::{AmountUnit, Dedupe, RawScalar};

/// The columns of a job, checked against its files.
#[derive(Debug, Clone)]
pub struct OrderColumns {
    /// Type of the customer id.
    pub id: IdType,
    /// Names of all columns that are read.
    pub names: Vec<String>,
    /// Names of all columns that the job names.
    pub named: Vec<String>,
    /// The `keep` filters.
    pub keep: Vec<Predicate>,
    /// The returns predicate.
    pub returns: Option<Predicate>,
    /// The rows that are money alone.
    pub money_only: Option<Predicate>,
    /// The ids that stand for nobody.
    pub guests: Option<Predicate>,
    /// The job's zone, and the zone of naive timestamps if it is another.
    pub zone: Zone,
    /// Zone of naive timestamps, if it is another than the job's.
    pub naive_zone: Option<Zone>,
}

/// Which optional columns a measure uses; the others are checked but not read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UsedColumns {
    /// `orders.cost`.
    pub cost: bool,
    /// `orders.discount`.
    pub discount: bool,
    /// `orders.category`.
    pub category: bool,
}

/// What the files of a job's orders must have, and what they may lack.
///
/// # Errors
/// Exit 2: a list of columns is empty.
pub(super) fn schema_wanted(job: &Job) -> Result<SchemaWanted<'_>> {
    let orders = &job.raw.orders;
    let wanted = wanted(job)?;
    let named = |is_it: &dyn Fn(ColumnRole, &str) -> bool| -> Vec<&str> {
        wanted.iter().filter(|(_, role, key)| is_it(*role, key)).map(|(name, ..)| *name).collect()
    };
    let is_test = |key: &str| matches!(key, "orders.keep" | "orders.returns" | "orders.money_only");
    let can_lack = |key: &str| is_test(key) || matches!(key, "orders.discount" | "orders.cost" | "orders.category");
    let others = named(&|_, key| !is_test(key));
    Ok(SchemaWanted {
        required: named(&|_, key| !can_lack(key)),
        // Rows of a file that lacks a column are no duplicates of rows that have it, and must not pass for others.
        requires_all: orders.dedupe != Dedupe::default(),
        optional: named(&|_, key| can_lack(key)),
        dates: named(&|role, _| role == ColumnRole::Date),
        numbers: named(&|role, _| matches!(role, ColumnRole::Money | ColumnRole::Discount)),
        tested: named(&|_, key| is_test(key)).into_iter().filter(|name| !others.contains(name)).collect(),
        has_naive_int96: orders.naive_timezone.is_some(),
    })
}

/// The zone of business dates, and that of naive timestamps if it is another one.
fn zones(job: &Job) -> Result<(Zone, Option<Zone>)> {
    let orders = &job.raw.orders;
    let named = |key: &str, name: &str| Zone::named(name, &format!("{}: {key}", job.source.locate(key, name)));
    let zone = named("orders.timezone", &orders.timezone)?;
    let naive = orders.naive_timezone.as_ref().filter(|name| **name != orders.timezone);
    Ok((zone, naive.map(|name| named("orders.naive_timezone", name)).transpose()?))
}

/// Finds and checks the job's columns in every file.
///
/// # Errors
/// Exit 3: a missing column (with the nearest), an unsuitable type, a schema that differs between files. Exit
/// 2: invalid predicates and zones.
pub fn check(job: &Job, sources: &[Source], uses: UsedColumns) -> Result<OrderColumns> {
    let orders = &job.raw.orders;
    let (zone, naive_zone) = zones(job)?;
    let Predicates { keep, returns, money_only } = Predicates::new(job)?;
    for name in &orders.inherit {
        schema::column(sources, name, ColumnRole::Any, "orders.inherit", &job.source.locate("orders.inherit", name))?;
    }
    let wanted = wanted(job)?;
    let places: Vec<String> = wanted.iter().map(|(column, _, key)| job.source.locate(key, column)).collect();
    let mut first_seen: BTreeMap<(&str, &str), (String, String)> = BTreeMap::new();
    let mut id = None;
    for source in sources {
        let schema = read_schema(source);
        for ((column, role, key), place) in wanted.iter().zip(&places) {
            let data_type = serving(source, &schema, column, *role, key, place)?;
            let class = class(*role, &data_type);
            let (before, file) = first_seen.entry((column, key)).or_insert_with(|| (class.clone(), source.name()));
            if *before != class {
                return Err(differs(column, key, &class, source, before, file));
            }
            if orders.amount_unit == AmountUnit::Minor && *role == ColumnRole::Money {
                check_minor(source, column, key, &data_type)?;
            }
            if *key == "orders.customer_id" {
                let own = id_type(&data_type)?;
                id = Some(id.map_or(own, |before| wider(before, own)));
            }
            for predicate in keep.iter().chain(&returns).chain(&money_only).filter(|p| p.column == *column) {
                predicate
                    .check(&data_type, &zone)
                    .map_err(|e| Error::new(e.kind(), format!("{}: {e}", source.name())).caused_by(e))?;
            }
        }
    }
    let mut named: Vec<String> = wanted.iter().map(|(name, ..)| (*name).to_owned()).collect();
    named.sort_unstable();
    named.dedup();
    let unread = |key: &str| match key {
        "orders.cost" => !uses.cost,
        "orders.discount" => !uses.discount,
        "orders.category" => !uses.category,
        key => key.starts_with("orders.latest") || key == "orders.dedupe",
    };
    let mut names: Vec<String> = wanted.iter().filter(|(.., key)| !unread(key)).map(|(name, ..)| (*name).to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    let id = id.ok_or_else(|| Error::bug("no input file to take the customer id's type from"))?;
    let guests = guests(job, id)?;
    Ok(OrderColumns { id, names, named, keep, returns, money_only, guests, zone, naive_zone })
}

/// The predicates of a job.
struct Predicates {
    keep: Vec<Predicate>,
    returns: Option<Predicate>,
    money_only: Option<Predicate>,
}

impl Predicates {
    /// # Errors
    /// Exit 2: one is invalid, or there are too many filters.
    fn new(job: &Job) -> Result<Predicates> {
        let orders = &job.raw.orders;
        let keep = orders.keep.iter().map(|p| Predicate::new(p, "orders.keep", &job.source)).collect::<Result<Vec<_>>>()?;
        let returns = orders.returns.as_ref().map(|p| Predicate::new(&p.predicate(), "orders.returns", &job.source));
        let money_only = orders.money_only.as_ref().map(|p| Predicate::new(p, "orders.money_only", &job.source));
        if keep.len() + usize::from(FILTERED) > OUTCOMES {
            return Err(Error::usage(format!("{}: more than 112 keep filters; join some of them", job.source.path.display())));
        }
        Ok(Predicates { keep, returns: returns.transpose()?, money_only: money_only.transpose()? })
    }
}

/// The columns that a job names, but for those of `orders.inherit`: name, role and key.
fn wanted(job: &Job) -> Result<Vec<(&str, ColumnRole, &'static str)>> {
    let orders = &job.raw.orders;
    let place = |key: &str| job.source.locate(key, "");
    let mut wanted = vec![
        (orders.customer_id.as_str(), ColumnRole::Customer, "orders.customer_id"),
        (orders.ordered_at.as_str(), ColumnRole::Date, "orders.ordered_at"),
    ];
    wanted.extend(orders.amount.as_slice().iter().map(|c| (c.as_str(), ColumnRole::Money, "orders.amount")));
    let optional = [
        (&orders.discount, ColumnRole::Discount, "orders.discount"),
        (&orders.cost, ColumnRole::Money, "orders.cost"),
        (&orders.category, ColumnRole::Text, "orders.category"),
        (&orders.currency, ColumnRole::Text, "orders.currency"),
        (&orders.slice, ColumnRole::Text, "orders.slice"),
    ];
    wanted.extend(optional.iter().filter_map(|(name, role, key)| Some((name.as_deref()?, *role, *key))));
    wanted.extend(job.order_id().iter().map(|c| (c.as_str(), ColumnRole::OrderId, "orders.order_id")));
    wanted.extend(orders.keep.iter().map(|p| (p.column.as_str(), ColumnRole::Any, "orders.keep")));
    wanted.extend(orders.returns.iter().map(|p| (p.column.as_str(), ColumnRole::Any, "orders.returns")));
    wanted.extend(orders.money_only.iter().map(|p| (p.column.as_str(), ColumnRole::Any, "orders.money_only")));
    if let Dedupe::Columns(names) = &orders.dedupe {
        if names.is_empty() {
            return Err(Error::usage(format!(
                "{}: orders.dedupe is an empty list; name the columns in which duplicates are equal, or leave the key out",
                place("orders.dedupe")
            )));
        }
        wanted.extend(names.iter().map(|c| (c.as_str(), ColumnRole::Any, "orders.dedupe")));
    }
    if let Some(latest) = &orders.latest {
        if latest.key.is_empty() {
            return Err(Error::usage(format!(
                "{}: orders.latest.key is empty; name the columns that identify a row",
                place("orders.latest.key")
            )));
        }
        wanted.extend(latest.key.iter().map(|c| (c.as_str(), ColumnRole::Any, "orders.latest.key")));
        wanted.push((latest.by.as_str(), ColumnRole::Any, "orders.latest.by"));
    }
    Ok(wanted)
}

/// Checks that a column of money can count minor units.
fn check_minor(source: &Source, column: &str, key: &str, data_type: &DataType) -> Result<()> {
    if is_whole(data_type) {
        return Ok(());
    }
    Err(Error::contract(format!(
        "{}: column {column:?} ({key}) is of type {}, and orders.amount_unit = \"minor\" says that its numbers are whole minor units; write it as an integer, or remove orders.amount_unit",
        source.name(),
        type_name(data_type)
    )))
}

/// The predicate of the ids that stand for nobody. Only values that an id of this type can equal count.
fn guests(job: &Job, id: IdType) -> Result<Option<Predicate>> {
    let orders = &job.raw.orders;
    if orders.guests.is_empty() {
        return Ok(None);
    }
    let value = |value: &RawScalar| match (value, id) {
        (RawScalar::Int(n), IdType::Text) => Some(RawScalar::Text(n.to_string())),
        (RawScalar::Text(_), IdType::Text) | (RawScalar::Int(_), _) => Some(value.clone()),
        (RawScalar::Text(text), _) => text.parse::<i128>().is_ok().then(|| value.clone()),
        (RawScalar::Bool(_) | RawScalar::Float(_) | RawScalar::Date(_), _) => None,
    };
    let values: Vec<RawScalar> = orders.guests.iter().filter_map(value).collect();
    let place = format!("{}: orders.guests", job.source.locate("orders.guests", ""));
    if values.is_empty() {
        return Err(Error::contract(format!(
            "{place} has no value that column {:?} (orders.customer_id) could hold, which is {}; name such values, or remove the key",
            orders.customer_id,
            if id == IdType::Text { "a string" } else { "an integer" }
        )));
    }
    Ok(Some(Predicate::one_of(&orders.customer_id, values, place)))
}
