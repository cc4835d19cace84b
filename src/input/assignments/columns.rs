//! The columns of assignments in Parquet.

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Schema};

use super::batch::OptionalColumns;
use super::request::Request;
use crate::domain::IdType;
use crate::error::{Error, Result, suggestion};
use crate::input::column_types::{is_whole as is_whole_type, type_name};
use crate::input::schema::read_schema;
use crate::input::source::Source;

/// The columns that are read.
pub(super) struct AssignmentColumns {
    pub names: Vec<String>,
    /// Number of `stratum`, or else of `state`, among the names; and so on.
    pub strategy: Option<usize>,
    pub stratum: Option<usize>,
    pub cluster: Option<usize>,
    /// Of the columns of `by`.
    pub by: Vec<Option<usize>>,
    pub cost: Option<usize>,
    pub contacts: Option<usize>,
    pub ended_on: Option<usize>,
    /// Names and numbers of further columns; the numbers of those of `by` are the same.
    pub further: Vec<(String, usize)>,
    /// How many columns there are without further ones.
    own: usize,
    /// Type of the customer id.
    pub id: DataType,
}

/// The columns of a file that are found so far.
struct ColumnPlaces<'a> {
    source: &'a Source,
    schema: &'a Schema,
    request: &'a Request<'a>,
    names: Vec<String>,
}

impl ColumnPlaces<'_> {
    /// The number and type of a column; none if the file lacks it.
    fn place(&mut self, column: &str, serves: &dyn Fn(&DataType) -> bool, expected: &str) -> Result<Option<(usize, DataType)>> {
        let name = self.source.name();
        let mut found = self.schema.fields().iter().filter(|f| f.name() == column);
        let in_path = self.source.input.partitions.iter().any(|(key, _)| key == column);
        let data_type = match (found.next(), found.next()) {
            (Some(_), Some(_)) => {
                return Err(Error::contract(format!("{name} has several columns named {column:?}; rename all but one")));
            }
            (Some(field), None) => field.data_type().clone(),
            (None, _) if in_path && column == "assigned_on" => DataType::Date32,
            (None, _) if in_path => DataType::Utf8View,
            (None, _) => return Ok(None),
        };
        // Writers give a column without any value this type.
        let may_be_empty = ["contacts", "ended_on"].contains(&column) || self.request.by.contains(&column);
        if data_type == DataType::Null && may_be_empty {
            return Ok(None);
        }
        if !serves(&data_type) {
            return Err(Error::contract(format!(
                "{name}: column {column:?} is of type {}; expected {expected}. Convert it where the file is written",
                type_name(&data_type)
            )));
        }
        let known = self.names.iter().position(|name| name == column);
        if known.is_none() {
            self.names.push(column.to_owned());
        }
        Ok(Some((known.unwrap_or(self.names.len() - 1), data_type)))
    }
}

impl AssignmentColumns {
    /// Finds the columns of a file.
    pub fn find(source: &Source, request: &Request) -> Result<AssignmentColumns> {
        let schema = read_schema(source);
        let name = source.name();
        let mut columns = ColumnPlaces { source, schema: &schema, request, names: Vec::new() };
        let mut place =
            |column: &str, serves: &dyn Fn(&DataType) -> bool, expected: &str| columns.place(column, serves, expected);
        let missing = |column: &str, next: &str| {
            let columns: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
            let near = suggestion(column, columns.iter().copied());
            Error::contract(format!("{name} has no column {column:?}{near} (its columns are {}); {next}", columns.join(", ")))
        };
        let is_text = request.id == IdType::Text;
        let serves_id = |t: &DataType| if is_text { is_text_type(t) } else { is_whole_type(t) };
        let as_orders = if is_text { "a string, as the orders' ids are" } else { "an integer, as the orders' ids are" };
        let customer_id = place("customer_id", &serves_id, as_orders)?;
        let arm = place("arm", &is_text_type, "a string")?;
        let assigned_on = place("assigned_on", &is_date, "a date or a timestamp")?;
        let required = [("customer_id", customer_id.is_some()), ("arm", arm.is_some()), ("assigned_on", assigned_on.is_some())];
        if let Some((column, _)) = required.iter().find(|(_, found)| !found) {
            return Err(missing(column, "expected customer_id, arm and assigned_on at least"));
        }
        let strategy = place("strategy", &is_text_type, "a string")?;
        let mut stratum = None;
        for column in request.strata() {
            stratum = match stratum {
                None => place(column, &is_text_type, "a string")?,
                found => found,
            };
        }
        let is_name = |t: &DataType| is_text_type(t) || t.is_integer();
        let cluster = request.cluster.map(|column| place(column, &is_name, "a string or an integer")).transpose()?;
        if let (Some(column), Some(None)) = (request.cluster, &cluster) {
            return Err(missing(column, &request.without_cluster()));
        }
        let serves_by = |t: &DataType| is_name(t) || *t == DataType::Boolean;
        let mut by = Vec::with_capacity(request.by.len());
        for column in &request.by {
            by.push(place(column, &serves_by, "a string, an integer or a boolean")?);
        }
        let cost = place("cost", &is_money, "an integer, a decimal or a float")?;
        let contacts = place("contacts", &is_whole, "an integer, or a float of whole numbers")?;
        let ended_on = place("ended_on", &is_date, "a date or a timestamp")?;
        let mut names = columns.names;
        let own = names.len();
        let further = with_numbers(further(&schema, request), own, &mut names);
        let number = |place: Option<(usize, DataType)>| place.map(|(at, _)| at);
        Ok(AssignmentColumns {
            id: customer_id.map_or(DataType::Null, |(_, data_type)| data_type),
            strategy: number(strategy),
            stratum: number(stratum),
            cluster: number(cluster.flatten()),
            by: by.into_iter().map(number).collect(),
            cost: number(cost),
            contacts: number(contacts),
            ended_on: number(ended_on),
            further,
            own,
            names,
        })
    }

    /// The same without the further columns that a test does not hold for.
    pub fn with_further(&self, is_wanted: impl Fn(&str) -> bool) -> AssignmentColumns {
        let mut names = self.names.clone();
        names.truncate(self.own);
        let wanted = self.further.iter().map(|(name, _)| name.clone()).filter(|name| is_wanted(name)).collect();
        let further = with_numbers(wanted, self.own, &mut names);
        AssignmentColumns { names, further, by: self.by.clone(), id: self.id.clone(), ..*self }
    }

    /// The clusters of a batch as strings.
    pub fn clusters(&self, columns: &[ArrayRef]) -> Result<Option<ArrayRef>> {
        self.cluster.and_then(|at| columns.get(at)).map(as_text).transpose()
    }

    /// The columns of `by` of a batch as strings.
    pub fn by(&self, columns: &[ArrayRef]) -> Result<Vec<Option<ArrayRef>>> {
        self.by.iter().map(|at| at.and_then(|at| columns.get(at)).map(as_text).transpose()).collect()
    }

    /// The further columns of a batch as strings.
    pub fn further(&self, columns: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
        self.further.iter().filter_map(|(_, at)| columns.get(*at)).map(as_text).collect()
    }

    /// Which optional columns there are.
    pub fn has(&self) -> OptionalColumns {
        OptionalColumns {
            strategy: self.strategy.is_some(),
            stratum: self.stratum.is_some(),
            cost: self.cost.is_some(),
            contacts: self.contacts.is_some(),
            ended_on: self.ended_on.is_some(),
        }
    }
}

/// The further columns of a file that are looked at.
fn further(schema: &Schema, request: &Request) -> Vec<String> {
    let is_once = |field: &FieldRef| schema.fields().iter().filter(|other| other.name() == field.name()).count() == 1;
    let is_looked_at = |field: &&FieldRef| (is_text_type(field.data_type()) || field.data_type().is_integer()) && is_once(field);
    request.further(schema.fields().iter().filter(is_looked_at).map(|field| field.name().as_str()))
}

/// Further columns with their numbers: that of one of the first `own` names is known.
fn with_numbers(further: Vec<String>, own: usize, names: &mut Vec<String>) -> Vec<(String, usize)> {
    let mut numbered = Vec::with_capacity(further.len());
    for name in further {
        let known = names.iter().take(own).position(|other| *other == name);
        if known.is_none() {
            names.push(name.clone());
        }
        numbered.push((name, known.unwrap_or(names.len() - 1)));
    }
    numbered
}

/// The names of a file's columns, those of its path included.
pub(super) fn column_names(source: &Source) -> Vec<String> {
    let schema = read_schema(source);
    let names = schema.fields().iter().map(|field| field.name().clone());
    names.chain(source.input.partitions.iter().map(|(key, _)| key.clone())).collect()
}

fn is_text_type(t: &DataType) -> bool {
    *t == DataType::Utf8View
}

fn is_date(t: &DataType) -> bool {
    matches!(t, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..))
}

fn is_money(t: &DataType) -> bool {
    t.is_integer()
        || matches!(t, DataType::Float32 | DataType::Float64)
        || matches!(t, DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) if *scale >= 0)
}

fn is_whole(t: &DataType) -> bool {
    t.is_integer() || matches!(t, DataType::Float32 | DataType::Float64)
}

fn as_text(column: &ArrayRef) -> Result<ArrayRef> {
    let to = |from: &ArrayRef, to: DataType| {
        cast(from, &to).map_err(|e| Error::bug(format!("a column cannot be read as text: {e}")).caused_by(e))
    };
    match column.data_type() {
        DataType::Utf8View => Ok(column.clone()),
        _ => to(&to(column, DataType::Utf8)?, DataType::Utf8View),
    }
}
