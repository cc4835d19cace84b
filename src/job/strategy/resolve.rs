//! From strategies as written to strategies that can be evaluated.

mod by;
mod cluster;
mod costs_of;
mod outcomes;
mod pairs;
mod threshold;

use super::{Arm, Design, GroupBy, Strategy, Threshold};
use crate::domain::{AsOf, Decimal, Period, Ratio, STRATUM, folded, look_alike};
use crate::error::{Error, Result, suggestion};
use crate::job::parse::Source;
use crate::job::paths::InputPaths;
use crate::job::raw::{RawAssignments, RawNumber, RawShare, RawSpan, RawStrategy};
use crate::job::{AxisSpec, JobEventKinds, SchemeUse, periods, query};

/// What a strategy is checked against.
pub(crate) struct Context<'a> {
    /// The job file.
    pub source: &'a Source,
    /// The dates that the job computes.
    pub dates: &'a [AsOf],
    /// The job's axes.
    pub axes: &'a [AxisSpec],
    /// The job's scheme columns.
    pub schemes: &'a [SchemeUse],
    /// The dimensions of the job's customers table.
    pub dimensions: &'a [String],
    /// Whether the job has orders.cost.
    pub has_cost: bool,
    /// The kinds of events of the job; none without `[events]`.
    pub event_kinds: Option<&'a JobEventKinds>,
    /// Whether the job has orders.slice.
    pub is_sliced: bool,
}

/// Checks everything that can be checked without data.
///
/// # Errors
/// Exit 2, with the strategy, what it holds and what was expected.
pub(crate) fn resolve(all: &[RawStrategy], job: &Context) -> Result<(Vec<Strategy>, Vec<Threshold>)> {
    for (number, strategy) in all.iter().enumerate() {
        let place = job.source.locate_key("strategy", number, "name");
        if strategy.name.trim().is_empty() || strategy.name.starts_with('(') {
            return Err(Error::usage(format!(
                "{place}: the strategy name {:?} is empty or begins with a parenthesis; give the strategy another name",
                strategy.name
            )));
        }
        let before = all.iter().take(number).find(|s| folded(&s.name) == folded(&strategy.name));
        if let Some(before) = before {
            return Err(Error::usage(if before.name == strategy.name {
                format!("{place}: two strategies are named {:?}; give each a name of its own", strategy.name)
            } else {
                format!(
                    "{place}: the strategies {:?} and {:?} differ only in case or blanks; give them names that people can tell apart",
                    before.name, strategy.name
                )
            }));
        }
    }
    let (mut strategies, mut thresholds) = (Vec::new(), Vec::new());
    for (number, raw) in all.iter().enumerate() {
        let one = One { raw, all, number, job };
        match raw.design {
            Design::Threshold => thresholds.push(one.threshold()?),
            Design::Randomised | Design::Matched | Design::BeforeAfter => strategies.push(one.resolve()?),
        }
    }
    Ok((strategies, thresholds))
}

/// How often verdicts over all periods are read where the job does not say: four quarters.
const USUAL_LOOKS: u32 = 4;

/// Strata with shares of their own.
type Strata = Vec<(String, Vec<Arm>)>;

/// A strategy while it is checked.
struct One<'a> {
    raw: &'a RawStrategy,
    /// All strategies of the job.
    all: &'a [RawStrategy],
    number: usize,
    job: &'a Context<'a>,
}

impl One<'_> {
    fn resolve(&self) -> Result<Strategy> {
        let raw = self.raw;
        self.has_no_cut()?;
        let (arms, strata) = self.split()?;
        let control = self.control(&arms)?;
        let periods = self.periods()?;
        let outcomes = self.outcomes()?;
        self.check_outcome_days()?;
        self.check_slice()?;
        let by = self.by()?;
        Ok(Strategy {
            number: self.number,
            name: raw.name.clone(),
            design: raw.design,
            assignments: self.paths()?,
            manifest: self.raw.manifest.clone(),
            baseline: self.baseline(&periods)?,
            outcome_days: raw.outcome_days,
            after: raw.after,
            primary: self.primary(&outcomes)?,
            guardrails: self.guardrails()?,
            looks: self.looks()?,
            match_on: self.match_on(&by)?,
            by,
            cost_per_customer: self.cost("cost_per_customer", &raw.cost_per_customer)?,
            fixed_cost: self.cost("fixed_cost", &raw.fixed_cost)?,
            costs_of: self.costs_of()?,
            margin_rate: self.margin_rate()?,
            winsorise: self.share("winsorise", &raw.winsorise, "a percentile from 0.5 to below 1, such as 0.999", |at| {
                at >= Ratio::new(1, 2) && at < Ratio::new(1, 1)
            })?,
            overlap: raw.overlap,
            slice: raw.slice.clone(),
            pairs: self.pairs(&arms)?,
            cluster: self.cluster()?,
            arms,
            strata,
            control,
            periods,
            outcomes,
        })
    }

    fn check_outcome_days(&self) -> Result<()> {
        match self.raw.outcome_days.filter(|days| !(1..=3_660).contains(days)) {
            Some(days) => Err(self.wrong("outcome_days", format!("outcome_days is {days}; expected 1 to 3660 days"))),
            None => Ok(()),
        }
    }

    fn check_slice(&self) -> Result<()> {
        match (&self.raw.slice, self.job.is_sliced) {
            (None, true) => Err(self
                .wrong("name", "slice is missing; the job has orders.slice, so name the slice value whose orders count".into())),
            (Some(slice), false) => Err(self.wrong(
                "slice",
                format!("slice is {slice:?}, but the job has no orders.slice; remove slice, or name the slice column"),
            )),
            _ => Ok(()),
        }
    }

    fn margin_rate(&self) -> Result<Option<Decimal>> {
        self.share("margin_rate", &self.raw.margin_rate, "a share above 0 and up to 1, such as 0.4", |rate| {
            rate > Ratio::new(0, 1) && rate <= Ratio::new(1, 1)
        })
    }

    fn looks(&self) -> Result<u32> {
        match self.raw.looks.unwrap_or(USUAL_LOOKS) {
            looks @ 1..=100 => Ok(looks),
            looks => {
                Err(self
                    .wrong("looks", format!("looks is {looks}; expected how often verdicts over all periods are read, 1 to 100")))
            }
        }
    }

    /// An error at a key of the strategy.
    fn wrong(&self, key: &str, what: String) -> Error {
        let place = self.job.source.locate_key("strategy", self.number, key);
        Error::usage(format!("{place}: strategy {:?}: {what}", self.raw.name))
    }

    fn paths(&self) -> Result<InputPaths> {
        match &self.raw.assignments {
            None => {
                let what =
                    "assignments is missing; name the file of who was put into which arm, such as assignments = \"mail.csv\"";
                Err(self.wrong("name", what.into()))
            }
            Some(RawAssignments::Paths(paths)) => self.files("assignments", paths.as_slice()),
            Some(RawAssignments::Table(table)) => Ok(query::table(table, self.job.source)),
            Some(RawAssignments::Query(_)) if self.raw.manifest.is_some() => {
                let what = "manifest lists hashes of files, and a query reads none by itself; remove it";
                Err(self.wrong("manifest", what.into()))
            }
            Some(RawAssignments::Query(_)) => Ok(InputPaths::default()),
        }
    }

    /// The arms with their usual shares, and the strata with shares of their own.
    fn split(&self) -> Result<(Vec<Arm>, Strata)> {
        let raw = self.raw;
        let at = |what: String| self.wrong("split", what);
        if raw.design == Design::BeforeAfter && !raw.split.is_empty() {
            return Err(at("design before_after compares no arms, so it takes no split; remove split".into()));
        }
        if raw.design == Design::Randomised && raw.split.is_empty() {
            return Err(at(
                "split is missing; give the planned share of every arm, such as split = { control = 0.1, treatment = 0.9 }"
                    .into(),
            ));
        }
        let usual = raw.split.iter().filter_map(|(name, share)| match share {
            RawShare::Arm(number) => Some((name.as_str(), number)),
            RawShare::Stratum(_) => None,
        });
        let arms = self.shares("the split", usual)?;
        if arms.len() < 2 && !raw.split.is_empty() {
            return Err(at(format!(
                "split has {}; expected the control and at least one more",
                if arms.is_empty() { "no arm" } else { "one arm" }
            )));
        }
        let mut strata = Vec::new();
        for (stratum, share) in &raw.split {
            let RawShare::Stratum(own) = share else { continue };
            let own =
                self.shares(&format!("the split of stratum {stratum:?}"), own.iter().map(|(name, n)| (name.as_str(), n)))?;
            if !own.iter().map(|arm| &arm.name).eq(arms.iter().map(|arm| &arm.name)) {
                let names = |arms: &[Arm]| arms.iter().map(|arm| arm.name.as_str()).collect::<Vec<_>>().join(", ");
                return Err(at(format!(
                    "the split of stratum {stratum:?} has the arms {}; expected those of the strategy ({})",
                    names(&own),
                    names(&arms)
                )));
            }
            strata.push((stratum.clone(), own));
        }
        Ok((arms, strata))
    }

    /// Arms with shares above 0 that add to exactly 1; `what` is what errors call them.
    fn shares<'s>(&self, what: &str, raw: impl Iterator<Item = (&'s str, &'s RawNumber)> + Clone) -> Result<Vec<Arm>> {
        let at = |what: String| self.wrong("split", what);
        if let Some((one, other)) = look_alike(raw.clone().map(|(name, _)| name)) {
            return Err(at(format!(
                "the arms {one:?} and {other:?} differ only in case or blanks; give them names that people can tell apart"
            )));
        }
        let mut arms = Vec::new();
        let mut sum = Some(Ratio::new(0, 1));
        for (name, number) in raw.clone() {
            if name.trim().is_empty() || name.starts_with('(') {
                return Err(at(format!("the arm {name:?} is empty or begins with a parenthesis; give it another name")));
            }
            let (text, decimal) = read(number);
            let share = decimal.and_then(|d| d.shifted(0)).or_else(|| Ratio::parse(&text));
            let Some(share) = share.filter(|s| *s > Ratio::new(0, 1)) else {
                return Err(at(format!(
                    "the share of {name:?} is {text}; expected a share above 0, such as 0.5, \"0.25\" or \"1/3\""
                )));
            };
            sum = sum.and_then(|s| s.plus(share));
            arms.push(Arm { name: name.to_owned(), share });
        }
        if !arms.is_empty() && sum != Some(Ratio::new(1, 1)) {
            let shares: Vec<String> = raw.map(|(_, number)| read(number).0).collect();
            return Err(at(format!(
                "{what} adds to {}, not to 1 ({}); correct the shares, thirds as \"1/3\"",
                sum.map_or_else(|| "more digits than can be held".into(), |s| s.decimal().unwrap_or_else(|| s.to_string())),
                shares.join(" + ")
            )));
        }
        Ok(arms)
    }

    fn control(&self, arms: &[Arm]) -> Result<Option<String>> {
        let at = |what: String| self.wrong("control", what);
        match (&self.raw.control, self.raw.design) {
            (Some(control), Design::BeforeAfter) => Err(at(format!(
                "design before_after has no control arm, but control is {control:?}; remove it, or use design matched"
            ))),
            (None, Design::BeforeAfter) => Ok(None),
            (None, design) => Err(at(format!("control is missing; design {} compares with the control arm, so name it", design))),
            (Some(control), _) if !arms.is_empty() && !arms.iter().any(|a| a.name == *control) => {
                let names: Vec<&str> = arms.iter().map(|a| a.name.as_str()).collect();
                Err(at(format!(
                    "control is {control:?}, which is no arm of the split{} (arms: {}); name one of them",
                    suggestion(control, names.iter().copied()),
                    names.join(", ")
                )))
            }
            (Some(control), _) if control.trim().is_empty() => Err(at("control is empty; name the control arm".into())),
            (Some(control), _) => Ok(Some(control.clone())),
        }
    }

    fn period(&self, key: &str, raw: &RawSpan) -> Result<Period> {
        let day = |date, end: &str| {
            let name = format!("strategy {:?}: {key}.{end}", self.raw.name);
            periods::day_at(date, &name, &format!("strategy.{key}"), self.job.source)
        };
        let (from, to) = (day(&raw.from, "from")?, day(&raw.to, "to")?);
        Period::inclusive(from, to)
            .ok_or_else(|| self.wrong(key, format!("{key} ends ({to}) before it begins ({from}); exchange from and to")))
    }

    fn periods(&self) -> Result<Vec<Period>> {
        let mut found: Vec<Period> = match &self.raw.periods {
            Some(list) => list.iter().map(|period| self.period("periods", period)).collect::<Result<_>>()?,
            None => {
                let of_date = |date: &AsOf| Period::inclusive(date.period_start?, date.date);
                self.job.dates.iter().filter(|date| date.is_published()).filter_map(of_date).collect()
            }
        };
        if found.is_empty() {
            return Err(match self.raw.periods {
                Some(_) => self.wrong("periods", "periods is an empty list; name at least one".into()),
                None => self.wrong(
                    "name",
                    "the job's as-of dates have no periods; give them to the strategy, such as periods = [{ from = 2024-04-01, to = 2024-06-30 }]"
                        .into(),
                ),
            });
        }
        found.sort_unstable();
        for pair in found.windows(2) {
            if let [one, other] = pair
                && one.overlaps(*other)
            {
                return Err(
                    self.wrong("periods", format!("the periods {one} and {other} overlap; an assignment belongs to one period"))
                );
            }
        }
        Ok(found)
    }

    fn baseline(&self, periods: &[Period]) -> Result<Option<Period>> {
        let Some(raw) = &self.raw.baseline else { return Ok(None) };
        let baseline = self.period("baseline", raw)?;
        let [period] = periods else {
            return Err(self.wrong(
                "baseline",
                format!(
                    "baseline goes with one period, but the strategy has {}; remove it, and every period gets the days before it",
                    periods.len()
                ),
            ));
        };
        if baseline.end > period.start {
            return Err(self.wrong(
                "baseline",
                format!("the baseline {baseline} does not lie before the period {period}; end it before {}", period.start),
            ));
        }
        Ok(Some(baseline))
    }

    fn match_on(&self, by: &[GroupBy]) -> Result<Vec<String>> {
        if self.raw.design != Design::Matched {
            return match self.raw.match_on.as_slice() {
                [] => Ok(Vec::new()),
                _ => {
                    Err(self
                        .wrong("match_on", format!("match_on goes with design matched, not with {}; remove it", self.raw.design)))
                }
            };
        }
        let names = self.raw.match_on.as_slice();
        for (at, name) in names.iter().enumerate() {
            self.known_column("match_on", name, true)?;
            if names.iter().take(at).any(|n| n == name) {
                return Err(self.wrong("match_on", format!("match_on lists {name:?} twice; list it once")));
            }
        }
        let shown: Vec<String> = by.iter().filter_map(GroupBy::scheme).map(str::to_owned).collect();
        Ok(match (names, shown.as_slice()) {
            ([], []) => self.job.schemes.iter().map(|scheme| scheme.column.clone()).collect(),
            ([], _) => shown,
            (own, _) => own.to_vec(),
        })
    }

    fn known_column(&self, key: &str, name: &str, or_stratum: bool) -> Result<()> {
        let columns = || self.job.schemes.iter().map(|s| s.column.as_str()).chain(or_stratum.then_some(STRATUM));
        if columns().any(|c| c == name) {
            return Ok(());
        }
        Err(self.wrong(
            key,
            format!(
                "{key} names {name:?}, which is no scheme column of the job{} (scheme columns: {})",
                suggestion(name, columns()),
                columns().collect::<Vec<_>>().join(", ")
            ),
        ))
    }

    fn cost(&self, key: &str, number: &Option<RawNumber>) -> Result<Option<Decimal>> {
        self.share(key, number, "an amount of 0 or more, such as \"0.35\"", |cost| cost >= Ratio::new(0, 1))
    }

    fn share(
        &self,
        key: &str,
        number: &Option<RawNumber>,
        expected: &str,
        serves: impl Fn(Ratio) -> bool,
    ) -> Result<Option<Decimal>> {
        let Some(number) = number else { return Ok(None) };
        let (text, decimal) = read(number);
        match decimal.filter(|d| d.shifted(0).is_some_and(&serves)) {
            Some(decimal) => Ok(Some(decimal)),
            None => Err(self.wrong(key, format!("{key} is {text}; expected {expected}"))),
        }
    }
}

/// A number as written, and what it says.
fn read(number: &RawNumber) -> (String, Option<Decimal>) {
    match number {
        RawNumber::Int(n) => (n.to_string(), Some(Decimal { digits: i128::from(*n), scale: 0 })),
        RawNumber::Float(x) => (x.to_string(), Decimal::from_float(*x)),
        RawNumber::Text(text) => (text.clone(), Decimal::parse(text)),
    }
}
