//! A strategy's settings as evaluation needs them.

use std::collections::BTreeMap;

use crate::domain::{Day, Decimal, EffectMethod, Outcome, Period};
use crate::engine::experiment::Experiments;
use crate::engine::experiment::plan::window;
use crate::evaluate::{Primary, Split, StrategyPeriod, StrategySettings};
use crate::job::Job;
use crate::job::strategy::Arm;

/// The settings of all strategies.
pub fn settings(job: &Job, evaluated: &Experiments<'_>) -> Vec<StrategySettings> {
    let one = |number: usize| -> StrategySettings {
        let study = &evaluated.studies[number];
        let strategy = study.strategy;
        let is_cut = |outcome: &Outcome| strategy.winsorise.is_some() && matches!(outcome, Outcome::Revenue | Outcome::Margin);
        let with_cut = |outcome: &Outcome| {
            let cut = is_cut(outcome).then(|| Outcome::Winsorised(Box::new(outcome.clone())));
            std::iter::once(outcome.clone()).chain(cut).collect::<Vec<_>>()
        };
        let first = || strategy.outcomes.iter().find(|o| o.may_lead()).cloned().unwrap_or(Outcome::Converted);
        let primary = strategy.primary.as_ref().map_or_else(
            || Primary { outcome: first(), method: EffectMethod::Welch },
            |primary| Primary { outcome: primary.outcome.clone(), method: primary.method },
        );
        StrategySettings {
            name: strategy.name.clone(),
            design: strategy.design,
            control: strategy.control.clone().unwrap_or_default(),
            split: Split {
                shares: shares(&strategy.arms),
                strata: strategy.strata.iter().map(|(stratum, arms)| (stratum.clone(), shares(arms))).collect(),
            },
            periods: study.lists.clone().map(|list| period(job, evaluated, list)).collect(),
            outcomes: strategy.outcomes.iter().flat_map(with_cut).collect(),
            primary,
            by: strategy.by.clone(),
            cost_per_customer: strategy.cost_per_customer,
            fixed_cost: strategy.fixed_cost,
            margin_rate: strategy.margin_rate.map(number_of),
            money_scale: job.scale(),
        }
    };
    (0..evaluated.studies.len()).map(one).collect()
}

fn period(job: &Job, evaluated: &Experiments<'_>, list: usize) -> StrategyPeriod {
    let own = &evaluated.lists[list];
    let study = &evaluated.studies[own.study];
    let span = evaluated.assigned[own.study].periods[list - study.lists.start].span;
    let (first, last) = span.unwrap_or((own.period.start, own.period.start));
    // Who was assigned last is watched longest, unless the period ends for all on one day.
    let until = window(study.strategy, own.period, last);
    let longest = window(study.strategy, own.period, first);
    let after_until =
        Day(until.end.0.saturating_add(if study.strategy.outcome_days.is_some() { until.days() } else { longest.days() }));
    StrategyPeriod {
        period: own.period,
        baseline: own.baseline,
        outcomes_until: until.last_day(),
        after_until: study.strategy.after.then(|| after_until.previous()),
        known_until: job.last(),
        equally_long: study.strategy.outcome_days.is_some() || first == last,
        days: (own.baseline.map_or(0, |baseline| known_days(baseline, evaluated.first_order)), longest.days()),
        knows_before_baseline: own.placebo_is_known,
    }
}

/// The days of a stretch that do not lie before the first order.
fn known_days(time: Period, first_order: Option<Day>) -> i32 {
    let start = first_order.map_or(time.start, |first| first.max(time.start));
    time.end.0.saturating_sub(start.0).max(0)
}

fn shares(arms: &[Arm]) -> BTreeMap<String, f64> {
    let share = |arm: &Arm| {
        let (numerator, denominator) = arm.share.parts();
        numerator as f64 / denominator as f64
    };
    arms.iter().map(|arm| (arm.name.clone(), share(arm))).collect()
}

fn number_of(decimal: Decimal) -> f64 {
    decimal.digits as f64 / 10f64.powi(decimal.scale as i32)
}
