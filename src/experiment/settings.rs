//! A strategy's settings as evaluation needs them.

use std::collections::BTreeMap;

use super::assigned_on::DayCheck;
use super::cells::CellPart;
use super::exposure::ExclusionCounts;
use super::plan::{ExperimentPlan, PeriodPlan, StrategyPlan};
use crate::domain::{Day, Decimal, EffectMethod, Outcome, Period, STRATUM};
use crate::evaluate::{ALL, AssignedOn, Clusters, Digits, Guardrail, Primary, Split, StrategyPeriod, StrategySettings};
use crate::job::Job;
use crate::job::strategy::{self, Arm, GroupBy, Strategy};

/// The settings of all strategies.
pub fn settings(job: &Job, plan: &ExperimentPlan<'_>, exclusions: &[ExclusionCounts]) -> Vec<StrategySettings> {
    let mut settings = Vec::with_capacity(plan.strategies.len());
    for own in &plan.strategies {
        let strategy = own.strategy;
        let by_stratum = strategy.by.contains(&GroupBy::Stratum);
        settings.push(StrategySettings {
            name: strategy.name.clone(),
            design: strategy.design,
            control: strategy.control.clone().unwrap_or_default(),
            pairs: strategy.pairs.clone(),
            split: Split {
                shares: shares(&strategy.arms),
                strata: strategy.strata.iter().map(|(stratum, arms)| (stratum.clone(), shares(arms))).collect(),
            },
            periods: own.periods.clone().map(|index| period(job, plan, index, exclusions)).collect(),
            outcomes: outcomes(strategy),
            primary: primary(strategy),
            cluster: strategy.cluster.clone(),
            by: own.by.iter().map(|by| by.name.clone()).chain(by_stratum.then(|| STRATUM.into())).collect(),
            by_values: own.by.iter().filter(|by| !by.is_of_states()).map(|by| by.name.clone()).collect(),
            cost_per_customer: strategy.cost_per_customer,
            fixed_cost: strategy.fixed_cost,
            costs_of: strategy.costs_of.clone(),
            margin_rate: strategy.margin_rate.map(float),
            digits: digits(job),
            looks: strategy.looks,
            guardrails: strategy.guardrails.iter().map(guardrail).collect(),
        });
    }
    settings
}

/// Digits behind the point of money, and of the values of events.
pub fn digits(job: &Job) -> Digits {
    let of_events = job.event_kinds.value_columns().map(|(kind, values)| (kind, u32::from(values.scale))).collect();
    Digits { money: job.scale(), of_events }
}

/// The outcomes, each of money followed by its winsorised form.
fn outcomes(strategy: &Strategy) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for outcome in &strategy.outcomes {
        outcomes.push(outcome.clone());
        if strategy.winsorise.is_some() && matches!(outcome, Outcome::Revenue | Outcome::Margin) {
            outcomes.push(Outcome::Winsorised(Box::new(outcome.clone())));
        }
    }
    outcomes
}

fn guardrail(own: &strategy::Guardrail) -> Guardrail {
    Guardrail { outcome: own.outcome.clone(), at_worst: own.at_worst.map(float) }
}

fn primary(strategy: &Strategy) -> Primary {
    match &strategy.primary {
        Some(primary) => Primary { outcome: primary.outcome.clone(), method: primary.method },
        None => {
            let first = strategy.outcomes.iter().find(|outcome| outcome.may_lead());
            Primary { outcome: first.cloned().unwrap_or(Outcome::Converted), method: EffectMethod::Welch }
        }
    }
}

fn period(job: &Job, plan: &ExperimentPlan<'_>, index: usize, exclusions: &[ExclusionCounts]) -> StrategyPeriod {
    let (own, strategy) = (&plan.periods[index], plan.strategy_of(index));
    let counts = plan.counts(index);
    let (first, last) = counts.assigned.map_or((own.period.start, own.period.start), |time| (time.start, time.last_day()));
    // The last customer assigned is observed longest, unless the period ends for all on one day.
    let until = strategy.window(own.period, last);
    let longest = strategy.window(own.period, first);
    let has_fixed_length = strategy.strategy.outcome_days.is_some();
    let after_days = if has_fixed_length { until.days() } else { longest.days() };
    let after_until = Day(until.end.0.saturating_add(after_days));
    StrategyPeriod {
        period: own.period,
        baseline: own.baseline,
        outcomes_until: until.last_day(),
        after_until: strategy.strategy.after.then(|| after_until.previous()),
        known_until: job.last(),
        equally_long: has_fixed_length || first == last,
        days: (own.baseline.map_or(0, |baseline| known_days(baseline, plan.first_order)), longest.days()),
        knows_before_baseline: own.placebo_is_known,
        knows_before_placebo: own.pre_placebo_is_known,
        has_earlier_cells: own.earlier.is_some(),
        knows_events: own.knows_events,
        assigned_on: assigned_on(strategy, own),
        whole_columns: plan.whole_columns(index, exclusions).map(str::to_owned).collect(),
        clusters: Clusters {
            all: counts.clusters.iter().flatten().count() as i64,
            mixed: counts.clusters.iter().flatten().filter(|draw| draw.is_mixed).count() as i64,
        },
        kept: own.kept.clone(),
    }
}

fn assigned_on(strategy: &StrategyPlan<'_>, period: &PeriodPlan) -> AssignedOn {
    match &period.day_check {
        DayCheck::Alike => AssignedOn::Alike,
        DayCheck::Apart { difference, arm, share } => {
            AssignedOn::Apart { difference: difference.clone(), arm: arm.clone(), share: *share }
        }
        DayCheck::Strata { difference, .. } => {
            let values: u64 = strategy
                .cells
                .iter()
                .filter(|part| matches!(part, CellPart::AssignedOn { .. }))
                .map(|part| part.len() as u64)
                .product();
            let (names, mut strata) = (strategy.cell_names(&[]), BTreeMap::new());
            for (_, date) in strategy.date_numbers(period) {
                match strategy.strata {
                    None => drop(strata.insert(names.of(&strategy.cells, date), ALL.to_owned())),
                    Some(all) => strata.extend((0..).zip(all).map(|(number, stratum): (u64, &String)| {
                        (names.of(&strategy.cells, number * values + date), stratum.clone())
                    })),
                }
            }
            AssignedOn::Strata { difference: difference.clone(), strata }
        }
    }
}

/// The number of days that do not lie before the first order.
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

fn float(decimal: Decimal) -> f64 {
    decimal.digits as f64 / 10f64.powi(decimal.scale as i32)
}
