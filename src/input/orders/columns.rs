//! Finding the job's columns in the files of the orders: each must have a suitable type, and the same in every file.

use std::collections::BTreeMap;

use arrow::datatypes::DataType;

use super::ledger::{FILTERED, OUTCOMES};
use crate::domain::IdType;
use crate::error::{Error, Result};
use crate::input::column_types::{ColumnRole, class, id_type, type_name};
use crate::input::predicate::Predicate;
use crate::input::schema::{differs, read_schema, serving};
use crate::input::source::Source;
use crate::input::zone::Zone;
use crate::job::Job;
use crate::job::raw::Dedupe;

/// The columns of a job, checked against its files.
#[derive(Debug, Clone)]
pub struct OrderColumns {
    /// Type of the customer id.
    pub id: IdType,
    /// Names of all columns that are read.
    pub names: Vec<String>,
    /// The `keep` filters.
    pub keep: Vec<Predicate>,
    /// The returns predicate.
    pub returns: Option<Predicate>,
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

/// Finds and checks the job's columns in every file.
///
/// # Errors
/// Exit 3: a missing column (with the nearest), an unsuitable type, a schema that differs between files. Exit
/// 2: invalid predicates and zones.
pub fn check(job: &Job, sources: &[Source], uses: UsedColumns) -> Result<OrderColumns> {
    let orders = &job.raw.orders;
    let place = |name: &str| job.source.locate(name);
    let zone = Zone::named(&orders.timezone, &format!("{}: orders.timezone", place(&orders.timezone)))?;
    let naive_zone = match &orders.naive_timezone {
        Some(name) if *name != orders.timezone => Some(Zone::named(name, &format!("{}: orders.naive_timezone", place(name)))?),
        _ => None,
    };
    let keep = orders.keep.iter().map(|p| Predicate::new(p, "orders.keep", &job.source)).collect::<Result<Vec<_>>>()?;
    let returns = orders.returns.as_ref().map(|p| Predicate::new(p, "orders.returns", &job.source)).transpose()?;
    if keep.len() + usize::from(FILTERED) > OUTCOMES {
        return Err(Error::usage(format!("{}: more than 112 keep filters; join some of them", job.source.path.display())));
    }

    let mut wanted: Vec<(&str, ColumnRole, &str)> = vec![
        (orders.customer_id.as_str(), ColumnRole::Customer, "orders.customer_id"),
        (orders.ordered_at.as_str(), ColumnRole::Date, "orders.ordered_at"),
    ];
    wanted.extend(orders.amount.as_slice().iter().map(|c| (c.as_str(), ColumnRole::Money, "orders.amount")));
    let optional = [
        (&orders.order_id, ColumnRole::OrderId, "orders.order_id"),
        (&orders.discount, ColumnRole::Discount, "orders.discount"),
        (&orders.cost, ColumnRole::Money, "orders.cost"),
        (&orders.category, ColumnRole::Text, "orders.category"),
        (&orders.currency, ColumnRole::Text, "orders.currency"),
        (&orders.slice, ColumnRole::Text, "orders.slice"),
    ];
    wanted.extend(optional.iter().filter_map(|(name, role, key)| Some((name.as_deref()?, *role, *key))));
    wanted.extend(keep.iter().map(|p| (p.column.as_str(), ColumnRole::Any, "orders.keep")));
    wanted.extend(returns.iter().map(|p| (p.column.as_str(), ColumnRole::Any, "orders.returns")));
    if let Some(latest) = &orders.latest {
        if latest.key.is_empty() {
            return Err(Error::usage(format!(
                "{}: orders.latest.key is empty; name the columns that identify a row",
                place("key")
            )));
        }
        wanted.extend(latest.key.iter().map(|c| (c.as_str(), ColumnRole::Any, "orders.latest.key")));
        wanted.push((latest.by.as_str(), ColumnRole::Any, "orders.latest.by"));
    }

    let mut first_seen: BTreeMap<(&str, &str), (String, String)> = BTreeMap::new();
    let mut id = None;
    for source in sources {
        let schema = read_schema(source);
        for (column, role, key) in &wanted {
            let data_type = serving(source, &schema, column, *role, key, &job.source.locate(&format!("\"{column}\"")))?;
            let class = class(*role, &data_type);
            let (before, file) = first_seen.entry((column, key)).or_insert_with(|| (class.clone(), source.name()));
            if *before != class {
                return Err(differs(column, key, &class, source, before, file));
            }
            if *key == "orders.customer_id" {
                id = Some(id_type(&data_type)?);
            }
            for predicate in keep.iter().chain(&returns).filter(|p| p.column == *column) {
                predicate
                    .check(&data_type, &zone)
                    .map_err(|e| Error::new(e.kind(), format!("{}: {e}", source.name())).caused_by(e))?;
            }
        }
    }
    if orders.dedupe == Dedupe::Rows || orders.latest.is_some() {
        same_columns(sources)?;
    }
    let unread = |key: &str| match key {
        "orders.cost" => !uses.cost,
        "orders.discount" => !uses.discount,
        "orders.category" => !uses.category,
        key => key.starts_with("orders.latest"),
    };
    let mut names: Vec<String> = wanted.iter().filter(|(.., key)| !unread(key)).map(|(name, ..)| (*name).to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    let id = id.ok_or_else(|| Error::bug("no input file to take the customer id's type from"))?;
    Ok(OrderColumns { id, names, keep, returns, zone, naive_zone })
}

/// Checks that all files have equal columns, without which rows cannot be compared.
fn same_columns(sources: &[Source]) -> Result<()> {
    let Some((first, rest)) = sources.split_first() else { return Ok(()) };
    let columns = |source: &Source| -> Vec<(String, DataType)> {
        let schema = read_schema(source);
        schema.fields().iter().map(|f| (f.name().clone(), f.data_type().clone())).collect()
    };
    let want = columns(first);
    for source in rest {
        let got = columns(source);
        if let Some((a, b)) = want.iter().zip(&got).find(|(a, b)| a != b) {
            return Err(Error::contract(format!(
                "column {:?} ({}) in {} stands where {} has {:?} ({}); duplicates can only be told between files with equal columns in equal order, so write all files with one schema",
                b.0,
                type_name(&b.1),
                source.name(),
                first.name(),
                a.0,
                type_name(&a.1)
            )));
        }
        if want.len() != got.len() {
            return Err(Error::contract(format!(
                "{} has {} columns and {} has {}; duplicates can only be told between files with equal columns, so write all files with one schema",
                source.name(),
                got.len(),
                first.name(),
                want.len()
            )));
        }
    }
    Ok(())
}
