//! What the job's columns are in the files: found, of a type that serves, and the same in every file.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::predicate::Predicate;
use super::source::Source;
use super::zone::Zone;
use crate::domain::IdType;
use crate::error::{Error, Result, suggestion};
use crate::job::Job;
use crate::job::raw::Dedupe;

/// The columns of a job, checked against its files.
#[derive(Debug, Clone)]
pub struct Columns {
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

/// What a column is for, and with that which types serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Customer,
    Date,
    Money,
    OrderId,
    Discount,
    Text,
    Any,
}

impl Role {
    fn serves(self, data_type: &DataType) -> bool {
        let integer = data_type.is_integer();
        let text = matches!(data_type, DataType::Utf8View);
        let decimal = matches!(data_type, DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) if *scale >= 0);
        match self {
            Role::Customer | Role::OrderId => integer || text,
            Role::Date => matches!(data_type, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)),
            Role::Money => integer || decimal || matches!(data_type, DataType::Float32 | DataType::Float64),
            Role::Discount => {
                integer || decimal || matches!(data_type, DataType::Float32 | DataType::Float64 | DataType::Boolean)
            }
            Role::Text => integer || text || *data_type == DataType::Boolean,
            Role::Any => true,
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Role::Customer | Role::OrderId => "an integer or a string",
            Role::Date => "a date or a timestamp",
            Role::Money => "an integer, a decimal or a float",
            Role::Discount => "a number or a boolean",
            Role::Text => "a string, an integer or a boolean",
            Role::Any => "any type",
        }
    }
}

/// The types a file is read with: those of its Parquet schema, with all strings as views, and decimals that are stored
/// as 64-bit integers left as such.
pub(super) fn read_schema(source: &Source) -> SchemaRef {
    let parquet = source.metadata.parquet_schema();
    let is_int64 = |root: usize| {
        parquet
            .root_schema()
            .get_fields()
            .get(root)
            .is_some_and(|f| f.is_primitive() && f.get_physical_type() == parquet::basic::Type::INT64)
    };
    let fields = source.metadata.schema().fields().iter().enumerate().map(|(root, field)| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => Arc::new(Field::clone(field).with_data_type(DataType::Utf8View)),
        DataType::Decimal128(precision, scale) if is_int64(root) => {
            Arc::new(Field::clone(field).with_data_type(DataType::Decimal64(*precision, *scale)))
        }
        _ => Arc::clone(field),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// A class of types whose values mean the same: equal classes may differ in width, unit or scale.
fn class(role: Role, data_type: &DataType) -> String {
    match data_type {
        _ if role == Role::Customer => type_name(data_type),
        DataType::Decimal64(..) | DataType::Decimal128(..) => "decimal".into(),
        DataType::Float32 | DataType::Float64 => "float".into(),
        DataType::Timestamp(_, None) => "naive timestamp".into(),
        DataType::Timestamp(_, Some(_)) => "zoned timestamp".into(),
        DataType::Date32 | DataType::Date64 => "date".into(),
        t if t.is_integer() => "integer".into(),
        t => type_name(t),
    }
}

/// A type as people call it.
pub(super) fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8View => "string".into(),
        DataType::BinaryView | DataType::Binary | DataType::LargeBinary | DataType::FixedSizeBinary(_) => "binary".into(),
        DataType::Date32 | DataType::Date64 => "date".into(),
        DataType::Timestamp(_, None) => "timestamp without a zone".into(),
        DataType::Timestamp(_, Some(_)) => "timestamp with a zone".into(),
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            format!("decimal({precision}, {scale})")
        }
        other => other.to_string().to_lowercase(),
    }
}

/// Which optional columns a measure looks at; the others are checked but not read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Uses {
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
/// Exit 3: a missing column (with the nearest), a type that does not serve, a schema that differs between files. Exit
/// 2: predicates and zones that are wrong in themselves.
pub fn check(job: &Job, sources: &[Source], uses: Uses) -> Result<Columns> {
    let orders = &job.raw.orders;
    let place = |name: &str| job.source.locate(name);
    let zone = Zone::named(&orders.timezone, &format!("{}: orders.timezone", place(&orders.timezone)))?;
    let naive_zone = match &orders.naive_timezone {
        Some(name) if *name != orders.timezone => Some(Zone::named(name, &format!("{}: orders.naive_timezone", place(name)))?),
        _ => None,
    };
    let keep = orders.keep.iter().map(|p| Predicate::new(p, "orders.keep", &job.source)).collect::<Result<Vec<_>>>()?;
    let returns = orders.returns.as_ref().map(|p| Predicate::new(p, "orders.returns", &job.source)).transpose()?;
    if keep.len() + usize::from(super::ledger::FILTERED) > super::ledger::FATES {
        return Err(Error::usage(format!("{}: more than 112 keep filters; join some of them", job.source.path.display())));
    }

    let mut wanted: Vec<(&str, Role, &str)> = vec![
        (orders.customer_id.as_str(), Role::Customer, "orders.customer_id"),
        (orders.ordered_at.as_str(), Role::Date, "orders.ordered_at"),
    ];
    wanted.extend(orders.amount.as_slice().iter().map(|c| (c.as_str(), Role::Money, "orders.amount")));
    let optional = [
        (&orders.order_id, Role::OrderId, "orders.order_id"),
        (&orders.discount, Role::Discount, "orders.discount"),
        (&orders.cost, Role::Money, "orders.cost"),
        (&orders.category, Role::Text, "orders.category"),
        (&orders.currency, Role::Text, "orders.currency"),
        (&orders.slice, Role::Text, "orders.slice"),
    ];
    wanted.extend(optional.iter().filter_map(|(name, role, key)| Some((name.as_deref()?, *role, *key))));
    wanted.extend(keep.iter().map(|p| (p.column.as_str(), Role::Any, "orders.keep")));
    wanted.extend(returns.iter().map(|p| (p.column.as_str(), Role::Any, "orders.returns")));
    if let Some(latest) = &orders.latest {
        if latest.key.is_empty() {
            return Err(Error::usage(format!(
                "{}: orders.latest.key is empty; name the columns that identify a row",
                place("key")
            )));
        }
        wanted.extend(latest.key.iter().map(|c| (c.as_str(), Role::Any, "orders.latest.key")));
        wanted.push((latest.by.as_str(), Role::Any, "orders.latest.by"));
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
                predicate.check(&data_type, &zone).map_err(|e| Error::new(e.kind(), format!("{}: {e}", source.name())))?;
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
    Ok(Columns { id, names, keep, returns, zone, naive_zone })
}

/// The type of a column in all files, which must agree.
///
/// # Errors
/// Exit 3: a missing column (with the nearest), a type that does not serve, files that differ.
pub(super) fn column(sources: &[Source], column: &str, role: Role, key: &str, place: &str) -> Result<DataType> {
    let mut first: Option<(DataType, String)> = None;
    for source in sources {
        let data_type = serving(source, &read_schema(source), column, role, key, place)?;
        match &first {
            None => first = Some((data_type, source.name())),
            Some((before, file)) if *before != data_type => {
                return Err(differs(column, key, &type_name(&data_type), source, &type_name(before), file));
            }
            Some(_) => {}
        }
    }
    first.map(|(data_type, _)| data_type).ok_or_else(|| Error::bug(format!("{key} has no file to take a type from")))
}

/// The type of a column, which must serve its role.
fn serving(source: &Source, schema: &Schema, column: &str, role: Role, key: &str, place: &str) -> Result<DataType> {
    let data_type = type_of(source, schema, column, role, key, place)?;
    if role.serves(&data_type) {
        return Ok(data_type);
    }
    Err(Error::contract(format!(
        "{}: column {column:?} ({key}) is of type {}; expected {}. Convert it where the file is written, or name another column",
        source.name(),
        type_name(&data_type),
        role.expected()
    )))
}

fn differs(column: &str, key: &str, class: &str, source: &Source, before: &str, file: &str) -> Error {
    Error::contract(format!(
        "column {column:?} ({key}) is {class} in {} but {before} in {file}; write all files with one schema",
        source.name()
    ))
}

/// Equal rows can only be told in files with equal columns.
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

fn type_of(source: &Source, schema: &Schema, column: &str, role: Role, key: &str, place: &str) -> Result<DataType> {
    let mut found = schema.fields().iter().filter(|f| f.name() == column);
    match (found.next(), found.next()) {
        (Some(field), None) => Ok(field.data_type().clone()),
        (Some(_), Some(_)) => {
            Err(Error::contract(format!("{} has several columns named {column:?} ({key}); rename all but one", source.name())))
        }
        (None, _) if source.input.partitions.iter().any(|(name, _)| name == column) => {
            Ok(if role == Role::Date { DataType::Date32 } else { DataType::Utf8View })
        }
        (None, _) => {
            let partitions = source.input.partitions.iter().map(|(name, _)| name.as_str());
            let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).chain(partitions).collect();
            Err(Error::contract(format!(
                "{place}: {key} names the column {column:?}, which {} does not have{} (its columns are {}); name one of them",
                source.name(),
                suggestion(column, names.iter().copied()),
                names.join(", ")
            )))
        }
    }
}

/// The type of a customer id.
pub(super) fn id_type(data_type: &DataType) -> Result<IdType> {
    Ok(match data_type {
        DataType::Int8 => IdType::Signed(8),
        DataType::Int16 => IdType::Signed(16),
        DataType::Int32 => IdType::Signed(32),
        DataType::Int64 => IdType::Signed(64),
        DataType::UInt8 => IdType::Unsigned(8),
        DataType::UInt16 => IdType::Unsigned(16),
        DataType::UInt32 => IdType::Unsigned(32),
        DataType::UInt64 => IdType::Unsigned(64),
        DataType::Utf8View => IdType::Text,
        other => return Err(Error::bug(format!("customer id of type {other} passed the check"))),
    })
}
