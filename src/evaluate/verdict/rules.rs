//! The rules, for estimates that allow a verdict.

use super::super::compare::LEVEL;
use super::super::draft::Verdict;
use super::super::reason::{Change, Disagreement, Finding, NetMargin};
use super::super::sentence::Rounded;
use crate::domain::Outcome;
use crate::stats::{Detectable, MoneyInterval};

/// What a verdict is made from.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    /// What the bracket of a matched strategy shows.
    pub bracket: Option<Finding>,
    /// The second arm of a pair; the control goes without saying.
    pub against: Option<String>,
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

/// What outcome and money show together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// Money is lost.
    Loss,
    /// The outcome falls.
    Harm,
    /// The outcome falls, and money is gained.
    HarmAndGain,
    /// Money is gained.
    Gain,
    /// The outcome rises, and of money nothing is shown, or it is not known.
    Rise,
    /// Neither.
    Nothing,
}

impl Shown {
    fn of(rises: bool, falls: bool, net: Option<MoneyInterval>) -> Shown {
        let (gains, loses) = net.map_or((false, false), |net| (net.low > 0.0, net.high < 0.0));
        match () {
            () if loses => Shown::Loss,
            () if falls && gains => Shown::HarmAndGain,
            () if falls => Shown::Harm,
            () if gains => Shown::Gain,
            () if rises => Shown::Rise,
            () => Shown::Nothing,
        }
    }

    /// The verdict; `scale` and `stop` are withheld where periods disagree.
    fn verdict(self, rises: bool, disagree: bool) -> Verdict {
        match self {
            Shown::Loss | Shown::Harm if !disagree => Verdict::Stop,
            Shown::Gain if !disagree => Verdict::Scale,
            Shown::Gain if rises => Verdict::Keep,
            Shown::Rise => Verdict::Keep,
            Shown::Loss | Shown::Harm | Shown::Gain | Shown::HarmAndGain | Shown::Nothing => Verdict::TestLonger,
        }
    }
}

fn without_guardrails(outcome: &Outcome, evidence: &Evidence) -> (Verdict, Finding) {
    let Evidence { effect: interval, p, net, disagreement, .. } = evidence;
    let is_shown = *p < LEVEL;
    if let Some(finding) = &evidence.bracket {
        let is_more = matches!(finding, Finding::MoreThanAlike { .. });
        return (if is_more { Verdict::Keep } else { Verdict::TestLonger }, finding.clone());
    }
    let (rises, falls) = (is_shown && interval.value > 0.0, is_shown && interval.value < 0.0);
    let shown = Shown::of(rises, falls, *net);
    let finding = match &evidence.against {
        Some(arm) => of_pair(shown, Change::beside_arm(outcome.clone(), arm, *interval, *p), evidence),
        None => of_treatment(shown, Change::new(outcome.clone(), *interval, *p), evidence),
    };
    (shown.verdict(rises, disagreement.is_some()), finding)
}

fn not_shown(effect: Change, evidence: &Evidence) -> Finding {
    let [gain, loss] = [evidence.detectable.gain, evidence.detectable.loss].map(Rounded::short);
    Finding::NotShown { effect, gain, loss }
}

/// What a treatment does.
fn of_treatment(shown: Shown, effect: Change, evidence: &Evidence) -> Finding {
    let how = evidence.disagreement.clone();
    match (shown, evidence.net.map(NetMargin::from), how) {
        (Shown::Loss, Some(money), None) => Finding::Loss { effect, money },
        (Shown::Loss, Some(money), Some(how)) => Finding::LosesUnevenly { effect, money, how },
        (Shown::Harm, _, None) => Finding::Harm { effect },
        (Shown::Harm, _, Some(how)) => Finding::HarmUnevenly { effect, how },
        (Shown::HarmAndGain, Some(money), _) => Finding::HarmsButPays { effect, money },
        (Shown::Gain, Some(money), None) => Finding::Pays { effect, money },
        (Shown::Gain, Some(money), Some(how)) => Finding::PaysUnevenly { effect, money, how },
        (Shown::Rise, Some(money), _) => Finding::PayIsOpen { effect, money },
        (Shown::Rise, None, _) => Finding::Works { effect },
        (Shown::Nothing | Shown::Loss | Shown::HarmAndGain | Shown::Gain, ..) => not_shown(effect, evidence),
    }
}

/// How an arm differs from another treated one.
fn of_pair(shown: Shown, effect: Change, evidence: &Evidence) -> Finding {
    let how = evidence.disagreement.clone();
    match (shown, evidence.net.map(NetMargin::difference), how) {
        (Shown::Loss | Shown::Gain, Some(money), Some(how)) => Finding::BringsUnevenly { effect, money, how },
        (Shown::Loss, Some(money), None) => Finding::BringsLess { effect, money },
        (Shown::Gain, Some(money), None) => Finding::BringsMore { effect, money },
        (Shown::Harm, _, None) => Finding::DoesLess { effect },
        (Shown::Harm, _, Some(how)) => Finding::HarmUnevenly { effect, how },
        (Shown::HarmAndGain, Some(money), _) => Finding::DoesLessButBringsMore { effect, money },
        (Shown::Rise, Some(money), _) => Finding::BringsIsOpen { effect, money },
        (Shown::Rise, None, _) => Finding::DoesMore { effect },
        (Shown::Nothing | Shown::Loss | Shown::HarmAndGain | Shown::Gain, ..) => {
            let [gain, loss] = [evidence.detectable.gain, evidence.detectable.loss].map(Rounded::short);
            Finding::NoDifference { effect, gain, loss }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::matched::{Bracket, End, Reading, read};
    use super::*;

    fn interval(value: f64, low: f64, high: f64) -> MoneyInterval {
        MoneyInterval { value, low, high }
    }

    fn evidence(effect: MoneyInterval, net: Option<MoneyInterval>) -> Evidence {
        let is_shown = effect.low > 0.0 || effect.high < 0.0;
        Evidence {
            bracket: None,
            against: None,
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

    /// The same verdicts of a pair, in words of a difference: nothing works or does harm that another treatment beats.
    #[test]
    fn a_pair_is_told_as_a_difference() {
        let (rises, open, falls) = (interval(3.0, 1.0, 5.0), interval(1.0, -1.0, 3.0), interval(-3.0, -5.0, -1.0));
        let (gains, unclear, loses) = (interval(1.0, 0.2, 1.8), interval(0.1, -0.7, 0.9), interval(-1.0, -1.8, -0.2));
        for (effect, net, words) in [
            (rises, None, "it does more; which brings more is not known"),
            (open, None, "no difference is shown; 2.800 more or 2.800 less would be found four times in five"),
            (falls, None, "it does less"),
            (rises, Some(gains), "it brings more even at the low end"),
            (falls, Some(gains), "it does less and brings more, so decide which of both counts"),
            (rises, Some(unclear), "it does more, but that it brings more is not shown"),
            (rises, Some(loses), "it brings less even at the high end"),
        ] {
            let of_pair = Evidence { against: Some("letter".into()), ..evidence(effect, net) };
            let (verdict, reason) = judge(&Outcome::Revenue, &of_pair);
            let reason = reason.to_string();
            assert_eq!(verdict, judge(&Outcome::Revenue, &evidence(effect, net)).0, "{reason}");
            assert!(reason.ends_with(words) || reason.contains(words), "{reason}");
            assert!(reason.contains("per customer ") && reason.contains(" than in arm \"letter\" ("), "{reason}");
            assert!(
                net.is_none() || words.starts_with("no ") || reason.contains("net margin per customer differs by "),
                "{reason}"
            );
        }
    }

    /// A matched strategy is `keep` at best, and never `stop`, whatever its money; its words are of a comparison. Both ends, and both
    /// less their placebos, must lie on one side of 0.
    #[test]
    fn a_comparison_proves_nothing() {
        let (above, open, below) = (interval(3.0, 1.0, 5.0), interval(1.0, -1.0, 3.0), interval(-3.0, -5.0, -1.0));
        let of = |[level, change, level_above, change_above]: [MoneyInterval; 4], share: f64| {
            let end = |difference, above| Some(End { difference, above: Some((above, 0.01)) });
            let bracket = Bracket { matched_share: share, level: end(level, level_above), change: end(change, change_above) };
            let (verdict, reason) = match read(&Outcome::Revenue, bracket) {
                Reading::Shown(found) => {
                    judge(&Outcome::Revenue, &Evidence { bracket: Some(found), ..evidence(level, Some(below)) })
                }
                Reading::Obstacle(obstacle) => (Verdict::CannotSay, obstacle),
            };
            let reason = reason.to_string();
            assert!(!reason.contains("rises") && !reason.contains("falls"), "{reason}");
            assert!(reason.contains("who was chosen because they were about to buy") || reason.contains("or were about to buy"));
            (verdict, reason)
        };
        let (verdict, reason) = of([above; 4], 0.9);
        assert!(verdict == Verdict::Keep && reason.contains("higher than of alike customers"), "{reason}");
        let (verdict, reason) = of([below; 4], 0.9);
        assert!(verdict == Verdict::TestLonger && reason.contains("no proof of harm"), "{reason}");
        for at in 0..4 {
            for other in [open, below] {
                let mut ends = [above; 4];
                ends[at] = other;
                assert!(of(ends, 0.9).0 == Verdict::CannotSay, "{at}");
            }
        }
        assert!(of([above; 4], 0.5).0 == Verdict::CannotSay);
    }
}
