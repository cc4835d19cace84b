//! The rules, for estimates that allow a verdict.

use super::super::draft::Verdict;
use super::super::family::LEVEL;
use super::super::reason::{Change, Disagreement, Finding, NetMargin};
use super::super::sentence::Rounded;
use crate::domain::{Design, Outcome};
use crate::stats::{Detectable, MoneyInterval};

/// What a verdict is made from.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    pub design: Design,
    /// The difference with its adjusted interval.
    pub effect: MoneyInterval,
    pub se: f64,
    /// The adjusted p-value.
    pub p: f64,
    pub detectable: Detectable,
    /// Net money per treated customer with its adjusted interval.
    pub net: Option<MoneyInterval>,
    pub net_se: f64,
    /// The first guardrail that has fallen.
    pub guardrail: Option<Finding>,
    /// How periods disagree, over all of them.
    pub disagreement: Option<Disagreement>,
}

/// The verdict and what it rests on.
pub(super) fn judge(outcome: &Outcome, evidence: &Evidence) -> (Verdict, Finding) {
    let (verdict, finding) = without_guardrails(outcome, evidence);
    match (verdict, &evidence.guardrail) {
        (Verdict::Scale | Verdict::Keep, Some(fallen)) => (Verdict::TestLonger, fallen.clone()),
        _ => (verdict, finding),
    }
}

fn without_guardrails(outcome: &Outcome, evidence: &Evidence) -> (Verdict, Finding) {
    let Evidence { effect: interval, p, detectable, net, disagreement, .. } = evidence;
    let is_shown = *p < LEVEL;
    let effect = if evidence.design == Design::Matched {
        Change::beside_alike(outcome.clone(), *interval, *p)
    } else {
        Change::new(outcome.clone(), *interval, *p)
    };
    let (rises, falls) = (is_shown && interval.value > 0.0, is_shown && interval.value < 0.0);
    let not_shown = |effect: Change| {
        let [gain, loss] = [detectable.gain, detectable.loss].map(Rounded::short);
        (Verdict::TestLonger, Finding::NotShown { effect, gain, loss })
    };
    if evidence.design == Design::Matched {
        return match () {
            () if rises => (Verdict::Keep, Finding::MoreThanAlike { effect }),
            () if falls => (Verdict::TestLonger, Finding::LessThanAlike { effect }),
            () => not_shown(effect),
        };
    }
    let Some(net) = net else {
        return match (rises, falls, disagreement) {
            (true, ..) => (Verdict::Keep, Finding::Works { effect }),
            (_, true, None) => (Verdict::Stop, Finding::Harm { effect }),
            (_, true, Some(how)) => (Verdict::TestLonger, Finding::HarmUnevenly { effect, how: how.clone() }),
            _ => not_shown(effect),
        };
    };
    let money = NetMargin::from(*net);
    let (gains, loses) = (net.low > 0.0, net.high < 0.0);
    match disagreement {
        Some(how) if loses => (Verdict::TestLonger, Finding::LosesUnevenly { effect, money, how: how.clone() }),
        Some(how) if falls && !gains => (Verdict::TestLonger, Finding::HarmUnevenly { effect, how: how.clone() }),
        Some(how) if gains && !falls => {
            let verdict = if rises { Verdict::Keep } else { Verdict::TestLonger };
            (verdict, Finding::PaysUnevenly { effect, money, how: how.clone() })
        }
        _ if loses => (Verdict::Stop, Finding::Loss { effect, money }),
        _ if falls && gains => (Verdict::TestLonger, Finding::HarmsButPays { effect, money }),
        _ if falls => (Verdict::Stop, Finding::Harm { effect }),
        _ if gains => (Verdict::Scale, Finding::Pays { effect, money }),
        _ if rises => (Verdict::Keep, Finding::PayIsOpen { effect, money }),
        _ => not_shown(effect),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(value: f64, low: f64, high: f64) -> MoneyInterval {
        MoneyInterval { value, low, high }
    }

    fn evidence(effect: MoneyInterval, net: Option<MoneyInterval>) -> Evidence {
        let is_shown = effect.low > 0.0 || effect.high < 0.0;
        Evidence {
            design: Design::Randomised,
            effect,
            se: 1.0,
            p: if is_shown { 0.01 } else { 0.2 },
            detectable: Detectable { gain: 2.8, loss: 2.8 },
            net,
            net_se: 0.4,
            guardrail: None,
            disagreement: None,
        }
    }

    /// Every pair of what the outcome shows and what money shows has its verdict.
    #[test]
    fn outcome_and_money_decide_together() {
        let (rises, open, falls) = (interval(3.0, 1.0, 5.0), interval(1.0, -1.0, 3.0), interval(-3.0, -5.0, -1.0));
        let (gains, unclear, loses) = (interval(1.0, 0.2, 1.8), interval(0.1, -0.7, 0.9), interval(-1.0, -1.8, -0.2));
        let cases = [
            (rises, None, Verdict::Keep),
            (open, None, Verdict::TestLonger),
            (falls, None, Verdict::Stop),
            (rises, Some(gains), Verdict::Scale),
            (open, Some(gains), Verdict::Scale),
            (falls, Some(gains), Verdict::TestLonger),
            (rises, Some(unclear), Verdict::Keep),
            (open, Some(unclear), Verdict::TestLonger),
            (falls, Some(unclear), Verdict::Stop),
            (rises, Some(loses), Verdict::Stop),
            (open, Some(loses), Verdict::Stop),
            (falls, Some(loses), Verdict::Stop),
        ];
        for (effect, net, verdict) in cases {
            assert_eq!(judge(&Outcome::Revenue, &evidence(effect, net)).0, verdict, "{effect:?} {net:?}");
        }
    }

    /// Where periods disagree, nothing is scaled or stopped, and the sentence says which.
    #[test]
    fn periods_that_disagree_withhold() {
        let how = Disagreement::OneDecides { start: crate::domain::Day(19_000) };
        let (rises, falls) = (interval(3.0, 1.0, 5.0), interval(-3.0, -5.0, -1.0));
        let (gains, loses) = (interval(1.0, 0.2, 1.8), interval(-1.0, -1.8, -0.2));
        for (effect, net, verdict) in [
            (rises, Some(gains), Verdict::Keep),
            (interval(1.0, -1.0, 3.0), Some(gains), Verdict::TestLonger),
            (rises, Some(loses), Verdict::TestLonger),
            (falls, None, Verdict::TestLonger),
        ] {
            let withheld = Evidence { disagreement: Some(how.clone()), ..evidence(effect, net) };
            let (found, reason) = judge(&Outcome::Revenue, &withheld);
            assert!(found == verdict && reason.to_string().contains("the other sign"), "{found:?} {reason}");
        }
    }

    /// A matched strategy is `keep` at best, and never `stop`, whatever its money; its words are of a comparison.
    #[test]
    fn a_comparison_proves_nothing() {
        let of = |effect: MoneyInterval, net: Option<MoneyInterval>| {
            let (verdict, reason) = judge(&Outcome::Revenue, &Evidence { design: Design::Matched, ..evidence(effect, net) });
            (verdict, reason.to_string())
        };
        let (verdict, reason) = of(interval(3.0, 1.0, 5.0), Some(interval(1.0, 0.2, 1.8)));
        assert!(verdict == Verdict::Keep && reason.contains("higher than of alike customers"), "{reason}");
        let (verdict, reason) = of(interval(-3.0, -5.0, -1.0), Some(interval(-4.0, -5.0, -3.0)));
        assert!(verdict == Verdict::TestLonger && reason.contains("no proof of harm"), "{reason}");
        assert!(!reason.contains("rises") && !reason.contains("falls"), "{reason}");
    }
}
