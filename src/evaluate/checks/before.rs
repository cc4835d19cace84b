//! What the arms did in the baseline, when nobody was treated.

use super::FAILED;
use crate::domain::{MeasureKind, Outcome};
use crate::error::Result;
use crate::evaluate::arm_sums::{CellSums, PeriodSums, Quantity, TOTAL};
use crate::evaluate::reason::NotEstimable;
use crate::evaluate::sentence::{PValue, Rounded};
use crate::evaluate::settings::StrategySettings;
use crate::stats::{Sums, X, Y, normal_sf};

/// Two arms in the baseline, within strata.
struct Before {
    /// Of the arm and the control, strata weighted by n_T·n_C/(n_T + n_C).
    means: [f64; 2],
    p: f64,
}

/// Why arms are not comparable that differed when nobody was treated: in the revenue or the share of buyers of the baseline, or, if
/// no customer may have been treated earlier, in the measures of the day before the period.
///
/// # Errors
/// Exit 3 if sums of cells leave 128 bits.
pub fn unlike_before(
    strategy: &StrategySettings,
    during: &PeriodSums<'_>,
    (control, treated): (&str, &[&str]),
    is_first: bool,
) -> Result<Option<NotEstimable>> {
    for outcome in [Outcome::Revenue, Outcome::Converted] {
        let scale = outcome.scales(strategy.money_scale)[X];
        let quantity = Quantity::Outcome(outcome.clone());
        if let Some((arm, Before { means, p })) = failing(during, control, treated, &quantity, (X, scale))? {
            let [treated, control_mean] = means.map(Rounded::short);
            return Ok(Some(NotEstimable::UnlikeBefore {
                outcome,
                treated,
                arm: arm.into(),
                control_mean,
                control: control.into(),
                p: PValue(p),
            }));
        }
    }
    // Money before counts.
    for quantity in during.covariates().into_iter().rev().filter(|_| is_first) {
        let Quantity::Covariate { name, scale } = quantity else { continue };
        // The days since the last order are unknown without one, which the others are not.
        if name == MeasureKind::RecencyDays.name() {
            continue;
        }
        if let Some((arm, Before { means, p })) = failing(during, control, treated, quantity, (Y, *scale))? {
            let [treated, control_mean] = means.map(Rounded::short);
            return Ok(Some(NotEstimable::UnlikeMeasure {
                measure: name.as_str().into(),
                treated,
                arm: arm.into(),
                control_mean,
                control: control.into(),
                p: PValue(p),
            }));
        }
    }
    Ok(None)
}

/// The first treated arm that differs from the control in a number with this many digits.
fn failing<'a>(
    during: &PeriodSums<'_>,
    control: &str,
    treated: &[&'a str],
    quantity: &Quantity,
    number: (usize, u32),
) -> Result<Option<(&'a str, Before)>> {
    let Some(table) = during.table(TOTAL, quantity) else { return Ok(None) };
    for arm in treated {
        if let Some(before) = before(table, arm, control, number)?.filter(|before| before.p < FAILED) {
            return Ok(Some((arm, before)));
        }
    }
    Ok(None)
}

/// Compares two arms in a number with these digits: z = Σw(x̄_T − x̄_C)/√Σw²s²(1/n_T + 1/n_C) over strata, w = n_T·n_C/(n_T + n_C), where s² is the variance of
/// both arms together. So the small arm's own variance, which is small where its mean is, does not rule the test. `None` without
/// variance.
fn before(table: &CellSums<'_>, arm: &str, control: &str, (value, scale): (usize, u32)) -> Result<Option<Before>> {
    let (mut weights, mut means, mut variance) = (0.0, [0.0; 2], 0.0);
    for arms in table.values() {
        let (Some(treated), Some(control)) = (arms.get(arm), arms.get(control)) else { continue };
        let mut both: Sums = **treated;
        both.add(control)?;
        let Some(moments) = both.moments([scale; 4]) else { continue };
        let weight = treated.n as f64 * control.n as f64 / both.n as f64;
        weights += weight;
        for (mean, sums) in means.iter_mut().zip([treated, control]) {
            *mean += weight * sums.mean(value, scale).unwrap_or(0.0);
        }
        // w²·s²·(1/n_T + 1/n_C) is w·s².
        variance += weight * moments.covariance[value][value];
    }
    if variance <= 0.0 {
        return Ok(None);
    }
    let z = (means[0] - means[1]) / variance.sqrt();
    Ok(Some(Before { means: means.map(|mean| mean / weights), p: 2.0 * normal_sf(z.abs()) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(before: &[i64]) -> Result<Sums> {
        let mut sums = Sums::default();
        before.iter().try_for_each(|x| sums.observe([0, *x, 0, 0]))?;
        Ok(sums)
    }

    /// numpy 2 and scipy 1.17: means weighted by n_T·n_C/(n_T + n_C), z = 0.780464443584593, 2·norm.sf(z).
    #[test]
    fn arms_are_compared_within_strata() -> Result<()> {
        let north = [sums(&[0, 0, 3000, 4500, 1000])?, sums(&[0, 500, 0, 0, 2000, 0])?];
        let south = [sums(&[10_000, 8000, 0, 6000])?, sums(&[7000, 9000, 0])?];
        let alone = sums(&[900, 900])?;
        let mut table = CellSums::new();
        for (cell, [mail, control]) in [("north", &north), ("south", &south)] {
            table.insert(cell, [("mail", mail), ("control", control)].into());
        }
        table.insert("west", [("mail", &alone)].into());
        let Some(found) = before(&table, "mail", "control", (X, 2))? else { panic!("no comparison") };
        for (got, want) in
            [(found.means[0], 33.59649122807018), (found.means[1], 23.14327485380117), (found.p, 0.4351175485267602)]
        {
            assert!((got / want - 1.0).abs() < 1e-9, "{got} instead of {want}");
        }
        // Nobody bought: nothing to compare.
        let nobody = sums(&[0, 0, 0])?;
        assert!(
            before(&[("north", [("mail", &nobody), ("control", &nobody)].into())].into(), "mail", "control", (X, 2))?.is_none()
        );
        Ok(())
    }
}
