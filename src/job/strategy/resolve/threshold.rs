//! Strategies whose customers were treated from a cut on: which keys make sense of them, and what those say.

use super::super::{Cut, Design, Outcome, Strategy, Threshold};
use super::{One, USUAL_LOOKS, read};
use crate::domain::{Day, Decimal, Period, Ratio};
use crate::error::Result;
use crate::job::paths::InputPaths;
use crate::job::raw::{Overlap, RawCut, RawPath};
use crate::job::{periods, query};

/// Outcomes that can be fitted beside a cut.
const OUTCOMES: [Outcome; 4] = [Outcome::Converted, Outcome::Orders, Outcome::Revenue, Outcome::Margin];

impl One<'_> {
    /// Refuses the keys of design threshold in a strategy of another design.
    pub(super) fn has_no_cut(&self) -> Result<()> {
        let raw = self.raw;
        let keys = [
            ("running", raw.running.is_some()),
            ("cut", raw.cut.is_some()),
            ("window", raw.window.is_some()),
            ("began", raw.began.is_some()),
            ("treated", raw.treated.is_some()),
        ];
        match keys.into_iter().find(|(_, is_there)| *is_there) {
            Some((key, _)) => {
                Err(self.wrong(key, format!("{key} goes with design threshold, not with {}; remove it", self.raw.design)))
            }
            None => Ok(()),
        }
    }

    /// The strategy, which has design threshold.
    pub(super) fn threshold(&self) -> Result<Threshold> {
        let raw = self.raw;
        self.refuse_others()?;
        self.check_outcome_days()?;
        self.check_slice()?;
        let periods = self.periods()?;
        let listed = self.outcomes()?;
        let unfit =
            listed.iter().zip(&raw.outcomes).find(|(outcome, _)| !OUTCOMES.contains(outcome) && **outcome != Outcome::Net);
        if let Some((_, name)) = unfit {
            return Err(self.wrong(
                "outcomes",
                format!("the outcome {name:?} is not estimated at a cut; take converted, orders, revenue or margin"),
            ));
        }
        let primary = self.primary(&listed)?.map(|primary| primary.outcome).filter(|outcome| *outcome != Outcome::Net);
        let Some(primary) = primary else {
            return Err(self.wrong(
                "primary",
                "the primary outcome is \"net\", which follows at a cut from revenue or margin and is shown beside it; take one of these"
                    .into(),
            ));
        };
        Ok(Threshold {
            number: self.number,
            name: raw.name.clone(),
            running: self.running()?,
            cut: self.cut()?,
            window: self.window()?,
            outcome_days: raw.outcome_days,
            outcomes: listed.into_iter().filter(|outcome| *outcome != Outcome::Net).collect(),
            primary,
            began: self.began(&periods)?,
            treated: self.treated(&periods)?,
            cost_per_customer: self.cost("cost_per_customer", &raw.cost_per_customer)?,
            margin_rate: self.margin_rate()?,
            slice: raw.slice.clone(),
            periods,
        })
    }

    /// Refuses the keys of other designs.
    fn refuse_others(&self) -> Result<()> {
        const ARMS: &str = "has no arms: customers just below the cut stand for a control";
        const ALONE: &str = "judges each period by itself";
        let raw = self.raw;
        let keys = [
            (
                "assignments",
                raw.assignments.is_some(),
                "takes everybody from the cut on as treated; who really was goes into treated",
            ),
            ("control", raw.control.is_some(), ARMS),
            ("split", !raw.split.is_empty(), ARMS),
            ("pairs", !raw.pairs.is_empty(), ARMS),
            ("cluster", raw.cluster.is_some(), "has no draw whose units could be named"),
            ("baseline", raw.baseline.is_some(), "holds its placebo on the days before the programme began, which began says"),
            ("after", raw.after, "looks at the outcome days alone"),
            ("guardrails", !raw.guardrails.is_empty(), ALONE),
            ("looks", raw.looks.is_some_and(|looks| looks != USUAL_LOOKS), ALONE),
            ("by", !raw.by.is_empty(), "is about customers at the cut, who are too few to tell apart"),
            ("match_on", !raw.match_on.is_empty(), ARMS),
            ("fixed_cost", raw.fixed_cost.is_some(), "is about customers at the cut, whose share of a fixed cost nobody knows"),
            ("costs_of", !raw.costs_of.is_empty(), "is about customers at the cut, whose share of other costs nobody knows"),
            ("winsorise", raw.winsorise.is_some(), "fits outcomes as they are"),
            ("overlap", raw.overlap != Overlap::Keep, "knows of no days on which its customers were assigned"),
        ];
        if let Some((key, _, why)) = keys.into_iter().find(|(_, is_there, _)| *is_there) {
            return Err(self.wrong(key, format!("design threshold {why}; remove {key}")));
        }
        match (&raw.manifest, &raw.treated) {
            (Some(_), None) => Err(self.wrong(
                "manifest",
                "manifest lists hashes of files, and the strategy has none; remove it, or name treated".into(),
            )),
            _ => Ok(()),
        }
    }

    fn running(&self) -> Result<String> {
        match &self.raw.running {
            Some(running) => Ok(running.clone()),
            None => Err(self.wrong(
                "name",
                "running is missing; name the measure by which customers were treated, such as running = \"monetary@365d\""
                    .into(),
            )),
        }
    }

    fn cut(&self) -> Result<Cut> {
        match &self.raw.cut {
            None => Err(self.wrong(
                "name",
                "cut is missing; give the value of running from which on customers were treated, such as cut = 1000, or a state, such as cut = { scheme = \"tier\", state = \"gold\" }".into(),
            )),
            Some(RawCut::Number(number)) => match read(number) {
                (_, Some(cut)) => Ok(Cut::At(cut)),
                (text, None) => Err(self.wrong("cut", format!("cut is {text:?}; expected a number such as 1000"))),
            },
            Some(RawCut::State(of)) => {
                self.known_column("cut", &of.scheme, false)?;
                Ok(Cut::State { scheme: of.scheme.clone(), state: of.state.clone() })
            }
        }
    }

    fn window(&self) -> Result<Option<Decimal>> {
        self.share("window", &self.raw.window, "a distance from the cut above 0, such as 500", |far| far > Ratio::new(0, 1))
    }

    /// The first day of the programme, by which every period has begun.
    fn began(&self, periods: &[Period]) -> Result<Day> {
        let first = periods.first().map_or(Day::MIN, |period| period.start);
        let Some(raw) = &self.raw.began else { return Ok(first) };
        let name = format!("strategy {:?}: began", self.raw.name);
        let began = periods::day_at(raw, &name, "strategy.began", self.job.source)?;
        if began > first {
            return Err(self.wrong(
                "began",
                format!(
                    "the programme began on {began}, after the period from {first}; end the periods before it, or correct began"
                ),
            ));
        }
        Ok(began)
    }

    /// Who was treated, as the assignments of a strategy of its name.
    fn treated(&self, periods: &[Period]) -> Result<Option<Strategy>> {
        let assignments = match &self.raw.treated {
            None => return Ok(None),
            Some(RawPath::Files(paths)) => self.files("treated", paths.as_slice())?,
            Some(RawPath::Table(table)) => query::table(table, self.job.source),
        };
        Ok(Some(Strategy {
            number: self.number,
            name: self.raw.name.clone(),
            design: Design::Threshold,
            assignments,
            manifest: self.raw.manifest.clone(),
            arms: Vec::new(),
            strata: Vec::new(),
            control: None,
            pairs: Vec::new(),
            cluster: None,
            periods: periods.to_vec(),
            baseline: None,
            outcome_days: self.raw.outcome_days,
            after: false,
            outcomes: Vec::new(),
            primary: None,
            guardrails: Vec::new(),
            looks: USUAL_LOOKS,
            by: Vec::new(),
            match_on: Vec::new(),
            cost_per_customer: None,
            fixed_cost: None,
            costs_of: Vec::new(),
            margin_rate: None,
            winsorise: None,
            overlap: Overlap::Keep,
            slice: None,
        }))
    }
}

impl One<'_> {
    /// Files of assignments, which the key names.
    pub(super) fn files(&self, key: &str, paths: &[String]) -> Result<InputPaths> {
        if paths.is_empty() {
            return Err(self.wrong(key, format!("{key} is an empty list; name at least one file")));
        }
        let folder = self.job.source.folder();
        let joined = paths.iter().map(|path| {
            let name = path.rsplit('/').next().unwrap_or_default();
            match name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase()) {
                Some(ending) if ending != "parquet" && ending != "csv" => Err(self.wrong(
                    key,
                    format!("{key} names {path:?}; expected a file that ends in .parquet or .csv, or a folder of Parquet files"),
                )),
                _ => Ok((path.clone(), folder.join(path))),
            }
        });
        Ok(InputPaths::Patterns(joined.collect::<Result<_>>()?))
    }
}
