//! Why a number is not there.

use super::super::sentence::{Field, FieldType, PValue, Quoted, Rounded, sentences};
use crate::domain::{Day, Outcome};

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
        /// An arm has one cluster, which has no variance.
        OneCluster {
            /// The arm.
            arm: Quoted,
            /// The column of clusters.
            column: Quoted,
        } = "reason.one_cluster", "arm {arm} has one cluster here (column {column}), and one has no variance";
        /// Clusters have customers in several arms, so they were not what was drawn.
        MixedClusters {
            /// How many.
            mixed: i64,
            /// Of how many.
            clusters: i64,
            /// The column of clusters.
            column: Quoted,
        } = "reason.mixed_clusters", "{mixed} of {clusters} clusters (column {column}) have customers in several arms, so they were not drawn as a whole: name the column whose values were, or remove cluster";
        /// Within either arm all clusters have the same outcome per customer.
        SameClusters = "reason.same_clusters", "within each arm all clusters have the same outcome per customer, so there is no variance";
        /// Customers are so few that no draw of them is rare.
        FewCustomers {
            /// How many ways there are to draw them.
            draws: i64,
        } = "reason.few_customers", "these customers can be drawn in {draws} ways, so even the rarest draw has a p-value above 0.05: eight customers in halves are the least that can show an effect";
        /// Clusters are so few that no draw of them is rare.
        FewDraws {
            /// How many ways there are to draw them.
            draws: i64,
            /// The column of clusters.
            column: Quoted,
        } = "reason.few_draws", "these clusters (column {column}) can be drawn in {draws} ways, so even the rarest draw has a p-value above 0.05: eight clusters in halves are the least that can show an effect";
        /// The permutation test of clusters would claim too often.
        TooSkewedClusters {
            /// Clusters of the smaller arm.
            clusters: i64,
            /// The column of clusters.
            column: Quoted,
            /// How many of these clusters would do.
            enough: i64,
        } = "reason.too_skewed_clusters", "{clusters} clusters (column {column}) in the smaller arm are too few for clusters as unlike as these: in redraws of the arms a test claims effects that are none; {enough} of them would do";
        /// The permutation test of clusters would claim too often, whatever the arms' sizes.
        UnlikeClusters {
            /// Clusters of the smaller arm.
            clusters: i64,
            /// The column of clusters.
            column: Quoted,
        } = "reason.unlike_clusters", "a few clusters (column {column}) make nearly all that differs, so {clusters} in the smaller arm are too few, and not even half of these clusters would do";
        /// No stratum has two clusters in each arm.
        NoClusterCells = "reason.no_cluster_cells", "no stratum has two clusters in each arm";
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
        /// Customers of arms kept from earlier periods are assigned again according to their arm.
        ListedUnlike {
            /// The share of the arm's customers who are assigned again, in percent.
            share: Rounded,
            /// The arm.
            arm: Quoted,
            /// The share of the control's, in percent.
            of_control: Rounded,
            /// The control.
            control: Quoted,
            /// The p-value of equal shares.
            p: PValue,
        } = "reason.listed_unlike", "arms were kept from earlier periods, and {share} % of those first in arm {arm} are assigned again here, but {of_control} % of those in arm {control} (chi-square p {p}), so who is assigned is an outcome";
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
        /// The permutation test would claim too often.
        TooSkewed {
            /// Customers of the smaller arm.
            controls: i64,
            /// How many of these customers would do.
            enough: i64,
        } = "reason.too_skewed", "{controls} customers in the smaller arm are too few for an outcome as skewed as this one: in redraws of the arms a test claims effects that are none; {enough} of them would do";
        /// The permutation test would claim too often, whatever the arms' sizes.
        FewSpenders {
            /// Customers of the smaller arm.
            controls: i64,
        } = "reason.few_spenders", "a few customers make nearly all of this outcome, so {controls} in the smaller arm are too few, and not even half of these customers would do";
        /// Student's test would claim too often.
        StudentLeans {
            /// The share of either tail that it would have, in percent.
            tail: Rounded,
        } = "reason.student_leans", "arms of such unlike sizes make this test lean with an outcome as skewed as this one: {tail} % in a tail that should have 2.5 %; see permutation";
        /// Net money that varies too differently between the arms.
        UnlikeVariances = "reason.unlike_variances", "net money varies more than twice as much in one arm, and the arms are of too unlike sizes to test that";
        /// There is no grid of the outcome.
        NoGrid = "reason.no_grid", "no grid of this outcome was summed, which the test needs";
        /// No stratum or matching cell has two customers in each arm.
        NoCells = "reason.no_cells", "no stratum or matching cell has two customers in each arm";
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
        WholeStrata = "reason.whole_strata", "each stratum lies wholly in one arm, as if strata had been drawn and not customers, so there are as many draws as strata";
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
        /// A side of a cut has too few values for a fit.
        NobodyAtCut {
            /// The cut.
            cut: Rounded,
            /// The measure.
            running: Quoted,
        } = "reason.nobody_at_cut", "{running} has too few values just below {cut}, or from there on, to fit anything to what customers do";
        /// The outcome does not vary near a cut.
        FlatAtCut {
            /// The cut.
            cut: Rounded,
            /// The measure.
            running: Quoted,
        } = "reason.flat_at_cut", "around {cut} of {running} the outcome is the same for all customers, or follows from {running}, so there is no variance to hold a jump against";
        /// The measure has too few values near the cut.
        FewValues {
            /// The measure.
            running: Quoted,
            /// Its distinct values below the cut.
            below: i64,
            /// Those from the cut on.
            beyond: i64,
            /// Up to this distance.
            bandwidth: Rounded,
            /// From the cut.
            cut: Rounded,
        } = "reason.few_values", "{running} has {below} values below and {beyond} beyond, up to {bandwidth} from {cut}: with fewer than 20 on a side, what customers at the cut do cannot be told from what those do at the next value";
        /// The cut does not say who was treated.
        BlurredCut {
            /// The share of the treated from the cut on, in percent.
            beyond: Rounded,
            /// That below it.
            below: Rounded,
            /// The cut.
            cut: Rounded,
            /// The measure.
            running: Quoted,
        } = "reason.blurred_cut", "{beyond} % of customers just above {cut} of {running} and {below} % just below were treated: at least 95 % and at most 5 % must be, for what differs there to be the doing of the treatment";
        /// Customers are unevenly spread around the cut.
        HeapedAtCut {
            /// The cut.
            cut: Rounded,
            /// The measure.
            running: Quoted,
            /// The adjusted p-value of the density test.
            p: PValue,
        } = "reason.heaped_at_cut", "the number of customers jumps at {cut} of {running} (density test, adjusted p {p}), as if some had chosen their side of it";
        /// The outcome jumps at the cut before the programme began.
        JumpsBefore {
            /// The outcome.
            outcome: Outcome,
            /// By how much.
            by: Rounded,
            /// From this day.
            from: Day,
            /// To this day.
            to: Day,
            /// The adjusted p-value.
            p: PValue,
        } = "reason.jumps_before", "{outcome} of the same customers from {from} to {to}, before the programme began, jumps at the cut by {by} per customer already (adjusted p {p})";
        /// There is no period at all.
        NoPeriods = "reason.no_periods", "the strategy has no periods";
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
