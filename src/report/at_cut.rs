//! The tables of strategies of design threshold as a reader asks for them: per strategy its periods, each with its verdict, its effects
//! and the bins of its picture.

use super::data::{EffectRow, ReportData, ThresholdBinRow, ThresholdRow, VerdictRow};

/// The name of the design, and of its method.
pub(super) const THRESHOLD: &str = "threshold";

/// A strategy of design threshold.
#[derive(Debug)]
pub(super) struct CutStrategy<'a> {
    pub name: &'a str,
    /// Its periods, the first one first.
    pub periods: Vec<CutPeriod<'a>>,
}

/// A period of it.
#[derive(Debug)]
pub(super) struct CutPeriod<'a> {
    pub verdict: &'a VerdictRow,
    /// The effect that the verdict rests on.
    pub effect: &'a EffectRow,
    /// What it was estimated from.
    pub threshold: &'a ThresholdRow,
    /// The bins of its outcome.
    pub bins: Vec<&'a ThresholdBinRow>,
    /// The effects on other outcomes.
    pub others: Vec<&'a EffectRow>,
}

/// The strategies of design threshold, in the order of the tables.
pub(super) fn cuts(data: &ReportData) -> Vec<CutStrategy<'_>> {
    let mut strategies: Vec<CutStrategy<'_>> = Vec::new();
    for verdict in data.verdicts.iter().flatten().filter(|verdict| verdict.method.as_deref() == Some(THRESHOLD)) {
        let Some(period) = CutPeriod::of(data, verdict) else { continue };
        match strategies.iter_mut().find(|strategy| strategy.name == verdict.strategy) {
            Some(strategy) => strategy.periods.push(period),
            None => strategies.push(CutStrategy { name: &verdict.strategy, periods: vec![period] }),
        }
    }
    strategies.iter_mut().for_each(|strategy| strategy.periods.sort_by_key(|period| period.verdict.period_start));
    strategies
}

impl<'a> CutPeriod<'a> {
    /// The rows of a verdict; none without all of them.
    fn of(data: &'a ReportData, verdict: &'a VerdictRow) -> Option<CutPeriod<'a>> {
        let key = (verdict.strategy.as_str(), verdict.period_start);
        let outcome = verdict.outcome.as_deref()?;
        let effects = data.effects.iter().flatten().filter(|r| (r.strategy.as_str(), r.period_start) == key);
        let (headline, others): (Vec<&EffectRow>, Vec<&EffectRow>) = effects.partition(|r| r.outcome == outcome);
        let thresholds = data.thresholds.iter().flatten();
        let bins = data.threshold_bins.iter().flatten();
        Some(CutPeriod {
            verdict,
            effect: headline.first()?,
            threshold: thresholds.into_iter().find(|r| (r.strategy.as_str(), r.period_start) == key && r.outcome == outcome)?,
            bins: bins.filter(|r| (r.strategy.as_str(), r.period_start) == key && r.outcome == outcome).collect(),
            others,
        })
    }
}
