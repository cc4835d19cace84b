//! The cuts of strategies of design threshold, in the integers of their measures.

use super::scheme_columns::SchemeColumn;
use crate::domain::{Catalogue, Decimal, Measure, MeasureKind, Ratio, Unit};
use crate::error::{Error, Result, suggestion};
use crate::job::raw::MonetaryAs;
use crate::job::strategy::Cut;
use crate::job::{Job, Threshold};
use crate::scheme::{Conditions, Scheme, unit_scale};

/// A cut of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedCut {
    /// Index of the measure in the fold.
    pub measure: usize,
    /// Digits behind the point of its integers.
    pub scale: u32,
    /// The least value of those who were treated.
    pub cut: i64,
    /// How far from the cut customers are looked at.
    pub window: i64,
}

impl PlannedCut {
    /// The cut of a strategy; `index` gives the index of a measure in the fold.
    ///
    /// # Errors
    /// Exit 2, with the place in the job file.
    pub(super) fn new(
        job: &Job,
        threshold: &Threshold,
        schemes: &[SchemeColumn],
        known: &Catalogue,
        index: impl FnOnce(Measure) -> usize,
    ) -> Result<PlannedCut> {
        let place = Place { job, threshold };
        let measure =
            known.parse(&threshold.running).map_err(|e| place.wrong("running", format!("running: {e}")).caused_by(e))?;
        let unit = match measure.kind {
            MeasureKind::Monetary if job.score.monetary_as == MonetaryAs::Average => Unit::Average,
            kind => kind.unit(),
        };
        if matches!(unit, Unit::Date | Unit::Text | Unit::Ratio | Unit::Double) {
            let what = format!(
                "running is {measure}, which is no whole number of days, purchases or minor units of money; name a measure that is one, such as monetary@365d"
            );
            return Err(place.wrong("running", what));
        }
        if measure.kind.basis().looks_ahead() {
            let what = format!(
                "running is {measure}, which a model estimates; name a measure of what customers did, such as monetary@365d"
            );
            return Err(place.wrong("running", what));
        }
        let scale = unit_scale(unit, job.scale());
        let cut = match &threshold.cut {
            Cut::At(cut) => place.integer("cut", *cut, (measure, scale))?,
            Cut::State { scheme, state } => place.lower_bound((scheme, state), schemes, (measure, scale))?,
        };
        let window = match threshold.window {
            Some(window) => place.integer("window", window, (measure, scale))?,
            None if cut > 0 => cut,
            None => {
                let what = "the cut is not above 0, so it does not say how far from it customers are looked at; set window";
                return Err(place.wrong("cut", what.into()));
            }
        };
        Ok(PlannedCut { measure: index(measure), scale, cut, window })
    }

    /// A number of the measure in printed units.
    pub fn printed(&self, value: i64) -> f64 {
        Ratio::new(i128::from(value), 1).printed(self.scale)
    }
}

/// The strategy, for errors.
struct Place<'a> {
    job: &'a Job,
    threshold: &'a Threshold,
}

impl Place<'_> {
    fn wrong(&self, key: &str, what: String) -> Error {
        let place = self.job.source.locate_key("strategy", self.threshold.number, key);
        Error::usage(format!("{place}: strategy {:?}: {what}", self.threshold.name))
    }

    /// A number in printed units as an integer of the measure.
    fn integer(&self, key: &str, number: Decimal, (measure, scale): (Measure, u32)) -> Result<i64> {
        let shifted = number.shifted(scale).filter(|ratio| ratio.ceil() == ratio.floor());
        shifted.and_then(|ratio| i64::try_from(ratio.floor()).ok()).ok_or_else(|| {
            let digits = match scale {
                0 => "whole numbers".to_owned(),
                _ => format!("numbers with at most {scale} digits behind the point"),
            };
            let number = crate::domain::format_money(number.digits, number.scale);
            self.wrong(key, format!("{key} is {number}, and the values of {measure} are {digits}; give such a number"))
        })
    }

    /// The lower bound of a state, whose rule is over the measure alone.
    fn lower_bound(
        &self,
        (column, state): (&str, &str),
        schemes: &[SchemeColumn],
        (measure, scale): (Measure, u32),
    ) -> Result<i64> {
        let wrong = |what: String| self.wrong("cut", what);
        let of_column = schemes.iter().find(|scheme| scheme.column == column);
        let of_column = of_column.ok_or_else(|| Error::bug("a cut of a scheme column that is not there"))?;
        let in_slice = self.threshold.slice.as_ref().and_then(|slice| of_column.overrides.get(slice));
        let scheme: &Scheme = in_slice.unwrap_or(&of_column.scheme);
        let names = || scheme.states.iter().map(|state| state.name.as_str());
        let Some(number) = names().position(|name| name == state) else {
            return Err(wrong(format!(
                "cut names the state {state:?} of {column}, which its scheme does not have{} (states: {})",
                suggestion(state, names()),
                names().collect::<Vec<_>>().join(", ")
            )));
        };
        let rules: Vec<&Conditions> = scheme.rules.iter().filter(|rule| rule.state == number).map(|rule| &rule.when).collect();
        let test = match rules.as_slice() {
            [when] if !when.uses_scores() => match when.measures.as_slice() {
                [(of, test)] if *of == measure => test,
                _ => return Err(wrong(not_alone(column, state, when, measure))),
            },
            [when] => return Err(wrong(not_alone(column, state, when, measure))),
            _ => {
                return Err(wrong(format!(
                    "the state {state:?} of {column} has {} rules, so it has no one lower bound; give the cut as a number",
                    rules.len()
                )));
            }
        };
        let low = test.integers(scale).map(|(low, _)| low).filter(|low| *low > i64::MIN + 1);
        low.ok_or_else(|| wrong(format!("the state {state:?} of {column} has no lower bound; give the cut as a number")))
    }
}

fn not_alone(column: &str, state: &str, when: &Conditions, measure: Measure) -> String {
    format!(
        "the rule of {state:?} of {column} is \"{when}\", which is not over {measure} alone; take that measure as running, or give the cut as a number"
    )
}
