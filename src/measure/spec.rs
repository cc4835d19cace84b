//! What a fold measures, and when.

use super::column::Column;
use super::formula::Counting;
use crate::domain::{AsOf, Basis, Day, FirstPurchase, Lookback, Measure, MeasureKind, Unit};

/// What to measure, and when.
#[derive(Debug, Clone)]
pub struct FoldSpec {
    /// As-of dates, ascending.
    pub dates: Vec<AsOf>,
    /// Measures, each once; columns of the panel in this order.
    pub measures: Vec<Measure>,
    /// The job's lookback.
    pub lookback: Lookback,
    /// Whether returns lower the money.
    pub net: bool,
    /// Whether frequency counts days with a purchase instead of purchases.
    pub count_days: bool,
    /// Whether monetary is the mean per purchase.
    pub monetary_average: bool,
    /// Whether only customers with a purchase in the lookback are listed.
    pub only_lookback: bool,
    /// Whether records are lines that `Order` lanes join to orders.
    pub lines: bool,
    /// Whether orders of zero that are not returns are dropped (with lines; without, the scan has done it).
    pub drop_zero: bool,
    /// Whether the customers table or the events join the panel.
    pub with_customer_data: bool,
    /// Last days of the intervals whose activity is listed, ascending.
    pub interval_ends: Vec<Day>,
    /// Whether the panel keeps every customer's orders, for outcomes that begin on different days per customer.
    pub histories: bool,
    /// Days up to which it is told what customers have bought, for a forecast; ascending, and none without one.
    pub history_days: Vec<Day>,
    /// Those of them that the second pass needs.
    pub kept_history_days: Vec<Day>,
    /// Whether the records may have orders after the last date, which are skipped.
    pub is_window: bool,
    /// Whether the panel counts customers by pair of categories.
    pub affinity: bool,
    /// Properties of the first purchase by which cohorts are told apart.
    pub first_purchase: Vec<FirstPurchase>,
}

impl FoldSpec {
    /// These measures of all history, gross, and nothing else.
    #[cfg(test)]
    pub(super) fn plain(dates: Vec<AsOf>, measures: Vec<Measure>) -> FoldSpec {
        FoldSpec {
            dates,
            measures,
            lookback: Lookback::All,
            net: false,
            count_days: false,
            monetary_average: false,
            only_lookback: false,
            lines: false,
            drop_zero: false,
            with_customer_data: false,
            interval_ends: Vec::new(),
            histories: false,
            history_days: Vec::new(),
            kept_history_days: Vec::new(),
            is_window: false,
            affinity: false,
            first_purchase: Vec::new(),
        }
    }

    /// The unit of a measure in this job.
    pub fn unit(&self, measure: Measure) -> Unit {
        match measure.kind {
            MeasureKind::Monetary if self.monetary_average => Unit::Average,
            kind => kind.unit(),
        }
    }

    /// The last as-of date.
    pub fn last(&self) -> Day {
        self.dates.last().map_or(Day::MIN, |d| d.date)
    }

    /// The first day any window over orders reaches at the date, or `None` if all of them look at all history.
    pub fn earliest_window(&self, date: Day) -> Option<Day> {
        let windows = self
            .measures
            .iter()
            .filter(|m| m.kind.basis().has_lookback() && !m.kind.basis().is_of_events())
            .map(|m| m.lookback.unwrap_or(self.lookback));
        windows.chain([self.lookback]).filter_map(|l| l.start(date)).min()
    }

    /// The first day of a lookback at every date; the least there is without one.
    pub(super) fn starts(&self, lookback: Lookback) -> Vec<i32> {
        self.dates.iter().map(|d| lookback.start(d.date).map_or(i32::MIN, |start| start.0)).collect()
    }

    pub(super) fn counting(&self) -> Counting {
        Counting { days: self.count_days, average: self.monetary_average }
    }

    /// Empty columns for a number of customers.
    pub(super) fn columns(&self, customers: usize) -> Vec<Column> {
        self.measures.iter().map(|m| Column::new(self.unit(*m), self.dates.len() * customers)).collect()
    }

    /// The same fold without measures, for what does not depend on dates: customers, intervals and histories.
    pub fn without_dates(&self) -> FoldSpec {
        let dates = self.dates.last().copied().into_iter().collect();
        FoldSpec { measures: Vec::new(), dates, affinity: false, ..self.clone() }
    }

    /// The same fold for some of the dates, without what does not depend on dates.
    pub fn only_dates(&self, dates: std::ops::Range<usize>) -> FoldSpec {
        let dates = self.dates.get(dates).unwrap_or_default().to_vec();
        FoldSpec {
            dates,
            interval_ends: Vec::new(),
            histories: false,
            history_days: Vec::new(),
            kept_history_days: Vec::new(),
            first_purchase: Vec::new(),
            is_window: true,
            ..self.clone()
        }
    }

    /// The same fold for some of the measures, without intervals, histories, and customers without orders.
    pub fn only(&self, measures: Vec<Measure>) -> FoldSpec {
        let with_customer_data = measures.iter().any(|m| m.kind.basis() == Basis::Attribute || m.kind.basis().is_of_events());
        FoldSpec {
            measures,
            interval_ends: Vec::new(),
            histories: false,
            affinity: false,
            first_purchase: Vec::new(),
            with_customer_data,
            ..self.clone()
        }
    }
}
