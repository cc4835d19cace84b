//! Values that every layer shares: dates, money, exact numbers, customer ids, outcomes. Pure, no I/O.

mod basis;
mod compact_ints;
mod counting_sort;
mod date;
mod event;
mod first_purchase;
mod horizons;
mod ids;
mod interned;
mod measure;
pub mod message;
mod name;
mod number;
mod orders_warning;
mod period;
mod scheme_warning;
mod side_table;
pub(crate) mod split_mix;
mod strategy;
mod unit;
mod warning;
#[cfg(test)]
mod warning_examples;
mod warning_messages;
mod warning_text;

pub use basis::{Basis, OrderSum, OrderWindow};
pub use compact_ints::{CompactInts, NarrowInt};
pub use counting_sort::counting_sort;
pub use date::{AsOf, DateRole, Day, Lookback, MeasuredPeriod, WindowStart};
pub use event::{EventKind, EventKinds, EventMeasure, EventStatistic};
pub use first_purchase::FirstPurchase;
pub use horizons::{Horizon, Horizons, LONGEST_HORIZON};
pub use ids::{CustomerId, CustomerIdRef, CustomerIds, IdType, StringIds};
pub use measure::{AttributeColumn, Catalogue, FORMER_NAME, Measure, MeasureKind};
pub use name::{ALL, folded, look_alike, plain_spelling, scheme_of};
pub use number::{Decimal, Ratio, divide_half_even, ends, format_money, pow10};
pub use orders_warning::OrdersWarning;
pub use period::Period;
pub use scheme_warning::SchemeWarning;
pub use side_table::SideTable;
pub use split_mix::SplitMix;
pub use strategy::{Design, EffectMethod, MOST_GROUPS, Outcome, STRATUM};
pub use unit::Unit;
pub use warning::{Overlapping, StrategyWarning, UnknownDays, Warning};
pub use warning_text::{BETWEEN_PARTS, EMPTY_LIST, PARTS, WARNINGS};
