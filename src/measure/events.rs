//! Events of customers: counts by kind, and rates, over the lookbacks of a job.
//!
//! Events lie in as many buckets as the orders, so that a bucket's events meet their customers there. As in
//! [`super::windows`], a window moves from date to date, and its counts with it.

use crate::bucket::{BucketStore, Field, RecordLayout, Records};
use crate::domain::{Basis, CustomerIds, Day, EventKind, MeasureKind, Period, StringIds};
use crate::error::Result;

use super::column::Column;
use super::panel::BucketPanel;
use super::spec::FoldSpec;
use super::table_matches::TableMatches;

/// The events of a job, by bucket of the orders.
#[derive(Debug)]
pub struct EventBuckets(pub BucketStore);

/// Events by kind.
type Counts = [i64; EventKind::ALL.len()];

/// Measures over windows with the same first days.
struct Window {
    /// First day per as-of date; ascending.
    starts: Vec<i32>,
    /// Places among the measures, with what they are.
    measures: Vec<(usize, MeasureKind)>,
}

impl EventBuckets {
    /// Measures the events of a bucket for the customers of its panel; `attributes` are the customers of the customers table, with
    /// whom those with orders, and their slices, are joined.
    ///
    /// # Errors
    /// Exit 7 if spilled events do not come back.
    pub(super) fn fold(
        &self,
        bucket: usize,
        panel: &mut BucketPanel,
        (attributes, with_orders): (Option<&CustomerIds>, Option<(CustomerIds, Vec<u32>)>),
        spec: &FoldSpec,
    ) -> Result<()> {
        let windows = windows(spec);
        if windows.is_empty() {
            return Ok(());
        }
        let customers = panel.ids.len();
        for (at, measure) in windows.iter().flat_map(|w| &w.measures) {
            panel.columns[*at] = Column::new(measure.unit(), spec.dates.len() * customers);
        }
        let mut records = Records::default();
        self.0.unpack(bucket, &mut records)?;
        let events = CustomerEvents::new(self.0.layout, &records);
        let positions = panel.positions_in(&events.ids);
        for window in &windows {
            for (customer, position) in positions.iter().enumerate() {
                if let Some(position) = position {
                    window.count(spec, events.of(*position), &mut panel.columns, (customer, customers));
                }
            }
        }
        panel.event_matches = match &with_orders {
            Some((ids, slices)) => {
                let slice = |customer: usize| slices.get(customer);
                TableMatches::of(&events.ids, ids, |customer| customer > 0 && slice(customer) != slice(customer - 1))
            }
            None => panel.matches(&events.ids),
        };
        panel.unmatched_events = events.unmatched(&positions, attributes);
        Ok(())
    }
}

impl EventBuckets {
    /// The events of a bucket by customer.
    ///
    /// # Errors
    /// Exit 7 if spilled events do not come back.
    pub fn customers(&self, bucket: usize) -> Result<CustomerEvents> {
        let mut records = Records::default();
        self.0.unpack(bucket, &mut records)?;
        Ok(CustomerEvents::new(self.0.layout, &records))
    }
}

/// The windows over events that a job looks at.
fn windows(spec: &FoldSpec) -> Vec<Window> {
    let mut windows: Vec<Window> = Vec::new();
    for (at, measure) in spec.measures.iter().enumerate().filter(|(_, m)| matches!(m.kind.basis(), Basis::Events(_))) {
        let lookback = measure.lookback.unwrap_or(spec.lookback);
        let starts = spec.starts(lookback);
        match windows.iter_mut().find(|w| w.starts == starts) {
            Some(window) => window.measures.push((at, measure.kind)),
            None => windows.push(Window { starts, measures: vec![(at, measure.kind)] }),
        }
    }
    windows
}

impl Window {
    /// Counts the events of a customer at every date; `events` ascend by date.
    fn count(&self, spec: &FoldSpec, events: &[(i32, u8)], columns: &mut [Column], (customer, customers): (usize, usize)) {
        let (mut coming, mut going) = (events.iter().peekable(), events.iter().peekable());
        let mut counts = Counts::default();
        for (at, (date, start)) in spec.dates.iter().zip(&self.starts).enumerate() {
            while let Some((_, kind)) = coming.next_if(|e| e.0 <= date.date.0) {
                counts[usize::from(*kind)] += 1;
            }
            while let Some((_, kind)) = going.next_if(|e| e.0 < *start) {
                counts[usize::from(*kind)] -= 1;
            }
            let cell = at * customers + customer;
            for (position, measure) in &self.measures {
                match &mut columns[*position] {
                    Column::Long(out) => out[cell] = count(*measure, &counts).0,
                    Column::Ratio(out) => out[cell] = count(*measure, &counts),
                    Column::Int(_) | Column::Double(_) => {}
                }
            }
        }
    }
}

/// The number of events that a measure counts, or the numerator and denominator of a rate.
fn count(measure: MeasureKind, counts: &Counts) -> (i64, i64) {
    match measure.basis() {
        Basis::Events([kind]) => (counts[*kind as usize], 1),
        Basis::Events([kind, of]) => (counts[*kind as usize], counts[*of as usize]),
        _ => (counts.iter().sum(), 1),
    }
}

/// The events of a bucket by customer.
#[derive(Debug)]
pub struct CustomerEvents {
    /// Customers with events, ascending.
    pub ids: CustomerIds,
    /// The events of customer `c` are those from `starts[c]` to `starts[c + 1]`.
    starts: Vec<usize>,
    /// Dates and kinds, by customer and date.
    events: Vec<(i32, u8)>,
}

impl CustomerEvents {
    fn new(layout: RecordLayout, records: &Records) -> CustomerEvents {
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
        let mut order: Vec<usize> = (0..records.len()).collect();
        order.sort_unstable_by(|a, b| all.compare(*a, *b).then_with(|| dates[*a].cmp(&dates[*b])));
        let (mut ids, mut starts, mut end) = (all.none(), vec![0], 0);
        for events in order.chunk_by(|a, b| all.compare(*a, *b).is_eq()) {
            events.iter().take(1).for_each(|first| ids.push_from(&all, *first));
            end += events.len();
            starts.push(end);
        }
        let kinds = records.column(Field::Kind);
        let events = order.iter().map(|at| (dates[*at] as i32, kinds[*at] as u8)).collect();
        CustomerEvents { ids, starts, events }
    }

    /// How many events of a kind a customer has from one day to before another; of [`EventKind::Other`] of all kinds.
    pub fn count(&self, customer: usize, kind: EventKind, days: Period) -> i64 {
        let events = self.of(customer);
        let before = |day: Day| events.partition_point(|(date, _)| *date < day.0);
        let (start, end) = (before(days.start), before(days.end));
        let of_window = events.get(start..end).unwrap_or_default().iter();
        of_window.filter(|(_, own)| kind == EventKind::Other || usize::from(*own) == kind as usize).count() as i64
    }

    fn of(&self, customer: usize) -> &[(i32, u8)] {
        &self.events[self.starts[customer]..self.starts[customer + 1]]
    }

    /// How many events are of nobody in the panel or on the attributes.
    fn unmatched(&self, positions: &[Option<usize>], attributes: Option<&CustomerIds>) -> u64 {
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
