//! Other strategies that treat one arm rather than another.

use super::FAILED;
use crate::error::Result;
use crate::evaluate::arm_sums::{PeriodSums, Quantity, Since, TOTAL};
use crate::evaluate::reason::{NotEstimable, Remark};
use crate::evaluate::sentence::{PValue, Rounded};
use crate::stats::{Y, chi_square_homogeneity};

/// Treatments that began first matter if the arms' shares differ by more than this.
const LARGEST_GAP: f64 = 0.1;

/// The shares of two arms that another strategy treats.
struct Difference<'a> {
    strategy: &'a str,
    arm: &'a str,
    /// Of the arm, and of the control.
    shares: [f64; 2],
    p: f64,
}

impl Difference<'_> {
    fn gap(&self) -> f64 {
        (self.shares[0] - self.shares[1]).abs()
    }

    fn percent(&self) -> [Rounded; 2] {
        self.shares.map(|share| Rounded::new(share * 100.0, 1))
    }
}

/// The largest difference that fails the check.
fn largest<'a>(during: &PeriodSums<'a>, control: &str, treated: &[&'a str], since: Since) -> Result<Option<Difference<'a>>> {
    let mut largest: Option<Difference<'a>> = None;
    for quantity in during.quantities() {
        let Quantity::TreatedElsewhere { strategy, since: found } = quantity else { continue };
        if *found != since {
            continue;
        }
        let counts = |arm: &str| -> Result<(i64, i64)> {
            let sums = during.arm(TOTAL, quantity, arm)?;
            Ok((i64::try_from(sums.sum[Y]).unwrap_or(i64::MAX), sums.n))
        };
        for arm in treated {
            let groups = [counts(arm)?, counts(control)?];
            let Some(p) = chi_square_homogeneity(&groups).filter(|p| *p < FAILED) else { continue };
            let difference = Difference { strategy, arm, shares: groups.map(|(with, all)| with as f64 / all as f64), p };
            if largest.as_ref().is_none_or(|known| difference.gap() > known.gap()) {
                largest = Some(difference);
            }
        }
    }
    Ok(largest)
}

/// Why arms are not comparable of which another strategy had treated unlike shares before.
///
/// # Errors
/// Exit 3 if sums of cells leave 128 bits.
pub fn treated_before(during: &PeriodSums<'_>, control: &str, treated: &[&str]) -> Result<Option<NotEstimable>> {
    let found = largest(during, control, treated, Since::Before)?.filter(|difference| difference.gap() > LARGEST_GAP);
    Ok(found.map(|difference| {
        let [share, of_control] = difference.percent();
        NotEstimable::TreatedBefore {
            strategy: difference.strategy.into(),
            share,
            arm: difference.arm.into(),
            of_control,
            control: control.into(),
            p: PValue(difference.p),
        }
    }))
}

/// What an effect includes because another strategy treated unlike shares of the arms afterwards.
///
/// # Errors
/// Exit 3 if sums of cells leave 128 bits.
pub fn treated_after(during: &PeriodSums<'_>, control: &str, treated: &[&str]) -> Result<Option<Remark>> {
    Ok(largest(during, control, treated, Since::After)?.map(|difference| {
        let [share, of_control] = difference.percent();
        Remark::TreatedAfter {
            strategy: difference.strategy.into(),
            share,
            arm: difference.arm.into(),
            of_control,
            control: control.into(),
        }
    }))
}
