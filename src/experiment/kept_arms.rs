//! Whether the arms of a period were kept from earlier ones, so that states before it are an outcome of the treatment.

use super::exposure::load::StrategyAssignments;
use crate::domain::Period;
use crate::evaluate::{FAILED, KeptArms, ListedUnlike};
use crate::stats::chi_square_homogeneity;

/// The arms of the period at `at`, if its arms were treated differently in earlier ones (chi-square p < 0.001); `periods` are all of
/// the strategy.
pub fn kept_arms(own: &StrategyAssignments, control: Option<u16>, periods: &[Period], at: usize) -> Option<KeptArms> {
    let recurrence = &own.periods.get(at)?.recurrence;
    let p_of = |counts: &[[i64; 2]]| {
        let groups: Vec<(i64, i64)> = counts.iter().map(|[with, all]| (*with, *all)).collect();
        chi_square_homogeneity(&groups).filter(|p| *p < FAILED)
    };
    p_of(&recurrence.treated_before)?;
    let share = |arm: usize| {
        let [again, all] = recurrence.listed_again.get(arm).copied().unwrap_or_default();
        again as f64 / all.max(1) as f64
    };
    let control = control.map(usize::from)?;
    // Where clusters were drawn, customers are not listed one by one either.
    let is_by_customer = own.clusters.is_none();
    let listed_unlike = p_of(&recurrence.listed_again).filter(|_| is_by_customer).and_then(|p| {
        let apart = |arm: &usize| (share(*arm) - share(control)).abs();
        let others = (0..own.arms.len()).filter(|arm| *arm != control && recurrence.listed_again[*arm][1] > 0);
        let arm = others.max_by(|a, b| apart(a).total_cmp(&apart(b)))?;
        Some(ListedUnlike { p, arm: own.arms[arm].clone(), share: share(arm), of_control: share(control) })
    });
    let first = own.periods.iter().position(|counts| counts.assigned.is_some())?;
    Some(KeptArms { since: periods.get(first)?.start.previous(), listed_unlike })
}
