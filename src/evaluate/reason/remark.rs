//! What is to be said beside a verdict.

use super::super::sentence::{Quoted, Rounded, sentences};
use super::not_estimable::NotEstimable;
use crate::domain::{Day, EffectMethod};

sentences! {
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
        /// What was drawn.
        Drawn {
            /// The column of clusters.
            column: Quoted,
            /// Clusters of the arm.
            treated: i64,
            /// Customers of these.
            of_treated: i64,
            /// The arm.
            arm: Quoted,
            /// Clusters of the control.
            controls: i64,
            /// Customers of these.
            of_controls: i64,
            /// The control.
            control: Quoted,
        } = "reason.drawn", " (drawn by {column}: {treated} of {of_treated} customers in arm {arm}, {controls} of {of_controls} in arm {control})";
        /// States lie wholly in one arm each.
        WholeStates {
            /// The scheme column.
            scheme: Quoted,
        } = "reason.whole_states", " (each value of {scheme} lies wholly in one arm, as if values had been drawn and not customers, so there are as many draws as values)";
        /// Arms were kept, so states are those before each customer's first assignment.
        StatesSince {
            /// The day before the first of all.
            since: Day,
        } = "reason.states_since", " (arms were kept, so customers are in the state of the day before their first assignment, {since} or later)";
        /// Values of a column of the assignments lie wholly in one arm each.
        WholeColumn {
            /// The column.
            column: Quoted,
        } = "reason.whole_column", " (each value of {column} lies wholly in one arm, as if values had been drawn and not customers: then the key cluster = {column} of the strategy tells how many draws there were)";
        /// Periods are left out.
        LeavesOut {
            /// The share of the treated in the others, in percent.
            share: Rounded,
            /// First day of the first that is left out.
            start: Day,
            /// Why.
            reason: NotEstimable,
        } = "reason.leaves_out", " (of {share} % of the treated; in the period from {start}, {reason})";
        /// A period makes the result much less certain.
        Widened {
            /// Its first day.
            start: Day,
        } = "reason.widened", " (the period from {start} alone more than doubles the width of the interval)";
        /// The outcome could not be held against days before a programme began.
        WithoutPlacebo {
            /// From this day.
            from: Day,
            /// To this day.
            to: Day,
        } = "reason.without_placebo", " (without a placebo: what these customers did from {from} to {to}, before the programme began, is not known or follows from the measure)";
        /// Periods have ended after the last look.
        AfterLastLook {
            /// The looks that the level is divided by.
            looks: i64,
        } = "reason.after_last_look", " (as it stood at the last of {looks} looks; a larger key looks of the strategy takes later periods in)";
    }
}
