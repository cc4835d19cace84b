//! Which effects over time a strategy's verdicts rest on, and their families.

use std::collections::BTreeMap;

use super::arm_sums::Phase;
use super::diagnostics::PeriodDiagnostics;
use super::effect::Adjusted;
use super::family::{FamilyTest, adjusted};
use super::pooled::{EffectKey, PooledEffect};
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
    let is_matched = |row: &PooledEffect<'_>| row.strategy.design == Design::Matched;
    let money = of(&|row| *row.key.outcome == Outcome::Net && !is_primary(row) && !is_matched(row));
    let mut alone: Vec<Vec<usize>> = of(&|row| is_matched(row) && (is_primary(row) || *row.key.outcome == Outcome::Net))
        .into_iter()
        .map(|at| vec![at])
        .collect();
    // Verdicts on matched strategies rest on both ends of the bracket, each of which stands alone, and on their placebos.
    let mut brackets: Vec<[usize; 2]> = Vec::new();
    for at in of(&|row| is_primary(row) && is_matched(row)) {
        let find = |method: Method| {
            let key = EffectKey { method, ..pooled[at].key };
            pooled.iter().position(|row| row.key == key && row.told().is_some())
        };
        if let (Some(level), Some(change)) = (find(Method::Matched), find(Method::Did)) {
            alone.extend([level, change].into_iter().filter(|end| *end != at).map(|end| vec![end]));
            brackets.push([level, change]);
        }
    }
    let row_test = |at: &usize| {
        let own = pooled[*at].told()?;
        Some(FamilyTest::one(&own.test, own.p, pooled[*at].looks.into()))
    };
    let bracket_test = |ends: &[usize; 2]| {
        let end = |at: usize| Some((pooled[at].told()?.pooled.value, pooled[at].placebo.as_ref()));
        FamilyTest::bracket([end(ends[0])?, end(ends[1])?], pooled[ends[0]].looks.into())
    };
    brackets.retain(|ends| bracket_test(ends).is_some());
    let headlines = of(&|row| is_primary(row) && !is_matched(row));
    let tests: Vec<FamilyTest> = headlines.iter().filter_map(row_test).chain(brackets.iter().filter_map(bracket_test)).collect();
    let of_headlines = adjusted(&tests);
    let of_others: Vec<Vec<Vec<Adjusted>>> =
        alone.iter().chain([&money]).map(|members| adjusted(&members.iter().filter_map(row_test).collect::<Vec<_>>())).collect();
    let (of_rows, of_brackets) = of_headlines.split_at(headlines.len());
    for (ends, results) in brackets.iter().zip(of_brackets) {
        ends.iter().zip(results).for_each(|(at, own)| pooled[*at].above_adjusted = Some(*own));
    }
    let others = alone.iter().chain([&money]).zip(&of_others).flat_map(|(members, results)| members.iter().zip(results));
    for (at, own) in headlines.iter().zip(of_rows).chain(others) {
        pooled[*at].adjusted = own.first().copied();
    }
}
