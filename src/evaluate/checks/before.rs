//! What the arms did in the baseline, when nobody was treated.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::FAILED;
use crate::domain::{MeasureKind, Outcome};
use crate::error::Result;
use crate::evaluate::arm_sums::{CellGrids, CellSums, PeriodSums, Quantity, TOTAL};
use crate::evaluate::reason::NotEstimable;
use crate::evaluate::sentence::{PValue, Rounded};
use crate::evaluate::settings::StrategySettings;
use crate::stats::{
    Alike, Arms, D, E, GridCell, JointGrid, Moments, PermutationTest, Scales, Statistic, Sums, VALUES, X, Y, power, skewed_sf,
};

/// Two arms before the start, within strata.
struct Before {
    /// Of the arm and the control, strata weighted by n_T·n_C/(n_T + n_C).
    means: [f64; 2],
    p: f64,
}

/// Where a number of the rows lies, and its digits.
#[derive(Clone, Copy)]
struct Number {
    value: usize,
    scale: u32,
    /// Where clusters were drawn: the number that says how many customers a cluster's value is the sum of.
    customers: Option<usize>,
}

impl Number {
    /// The digits of all numbers that are compared.
    fn scales(self) -> Scales {
        let mut scales = [self.scale; VALUES];
        self.customers.into_iter().for_each(|customers| scales[customers] = 0);
        scales
    }

    /// The coefficients of what is compared: the value, of a cluster less what its customers have on average in both arms.
    fn slope(self, both: &Moments) -> [f64; VALUES] {
        let mut slope = [0.0; VALUES];
        slope[self.value] = 1.0;
        if let Some(customers) = self.customers {
            slope[customers] = -both.mean[self.value] / both.mean[customers];
        }
        slope
    }

    /// The mean per customer.
    fn mean(self, sums: &Sums) -> f64 {
        let of = |at: usize, scale: u32| sums.mean(at, scale).unwrap_or(0.0);
        of(self.value, self.scale) / self.customers.map_or(1.0, |customers| of(customers, 0))
    }
}

/// Why arms are not comparable that differed when nobody was treated: in the revenue or the share of buyers of the baseline, or, if
/// no customer may have been treated earlier, in the measures of the day before the period. The smallest p-value of all counts,
/// times their number.
///
/// # Errors
/// Exit 3 if sums of cells leave 128 bits.
pub fn unlike_before(
    strategy: &StrategySettings,
    during: &PeriodSums<'_>,
    (control, treated): (&str, &[&str]),
    is_first: bool,
) -> Result<Option<NotEstimable>> {
    let has_clusters = strategy.cluster.is_some();
    let number = |value: usize, scale: u32| {
        let customers = has_clusters.then_some(if value == X { E } else { D });
        Number { value, scale, customers }
    };
    let outcomes = [Outcome::Revenue, Outcome::Converted].map(|outcome| {
        let scale = outcome.scales(&strategy.digits)[X];
        (Quantity::Outcome(outcome), number(X, scale))
    });
    let of_baseline = outcomes.iter().map(|(quantity, number)| (quantity, *number));
    let measures = during.covariates().into_iter().filter(|_| is_first).filter_map(|quantity| match quantity {
        // The days since the last order are unknown without one, which the others are not.
        Quantity::Covariate { name, scale } if name != MeasureKind::RecencyDays.name() => Some((quantity, number(Y, *scale))),
        _ => None,
    });
    let (mut tests, mut smallest) = (0.0, None::<(&Quantity, &str, Before)>);
    for (quantity, number) in of_baseline.chain(measures) {
        let Some(table) = during.table(TOTAL, quantity) else { continue };
        // Grids of clusters have no baseline.
        let grids = during.grids(TOTAL, quantity).filter(|_| !has_clusters);
        for arm in treated {
            let Some(before) = before(table, grids, [arm, control], number)? else { continue };
            tests += 1.0;
            if smallest.as_ref().is_none_or(|(_, _, least)| before.p < least.p) {
                smallest = Some((quantity, arm, before));
            }
        }
    }
    let failed = smallest.filter(|(_, _, before)| before.p * tests < FAILED);
    Ok(failed.map(|(quantity, arm, Before { means, p })| {
        let [treated, control_mean] = means.map(Rounded::short);
        let (arm, control, p) = (arm.into(), control.into(), PValue(p * tests));
        match quantity {
            Quantity::Outcome(outcome) => {
                NotEstimable::UnlikeBefore { outcome: outcome.clone(), treated, arm, control_mean, control, p }
            }
            measure => NotEstimable::UnlikeMeasure {
                measure: measure.to_string().as_str().into(),
                treated,
                arm,
                control_mean,
                control,
                p,
            },
        }
    }))
}

/// The p-value of equal shares of the clusters' customers who were treated inside the baseline, if it fails.
///
/// # Errors
/// Exit 3 if sums of cells leave 128 bits.
pub fn unlike_shares(during: &PeriodSums<'_>, control: &str, treated: &[&str]) -> Result<Option<f64>> {
    let Some(table) = during.table(TOTAL, &Quantity::TreatedInBaseline) else { return Ok(None) };
    let number = Number { value: Y, scale: 0, customers: Some(D) };
    for arm in treated {
        if let Some(before) = before(table, None, [arm, control], number)?.filter(|before| before.p < FAILED) {
            return Ok(Some(before.p));
        }
    }
    Ok(None)
}

/// Compares two arms in a number, strata weighted by w = n_T·n_C/(n_T + n_C): by permutation where there are grids of it, else
/// by z = Σw(x̄_T − x̄_C)/√Σw²s²(1/n_T + 1/n_C) with the skewness of a log-normal number of this mean and variance. The variance
/// s² is that of both arms together: the small arm's own variance, which is small where its mean is, does not rule the test. Of
/// clusters, x is a cluster's sum less R times its customers, R the ratio of both in both arms, and has no skewness.
/// `None` without variance, and where few customers make the sum.
fn before(
    table: &CellSums<'_>,
    grids: Option<&CellGrids<'_>>,
    [arm, control]: [&str; 2],
    number: Number,
) -> Result<Option<Before>> {
    let Number { value, scale, customers } = number;
    let (mut weights, mut means, mut difference, mut variance, mut third) = (0.0, [0.0; 2], 0.0, 0.0, 0.0);
    let mut strata = Vec::new();
    for (cell, arms) in table {
        let (Some(treated), Some(control_sums)) = (arms.get(arm), arms.get(control)) else { continue };
        let mut both: Sums = **treated;
        both.add(control_sums)?;
        let Some(moments) = both.moments(number.scales()) else { continue };
        let slope = number.slope(&moments);
        let [n_treated, n_control] = [treated, control_sums].map(|sums| sums.n as f64);
        let weight = n_treated * n_control / both.n as f64;
        weights += weight;
        for ((mean, sums), sign) in means.iter_mut().zip([treated, control_sums]).zip([1.0, -1.0]) {
            *mean += weight * number.mean(sums);
            let compared = (0..VALUES).map(|at| slope[at] * sums.mean(at, number.scales()[at]).unwrap_or(0.0));
            difference += sign * weight * compared.sum::<f64>();
        }
        let (own, mean) = (moments.variance(&slope), moments.mean[value]);
        // w²·s²·(1/n_T + 1/n_C) is w·s².
        variance += weight * own;
        if mean > 0.0 && customers.is_none() {
            let variation = own.sqrt() / mean;
            let skewness = (3.0 + variation * variation) * variation;
            third += weight.powi(3) * own.powf(1.5) * skewness * (n_treated.powi(-2) - n_control.powi(-2));
        }
        strata.extend(grids.and_then(|grids| stratum(grids.get(cell)?, [arm, control], weight, scale)));
    }
    if variance <= 0.0 {
        return Ok(None);
    }
    let p = match grids {
        Some(_) => by_permutation(strata, weights, variance),
        None => {
            let (z, skewness) = (difference / variance.sqrt(), third / variance.powf(1.5));
            Some((2.0 * skewed_sf(z, skewness).min(skewed_sf(-z, -skewness))).min(1.0))
        }
    };
    Ok(p.map(|p| Before { means: means.map(|mean| mean / weights), p }))
}

/// The second numbers of both arms' grids.
fn stratum(grids: &BTreeMap<&str, Cow<'_, JointGrid>>, [arm, control]: [&str; 2], weight: f64, scale: u32) -> Option<Arms> {
    let alike = |arm: &str| -> Option<Vec<Alike>> {
        let cell = |cell: GridCell| {
            let count = cell.count as f64;
            Alike { count, y: cell.second as f64 / count / power(scale), x: 0.0 }
        };
        Some(grids.get(arm)?.cells().map(cell).collect())
    };
    Some(Arms { treated: alike(arm)?, control: alike(control)?, weight, theta: 0.0 })
}

/// The p-value over all draws, whose difference has this `variance`; weights add up to `weights`.
fn by_permutation(mut strata: Vec<Arms>, weights: f64, variance: f64) -> Option<f64> {
    let mut of_cells = 0.0;
    for arms in &mut strata {
        let all = || arms.treated.iter().chain(&arms.control);
        let n = all().map(|cell| cell.count).sum::<f64>();
        let mean = all().map(|cell| cell.count * cell.y).sum::<f64>() / n;
        of_cells += arms.weight * all().map(|cell| cell.count * (cell.y - mean).powi(2)).sum::<f64>() / (n - 1.0);
        arms.weight /= weights;
    }
    // Cells are coarser than customers.
    let dispersion = if of_cells > 0.0 { variance / of_cells } else { 1.0 };
    let test = PermutationTest::new(strata, Statistic::Shifted, dispersion).filter(|test| !test.leans())?;
    Some(test.tails(0.0).two_sided())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::coarse_bin_of;

    const BASELINE: Number = Number { value: X, scale: 2, customers: None };
    const ARMS: [&str; 2] = ["mail", "control"];

    fn sums(before: &[i64]) -> Result<Sums> {
        let mut sums = Sums::default();
        before.iter().try_for_each(|x| sums.observe([0, *x, 0, 0]))?;
        Ok(sums)
    }

    fn grid(before: &[i64]) -> JointGrid {
        let mut grid = JointGrid::default();
        for x in before {
            grid.add((0, coarse_bin_of(*x)), GridCell { count: 1, first: 0, second: (*x).into() });
        }
        grid
    }

    const NORTH: [&[i64]; 2] = [&[0, 0, 3000, 4500, 1000], &[0, 500, 0, 0, 2000, 0]];
    const SOUTH: [&[i64]; 2] = [&[10_000, 8000, 0, 6000], &[7000, 9000, 0]];

    /// numpy 2 and scipy 1.17: means weighted by n_T·n_C/(n_T + n_C), z = 0.780464443584593, twice the upper tail of pearson3 at a
    /// skewness of −0.16985065598037427.
    #[test]
    fn arms_are_compared_within_strata() -> Result<()> {
        let [north, south] = [NORTH, SOUTH].map(|arms| arms.map(sums));
        let ([north_mail, north_control], [south_mail, south_control]) = (north, south);
        let sums_of = [[north_mail?, north_control?], [south_mail?, south_control?]];
        let alone = sums(&[900, 900])?;
        let mut table = CellSums::new();
        for (cell, [mail, control]) in ["north", "south"].into_iter().zip(&sums_of) {
            table.insert(cell, [("mail", mail), ("control", control)].into());
        }
        table.insert("west", [("mail", &alone)].into());
        let Some(found) = before(&table, None, ARMS, BASELINE)? else { panic!("no comparison") };
        for (got, want) in
            [(found.means[0], 33.59649122807018), (found.means[1], 23.14327485380117), (found.p, 0.44133905749086944)]
        {
            assert!((got / want - 1.0).abs() < 1e-9, "{got} instead of {want}");
        }
        // Nobody bought: nothing to compare.
        let nobody = sums(&[0, 0, 0])?;
        assert!(before(&[("north", [("mail", &nobody), ("control", &nobody)].into())].into(), None, ARMS, BASELINE)?.is_none());
        Ok(())
    }

    /// All 462 · 35 draws: 22.6 % are as high, 19.8 % are higher; the p-value is twice what lies between.
    #[test]
    fn grids_are_tested_by_all_draws() -> Result<()> {
        let sums_of = [[sums(NORTH[0])?, sums(NORTH[1])?], [sums(SOUTH[0])?, sums(SOUTH[1])?]];
        let grid_of = [NORTH, SOUTH].map(|arms| arms.map(grid));
        let (mut table, mut grids) = (CellSums::new(), CellGrids::new());
        for (cell, (sums, grid)) in ["north", "south"].into_iter().zip(sums_of.iter().zip(&grid_of)) {
            table.insert(cell, ARMS.into_iter().zip(sums).collect());
            grids.insert(cell, ARMS.into_iter().zip(grid.iter().map(Cow::Borrowed)).collect());
        }
        let Some(found) = before(&table, Some(&grids), ARMS, BASELINE)? else { panic!("no comparison") };
        assert!((0.39..0.46).contains(&found.p), "{}", found.p);
        Ok(())
    }
}
