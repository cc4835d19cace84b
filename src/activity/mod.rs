//! What customers did over time: their orders, and purchases, money and cost summed over days.
//!
//! [`OrderHistories`] keeps the orders of a bucket's customers. Two indexes answer how much a customer did in a window of
//! days: [`CumulativeActivity`] for a batch of customers and any windows between [`BoundaryDays`], and
//! [`IntervalActivities`], a list of the customers who were active in one interval.

mod boundaries;
mod cumulative;
mod history;
mod intervals;

pub use boundaries::BoundaryDays;
pub use cumulative::{ActivitySlices, CumulativeActivity, WindowActivity, running_rows};
pub use history::{Activity, Order, OrderHistories, OrderHistory, OrderKind};
pub use intervals::{IntervalActivities, IntervalActivity};
