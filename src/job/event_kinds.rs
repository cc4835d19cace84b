//! The kinds of events of a job: which values of the event column count as them, and which columns hold their values.

use std::collections::BTreeMap;

use super::parse::Source;
use super::raw::{RawEventKind, RawJob, RawKind};
use crate::domain::{EventKind, EventKinds};
use crate::error::{Error, Result, suggestion};

/// Most digits behind the point of the values of events, as of money.
const MOST_DIGITS: u32 = 6;

/// The kinds of events of a job.
#[derive(Debug, Clone, Default)]
pub struct JobEventKinds {
    /// All of them, with their numbers.
    pub all: EventKinds,
    /// What values of the event column count as, in lower case; all others are events of no kind of their own.
    by_value: BTreeMap<String, EventKind>,
    /// The kinds that the job says something of.
    named: Vec<NamedKind>,
}

/// A kind that a job says something of.
#[derive(Debug, Clone)]
struct NamedKind {
    kind: EventKind,
    /// Whether the job has a table for it, and not a list alone.
    has_table: bool,
    values: Option<ValueColumn>,
}

/// Where the values of the events of a kind are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueColumn {
    /// The column.
    pub column: String,
    /// Digits behind the point.
    pub scale: u8,
    /// Whether the values are costs to serve.
    is_cost: bool,
    /// Whether the values say how content customers are.
    is_satisfaction: bool,
}

impl JobEventKinds {
    /// The kind of an event by the value of its column, in lower case.
    pub fn of_value(&self, value: &str) -> EventKind {
        self.by_value.get(value).copied().unwrap_or(EventKind::Other)
    }

    /// The kinds that have a table, with the digits behind the point of their values if they have any.
    pub fn named(&self) -> impl Iterator<Item = (EventKind, Option<u8>)> + '_ {
        let with_table = self.named.iter().filter(|named| named.has_table);
        with_table.map(|named| (named.kind, named.values.as_ref().map(|values| values.scale)))
    }

    /// The kinds whose events have values, and where these are.
    pub fn value_columns(&self) -> impl Iterator<Item = (EventKind, &ValueColumn)> {
        self.named.iter().filter_map(|named| Some((named.kind, named.values.as_ref()?)))
    }

    /// Where the values of a kind are, if its events have some.
    pub fn values_of(&self, kind: EventKind) -> Option<&ValueColumn> {
        self.value_columns().find(|(own, _)| *own == kind).map(|(_, values)| values)
    }

    /// Whether the values of a kind are costs to serve.
    pub fn is_cost(&self, kind: EventKind) -> bool {
        self.values_of(kind).is_some_and(|values| values.is_cost)
    }

    /// Whether the values of any kind are costs to serve.
    pub fn have_costs(&self) -> bool {
        self.all.costs().next().is_some()
    }

    /// The kind that says how content customers are, with the digits behind the point of its values.
    pub fn satisfaction(&self) -> Option<(EventKind, u8)> {
        self.value_columns().find(|(_, values)| values.is_satisfaction).map(|(kind, values)| (kind, values.scale))
    }

    /// Whether the job says which values count as a kind.
    pub fn is_named(&self, kind: EventKind) -> bool {
        self.named.iter().any(|named| named.kind == kind)
    }

    /// Reads the kinds of a job.
    ///
    /// # Errors
    /// Exit 2, with the key: a name that cannot begin that of a measure, a value of two kinds, a scale without a value.
    pub(super) fn resolve(raw: &RawJob, source: &Source) -> Result<JobEventKinds> {
        let Some(events) = &raw.events else { return Ok(JobEventKinds::default()) };
        let mut by_value: BTreeMap<String, EventKind> = BTreeMap::new();
        let mut named = Vec::with_capacity(events.kinds.len());
        // The usual kinds come first, in their order.
        let mut written: Vec<(&String, &RawKind)> = events.kinds.iter().collect();
        written.sort_by_key(|(name, _)| EventKind::named(name));
        for (name, raw_kind) in written {
            let reader = KindReader { source, name, column: &events.event };
            let (kind, values) = reader.kind(raw_kind)?;
            let (values_in, table) = values;
            for value in values_in {
                if let Some(before) = by_value.insert(value.to_lowercase(), kind) {
                    return Err(reader.wrong(&format!(
                        "names {value:?}, which already counts as {} (upper and lower case are the same); an event is of one kind",
                        before.name()
                    )));
                }
            }
            let values = table.map(|table| reader.value_column(table, raw.orders.amount_scale)).transpose()?.flatten();
            named.push(NamedKind { kind, has_table: table.is_some(), values });
        }
        let own: Vec<EventKind> = named.iter().map(|named| named.kind).filter(|kind| kind.is_own()).collect();
        if own.len() > EventKinds::MOST_OWN {
            return Err(Error::usage(format!(
                "{}: events.kinds has {} kinds; expected at most {}",
                source.locate("events.kinds", ""),
                own.len(),
                EventKinds::MOST_OWN
            )));
        }
        let says_which = |kind: EventKind| {
            events.kinds.get(kind.name()).is_some_and(|raw| !matches!(raw, RawKind::Kind(RawEventKind { values: None, .. })))
        };
        for kind in EventKind::USUAL.into_iter().filter(|kind| !says_which(*kind)) {
            for value in kind.usual_values() {
                by_value.entry((*value).to_owned()).or_insert(kind);
            }
        }
        let of_satisfaction = |named: &&NamedKind| named.values.as_ref().is_some_and(|values| values.is_satisfaction);
        if let [first, second, ..] = named.iter().filter(of_satisfaction).collect::<Vec<_>>().as_slice() {
            let [first, second] = [first, second].map(|named| named.kind.name());
            let key = format!("events.kinds.{second}");
            return Err(Error::usage(format!(
                "{}: {key} has satisfaction, and so has {first}; one kind says how content customers are",
                source.locate(&key, "")
            )));
        }
        let is_cost = |named: &&NamedKind| named.values.as_ref().is_some_and(|values| values.is_cost);
        let costs: Vec<EventKind> = named.iter().filter(is_cost).map(|named| named.kind).collect();
        Ok(JobEventKinds { all: EventKinds::with(own).with_costs(&costs), by_value, named })
    }
}

/// Reads one kind.
struct KindReader<'a> {
    source: &'a Source,
    name: &'a str,
    /// The column of events.
    column: &'a str,
}

/// The values of the event column that count as a kind, and its table.
type Written<'a> = (Vec<String>, Option<&'a RawEventKind>);

impl KindReader<'_> {
    fn wrong(&self, what: &str) -> Error {
        let key = format!("events.kinds.{}", self.name);
        Error::usage(format!("{}: {key} {what}", self.source.locate(&key, "")))
    }

    /// The kind with the values that count as it; none for a usual kind with its usual values.
    fn kind<'r>(&self, raw: &'r RawKind) -> Result<(EventKind, Written<'r>)> {
        let kind = EventKind::named(self.name);
        if kind == EventKind::Other {
            return Err(self.wrong("is no kind: events are of all kinds; give the kind another name"));
        }
        if !EventKind::is_name(self.name) {
            return Err(self.wrong(
                "cannot begin the name of a measure; expected lower-case letters, digits and underscores, a letter first, and the values of the column in the key in",
            ));
        }
        let (values, table) = match raw {
            RawKind::Values(_) if kind.is_own() => {
                let usual = || EventKind::USUAL.into_iter().filter(|kind| *kind != EventKind::Other).map(EventKind::name);
                return Err(self.wrong(&format!(
                    "is a list, and no kind that every job has{} (those are {}); a kind of your own is a table, [events.kinds.{}] with the list as in",
                    suggestion(self.name, usual()),
                    usual().collect::<Vec<_>>().join(", "),
                    self.name
                )));
            }
            RawKind::Values(values) => (Some(values.clone()), None),
            RawKind::Kind(table) => (table.values.clone(), Some(table)),
        };
        if values.as_ref().is_some_and(Vec::is_empty) {
            return Err(self
                .wrong(&format!("is an empty list; name at least one value of column {:?}, or leave the key out", self.column)));
        }
        let of_name = || if kind.is_own() { vec![self.name.to_owned()] } else { Vec::new() };
        Ok((kind, (values.unwrap_or_else(of_name), table)))
    }

    /// Where the values of the kind are.
    fn value_column(&self, table: &RawEventKind, amount_scale: u32) -> Result<Option<ValueColumn>> {
        let scale = table.scale.unwrap_or(amount_scale);
        match &table.value {
            None if table.cost_to_serve => {
                Err(self.wrong("has cost_to_serve and no value; name the column of costs, or remove cost_to_serve"))
            }
            None if table.satisfaction => {
                Err(self.wrong("has satisfaction and no value; name the column of scores, or remove satisfaction"))
            }
            None if table.scale.is_some() => {
                Err(self.wrong("has a scale and no value; name the column of values, or remove scale"))
            }
            None => Ok(None),
            Some(_) if scale > MOST_DIGITS => {
                Err(self.wrong(&format!("has scale {scale}; expected 0 to {MOST_DIGITS} digits behind the point")))
            }
            Some(_) if table.cost_to_serve && scale != amount_scale => Err(self.wrong(&format!(
                "has cost_to_serve and scale {scale}, and money has {amount_scale} digits behind the point (orders.amount_scale); remove scale"
            ))),
            Some(column) => Ok(Some(ValueColumn {
                column: column.clone(),
                scale: scale as u8,
                is_cost: table.cost_to_serve,
                is_satisfaction: table.satisfaction,
            })),
        }
    }
}
