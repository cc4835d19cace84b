//! What a verdict rests on.

use super::super::sentence::{PValue, Quoted, Rounded, sentences};
use super::not_estimable::NotEstimable;
use crate::domain::{Day, Outcome};
use crate::stats::MoneyInterval;

sentences! {
    /// A difference between the arms with its adjusted interval, in words.
    pub enum Change {
        /// The treated have more.
        Rises {
            /// What rises.
            outcome: Outcome,
            /// By how much per customer.
            by: Rounded,
            /// Lower end of the difference's interval.
            low: Rounded,
            /// Upper end.
            high: Rounded,
            /// The adjusted p-value.
            p: PValue,
        } = "reason.rises", "{outcome} rises by {by} per customer ({low} to {high}, adjusted p {p})";
        /// The treated have less.
        Falls {
            /// What falls.
            outcome: Outcome,
            /// By how much per customer.
            by: Rounded,
            /// Lower end of the difference's interval.
            low: Rounded,
            /// Upper end.
            high: Rounded,
            /// The adjusted p-value.
            p: PValue,
        } = "reason.falls", "{outcome} falls by {by} per customer ({low} to {high}, adjusted p {p})";
        /// The first arm of a pair has more than the second.
        HigherThanArm {
            /// What differs.
            outcome: Outcome,
            /// By how much per customer.
            by: Rounded,
            /// The second arm.
            arm: Quoted,
            /// Lower end of the difference's interval.
            low: Rounded,
            /// Upper end.
            high: Rounded,
            /// The adjusted p-value.
            p: PValue,
        } = "reason.higher_than_arm", "{outcome} is {by} per customer higher than in arm {arm} ({low} to {high}, adjusted p {p})";
        /// The first arm of a pair has less than the second.
        LowerThanArm {
            /// What differs.
            outcome: Outcome,
            /// By how much per customer.
            by: Rounded,
            /// The second arm.
            arm: Quoted,
            /// Lower end of the difference's interval.
            low: Rounded,
            /// Upper end.
            high: Rounded,
            /// The adjusted p-value.
            p: PValue,
        } = "reason.lower_than_arm", "{outcome} is {by} per customer lower than in arm {arm} ({low} to {high}, adjusted p {p})";
    }

    /// Money, in words.
    pub enum NetMargin {
        /// What is left per treated customer.
        PerCustomer {
            /// Margin less cost.
            value: Rounded,
            /// Lower end of its adjusted interval.
            low: Rounded,
            /// Upper end.
            high: Rounded,
        } = "reason.net_margin", "net margin per customer {value} ({low} to {high})";
        /// What the first arm of a pair leaves more than the second.
        DiffersBy {
            /// Margin less cost, of the first less the second.
            value: Rounded,
            /// Lower end of its adjusted interval.
            low: Rounded,
            /// Upper end.
            high: Rounded,
        } = "reason.net_margin_differs", "net margin per customer differs by {value} ({low} to {high})";
    }

    /// How periods disagree.
    pub enum Disagreement {
        /// Two periods show opposite results.
        Opposite {
            /// First day of the one that gains.
            gain: Day,
            /// First day of the one that loses.
            loss: Day,
        } = "reason.opposite_periods", "the period from {gain} shows a gain and that from {loss} a loss";
        /// One period decides.
        OneDecides {
            /// Its first day.
            start: Day,
        } = "reason.one_period_decides", "without the period from {start} the result has the other sign";
    }

    /// What a verdict rests on.
    pub enum Finding {
        /// Nothing can be said: the strategy has no control.
        NoControl = "reason.no_control", "there is no control arm, so a change cannot be told from what would have happened anyway: see before_after";
        /// Nothing can be said: there is no estimate.
        NotEstimable {
            /// Why.
            reason: NotEstimable,
        } = "reason.not_estimable", "{reason}";
        /// Nothing can be said over all periods: one of them has no estimate.
        PeriodNotEstimable {
            /// Its first day.
            start: Day,
            /// Why.
            reason: NotEstimable,
        } = "reason.period_not_estimable", "in the period from {start}, {reason}";
        /// Nothing can be said over all periods: those with an estimate have too few of the treated.
        CoversTooFew {
            /// The share of the treated that have one, in percent.
            share: Rounded,
            /// First day of the first period without.
            start: Day,
            /// Why it has none.
            reason: NotEstimable,
        } = "reason.covers_too_few", "only {share} % of the treated are in periods with an estimate; in the period from {start}, {reason}";
        /// Nothing can be said: a matched comparison has no placebo.
        NoPlacebo = "reason.no_placebo", "there is no placebo to trust the matching by: too little is known of these customers before the baseline, and who was chosen because they were about to buy cannot be seen";
        /// Nothing can be said: too few of the treated are matched.
        FewMatched {
            /// The matched in percent of the treated.
            share: Rounded,
        } = "reason.few_matched", "only {share} % of the treated have a match; of the others nothing can be said, nor be seen who was chosen because they were about to buy";
        /// Nothing can be said: alike customers differ by no more than before anybody was treated.
        WithinPlacebo {
            /// What is compared.
            outcome: Outcome,
            /// By how much it differs per customer.
            level: Rounded,
            /// By how much its change since the baseline differs.
            change: Rounded,
            /// The level less its placebo.
            level_above: Rounded,
            /// Lower end of its adjusted interval.
            level_low: Rounded,
            /// Upper end.
            level_high: Rounded,
            /// The change less its placebo.
            change_above: Rounded,
            /// Lower end of its adjusted interval.
            change_low: Rounded,
            /// Upper end.
            change_high: Rounded,
        } = "reason.within_placebo", "beside alike customers {outcome} differs by {level} per customer and its change since the baseline by {change}; beyond what differed before anybody was treated, {level_above} ({level_low} to {level_high}) and {change_above} ({change_low} to {change_high}), which do not all lie on one side of 0: nothing is claimed of customers whom somebody chose, and who was chosen because they were about to buy cannot be seen";
        /// Nothing can be said: a matched strategy lacks one of its two estimates.
        BracketIncomplete = "reason.bracket_incomplete", "one end of the bracket is missing, level or change, and who was chosen because they were about to buy cannot be seen";
        /// A guardrail falls.
        GuardrailFalls {
            /// The guarded outcome.
            outcome: Outcome,
            /// By how much per customer.
            by: Rounded,
            /// Lower end of its plain interval.
            low: Rounded,
            /// Upper end.
            high: Rounded,
        } = "reason.guardrail_falls", "guardrail {outcome} falls by {by} per customer ({low} to {high}), so look at that before it goes on";
        /// A guardrail may fall by more than is borne.
        GuardrailMayFall {
            /// The guarded outcome.
            outcome: Outcome,
            /// Lower end of its plain interval.
            low: Rounded,
            /// What is borne.
            at_worst: Rounded,
        } = "reason.guardrail_may_fall", "guardrail {outcome} may change by {low} per customer, and {at_worst} is allowed: more customers are needed to rule that out";
        /// The outcome falls.
        Harm {
            /// By how much.
            effect: Change,
        } = "reason.harm", "{effect}: it does harm";
        /// The outcome falls over all periods, but periods disagree.
        HarmUnevenly {
            /// By how much.
            effect: Change,
            /// How they disagree.
            how: Disagreement,
        } = "reason.harm_unevenly", "{effect}, but {how}";
        /// The outcome falls, and net money is gained.
        HarmsButPays {
            /// By how much.
            effect: Change,
            /// The net margin.
            money: NetMargin,
        } = "reason.harms_but_pays", "{effect}, yet {money}: it pays although it misses its aim, so decide which of both counts";
        /// The net margin is negative.
        Loss {
            /// The effect.
            effect: Change,
            /// The net margin.
            money: NetMargin,
        } = "reason.loss", "{effect}; {money}: it costs more than it brings even at the high end";
        /// The net margin is negative over all periods, but periods disagree.
        LosesUnevenly {
            /// The effect.
            effect: Change,
            /// The net margin.
            money: NetMargin,
            /// How they disagree.
            how: Disagreement,
        } = "reason.loses_unevenly", "{effect}; {money}: it loses money over all periods, but {how}";
        /// The net margin is positive over all periods, but periods disagree.
        PaysUnevenly {
            /// The effect.
            effect: Change,
            /// The net margin.
            money: NetMargin,
            /// How they disagree.
            how: Disagreement,
        } = "reason.pays_unevenly", "{effect}; {money}: it pays over all periods, but {how}";
        /// The net margin is positive.
        Pays {
            /// The effect.
            effect: Change,
            /// The net margin.
            money: NetMargin,
        } = "reason.pays", "{effect}; {money}: it pays even at the low end";
        /// The outcome rises, and the net margin is not shown to be positive or negative.
        PayIsOpen {
            /// The effect.
            effect: Change,
            /// The net margin.
            money: NetMargin,
        } = "reason.pay_is_open", "{effect}; {money}: it works, but that it pays is not shown";
        /// The outcome rises, and the net margin is not known.
        Works {
            /// The effect.
            effect: Change,
        } = "reason.works", "{effect}: it works; whether it pays is not known without cost and margin";
        /// No effect is shown.
        NotShown {
            /// The estimate.
            effect: Change,
            /// The least gain that would be found four times in five.
            gain: Rounded,
            /// The least loss.
            loss: Rounded,
        } = "reason.not_shown", "{effect}: no effect is shown; a gain of {gain} or a loss of {loss} would be found four times in five";
        /// The first arm of a pair leaves more net money.
        BringsMore {
            /// The difference.
            effect: Change,
            /// That of the net margin.
            money: NetMargin,
        } = "reason.brings_more", "{effect}; {money}: it brings more even at the low end";
        /// The first arm of a pair leaves less.
        BringsLess {
            /// The difference.
            effect: Change,
            /// That of the net margin.
            money: NetMargin,
        } = "reason.brings_less", "{effect}; {money}: it brings less even at the high end";
        /// One of both leaves more over all periods, but periods disagree.
        BringsUnevenly {
            /// The difference.
            effect: Change,
            /// That of the net margin.
            money: NetMargin,
            /// How they disagree.
            how: Disagreement,
        } = "reason.brings_unevenly", "{effect}; {money}, but {how}";
        /// The first arm of a pair has less of the outcome, and leaves more net money.
        DoesLessButBringsMore {
            /// The difference.
            effect: Change,
            /// That of the net margin.
            money: NetMargin,
        } = "reason.does_less_but_brings_more", "{effect}, yet {money}: it does less and brings more, so decide which of both counts";
        /// The first arm of a pair has more of the outcome, and the net margins are not shown to differ.
        BringsIsOpen {
            /// The difference.
            effect: Change,
            /// That of the net margin.
            money: NetMargin,
        } = "reason.brings_is_open", "{effect}; {money}: it does more, but that it brings more is not shown";
        /// The first arm of a pair has more of the outcome, and the net margin is not known.
        DoesMore {
            /// The difference.
            effect: Change,
        } = "reason.does_more", "{effect}: it does more; which brings more is not known without cost and margin";
        /// The first arm of a pair has less of the outcome.
        DoesLess {
            /// The difference.
            effect: Change,
        } = "reason.does_less", "{effect}: it does less";
        /// The arms of a pair are not shown to differ.
        NoDifference {
            /// The estimate.
            effect: Change,
            /// The least excess that would be found four times in five.
            gain: Rounded,
            /// The least shortfall.
            loss: Rounded,
        } = "reason.no_difference", "{effect}: no difference is shown; {gain} more or {loss} less would be found four times in five";
        /// Both comparisons with alike customers are above 0 and above their placebos.
        MoreThanAlike {
            /// What is compared.
            outcome: Outcome,
            /// By how much it is higher per customer.
            by: Rounded,
            /// By how much more it has changed since the baseline.
            change: Rounded,
            /// The level less its placebo.
            level_above: Rounded,
            /// Lower end of its adjusted interval.
            level_low: Rounded,
            /// Upper end.
            level_high: Rounded,
            /// The change less its placebo.
            change_above: Rounded,
            /// Lower end of its adjusted interval.
            change_low: Rounded,
            /// Upper end.
            change_high: Rounded,
            /// The adjusted p-value of both.
            p: PValue,
        } = "reason.more_than_alike", "{outcome} is {by} per customer higher than of alike customers and has gained {change} on theirs since the baseline; beyond what differed before anybody was treated, {level_above} ({level_low} to {level_high}) and {change_above} ({change_low} to {change_high}, adjusted p {p}): a comparison, no proof, as it cannot see who was chosen because they were about to buy; a control drawn at random can";
        /// Both comparisons with alike customers are below 0 and below their placebos.
        LessThanAlike {
            /// What is compared.
            outcome: Outcome,
            /// By how much it is lower per customer.
            by: Rounded,
            /// By how much less it has changed since the baseline.
            change: Rounded,
            /// The level less its placebo.
            level_above: Rounded,
            /// Lower end of its adjusted interval.
            level_low: Rounded,
            /// Upper end.
            level_high: Rounded,
            /// The change less its placebo.
            change_above: Rounded,
            /// Lower end of its adjusted interval.
            change_low: Rounded,
            /// Upper end.
            change_high: Rounded,
            /// The adjusted p-value of both.
            p: PValue,
        } = "reason.less_than_alike", "{outcome} is {by} per customer lower than of alike customers and has lost {change} to theirs since the baseline; beyond what differed before anybody was treated, {level_above} ({level_low} to {level_high}) and {change_above} ({change_low} to {change_high}, adjusted p {p}): a comparison, no proof of harm, as it cannot see who was chosen because they had stopped buying or were about to buy; a control drawn at random can";
        /// Nothing can be said of customers at a cut.
        NotEstimableAtCut {
            /// The cut.
            cut: Rounded,
            /// The measure.
            running: Quoted,
            /// Why.
            reason: NotEstimable,
        } = "reason.not_estimable_at_cut", "nothing can be said of customers just above {cut} of {running}: {reason}";
        /// At a cut the outcome rises, and the net margin is not known.
        WorksAtCut {
            /// The cut.
            cut: Rounded,
            /// The measure.
            running: Quoted,
            /// The effect.
            effect: Change,
        } = "reason.works_at_cut", "for customers just above {cut} of {running}, {effect}: it works for them; whether it pays is not known without cost and margin, and of others nothing is shown";
        /// At a cut the net margin is positive.
        PaysAtCut {
            /// The cut.
            cut: Rounded,
            /// The measure.
            running: Quoted,
            /// The effect.
            effect: Change,
            /// The net margin.
            money: NetMargin,
        } = "reason.pays_at_cut", "for customers just above {cut} of {running}, {effect}; {money}: it pays for them even at the low end, and of others nothing is shown";
        /// At a cut the outcome rises, and the net margin is not shown to be positive or negative.
        PayIsOpenAtCut {
            /// The cut.
            cut: Rounded,
            /// The measure.
            running: Quoted,
            /// The effect.
            effect: Change,
            /// The net margin.
            money: NetMargin,
        } = "reason.pay_is_open_at_cut", "for customers just above {cut} of {running}, {effect}; {money}: it works for them, but that it pays is not shown, and of others nothing is";
        /// At a cut the outcome falls.
        HarmAtCut {
            /// The cut.
            cut: Rounded,
            /// The measure.
            running: Quoted,
            /// The effect.
            effect: Change,
        } = "reason.harm_at_cut", "for customers just above {cut} of {running}, {effect}: it does harm to them; a higher cut would spare them, and of others nothing is shown";
        /// At a cut the outcome falls, and net money is gained.
        HarmsButPaysAtCut {
            /// The cut.
            cut: Rounded,
            /// The measure.
            running: Quoted,
            /// The effect.
            effect: Change,
            /// The net margin.
            money: NetMargin,
        } = "reason.harms_but_pays_at_cut", "for customers just above {cut} of {running}, {effect}, yet {money}: it pays for them although it misses its aim, and of others nothing is shown";
        /// At a cut the net margin is negative.
        LossAtCut {
            /// The cut.
            cut: Rounded,
            /// The measure.
            running: Quoted,
            /// The effect.
            effect: Change,
            /// The net margin.
            money: NetMargin,
        } = "reason.loss_at_cut", "for customers just above {cut} of {running}, {effect}; {money}: it costs more than it brings of them even at the high end; a higher cut would save that, and of others nothing is shown";
        /// At a cut no effect is shown.
        NotShownAtCut {
            /// The cut.
            cut: Rounded,
            /// The measure.
            running: Quoted,
            /// The estimate.
            effect: Change,
            /// The least gain that would be found four times in five.
            gain: Rounded,
            /// The least loss.
            loss: Rounded,
        } = "reason.not_shown_at_cut", "for customers just above {cut} of {running}, {effect}: no effect on them is shown; a gain of {gain} or a loss of {loss} would be found four times in five";
    }
}

fn short(difference: MoneyInterval) -> [Rounded; 3] {
    [difference.value.abs(), difference.low, difference.high].map(Rounded::short)
}

impl Change {
    /// An effect with its adjusted interval and p-value.
    pub fn new(outcome: Outcome, difference: MoneyInterval, p: f64) -> Change {
        let ([by, low, high], p) = (short(difference), PValue(p));
        match difference.value < 0.0 {
            true => Change::Falls { outcome, by, low, high, p },
            false => Change::Rises { outcome, by, low, high, p },
        }
    }

    /// A difference from another treated arm with its adjusted interval and p-value.
    pub fn beside_arm(outcome: Outcome, arm: &str, difference: MoneyInterval, p: f64) -> Change {
        let ([by, low, high], p, arm) = (short(difference), PValue(p), arm.into());
        match difference.value < 0.0 {
            true => Change::LowerThanArm { outcome, by, arm, low, high, p },
            false => Change::HigherThanArm { outcome, by, arm, low, high, p },
        }
    }
}

impl From<MoneyInterval> for NetMargin {
    fn from(net: MoneyInterval) -> NetMargin {
        let [value, low, high] = [net.value, net.low, net.high].map(Rounded::short);
        NetMargin::PerCustomer { value, low, high }
    }
}

impl NetMargin {
    /// What the first arm of a pair leaves more than the second.
    pub fn difference(net: MoneyInterval) -> NetMargin {
        let [value, low, high] = [net.value, net.low, net.high].map(Rounded::short);
        NetMargin::DiffersBy { value, low, high }
    }
}
