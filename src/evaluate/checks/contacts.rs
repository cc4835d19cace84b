//! Who was contacted, which is not who was assigned.

use crate::error::Result;
use crate::evaluate::arm_sums::{PeriodSums, Quantity, TOTAL};
use crate::evaluate::reason::Remark;
use crate::stats::Y;

/// What assignments say of contacts that contradicts the arms: contacted controls, and treated customers without a contact.
///
/// # Errors
/// Exit 3 if sums of cells leave 128 bits.
pub fn stray_contacts(during: &PeriodSums<'_>, control: Option<&str>, treated: &[&str]) -> Result<Vec<Remark>> {
    let mut remarks = Vec::new();
    let counts = |arm: &str| -> Result<(i64, i64)> {
        let sums = during.arm(TOTAL, &Quantity::Contacted, arm)?;
        Ok((i64::try_from(sums.sum[Y]).unwrap_or(i64::MAX), sums.n))
    };
    if let Some(control) = control {
        let (contacted, customers) = counts(control)?;
        if contacted > 0 {
            remarks.push(Remark::ContactedControls { contacted, customers, arm: control.into() });
        }
    }
    for arm in treated {
        let (contacted, customers) = counts(arm)?;
        if contacted < customers {
            remarks.push(Remark::WithoutContact { customers, without: customers - contacted, arm: (*arm).into() });
        }
    }
    Ok(remarks)
}
