//! What a strategy has brought so far, through one period after the other: the points of a curve.
//!
//! A point is the pooled effect of the periods up to it, so the last one is that over all periods. Each has the level of that one's
//! verdict, of which every look spends its part, so the points that were looks hold together.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::compare::LEVEL;
use super::diagnostics::TOTAL;
use super::lead::Lead;
use super::pooled::{EffectKey, EffectSeries, EffectToDate, PooledEffect};
use crate::domain::{Design, Outcome};
use crate::error::Result;
use crate::tables::EffectToDateRow;

/// An effect over all periods, its points, and the level of each.
struct Curve<'a> {
    key: EffectKey<'a>,
    points: Vec<EffectToDate<'a>>,
    level: f64,
}

/// A number so far with its ends.
type SoFar = [f64; 3];

/// The rows of all randomised strategies: of all customers, by the method and in the phase that the verdict over all periods rests on.
///
/// # Errors
/// Exit 3 if sums of cells leave 128 bits.
pub(super) fn to_date<'a>(
    over_time: &[PooledEffect<'a>],
    series: &EffectSeries<'a, '_>,
    leads: &BTreeMap<usize, Lead>,
) -> Result<Vec<EffectToDateRow>> {
    let is_wanted = |row: &&PooledEffect<'a>| {
        let is_lead = leads.get(&row.key.strategy).is_some_and(|lead| lead.has(row));
        is_lead && row.strategy.design == Design::Randomised && row.key.group == TOTAL
    };
    let curve = |row: &PooledEffect<'a>| {
        let level = row.adjusted.map_or(LEVEL / f64::from(row.looks), |adjusted| adjusted.level);
        Ok(Curve { key: row.key, points: series.to_date(row)?, level })
    };
    let curves = over_time.par_iter().filter(is_wanted).map(curve).collect::<Result<Vec<_>>>()?;
    let of_net: BTreeMap<EffectKey<'a>, &Curve<'a>> =
        curves.iter().filter(|curve| *curve.key.outcome == Outcome::Net).map(|curve| (curve.key, curve)).collect();
    let rows = curves.iter().flat_map(|curve| {
        let net = of_net.get(&EffectKey { outcome: &Outcome::Net, ..curve.key });
        let net_of = move |at: usize, point: &EffectToDate<'_>| {
            // Net money with sums of its own may be known of fewer periods than what it is measured by.
            let of_net = net?.points.get(at).filter(|of_net| of_net.effect.n_treated == point.effect.n_treated);
            net?.incremental(of_net?)
        };
        curve.points.iter().enumerate().map(move |(at, point)| curve.row(point, net_of(at, point)))
    });
    Ok(rows.collect())
}

impl Curve<'_> {
    /// The difference with its ends at the level of the curve.
    fn difference(&self, point: &EffectToDate<'_>) -> Option<SoFar> {
        let told = point.effect.told()?;
        let (low, high) = told.test.interval(self.level);
        Some([told.pooled.value, low, high])
    }

    /// The same of all treated customers together.
    fn incremental(&self, point: &EffectToDate<'_>) -> Option<SoFar> {
        Some(self.difference(point)?.map(|each| each * point.effect.n_treated as f64))
    }

    fn row(&self, point: &EffectToDate<'_>, net: Option<SoFar>) -> EffectToDateRow {
        let EffectToDate { through, effect } = point;
        let told = effect.told();
        let (difference, incremental) = (self.difference(point), self.incremental(point));
        let net = net.filter(|_| effect.is_money() && told.is_some());
        EffectToDateRow {
            strategy: effect.strategy.name.clone(),
            phase: Some(self.key.phase.to_string()),
            arm: self.key.arm.into(),
            against: Some(self.key.against.into()),
            outcome: self.key.outcome.to_string(),
            method: self.key.method.to_string(),
            through_start: Some(through.start),
            through_end: Some(through.last_day()),
            periods: Some(effect.periods.len() as i64),
            n_treated: Some(effect.n_treated),
            n_control: Some(effect.n_control),
            covered_share: effect.covered,
            difference: told.map(|told| told.pooled.value),
            ci_low: told.map(|told| told.interval.0),
            ci_high: told.map(|told| told.interval.1),
            ci_low_adjusted: difference.map(|of| of[1]),
            ci_high_adjusted: difference.map(|of| of[2]),
            looks: Some(effect.looks.into()),
            incremental: incremental.map(|of| of[0]),
            incremental_low_adjusted: incremental.map(|of| of[1]),
            incremental_high_adjusted: incremental.map(|of| of[2]),
            cost: effect.cost.filter(|_| told.is_some()),
            net: net.map(|of| of[0]),
            net_low_adjusted: net.map(|of| of[1]),
            net_high_adjusted: net.map(|of| of[2]),
            not_estimable: effect.reason.as_ref().map(ToString::to_string),
        }
    }
}
