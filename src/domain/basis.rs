//! What measures are computed from. The fold, the columns of the orders to read, and the checks of a job derive from it.

use super::{EventKind, EventMeasure};

/// A sum over the orders of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum OrderSum {
    /// Purchases.
    Purchases = 0,
    /// Days with a purchase.
    OrderDays = 1,
    /// What the job counts as frequency: purchases, or days with a purchase.
    Frequency = 2,
    /// Returns.
    Returns = 3,
    /// Purchases with a discount.
    Discounted = 4,
    /// Money, net of returns unless the job is gross.
    Money = 5,
    /// Cost of the orders whose money counts.
    Cost = 6,
    /// Orders whose money counts and whose cost is not known.
    CostMissing = 7,
}

impl OrderSum {
    /// Number of sums.
    pub const COUNT: usize = 8;
}

/// The orders that a measure sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderWindow {
    /// All orders up to the as-of date.
    Life,
    /// The orders of the measure's lookback, or of the job's.
    Lookback,
    /// The younger and the older half of the lookback.
    LookbackHalves,
    /// The period that ends with the as-of date.
    Period,
    /// The period before.
    PreviousPeriod,
    /// All orders before the period.
    BeforePeriod,
    /// The 365 days that end with the last purchase, and the returns since.
    YearToLastPurchase,
}

impl OrderWindow {
    /// Whether it exists only at as-of dates with a period.
    pub fn needs_period(self) -> bool {
        matches!(self, OrderWindow::Period | OrderWindow::PreviousPeriod | OrderWindow::BeforePeriod)
    }
}

/// What a measure is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The first and last purchase, and these sums over the orders of a window.
    Orders(OrderWindow, &'static [OrderSum]),
    /// The categories of the purchased lines in the lookback.
    Categories,
    /// The events of a kind in the lookback, over those of another if it is a rate; all events if no kind is named.
    Events(&'static [EventKind]),
    /// The events of a kind of the job in the lookback, or their values.
    OfKind(EventMeasure),
    /// The values of the events in the lookback whose kinds are costs to serve.
    CostToServe,
    /// A column of the customers table.
    Attribute,
    /// The model of a forecast over a horizon, and what it knows of the customer.
    Forecast,
    /// The same up to the next purchase, whenever that is.
    NextPurchase,
}

impl Basis {
    /// Whether it depends on a lookback.
    pub fn has_lookback(self) -> bool {
        match self {
            Basis::Orders(window, _) => matches!(window, OrderWindow::Lookback | OrderWindow::LookbackHalves),
            Basis::Categories | Basis::Events(_) | Basis::OfKind(_) | Basis::CostToServe => true,
            Basis::Attribute | Basis::Forecast | Basis::NextPurchase => false,
        }
    }

    /// Whether it looks ahead over a horizon.
    pub fn has_horizon(self) -> bool {
        self == Basis::Forecast
    }

    /// Whether a model tells it, from what customers had bought up to the day.
    pub fn looks_ahead(self) -> bool {
        matches!(self, Basis::Forecast | Basis::NextPurchase)
    }

    /// Whether it is computed from events.
    pub fn is_of_events(self) -> bool {
        matches!(self, Basis::Events(_) | Basis::OfKind(_) | Basis::CostToServe)
    }

    /// Whether events of a kind, and not of all kinds, count in it.
    pub fn looks_at(self, kind: EventKind) -> bool {
        match self {
            Basis::Events(kinds) => kinds.contains(&kind),
            Basis::OfKind(measure) => measure.kind == kind,
            Basis::Orders(..)
            | Basis::Categories
            | Basis::CostToServe
            | Basis::Attribute
            | Basis::Forecast
            | Basis::NextPurchase => false,
        }
    }

    /// Whether it needs no sums but purchases and money, over a window that ends with the as-of date or the last purchase.
    pub fn is_of_purchases_and_money(self) -> bool {
        use OrderSum::{Frequency, Money, Purchases};
        use OrderWindow::{Life, Lookback, YearToLastPurchase};
        match self {
            Basis::Orders(Life | Lookback | YearToLastPurchase, sums) => {
                sums.iter().all(|sum| matches!(sum, Purchases | Frequency | Money))
            }
            _ => false,
        }
    }

    /// Whether it needs a sum over orders.
    pub fn has_sum(self, sum: OrderSum) -> bool {
        matches!(self, Basis::Orders(_, sums) if sums.contains(&sum))
    }
}
