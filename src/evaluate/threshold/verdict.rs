//! The verdict on a programme at its cut. It is about customers there, so it is `keep` at best: whether customers far beyond the cut, or
//! those whom a lower one would take in, are worth the treatment, it does not say. For the same reason it is never `stop`.

use super::estimate::CutEffect;
use super::period::{BELOW, BEYOND};
use crate::domain::EffectMethod;
use crate::evaluate::arm_sums::ALL;
use crate::evaluate::draft::Verdict;
use crate::evaluate::reason::{Change, Finding, NetMargin, Remark, VerdictReason};
use crate::evaluate::sentence::{Quoted, Rounded};
use crate::stats::MoneyInterval;
use crate::tables::VerdictRow;

/// An effect is shown below this adjusted p-value.
const LEVEL: f64 = 0.05;

/// The verdict on a headline effect, among the effects of its period.
pub fn verdict(of: &CutEffect<'_>, all: &[CutEffect<'_>]) -> VerdictRow {
    let period = of.period;
    let (cut, running) = (period.cut_value(), period.running_name());
    let adjusted = of.test.as_ref().and_then(|test| test.adjusted);
    let shown = of.effect.zip(adjusted).map(|(effect, adjusted)| {
        (MoneyInterval { value: effect.value, low: adjusted.interval.0, high: adjusted.interval.1 }, adjusted.p)
    });
    let money = all.iter().find(|other| std::ptr::eq(other.period, period) && other.is_money()).and_then(adjusted_money);
    let (verdict, sentence) = match (&of.obstacle, shown) {
        (None, Some((effect, p))) => {
            let detectable = of.test.as_ref().map(|test| test.test.detectable((effect.low, effect.high)));
            let [gain, loss] = [detectable.map(|d| d.gain), detectable.map(|d| d.loss)].map(|x| Rounded::short(x.unwrap_or(0.0)));
            let change = Change::new(of.outcome.clone(), effect, p);
            // Less its bias, the effect may have the other sign.
            let corrected = of.test.as_ref().map_or(0.0, |test| test.test.value);
            let direction = if p < LEVEL && effect.value * corrected > 0.0 { corrected.signum() } else { 0.0 };
            judge(change, direction, money, [gain, loss], (cut, running))
        }
        (Some(reason), _) => (Verdict::CannotSay, Finding::NotEstimableAtCut { cut, running, reason: reason.clone() }),
        (None, None) => (Verdict::CannotSay, Finding::NotEstimable { reason: crate::evaluate::reason::NotEstimable::NoPeriods }),
    };
    let untested = of.falsification.placebo.is_none() && of.obstacle.is_none();
    let remarks = untested.then_some(Remark::WithoutPlacebo { from: period.placebo.start, to: period.placebo.last_day() });
    let reason = VerdictReason { sentence, remarks: remarks.into_iter().collect() };
    VerdictRow {
        strategy: period.strategy.clone(),
        arm: BEYOND.into(),
        against: Some(BELOW.into()),
        period_start: Some(period.period.start),
        period_end: Some(period.period.last_day()),
        scheme: ALL.into(),
        state: ALL.into(),
        verdict: verdict.to_string(),
        reason: Some(reason.to_string()),
        outcome: Some(of.outcome.to_string()),
        method: Some(EffectMethod::Threshold.to_string()),
        difference: shown.map(|(effect, _)| effect.value),
        ci_low_adjusted: shown.map(|(effect, _)| effect.low),
        ci_high_adjusted: shown.map(|(effect, _)| effect.high),
        p_adjusted: shown.map(|(_, p)| p),
        net_margin_per_customer: shown.and(money).map(|net| net.value),
        net_margin_low_adjusted: shown.and(money).map(|net| net.low),
        net_margin_high_adjusted: shown.and(money).map(|net| net.high),
        // Customers at a cut are ranked with nobody.
        ranked_by: None,
        shrunk_difference: None,
        shrunk_low: None,
        rank: None,
    }
}

fn adjusted_money(net: &CutEffect<'_>) -> Option<MoneyInterval> {
    let (effect, adjusted) = net.effect.zip(net.test.as_ref()?.adjusted)?;
    Some(MoneyInterval { value: effect.value, low: adjusted.interval.0, high: adjusted.interval.1 })
}

/// The verdict from what is shown of the outcome, which rises, falls or neither, and of money.
fn judge(
    effect: Change,
    direction: f64,
    net: Option<MoneyInterval>,
    [gain, loss]: [Rounded; 2],
    (cut, running): (Rounded, Quoted),
) -> (Verdict, Finding) {
    let (gains, loses) = net.map_or((false, false), |net| (net.low > 0.0, net.high < 0.0));
    let (rises, falls) = (direction > 0.0, direction < 0.0);
    match net.map(NetMargin::from) {
        Some(money) if loses => (Verdict::TestLonger, Finding::LossAtCut { cut, running, effect, money }),
        Some(money) if falls && gains => (Verdict::TestLonger, Finding::HarmsButPaysAtCut { cut, running, effect, money }),
        _ if falls => (Verdict::TestLonger, Finding::HarmAtCut { cut, running, effect }),
        Some(money) if gains => (Verdict::Keep, Finding::PaysAtCut { cut, running, effect, money }),
        Some(money) if rises => (Verdict::Keep, Finding::PayIsOpenAtCut { cut, running, effect, money }),
        None if rises => (Verdict::Keep, Finding::WorksAtCut { cut, running, effect }),
        _ => (Verdict::TestLonger, Finding::NotShownAtCut { cut, running, effect, gain, loss }),
    }
}
