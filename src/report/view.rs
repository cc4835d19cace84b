//! The data as a reader sees them: one slice, the last two dates, states with their labels and colours.

use std::collections::BTreeMap;

use super::colour::{self, Colour};
use super::data::{PeriodRow, ReportData, SegmentRow, StateRow, TransitionRow};
use super::language::Words;
use super::number::NumberFormat;
use super::suppress::SliceTotal;
use crate::domain::{ALL, Day};

/// State of who is not listed, in transitions.
pub(super) const NONE: &str = "(none)";

/// Role of the ends of earlier periods, in `dim_period`.
const TREND: &str = "trend";

/// A state as it is shown.
#[derive(Debug, Clone)]
pub(super) struct StateView {
    pub name: String,
    pub label: String,
    pub definition: String,
    pub action: String,
    pub colour: Colour,
    pub at_risk: bool,
    /// Whether it stands on the ladder, unlike `(none)` and `(unscored)`.
    pub ranked: bool,
}

/// A scheme column of the job.
#[derive(Debug, Clone)]
pub(super) struct SchemeView {
    pub name: String,
    pub label: String,
    /// Best first; states outside the ladder last.
    pub states: Vec<StateView>,
}

impl SchemeView {
    /// The best state.
    pub fn best(&self) -> Option<&StateView> {
        self.states.first().filter(|s| s.ranked)
    }

    /// The states whose customers are about to be lost.
    pub fn at_risk(&self) -> impl Iterator<Item = &StateView> {
        self.states.iter().filter(|s| s.at_risk)
    }

    /// A state by name.
    pub fn state(&self, name: &str) -> Option<&StateView> {
        self.states.iter().find(|s| s.name == name)
    }
}

/// Everything that sections are written from.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub data: &'a ReportData,
    pub totals: &'a [SliceTotal],
    pub words: Words,
    pub format: NumberFormat,
    pub schemes: Vec<SchemeView>,
    /// The slice that charts show.
    pub slice: String,
    /// All slices, the largest first.
    pub slices: Vec<String>,
    /// As-of dates, ascending: those of the job, and the ends of earlier periods that its trend goes through.
    pub dates: Vec<Day>,
}

impl<'a> View<'a> {
    pub fn new(data: &'a ReportData, totals: &'a [SliceTotal], words: Words) -> View<'a> {
        let format = NumberFormat::new(&words, &data.settings.currency_label);
        let dates = dates(data);
        let slices = slices(totals, dates.last().copied());
        let slice = slices.first().cloned().unwrap_or_else(|| ALL.into());
        let mut view = View { data, totals, words, format, schemes: Vec::new(), slice, slices, dates };
        view.schemes = view.scheme_names().into_iter().map(|name| view.scheme_of(name)).collect();
        view
    }

    /// Names of the schemes in the order of the job.
    fn scheme_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let segments = self.data.segments.iter().flatten().map(|r| &r.scheme);
        let declared = self.data.dim_state.iter().flatten().map(|r| &r.scheme);
        let effects = self.data.effects.iter().flatten().map(|r| &r.scheme);
        for name in declared.chain(segments).chain(effects) {
            if name != ALL && !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    fn scheme_of(&self, name: String) -> SchemeView {
        let mut declared: Vec<&StateRow> = self.data.dim_state.iter().flatten().filter(|r| r.scheme == name).collect();
        declared.sort_by_key(|r| r.rank.unwrap_or(i64::MAX));
        // Dimensions, columns and strata by which effects are shown are no schemes: their values are names of the data.
        let is_scheme = !declared.is_empty() || self.data.dim_state.iter().flatten().next().is_none();
        let mut order: Vec<String> = declared.iter().map(|r| r.state.clone()).collect();
        if order.is_empty() {
            order = self.order_of_appearance(&name);
        }
        for seen in self.seen_states(&name) {
            if !order.contains(&seen) {
                order.push(seen);
            }
        }
        // What stands in parentheses is no state of the scheme.
        order.sort_by_key(|s| s.starts_with('('));
        let places = order.iter().filter(|s| !s.starts_with('(')).count();
        let states = order.iter().enumerate().map(|(place, state)| {
            let row = declared.iter().find(|r| r.state == *state).copied();
            let ranked = row.map_or(!state.starts_with('('), |r| r.rank.is_some());
            let declared_colour = row.and_then(|r| r.colour.as_deref()).and_then(Colour::parse);
            StateView {
                label: if is_scheme { self.label_of(&name, state, row) } else { state.clone() },
                definition: self.definition_of(row),
                action: row.and_then(|r| r.action.clone()).unwrap_or_default(),
                colour: declared_colour
                    .unwrap_or_else(|| if ranked { colour::on_ladder(place, places) } else { colour::outside() }),
                at_risk: row.is_some_and(|r| r.is_at_risk == Some(true)),
                ranked,
                name: state.clone(),
            }
        });
        let states = states.collect();
        let readable = if is_scheme { readable(&name) } else { name.clone() };
        SchemeView { label: self.words.find("schemes", &name).map_or(readable, str::to_owned), states, name }
    }

    /// The ladder as the rows of `segments` have it, date by date.
    fn order_of_appearance(&self, scheme: &str) -> Vec<String> {
        let mut by_date: BTreeMap<(Day, &str), Vec<&str>> = BTreeMap::new();
        for r in self.data.segments.iter().flatten().filter(|r| r.scheme == scheme && r.dimension == ALL) {
            by_date.entry((r.as_of, &r.slice)).or_default().push(&r.state);
        }
        let mut order: Vec<String> = Vec::new();
        for states in by_date.into_values() {
            let mut at = 0;
            for state in states {
                match order.iter().position(|s| s == state) {
                    Some(place) => at = place + 1,
                    None => {
                        order.insert(at, state.to_owned());
                        at += 1;
                    }
                }
            }
        }
        order
    }

    fn seen_states(&self, scheme: &str) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        let segments = self.data.segments.iter().flatten().filter(|r| r.scheme == scheme).map(|r| &r.state);
        let transitions = self.data.transitions.iter().flatten().filter(|r| r.scheme == scheme);
        let effects = self.data.effects.iter().flatten().filter(|r| r.scheme == scheme).map(|r| &r.state);
        for state in segments.chain(transitions.flat_map(|r| [&r.from_state, &r.to_state])).chain(effects) {
            if !out.contains(state) && state != ALL {
                out.push(state.clone());
            }
        }
        out.sort();
        out
    }

    fn label_of(&self, scheme: &str, state: &str, row: Option<&StateRow>) -> String {
        let declared_label = match self.data.settings.language.tag() {
            "en" => row.and_then(|r| r.label_en.clone()),
            "zh-Hans" => row.and_then(|r| r.label_zh_hans.clone()),
            _ if row.is_some_and(|r| r.is_first_seen == Some(true)) => Some(self.words.text("movement.first_seen").to_owned()),
            tag => self.data.run.label(scheme, state, tag).map(str::to_owned),
        };
        let declared_label = declared_label.filter(|l| !l.trim().is_empty());
        declared_label.or_else(|| self.words.find("states", state).map(str::to_owned)).unwrap_or_else(|| state.to_owned())
    }

    fn definition_of(&self, row: Option<&StateRow>) -> String {
        let text = row.and_then(|r| r.definition.as_deref()).unwrap_or_default();
        self.words.find("definitions", text).unwrap_or(text).to_owned()
    }

    /// The last as-of date.
    pub fn last(&self) -> Option<Day> {
        self.dates.last().copied()
    }

    /// The date that `date` is compared with: that of the period before (the same days of it, where the period of `date`
    /// is not over), else the as-of date before.
    pub fn before(&self, date: Day) -> Option<Day> {
        let known = self.period_row(date).and_then(|row| row.period_before);
        known.or_else(|| self.dates.iter().rev().find(|d| **d < date).copied())
    }

    /// The date of the year before that `date` is compared with.
    pub fn year_before(&self, date: Day) -> Option<Day> {
        self.period_row(date)?.same_period_last_year
    }

    /// What is known of the period of a date.
    pub fn period_row(&self, date: Day) -> Option<&PeriodRow> {
        self.data.dim_period.iter().flatten().find(|row| row.as_of == date)
    }

    /// Whether a row of this date is only there to be compared with.
    pub fn is_comparison(&self, date: Day) -> bool {
        !self.dates.contains(&date)
    }

    /// The first date of the trend, if the job has one.
    pub fn trend_begins(&self) -> Option<Day> {
        let mut rows = self.data.dim_period.iter().flatten();
        rows.any(|row| row.role.as_deref() == Some(TREND)).then(|| self.dates.first().copied()).flatten()
    }

    /// Whether customers who are new at a date may have ordered before the data begin.
    pub fn new_is_first_seen(&self, date: Day) -> bool {
        self.data.dim_period.iter().flatten().any(|r| r.as_of == date && r.new_is_first_seen == Some(true))
    }

    /// Whether any words say first seen where they would say new.
    pub fn says_first_seen(&self) -> bool {
        let growth = self.data.growth.iter().flatten().any(|r| self.new_is_first_seen(r.as_of));
        growth || self.data.dim_state.iter().flatten().any(|r| r.is_first_seen == Some(true))
    }

    /// All customers of the shown slice.
    pub fn total(&self, date: Day) -> Option<&SliceTotal> {
        self.totals.iter().find(|t| t.as_of == date && t.slice == self.slice)
    }

    /// A state of the shown slice at a date.
    pub fn segment(&self, date: Day, scheme: &str, state: &str) -> Option<&SegmentRow> {
        self.data
            .segments
            .iter()
            .flatten()
            .find(|r| r.as_of == date && r.slice == self.slice && r.dimension == ALL && r.scheme == scheme && r.state == state)
    }

    /// By how many customers a state of the shown slice grew since the date that its own is compared with.
    pub fn change_of_state(&self, row: &SegmentRow) -> Option<i64> {
        let before = self.before(row.as_of)?;
        let was = self.segment(before, &row.scheme, &row.state).map_or(Some(0), |row| row.customers)?;
        Some(row.customers? - was)
    }

    /// The date that the transitions to `date` compare with: the nearest before it.
    pub fn compared(&self, date: Day, scheme: &str) -> Option<Day> {
        self.all_transitions(scheme).filter(|r| r.as_of == date).map(|r| r.from_as_of).max()
    }

    /// The transitions of the shown slice from the nearest earlier date to `date`.
    pub fn transitions(&self, date: Day, scheme: &str) -> Vec<&'a TransitionRow> {
        let Some(from) = self.compared(date, scheme) else { return Vec::new() };
        self.all_transitions(scheme).filter(|r| r.as_of == date && r.from_as_of == from).collect()
    }

    fn all_transitions<'b>(&'b self, scheme: &'b str) -> impl Iterator<Item = &'a TransitionRow> + use<'a, 'b> {
        let rows = self.data.transitions.iter().flatten();
        rows.filter(move |r| r.slice == self.slice && r.dimension == ALL && r.scheme == scheme)
    }

    /// The scheme that says who is at risk: the first that marks a state.
    pub fn risk_scheme(&self) -> Option<&SchemeView> {
        self.schemes.iter().find(|s| s.at_risk().next().is_some())
    }

    /// A scheme by name.
    pub fn scheme(&self, name: &str) -> Option<&SchemeView> {
        self.schemes.iter().find(|s| s.name == name)
    }

    /// The place of a scheme in the job, and of a state on its ladder; what is not known stands last.
    pub fn place_on_ladder(&self, scheme: &str, state: &str) -> (usize, usize) {
        let Some(at) = self.schemes.iter().position(|known| known.name == scheme) else { return (usize::MAX, usize::MAX) };
        let place = self.schemes[at].states.iter().position(|known| known.name == state);
        (at, place.unwrap_or(usize::MAX))
    }

    /// What a state is called.
    pub fn state_label(&self, scheme: &str, state: &str) -> String {
        if state == ALL {
            return self.words.text("all_customers").to_owned();
        }
        let known = self.scheme(scheme).and_then(|s| s.state(state)).map(|s| s.label.clone());
        known.unwrap_or_else(|| self.words.find("states", state).unwrap_or(state).to_owned())
    }

    /// What a state is called where customers come from it (`is_before`) or go to it. Who was not listed before is new, unless the job
    /// lists only who bought in the lookback.
    pub fn side_label(&self, scheme: &str, state: &str, is_before: bool) -> String {
        if state != NONE {
            return self.state_label(scheme, state);
        }
        let lists_everybody = self.data.run.job.get("population").and_then(|p| p.as_str()) != Some("lookback");
        let key = match (is_before, lists_everybody) {
            (false, _) => "movement.left",
            (true, false) => "movement.came",
            (true, true) if self.last().is_some_and(|now| self.new_is_first_seen(now)) => "movement.first_seen",
            (true, true) => "movement.new",
        };
        self.words.text(key).to_owned()
    }

    /// A name that comes from data (an outcome, a method …) in the language of the report.
    pub fn name(&self, section: &str, name: &str) -> String {
        self.words.find(section, name).unwrap_or(name).to_owned()
    }

    /// What an outcome is called: also `moved_up:segment` and `revenue_winsorised`.
    pub fn outcome_name(&self, outcome: &str) -> String {
        match outcome.split_once(':') {
            Some(("event", kind)) => return self.words.fill("outcome_event", &[("event", &self.name("event", kind))]),
            Some(("event_sum", kind)) => {
                return self.words.fill("outcome_event_sum", &[("event", &self.name("event", kind))]);
            }
            Some(("events", kind)) => return self.words.fill("outcome_events", &[("event", &self.name("event", kind))]),
            _ => {}
        }
        if let Some((kind, scheme)) = outcome.split_once(':') {
            let scheme = self.scheme(scheme).map_or(scheme, |s| &s.label);
            return self.words.fill("outcome_in_scheme", &[("outcome", &self.name("outcome", kind)), ("scheme", scheme)]);
        }
        match outcome.strip_suffix("_winsorised") {
            Some(plain) => self.words.fill("outcome_winsorised", &[("outcome", &self.name("outcome", plain))]),
            None => self.name("outcome", outcome),
        }
    }

    /// Names as a list.
    pub fn list(&self, names: &[String]) -> String {
        names.join(self.words.text("format.list"))
    }
}

/// The as-of dates of the run, and those of its trend.
fn dates(data: &ReportData) -> Vec<Day> {
    let rows = data.dim_period.iter().flatten().filter(|row| row.role.as_deref() == Some(TREND));
    let mut dates: Vec<Day> = data.run.as_of.iter().filter_map(|date| Day::parse(date)).collect();
    dates.extend(rows.map(|row| row.as_of));
    dates.sort_unstable();
    dates.dedup();
    dates
}

/// The name of a column as words: `recency_windows` is "Recency windows".
fn readable(column: &str) -> String {
    let words = column.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The slices, the largest at the last date first; `(all)` before them.
fn slices(totals: &[SliceTotal], last: Option<Day>) -> Vec<String> {
    let mut sizes: Vec<(bool, i64, String)> = Vec::new();
    for total in totals {
        let size = if Some(total.as_of) == last { total.customers.unwrap_or(0) } else { 0 };
        match sizes.iter_mut().find(|(_, _, s)| *s == total.slice) {
            Some(known) => known.1 = known.1.min(-size),
            None => sizes.push((total.slice != ALL, -size, total.slice.clone())),
        }
    }
    sizes.sort();
    sizes.into_iter().map(|(_, _, slice)| slice).collect()
}
