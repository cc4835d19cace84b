//! The events of a bucket by customer.

use crate::bucket::{Field, RecordLayout, Records, flag};
use crate::domain::{CustomerIds, Day, EventKind, EventKinds, Period, StringIds};

use super::column::NULL_LONG;

/// The events of a bucket by customer.
#[derive(Debug)]
pub struct CustomerEvents {
    /// Customers with events, ascending.
    pub ids: CustomerIds,
    /// The kinds, which number them.
    kinds: EventKinds,
    /// The events of customer `c` are those from `starts[c]` to `starts[c + 1]`.
    starts: Vec<usize>,
    /// By customer and date, and if they have values, then by time and value.
    events: Vec<Event>,
}

/// An event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    pub date: i32,
    /// The number of its kind.
    pub kind: u8,
    /// Its value, if that is read and there; else [`NULL_LONG`].
    pub value: i64,
}

impl CustomerEvents {
    pub(super) fn new(layout: RecordLayout, kinds: EventKinds, records: &Records) -> CustomerEvents {
        let customers = records.column(Field::Customer);
        let all = if layout.text_ids {
            let mut ids = StringIds::default();
            let mut rest = records.text();
            for length in customers {
                let (id, after) = rest.split_at(*length as usize);
                ids.push(id);
                rest = after;
            }
            CustomerIds::Text(ids)
        } else {
            CustomerIds::Int(customers.to_vec())
        };
        let dates = records.column(Field::Date);
        let [amounts, flags, times] = [Field::Amount, Field::Flags, Field::Time].map(|field| records.column(field));
        let value = |at: usize| match flags.get(at) {
            Some(flags) if flags & flag::VALUE != 0 => amounts[at],
            _ => NULL_LONG,
        };
        // Among equal times the largest value comes last, whatever the order of files.
        let within_day = |at: usize| (times.get(at), value(at));
        let mut order: Vec<usize> = (0..records.len()).collect();
        order.sort_unstable_by(|a, b| {
            let by_date = all.compare(*a, *b).then_with(|| dates[*a].cmp(&dates[*b]));
            by_date.then_with(|| within_day(*a).cmp(&within_day(*b)))
        });
        let (mut ids, mut starts, mut end) = (all.none(), vec![0], 0);
        for events in order.chunk_by(|a, b| all.compare(*a, *b).is_eq()) {
            events.iter().take(1).for_each(|first| ids.push_from(&all, *first));
            end += events.len();
            starts.push(end);
        }
        let numbers = records.column(Field::Kind);
        let event = |at: &usize| Event { date: dates[*at] as i32, kind: numbers[*at] as u8, value: value(*at) };
        CustomerEvents { ids, kinds, starts, events: order.iter().map(event).collect() }
    }

    /// How many events of a kind a customer has from one day to before another; of [`EventKind::Other`] of all kinds.
    pub fn count(&self, customer: usize, kind: EventKind, days: Period) -> i64 {
        self.in_days(customer, kind, days).count() as i64
    }

    /// What the values of a customer's events of a kind add up to, from one day to before another.
    pub fn sum(&self, customer: usize, kind: EventKind, days: Period) -> i128 {
        let values = self.in_days(customer, kind, days).map(|event| event.value);
        values.filter(|value| *value != NULL_LONG).map(i128::from).sum()
    }

    fn in_days(&self, customer: usize, kind: EventKind, days: Period) -> impl Iterator<Item = &Event> {
        let events = self.of(customer);
        let before = |day: Day| events.partition_point(|event| event.date < day.0);
        let (start, end) = (before(days.start), before(days.end));
        let (number, of_window) = (self.kinds.number(kind), events.get(start..end).unwrap_or_default().iter());
        of_window.filter(move |event| kind == EventKind::Other || usize::from(event.kind) == number)
    }

    /// The events of a customer.
    pub(super) fn of(&self, customer: usize) -> &[Event] {
        &self.events[self.starts[customer]..self.starts[customer + 1]]
    }

    /// How many events are of nobody in the panel or on the attributes.
    pub(super) fn unmatched(&self, positions: &[Option<usize>], attributes: Option<&CustomerIds>) -> u64 {
        let mut known = vec![false; self.ids.len()];
        positions.iter().flatten().for_each(|position| known[*position] = true);
        if let Some(attributes) = attributes {
            let mut at = 0;
            for (customer, known) in known.iter_mut().enumerate() {
                while at < attributes.len() && attributes.compare_with(at, &self.ids, customer).is_lt() {
                    at += 1;
                }
                *known |= at < attributes.len() && attributes.compare_with(at, &self.ids, customer).is_eq();
            }
        }
        let unknown = known.iter().enumerate().filter(|(_, known)| !**known);
        unknown.map(|(customer, _)| self.of(customer).len() as u64).sum()
    }
}
