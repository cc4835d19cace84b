//! Which effects over time a strategy's verdicts rest on, and their families.

use std::collections::BTreeMap;

use super::arm_sums::Phase;
use super::diagnostics::PeriodDiagnostics;
use super::family::{FamilyTest, adjusted};
use super::pooled::PooledEffect;
use super::reason::NotEstimable;
use crate::domain::{Design, EffectMethod as Method, Outcome};

/// Which effects over time a strategy's verdicts rest on.
#[derive(Clone)]
pub(super) struct Lead {
    pub phase: Phase,
    pub method: Method,
    /// Why that is not the primary method.
    pub fallback: Option<NotEstimable>,
}

impl Lead {
    /// Whether a pooled effect is of its phase and method.
    pub fn has(&self, row: &PooledEffect<'_>) -> bool {
        (self.phase, self.method) == (row.key.phase, row.key.method)
    }
}

/// The lead of every strategy with control: its first period's, unless a later one had to replace the primary method.
pub(super) fn leads(all_diagnostics: &[(usize, PeriodDiagnostics<'_>)]) -> BTreeMap<usize, Lead> {
    let lead = |diagnostics: &PeriodDiagnostics<'_>| Lead {
        phase: diagnostics.verdict_phase(),
        method: diagnostics.headline,
        fallback: diagnostics.fallback.clone(),
    };
    let mut leads: BTreeMap<usize, Lead> = BTreeMap::new();
    let controlled = all_diagnostics.iter().filter(|(_, d)| d.strategy.design != Design::BeforeAfter);
    // A period in which nobody was assigned decides nothing, unless there is no other.
    let (assigned, empty): (Vec<_>, Vec<_>) = controlled.partition(|(_, d)| d.all_treated > 0);
    for (strategy, diagnostics) in assigned {
        let chosen = leads.entry(*strategy).or_insert_with(|| lead(diagnostics));
        if diagnostics.headline != diagnostics.strategy.primary.method {
            *chosen = lead(diagnostics);
        }
    }
    for (strategy, diagnostics) in empty {
        leads.entry(*strategy).or_insert_with(|| lead(diagnostics));
    }
    leads
}

/// Adjusts the pooled effects that verdicts rest on: those of the primary outcomes are one family of the job, those of net
/// money another.
pub(super) fn adjust(pooled: &mut [PooledEffect<'_>], leads: &BTreeMap<usize, Lead>) {
    let is_lead = |row: &PooledEffect<'_>| leads.get(&row.key.strategy).is_some_and(|lead| lead.has(row)) && row.told().is_some();
    let is_primary = |row: &PooledEffect<'_>| *row.key.outcome == row.strategy.primary.outcome;
    let of = |wanted: &dyn Fn(&PooledEffect<'_>) -> bool| -> Vec<usize> {
        pooled.iter().enumerate().filter(|(_, row)| is_lead(row) && wanted(row)).map(|(at, _)| at).collect()
    };
    let families = [of(&is_primary), of(&|row| *row.key.outcome == Outcome::Net && !is_primary(row))];
    for members in families {
        let told = members.iter().filter_map(|at| Some((pooled[*at].told()?, pooled[*at].looks)));
        let tests: Vec<FamilyTest<'_>> =
            told.map(|(own, looks)| FamilyTest { test: &own.test, p: own.p, looks: looks.into() }).collect();
        let results = adjusted(&tests);
        for (at, own) in members.into_iter().zip(results) {
            pooled[at].adjusted = Some(own);
        }
    }
}
