//! Effects at a cut as rows of their tables.

use super::estimate::CutEffect;
use super::period::{BELOW, BEYOND};
use crate::domain::{Design, EffectMethod};
use crate::evaluate::arm_sums::{ALL, Phase};
use crate::stats::{Jump, MoneyInterval};
use crate::tables::{EffectRow, ThresholdRow};

/// The effect on net money that follows from an effect, among those of its period.
fn money_of<'e, 'a>(effect: &CutEffect<'a>, all: &'e [CutEffect<'a>]) -> Option<&'e CutEffect<'a>> {
    let is_base = effect.period.net_base.as_ref().is_some_and(|(base, _)| base == effect.outcome);
    let of_period = |other: &&CutEffect<'a>| std::ptr::eq(other.period, effect.period) && other.is_money();
    all.iter().filter(|_| is_base || effect.is_money() || effect.is_headline()).find(of_period)
}

/// The row of `effects`.
pub fn effect(of: &CutEffect<'_>, all: &[CutEffect<'_>]) -> EffectRow {
    let (period, told) = (of.period, of.effect);
    let fits = of.found.filter(|_| told.is_some() && !of.is_money());
    let inside = |side: usize| of.found.map_or(0, |found| found.inside[side] as i64);
    let adjusted = of.test.as_ref().and_then(|test| test.adjusted);
    let detectable = of.test.as_ref().map(|test| test.test.detectable(adjusted.map_or(test.test.interval(0.05), |a| a.interval)));
    let net = money_of(of, all).filter(|_| told.is_some());
    let net_adjusted = net.and_then(|net| net.test.as_ref()?.adjusted).map(|adjusted| adjusted.interval);
    let net = net.and_then(|net| net.effect);
    let cost = period.cost_per_customer.filter(|cost| *cost > 0.0);
    let roi = net.zip(cost).map(|(MoneyInterval { value, low, high }, cost)| [value, low, high].map(|each| each / cost));
    let placebo = of.falsification.placebo.filter(|_| !of.is_money());
    EffectRow {
        strategy: period.strategy.clone(),
        period_start: Some(period.period.start),
        period_end: Some(period.period.last_day()),
        phase: Some(Phase::During.to_string()),
        arm: BEYOND.into(),
        against: Some(BELOW.into()),
        outcome: of.outcome.to_string(),
        scheme: ALL.into(),
        state: ALL.into(),
        method: EffectMethod::Threshold.to_string(),
        design: Some(Design::Threshold.to_string()),
        headline: Some(of.is_headline()),
        n_treated: Some(inside(1)),
        n_control: Some(inside(0)),
        mean_treated: fits.map(|fits| fits.limits[1]),
        mean_control: fits.map(|fits| fits.limits[0]),
        difference: told.map(|told| told.value),
        ci_low: told.map(|told| told.low),
        ci_high: told.map(|told| told.high),
        ci_low_adjusted: adjusted.map(|a| a.interval.0),
        ci_high_adjusted: adjusted.map(|a| a.interval.1),
        p_value: of.test.as_ref().map(|test| test.p),
        p_adjusted: adjusted.map(|a| a.p),
        family_size: Some(adjusted.map_or(0, |a| a.family_size)),
        lift: fits.filter(|fits| fits.limits[0] > 0.0).map(|fits| fits.estimate / fits.limits[0]),
        lift_low: None,
        lift_high: None,
        mde: detectable.map(|d| d.gain),
        mde_loss: detectable.map(|d| d.loss),
        srm_p: None,
        // The effect on customers at the cut is not that on all who were treated.
        incremental: None,
        cost: None,
        roi: roi.map(|roi| roi[0]),
        roi_low: roi.map(|roi| roi[1]),
        roi_high: roi.map(|roi| roi[2]),
        net_margin_per_customer: net.map(|net| net.value),
        net_margin_low: net.map(|net| net.low),
        net_margin_high: net.map(|net| net.high),
        net_margin_low_adjusted: net_adjusted.map(|n| n.0),
        net_margin_high_adjusted: net_adjusted.map(|n| n.1),
        clusters_treated: None,
        clusters_control: None,
        excluded: Some(0),
        not_estimable: of.obstacle.as_ref().map(ToString::to_string),
        placebo: placebo.map(|placebo| placebo.value),
        placebo_low: placebo.map(|placebo| placebo.low),
        placebo_high: placebo.map(|placebo| placebo.high),
        placebo_cells: None,
        above_placebo: None,
        above_placebo_p: None,
        above_placebo_p_adjusted: None,
        above_placebo_low_adjusted: None,
        above_placebo_high_adjusted: None,
    }
}

/// The row of `thresholds`.
pub fn threshold(of: &CutEffect<'_>) -> ThresholdRow {
    let period = of.period;
    let found = |number: fn(&Jump) -> f64| of.found.as_ref().map(number);
    let told = |number: fn(&Jump) -> f64| of.found.as_ref().filter(|_| of.effect.is_some()).map(number);
    let count = |number: fn(&Jump) -> usize| of.found.as_ref().map(|found| number(found) as i64);
    let (density, placebo) = (of.falsification.density, of.falsification.placebo);
    let window = period.knows_placebo.then_some(period.placebo);
    ThresholdRow {
        strategy: period.strategy.clone(),
        period_start: Some(period.period.start),
        period_end: Some(period.period.last_day()),
        outcome: of.outcome.to_string(),
        headline: Some(of.is_headline()),
        running: period.running.clone(),
        cut: Some(period.cut),
        window: Some(period.window),
        customers: Some(period.customers),
        kept: Some(period.running_values.len() as i64),
        bandwidth: found(|found| found.bandwidth),
        bias_bandwidth: found(|found| found.bias_bandwidth),
        n_below: count(|found| found.inside[0]),
        n_beyond: count(|found| found.inside[1]),
        values_below: count(|found| found.distinct[0]),
        values_beyond: count(|found| found.distinct[1]),
        treated_below: of.treated.map(|shares| shares[0]),
        treated_beyond: of.treated.map(|shares| shares[1]),
        limit_below: told(|found| found.limits[0]),
        limit_beyond: told(|found| found.limits[1]),
        slope_below: told(|found| found.slopes[0]),
        slope_beyond: told(|found| found.slopes[1]),
        corrected: told(|found| found.corrected),
        robust_error: told(|found| found.robust_error),
        density_p: density.map(|test| test.p),
        density_p_adjusted: density.map(|test| test.p_adjusted),
        placebo_start: window.map(|window| window.start),
        placebo_end: window.map(|window| window.last_day()),
        placebo: placebo.map(|placebo| placebo.value),
        placebo_low: placebo.map(|placebo| placebo.low),
        placebo_high: placebo.map(|placebo| placebo.high),
        placebo_p: placebo.map(|placebo| placebo.test.p),
        placebo_p_adjusted: placebo.map(|placebo| placebo.test.p_adjusted),
        not_estimable: of.obstacle.as_ref().map(ToString::to_string),
    }
}
