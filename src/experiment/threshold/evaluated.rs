//! From the customers near the cuts to what evaluation needs of them.

use super::plan::ThresholdPlan;
use super::sample::{CutSample, NearCustomer};
use crate::domain::{Decimal, Outcome};
use crate::evaluate::{CutOutcome, CutPeriod};
use crate::job::Job;
use crate::stats::printed;

/// The periods of all strategies, strategy by strategy, with the samples in the same order.
pub fn cut_periods(job: &Job, plans: &[ThresholdPlan<'_>], samples: Vec<CutSample>) -> Vec<CutPeriod> {
    let periods = plans.iter().flat_map(|plan| (0..plan.periods.len()).map(move |period| (plan, period)));
    periods.zip(samples).map(|((plan, period), sample)| cut_period(job, plan, period, sample)).collect()
}

fn cut_period(job: &Job, plan: &ThresholdPlan<'_>, period: usize, sample: CutSample) -> CutPeriod {
    let (threshold, own) = (plan.threshold, &plan.periods[period]);
    let (customers, kept) = sample.finish();
    let scale = |outcome: &Outcome| match outcome {
        Outcome::Revenue | Outcome::Margin => job.scale(),
        _ => 0,
    };
    let outcomes = threshold.outcomes.iter().enumerate().map(|(number, outcome)| {
        let value = |at: usize| move |customer: &NearCustomer| printed(i128::from(customer.values[number][at]), scale(outcome));
        CutOutcome {
            outcome: outcome.clone(),
            values: kept.iter().map(value(0)).collect(),
            before: kept.iter().map(value(1)).collect(),
        }
    });
    CutPeriod {
        strategy: threshold.name.clone(),
        period: own.period,
        running: threshold.running.clone(),
        cut: plan.cut.printed(plan.cut.cut),
        window: plan.cut.printed(plan.cut.window),
        customers: customers as i64,
        outcomes: outcomes.collect(),
        running_values: kept.iter().map(|customer| plan.cut.printed(customer.running)).collect(),
        treated: plan.treated.map(|_| kept.iter().map(|customer| customer.is_treated).collect()),
        primary: threshold.primary.clone(),
        placebo: own.placebo,
        knows_placebo: own.placebo_is_known,
        outcomes_until: own.outcomes.last_day(),
        known_until: job.last(),
        cost_per_customer: threshold.cost_per_customer.map(Decimal::to_f64),
        net_base: net_base(job, plan),
    }
}

/// The outcome of which net money is linear, and what a unit of it adds to the margin; none if no margin is known.
fn net_base(job: &Job, plan: &ThresholdPlan<'_>) -> Option<(Outcome, f64)> {
    let threshold = plan.threshold;
    let lists = |outcome| threshold.outcomes.contains(&outcome);
    match threshold.margin_rate.filter(|_| job.raw.orders.cost.is_none() || !lists(Outcome::Margin)) {
        Some(rate) if lists(Outcome::Revenue) => Some((Outcome::Revenue, rate.to_f64())),
        _ => lists(Outcome::Margin).then_some((Outcome::Margin, 1.0)),
    }
}
