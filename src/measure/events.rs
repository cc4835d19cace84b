//! Events of customers: counts by kind, rates, and what their values say, over the lookbacks of a job.
//!
//! Events lie in as many buckets as the orders, so that a bucket's events meet their customers there. As in
//! [`super::windows`], a window moves from date to date, and its sums with it.

use crate::bucket::{BucketStore, Records};
use crate::domain::{Basis, CustomerIds, Day, EventKinds, EventMeasure, EventStatistic, MeasureKind, Unit, divide_half_even};
use crate::error::{Error, Result};

use super::column::{Column, NULL_LONG};
use super::customer_events::{CustomerEvents, Event};
use super::formula::MONEY_LIMIT;
use super::panel::BucketPanel;
use super::spec::FoldSpec;
use super::table_matches::TableMatches;

/// The events of a job, by bucket of the orders.
#[derive(Debug)]
pub struct EventBuckets {
    /// The records.
    pub store: BucketStore,
    /// The kinds, which number them.
    pub kinds: EventKinds,
}

/// The events of a kind in a window.
#[derive(Debug, Clone, Copy, Default)]
struct KindSums {
    count: i64,
    /// How many of them have a value.
    valued: i64,
    sum: i128,
    /// Date and value of the last that has one, up to the end of the window.
    last: Option<(i32, i64)>,
}

/// Measures over windows with the same first days.
struct Window {
    /// First day per as-of date; ascending.
    starts: Vec<i32>,
    /// Places among the measures, with what they are.
    measures: Vec<(usize, EventFormula)>,
}

/// What a measure takes from the sums of the kinds with these numbers.
#[derive(Debug, Clone, Copy)]
enum EventFormula {
    All,
    Count(usize),
    Rate(usize, usize),
    OfValues(usize, EventMeasure),
    CostToServe,
}

impl EventBuckets {
    /// Measures the events of a bucket for the customers of its panel; `attributes` are the customers of the customers table, with
    /// whom those with orders, and their slices, are joined.
    ///
    /// # Errors
    /// Exit 3 if a sum of values is too large; exit 7 if spilled events do not come back.
    pub(super) fn fold(
        &self,
        bucket: usize,
        panel: &mut BucketPanel,
        (attributes, with_orders): (Option<&CustomerIds>, Option<(CustomerIds, Vec<u32>)>),
        spec: &FoldSpec,
    ) -> Result<()> {
        let windows = windows(spec, &self.kinds);
        if windows.is_empty() {
            return Ok(());
        }
        let customers = panel.ids.len();
        for (at, measure) in windows.iter().flat_map(|w| &w.measures) {
            panel.columns[*at] = measure.empty(spec.dates.len() * customers);
        }
        let mut records = Records::default();
        self.store.unpack(bucket, &mut records)?;
        let events = CustomerEvents::new(self.store.layout, self.kinds.clone(), &records);
        let positions = panel.positions_in(&events.ids);
        let costs: Vec<usize> = self.kinds.costs().map(|kind| self.kinds.number(kind)).collect();
        let mut sums = vec![KindSums::default(); self.kinds.count()];
        for window in &windows {
            for (customer, position) in positions.iter().enumerate() {
                if let Some(position) = position {
                    sums.fill(KindSums::default());
                    let sums = (&mut sums[..], &costs[..]);
                    window.measure(spec, events.of(*position), sums, &mut panel.columns, (customer, customers))?;
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
        self.store.unpack(bucket, &mut records)?;
        Ok(CustomerEvents::new(self.store.layout, self.kinds.clone(), &records))
    }
}

/// The windows over events that a job looks at.
fn windows(spec: &FoldSpec, kinds: &EventKinds) -> Vec<Window> {
    let mut windows: Vec<Window> = Vec::new();
    for (at, measure) in spec.measures.iter().enumerate() {
        let Some(formula) = EventFormula::of(measure.kind, kinds) else { continue };
        let lookback = measure.lookback.unwrap_or(spec.lookback);
        let starts = spec.starts(lookback);
        match windows.iter_mut().find(|w| w.starts == starts) {
            Some(window) => window.measures.push((at, formula)),
            None => windows.push(Window { starts, measures: vec![(at, formula)] }),
        }
    }
    windows
}

impl Window {
    /// Measures the events of a customer at every date; `events` ascend by date. `sums` are those of no event, and `costs` the numbers
    /// of the kinds that are costs to serve.
    fn measure(
        &self,
        spec: &FoldSpec,
        events: &[Event],
        (sums, costs): (&mut [KindSums], &[usize]),
        columns: &mut [Column],
        (customer, customers): (usize, usize),
    ) -> Result<()> {
        let (mut coming, mut going) = (events.iter().peekable(), events.iter().peekable());
        for (at, (date, start)) in spec.dates.iter().zip(&self.starts).enumerate() {
            while let Some(event) = coming.next_if(|event| event.date <= date.date.0) {
                sums[usize::from(event.kind)].add(event);
            }
            while let Some(event) = going.next_if(|event| event.date < *start) {
                sums[usize::from(event.kind)].remove(event);
            }
            let cell = at * customers + customer;
            for (position, formula) in &self.measures {
                match &mut columns[*position] {
                    Column::Long(out) => out[cell] = formula.integer((&*sums, costs), *start, date.date)?,
                    Column::Ratio(out) => out[cell] = formula.ratio(sums),
                    Column::Int(_) | Column::Double(_) => {}
                }
            }
        }
        Ok(())
    }
}

impl KindSums {
    fn add(&mut self, event: &Event) {
        self.count += 1;
        if event.value != NULL_LONG {
            self.valued += 1;
            self.sum += i128::from(event.value);
            self.last = Some((event.date, event.value));
        }
    }

    /// Takes away the event that was added first. The last one stays, and is not in the window if its date is not.
    fn remove(&mut self, event: &Event) {
        self.count -= 1;
        if event.value != NULL_LONG {
            self.valued -= 1;
            self.sum -= i128::from(event.value);
        }
    }
}

impl EventFormula {
    /// That of a measure; none if it is not of events.
    fn of(measure: MeasureKind, kinds: &EventKinds) -> Option<EventFormula> {
        match measure.basis() {
            Basis::Events([]) => Some(EventFormula::All),
            Basis::Events([kind]) => Some(EventFormula::Count(kinds.number(*kind))),
            Basis::Events([kind, of, ..]) => Some(EventFormula::Rate(kinds.number(*kind), kinds.number(*of))),
            Basis::OfKind(of) => Some(match of.statistic {
                EventStatistic::Count => EventFormula::Count(kinds.number(of.kind)),
                _ => EventFormula::OfValues(kinds.number(of.kind), of),
            }),
            Basis::CostToServe => Some(EventFormula::CostToServe),
            Basis::Orders(..) | Basis::Categories | Basis::Attribute | Basis::Forecast | Basis::NextPurchase => None,
        }
    }

    /// A column of what customers without events have.
    fn empty(self, len: usize) -> Column {
        match self {
            EventFormula::All | EventFormula::Count(_) => Column::new(Unit::Count, len),
            EventFormula::CostToServe => Column::new(Unit::Money, len),
            EventFormula::Rate(..) => Column::new(Unit::Ratio, len),
            EventFormula::OfValues(_, of) if of.statistic == EventStatistic::Sum => Column::new(of.unit(), len),
            EventFormula::OfValues(..) => Column::Long(vec![NULL_LONG; len]),
        }
    }

    /// The numerator and denominator of a rate.
    fn ratio(self, sums: &[KindSums]) -> (i64, i64) {
        match self {
            EventFormula::Rate(kind, of) => (sums[kind].count, sums[of].count),
            _ => (0, 0),
        }
    }

    /// A number of events, or what their values say, in a window from `start` to a date.
    fn integer(self, (sums, costs): (&[KindSums], &[usize]), start: i32, date: Day) -> Result<i64> {
        let (kind, measure) = match self {
            EventFormula::All => return Ok(sums.iter().map(|kind| kind.count).sum()),
            EventFormula::Count(kind) => return Ok(sums[kind].count),
            EventFormula::OfValues(kind, measure) => (&sums[kind], measure),
            EventFormula::CostToServe => {
                let cost: i128 = costs.iter().map(|kind| sums[*kind].sum).sum();
                return if cost.abs() < MONEY_LIMIT {
                    Ok(cost as i64)
                } else {
                    Err(too_large(MeasureKind::CostToServe.name(), "orders.amount_scale", date))
                };
            }
            EventFormula::Rate(..) => return Ok(NULL_LONG),
        };
        let value = match measure.statistic {
            EventStatistic::Count => Some(i128::from(kind.count)),
            EventStatistic::Sum => Some(kind.sum),
            EventStatistic::Last => kind.last.filter(|(date, _)| *date >= start).map(|(_, value)| i128::from(value)),
            EventStatistic::Mean if kind.valued == 0 => None,
            EventStatistic::Mean => Some(divide_half_even(kind.sum.saturating_mul(100), i128::from(kind.valued))),
        };
        match value {
            None => Ok(NULL_LONG),
            Some(value) if value.abs() < MONEY_LIMIT => Ok(value as i64),
            Some(_) => Err(too_large(measure.name(), &format!("events.kinds.{}.scale", measure.kind.name()), date)),
        }
    }
}

#[cold]
fn too_large(measure: &str, scale: &str, date: Day) -> Error {
    Error::contract(format!(
        "{measure} of a customer at {date} overflows the 18 digits that the tables hold; lower {scale}, or look for a wrong value"
    ))
}
