//! Everything evaluation says in words: why a number is not there, why a verdict is what it is, and what a description of
//! before and after rests on. `docs/STRATEGIES.md` has the conditions.

use super::sentence::{Field, FieldType, PValue, Quoted, Remarked, Rounded, sentences};
use crate::domain::{Day, EffectMethod, Outcome};
use crate::stats::{Interval, MoneyInterval};

sentences! {
    /// A reason for null numbers, printed as one sentence in `not_estimable`.
    pub enum NotEstimable {
        /// An arm has no customers.
        EmptyArm {
            /// The arm.
            arm: Quoted,
        } = "reason.empty_arm", "arm {arm} has no customers here";
        /// An arm has one customer, who has no variance.
        OneCustomer {
            /// The arm.
            arm: Quoted,
        } = "reason.one_customer", "arm {arm} has one customer here, and one has no variance";
        /// Within either arm all customers have the same outcome.
        SameOutcome = "reason.same_outcome", "within each arm all customers have the same outcome, so there is no variance";
        /// Within either arm all customers with orders have the same value per order.
        SameValue = "reason.same_value", "within each arm all customers have the same value per order, so there is no variance";
        /// Within either arm the baseline explains all that differs.
        Explained = "reason.explained", "the baseline explains all that differs within the arms, so there is no variance left";
        /// A ratio's denominator is 0 in an arm.
        NoDenominator = "reason.no_denominator", "an arm has no orders here, so there is no value per order";
        /// The arms' sizes are not those that were planned.
        FailedSplit {
            /// The split check's p-value.
            p: PValue,
        } = "reason.failed_split", "the arms' sizes are not those of the planned split (chi-square p {p}), so who is in which arm was not left to chance";
        /// The outcome's days are not all in the data.
        Unfinished {
            /// The last day needed.
            until: Day,
            /// The last day there is.
            known: Day,
        } = "reason.unfinished", "outcomes run until {until} and the last as-of date is {known}: the period is not finished";
        /// Customers were assigned on different dates and the job gives no `outcome_days`.
        NoCommonStart = "reason.no_common_start", "customers were assigned on different dates and the job gives no outcome_days, so they were not watched equally long";
        /// The arms were already treated differently inside the baseline.
        ContaminatedBaseline {
            /// The p-value of equal shares.
            p: PValue,
        } = "reason.contaminated_baseline", "the arms were treated differently inside the baseline already (chi-square p {p}), so the baseline is no fair covariate";
        /// There is no baseline.
        NoBaseline = "reason.no_baseline", "there is no baseline";
        /// The outcome has no number in the baseline from which it could have changed.
        NoBaselineValue = "reason.no_baseline_value", "the outcome is not known of the baseline, so there is no change since then";
        /// The baseline and the outcomes are of different length.
        UnequalDays {
            /// Days of the baseline that are in the data.
            baseline: i32,
            /// Days of the outcomes.
            outcomes: i32,
        } = "reason.unequal_days", "the data have {baseline} days of the baseline and {outcomes} of outcomes, which are too unlike to tell a change by";
        /// Strata with different planned shares cannot be thrown together.
        UnequalShares = "reason.unequal_shares", "strata have different planned shares, so the arms' plain means differ by their mix: see post_stratified";
        /// No stratum or matching cell has two customers in each arm.
        NoCells = "reason.no_cells", "no stratum or matching cell has two customers in each arm";
        /// The matched arms differed before the baseline.
        FailedPlacebo {
            /// Their difference then.
            difference: Rounded,
            /// Its interval's lower end.
            low: Rounded,
            /// Its upper end.
            high: Rounded,
        } = "reason.failed_placebo", "the matched arms differed by {difference} ({low} to {high}) before the baseline already, when nobody was treated";
        /// No period has an estimate to pool.
        NoEstimate {
            /// The first day of the first period.
            start: Day,
            /// That period's reason.
            reason: Box<NotEstimable>,
        } = "reason.no_estimate", "no period has an estimate; the first, from {start}: {reason}";
        /// Arms assigned on different days cannot be thrown together.
        UnlikeDays {
            /// The p-value of equal days.
            p: PValue,
            /// The arm's share of the customers of these days, in percent.
            share: Rounded,
            /// The first of them.
            from: Day,
            /// The last.
            to: Day,
            /// The arm.
            arm: Quoted,
            /// Its share of all customers, in percent.
            usual: Rounded,
        } = "reason.unlike_days", "the arms were assigned on different days (chi-square p {p}): of those assigned from {from} to {to}, {share} % are in arm {arm}, of all {usual} %, so the arms' plain means differ by their mix of days: see post_stratified";
        /// Arms were assigned on different days and few on the same.
        DaysApart {
            /// The p-value of equal days.
            p: PValue,
            /// The share of the arm that can be compared, in percent.
            share: Rounded,
            /// The arm.
            arm: Quoted,
        } = "reason.days_apart", "the arms were assigned on different days (chi-square p {p}), and only {share} % of arm {arm} on days with customers of the arm that it is compared with, so what differs may be the days";
        /// Another strategy had treated unlike shares of the arms before.
        TreatedBefore {
            /// The other strategy.
            strategy: Quoted,
            /// Its share of the arm, in percent.
            share: Rounded,
            /// The arm.
            arm: Quoted,
            /// Its share of the control, in percent.
            of_control: Rounded,
            /// The control.
            control: Quoted,
            /// The p-value of equal shares.
            p: PValue,
        } = "reason.treated_before", "strategy {strategy} was treating {share} % of arm {arm} and {of_control} % of arm {control} when they were assigned (chi-square p {p}), so what differs may be its doing";
        /// The arms differed when nobody was treated.
        UnlikeBefore {
            /// In what.
            outcome: Outcome,
            /// The arm's mean.
            treated: Rounded,
            /// The arm.
            arm: Quoted,
            /// The control's mean.
            control_mean: Rounded,
            /// The control.
            control: Quoted,
            /// The p-value of equal means.
            p: PValue,
        } = "reason.unlike_before", "the arms differed before anybody was treated: {outcome} per customer was {treated} in arm {arm} and {control_mean} in arm {control} in the baseline (p {p}), so who is in which arm was not left to chance";
        /// The arms differed in a measure when nobody was treated.
        UnlikeMeasure {
            /// The measure.
            measure: Quoted,
            /// The arm's mean.
            treated: Rounded,
            /// The arm.
            arm: Quoted,
            /// The control's mean.
            control_mean: Rounded,
            /// The control.
            control: Quoted,
            /// The p-value of equal means.
            p: PValue,
        } = "reason.unlike_measure", "the arms differed before anybody was treated: the measure {measure} was {treated} in arm {arm} and {control_mean} in arm {control} on average on the day before (p {p}), so who is in which arm was not left to chance";
        /// Strata lie wholly in one arm each.
        WholeStrata = "reason.whole_strata", "each stratum lies wholly in one arm, as if strata had been drawn and not customers: name what was drawn as cluster";
        /// States of arms that were kept from an earlier period are what the treatment has made of them.
        ShapedStates {
            /// The p-value of equal shares treated earlier.
            p: PValue,
        } = "reason.shaped_states", "the arms were treated differently before this period already (chi-square p {p}), so the states that customers are in are an outcome";
        /// All customers of the period are left out.
        EverybodyExcluded {
            /// How many they are.
            customers: i64,
        } = "reason.everybody_excluded", "all {customers} customers assigned here are left out, because they are in several arms or because of the overlap with other strategies";
        /// There is no period at all.
        NoPeriods = "reason.no_periods", "the strategy has no periods";
    }

    /// A difference between the arms, in words.
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
    }

    /// Money, in words.
    pub enum NetMargin {
        /// What is left per treated customer.
        PerCustomer {
            /// Margin less cost.
            value: Rounded,
            /// Lower end of its interval.
            low: Rounded,
            /// Upper end.
            high: Rounded,
        } = "reason.net_margin", "net margin per customer {value} ({low} to {high})";
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
        /// Nothing can be said: a matched comparison has no placebo.
        NoPlacebo = "reason.no_placebo", "there is no placebo to trust the matching by: nothing is known of these customers before the baseline";
        /// Nothing can be said: too few of the treated are matched.
        FewMatched {
            /// The matched in percent of the treated.
            share: Rounded,
        } = "reason.few_matched", "only {share} % of the treated have a match";
        /// Nothing can be said: the two estimates of a matched strategy have different signs.
        BracketDisagrees {
            /// The difference in matched cells.
            matched: Rounded,
            /// The difference of the changes.
            did: Rounded,
        } = "reason.bracket_disagrees", "the ends of the bracket disagree: {matched} in matched cells, {did} by difference-in-differences";
        /// Nothing can be said: a matched strategy lacks one of its two estimates.
        BracketIncomplete = "reason.bracket_incomplete", "one end of the bracket is missing";
        /// The outcome falls.
        Harm {
            /// By how much.
            effect: Change,
        } = "reason.harm", "{effect}: it does harm";
        /// The net margin is negative.
        Loss {
            /// The effect.
            effect: Change,
            /// The net margin.
            money: NetMargin,
        } = "reason.loss", "{effect}; {money}: it costs more than it brings even at the high end";
        /// The net margin is positive, but periods differ.
        PaysUnevenly {
            /// The effect.
            effect: Change,
            /// The net margin.
            money: NetMargin,
            /// The p-value of Cochran's Q on the lift.
            q: PValue,
        } = "reason.pays_unevenly", "{effect}; {money}: it pays, but periods differ in their lift (Cochran's Q, p {q})";
        /// The net margin is positive.
        Pays {
            /// The effect.
            effect: Change,
            /// The net margin.
            money: NetMargin,
        } = "reason.pays", "{effect}; {money}: it pays even at the low end";
        /// The outcome rises, and the estimate of the net margin is positive.
        ProbablyPays {
            /// The effect.
            effect: Change,
            /// The net margin.
            money: NetMargin,
        } = "reason.probably_pays", "{effect}; {money}: it works and probably pays";
        /// The outcome rises, and the net margin is not known.
        Works {
            /// The effect.
            effect: Change,
        } = "reason.works", "{effect}: it works; whether it pays is not known without cost and margin";
        /// The outcome rises, and the net margin may be negative.
        MayPay {
            /// The effect.
            effect: Change,
            /// The net margin.
            money: NetMargin,
        } = "reason.may_pay", "{effect}; {money}: it works, but whether it pays is open";
        /// No effect is shown.
        NotShown {
            /// The estimate.
            effect: Change,
            /// The smallest effect that would be found four times in five.
            least: Rounded,
        } = "reason.not_shown", "{effect}: no effect is shown; one of {least} would be found four times in five";
    }

    /// What a reader must know besides; it follows the finding.
    pub enum Remark {
        /// The verdict rests on another method than the primary one, because of its period.
        InPeriod {
            /// The method that leads.
            method: EffectMethod,
            /// Why the primary one cannot.
            why: NotEstimable,
        } = "reason.fallback", " (by {method} because {why})";
        /// The same because of one period, and so in all of them.
        InAPeriod {
            /// The method that leads.
            method: EffectMethod,
            /// Why the primary one cannot.
            why: NotEstimable,
        } = "reason.fallback_in_a_period", " (by {method} because in a period {why})";
        /// Another strategy treated unlike shares of the arms afterwards, which is part of the effect.
        TreatedAfter {
            /// The other strategy.
            strategy: Quoted,
            /// Its share of the arm, in percent.
            share: Rounded,
            /// The arm.
            arm: Quoted,
            /// Its share of the control, in percent.
            of_control: Rounded,
            /// The control.
            control: Quoted,
        } = "reason.treated_after", " (includes what strategy {strategy} did later to {share} % of arm {arm} and {of_control} % of arm {control})";
        /// Controls were contacted; the effect stays that of the assignment.
        ContactedControls {
            /// How many.
            contacted: i64,
            /// Of how many.
            customers: i64,
            /// The control arm.
            arm: Quoted,
        } = "reason.contacted_controls", " ({contacted} of {customers} in arm {arm} were contacted)";
        /// Treated customers were not contacted; the effect stays that of the assignment.
        WithoutContact {
            /// How many.
            without: i64,
            /// Of how many.
            customers: i64,
            /// The arm.
            arm: Quoted,
        } = "reason.without_contact", " ({without} of {customers} in arm {arm} were not contacted)";
        /// States lie wholly in one arm each.
        WholeStates {
            /// The scheme column.
            scheme: Quoted,
        } = "reason.whole_states", " (each value of {scheme} lies wholly in one arm, as if values had been drawn and not customers: name what was drawn as cluster)";
    }

    /// What the expected change of a description rests on.
    pub enum Expectation {
        /// On the customers of the shop.
        RegressionToTheMean {
            /// How many there are.
            customers: i64,
            /// The regression of a period on the one before it.
            slope: Rounded,
        } = "reason.regression_to_the_mean", "regression to the mean of all {customers} customers, slope {slope}";
        /// On the control arm.
        ControlChange {
            /// The arm.
            arm: Quoted,
        } = "reason.control_change", "the change of arm {arm}";
        /// There is none.
        Unknown = "reason.no_expectation", "nothing is known of customers before the baseline to expect a change from";
    }

    /// Why a description lacks numbers; it follows the expectation.
    pub enum Caveat {
        /// The outcome's days are not all in the data.
        Unfinished = "reason.caveat_unfinished", "; the period is not finished";
        /// Customers were assigned on different dates.
        NoCommonStart = "reason.caveat_no_common_start", "; customers were assigned on different dates and the job gives no outcome_days";
        /// The baseline and the outcomes are of different length.
        UnequalDays {
            /// Days of the baseline that are in the data.
            baseline: i32,
            /// Days of the outcomes.
            outcomes: i32,
        } = "reason.caveat_unequal_days", "; the data have {baseline} days of the baseline and {outcomes} of outcomes, so no change is told";
    }
}

/// A reason within a reason.
impl FieldType for Box<NotEstimable> {
    fn read(text: &str) -> Option<(Self, &str)> {
        NotEstimable::read(text).map(|(reason, rest)| (Box::new(reason), rest))
    }

    fn field(&self) -> Field<'_> {
        Field::Sentence(self.as_ref())
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![Box::new(NotEstimable::NoBaseline), Box::new(NotEstimable::FailedSplit { p: PValue(0.0) })]
    }
}

impl Change {
    /// A difference with its interval and adjusted p-value.
    pub(super) fn new(outcome: Outcome, difference: f64, interval: Interval, p: f64) -> Change {
        let by = Rounded::short(difference.abs());
        let (low, high, p) = (Rounded::short(interval.low), Rounded::short(interval.high), PValue(p));
        if difference < 0.0 { Change::Falls { outcome, by, low, high, p } } else { Change::Rises { outcome, by, low, high, p } }
    }
}

impl From<MoneyInterval> for NetMargin {
    fn from(net: MoneyInterval) -> NetMargin {
        let [value, low, high] = [net.value, net.low, net.high].map(Rounded::short);
        NetMargin::PerCustomer { value, low, high }
    }
}

/// The reason of a verdict.
pub type VerdictReason = Remarked<Finding, Remark>;

/// What a row of `before_after` rests on.
pub type BeforeAfterNote = Remarked<Expectation, Caveat>;

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;
    use crate::evaluate::sentence::{Sentence, Statement};

    fn come_back<T: Statement + Debug + PartialEq>(statements: Vec<T>) {
        for statement in statements {
            let text = statement.to_string();
            assert_eq!(T::parse(&text).as_ref(), Some(&statement), "{text}");
            assert_eq!(T::parse(&format!("{text}.")), None, "{text}.");
        }
    }

    fn with_remarks<S: FieldType + Clone, R: FieldType + Clone>() -> Vec<Remarked<S, R>> {
        let mut remarks: Vec<Vec<R>> = R::examples().into_iter().map(|remark| vec![remark]).collect();
        remarks.extend([Vec::new(), R::examples()]);
        let of =
            |sentence: S| remarks.iter().map(move |remarks| Remarked { sentence: sentence.clone(), remarks: remarks.clone() });
        S::examples().into_iter().flat_map(of).collect()
    }

    #[test]
    fn every_statement_is_read_as_it_was_printed() {
        come_back(NotEstimable::examples());
        come_back(with_remarks::<Finding, Remark>());
        come_back(with_remarks::<Expectation, Caveat>());
        assert_eq!(VerdictReason::parse("a sentence of nobody"), None);
    }

    #[test]
    fn examples_leave_no_sentence_out() {
        let keys = |of: Vec<&'static str>| of.into_iter().collect::<std::collections::BTreeSet<_>>().len();
        let used = |examples: Vec<Finding>| keys(examples.iter().map(Sentence::key).collect());
        assert_eq!(used(Finding::examples()), Finding::ALL.len());
        assert_eq!(keys(NotEstimable::examples().iter().map(Sentence::key).collect()), NotEstimable::ALL.len());
    }
}
