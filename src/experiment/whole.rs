//! What may have been drawn though nobody says so: columns of the assignments, and dimensions of the customers table, whose values lie
//! wholly in one arm each.

use super::exposure::ExclusionCounts;
use super::plan::{ExperimentPlan, StrategyPlan};

impl ExperimentPlan<'_> {
    /// Counts of a period of a strategy, none so far.
    pub fn no_exclusions(&self, strategy: &StrategyPlan<'_>) -> ExclusionCounts {
        ExclusionCounts::new(strategy.arms.len(), self.strategies.len()).with_dimensions(strategy.dimensions.len())
    }

    /// The columns of the assignments, and the dimensions, whose values lie wholly in one arm of a period each.
    pub fn whole_columns<'p>(&'p self, period: usize, exclusions: &'p [ExclusionCounts]) -> impl Iterator<Item = &'p str> {
        let strategy = self.strategy_of(period);
        let own = &self.assignments[self.periods[period].strategy];
        let dimensions = exclusions[period].whole_dimensions().filter_map(|number| strategy.dimensions.get(number));
        own.whole_in(period - strategy.periods.start).chain(dimensions.map(String::as_str))
    }
}
