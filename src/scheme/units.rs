//! What numbers a measure's integers stand for.

use crate::domain::{Basis, MeasureKind, Unit};

/// Decimal digits of a measure's integers, for a job with this money scale.
pub fn unit_scale(unit: Unit, money_scale: u32) -> u32 {
    match unit {
        Unit::Money => money_scale,
        Unit::Average => money_scale + 2,
        Unit::Decimal(_, scale) => u32::from(scale),
        Unit::Date | Unit::Days | Unit::Count | Unit::Ratio | Unit::Text | Unit::Double => 0,
    }
}

/// The smallest value a measure can have, if there is one.
pub(super) fn lowest_value(kind: MeasureKind) -> Option<i64> {
    match kind.unit() {
        _ if kind.basis() == Basis::Attribute => None,
        Unit::Days => Some(0),
        Unit::Count => Some(i64::from(kind == MeasureKind::LifetimeOrders)),
        Unit::Ratio if kind != MeasureKind::MonetaryTrend => Some(0),
        _ => None,
    }
}
