//! Scheme files: reading, and the changes a job makes to them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::builtin::{names as builtin_names, text as builtin_text};
use super::condition::Conditions;
use super::definition::{Rule, Scheme, State};
use super::parse::parse_conditions;
use crate::domain::Catalogue;
use crate::error::{Error, Result, suggestion};
use crate::job::SchemeUse;
use crate::job::parse::Source;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScheme {
    name: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    #[allow(dead_code, reason = "for readers of the file")]
    source: String,
    bins: Option<u32>,
    #[serde(default)]
    ladder: Vec<String>,
    states: Vec<RawState>,
    rules: Vec<RawRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawState {
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    definition: String,
    #[serde(default)]
    at_risk: bool,
    #[serde(default)]
    says_new: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    state: String,
    when: Option<When>,
    #[serde(default)]
    always: toml::Table,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected conditions such as { r_score = 5 }, or \"job\"")]
enum When {
    Conditions(toml::Table),
    Word(String),
}

/// Reads the scheme that a job uses, built in or from a file, with the job's rules in place; `known` are the measures
/// that its rules can name.
///
/// # Errors
/// Exit 2: no such scheme (with the nearest), a mistake in the file with its place, ranges that the job must give.
pub fn load(used: &SchemeUse, known: &Catalogue, job: &Source) -> Result<Scheme> {
    load_as(used, &format!("schemes.{}.rules", used.column), known, job)
}

/// [`load`], where `key` is what errors call the job's rules.
fn load_as(used: &SchemeUse, key: &str, known: &Catalogue, job: &Source) -> Result<Scheme> {
    let (source, builtin) = match builtin_text(&used.scheme) {
        Some(text) => (Source { path: format!("{}.toml (built in)", used.scheme).into(), text: text.to_owned() }, true),
        None if used.scheme.ends_with(".toml") => (Source::read(&job.folder().join(&used.scheme), "scheme file")?, false),
        None => {
            return Err(Error::usage(format!(
                "{}: there is no scheme {:?}{} (built in: {}; or give the path of a .toml file)",
                job.locate("schemes", &used.scheme),
                used.scheme,
                suggestion(&used.scheme, builtin_names()),
                builtin_names().collect::<Vec<_>>().join(", ")
            )));
        }
    };
    build(&source, builtin, &used.rules, key, known, job)
}

/// The scheme with the override of one slice value.
///
/// # Errors
/// As [`load`].
pub fn with_override(used: &SchemeUse, slice: &str, rules: &toml::Table, known: &Catalogue, job: &Source) -> Result<Scheme> {
    let mut merged = used.clone();
    merged.rules.extend(rules.clone());
    load_as(&merged, &format!("schemes.{}.override.{slice}", used.column), known, job)
}

fn build(source: &Source, builtin: bool, rules: &toml::Table, key: &str, known: &Catalogue, job: &Source) -> Result<Scheme> {
    let raw: RawScheme = source.parse()?;
    let path = source.path.display();
    if let Some(bins) = raw.bins
        && !(2..=10).contains(&bins)
    {
        return Err(Error::usage(format!("{path}: bins is {bins}; expected 2 to 10")));
    }
    let states = StateNames::new(&raw, source)?;
    let ladder =
        raw.ladder.iter().map(|name| states.find(name, &source.locate("ladder", name))).collect::<Result<Vec<usize>>>()?;
    if let Some(twice) = (0..states.names.len()).find(|state| ladder.iter().filter(|rung| *rung == state).count() > 1) {
        let name = &states.names[twice];
        return Err(Error::usage(format!("{path}: the ladder holds the state {name:?} twice; remove one of them")));
    }
    let replaced = replaced_conditions(&raw, &states, rules, key, known, job)?;
    let scheme_rules = build_rules(&raw, source, &states, &replaced, key, known, job)?;
    if scheme_rules.is_empty() {
        return Err(Error::usage(format!("{path} has no rules; add at least one [[rules]]")));
    }
    Ok(Scheme {
        name: raw.name,
        summary: raw.summary,
        bins: raw.bins,
        builtin,
        changed: !rules.is_empty(),
        ladder,
        rules: scheme_rules,
        states: raw
            .states
            .into_iter()
            .map(|RawState { name, labels, definition, at_risk, says_new }| State { name, labels, definition, at_risk, says_new })
            .collect(),
    })
}

/// The names of a scheme's states.
struct StateNames {
    names: Vec<String>,
}

impl StateNames {
    fn new(raw: &RawScheme, source: &Source) -> Result<StateNames> {
        let mut names: Vec<String> = Vec::with_capacity(raw.states.len());
        for state in &raw.states {
            if names.contains(&state.name) || state.name.trim().is_empty() || state.name.starts_with('(') {
                return Err(Error::usage(format!(
                    "{}: the state {:?} is listed twice, is empty, or begins with a parenthesis; give every state a name of its own",
                    source.locate("states", &state.name),
                    state.name
                )));
            }
            names.push(state.name.clone());
        }
        Ok(StateNames { names })
    }

    /// The index of a state that is named at `place`.
    fn find(&self, name: &str, place: &str) -> Result<usize> {
        self.names.iter().position(|known| known == name).ok_or_else(|| {
            Error::usage(format!(
                "{place}: there is no state {name:?}{} (states: {})",
                suggestion(name, self.names.iter().map(String::as_str)),
                self.names.join(", ")
            ))
        })
    }
}

/// The conditions that a job gives instead of those of the file, by state.
fn replaced_conditions(
    raw: &RawScheme,
    states: &StateNames,
    rules: &toml::Table,
    key: &str,
    known: &Catalogue,
    job: &Source,
) -> Result<BTreeMap<usize, Conditions>> {
    let mut by_state = BTreeMap::new();
    for (name, conditions) in rules {
        let place = format!("{}: {key}", job.locate("schemes", name));
        let state = states.find(name, &place)?;
        let table = conditions.as_table().ok_or_else(|| {
            Error::usage(format!("{place}.{name} is {conditions}; expected conditions such as {{ frequency = [4, inf] }}"))
        })?;
        by_state.insert(state, parse_conditions(table, raw.bins, known, &format!("{place}.{name}"))?);
    }
    Ok(by_state)
}

/// The rules of a file, with the conditions that a job replaces.
fn build_rules(
    raw: &RawScheme,
    source: &Source,
    states: &StateNames,
    replaced: &BTreeMap<usize, Conditions>,
    key: &str,
    known: &Catalogue,
    job: &Source,
) -> Result<Vec<Rule>> {
    let mut out: Vec<Rule> = Vec::new();
    let last = raw.rules.len().saturating_sub(1);
    for (number, rule) in raw.rules.iter().enumerate() {
        let place = format!("{}, rule {} (state {:?})", source.path.display(), number + 1, rule.state);
        let state = states.find(&rule.state, &source.locate("rules", &rule.state))?;
        let always = parse_conditions(&rule.always, raw.bins, known, &place)?;
        let replaced = replaced.get(&state);
        // A replaced state keeps the position of its first rule.
        if replaced.is_some() && out.iter().any(|r| r.state == state) {
            continue;
        }
        let mut when = match (&rule.when, replaced) {
            (_, Some(conditions)) => conditions.clone(),
            (Some(When::Conditions(table)), None) => parse_conditions(table, raw.bins, known, &place)?,
            (Some(When::Word(word)), None) if word == "job" => {
                return Err(Error::usage(format!(
                    "{}: the scheme {:?} leaves the ranges of {:?} to the job; give them, for example [{key}] {} = {{ \"monetary@365d\" = {{ min = 1000 }} }}",
                    job.locate("schemes", &raw.name),
                    raw.name,
                    rule.state,
                    rule.state
                )));
            }
            (Some(When::Word(word)), None) => {
                return Err(Error::usage(format!("{place}: when = {word:?}; expected conditions such as {{ r_score = 5 }}")));
            }
            (None, None) => Conditions::default(),
        };
        merge(&mut when, always);
        if when.is_empty() && number != last {
            return Err(Error::usage(format!(
                "{place} has no condition, so the rules after it can never match; move it to the end or give it a condition"
            )));
        }
        out.push(Rule { state, when });
    }
    Ok(out)
}

/// Adds conditions that must hold as well; a condition of the rule on the same key wins.
fn merge(when: &mut Conditions, always: Conditions) {
    for (score, more) in when.scores.iter_mut().zip(always.scores) {
        *score = score.or(more);
    }
    for (level, more) in when.levels.iter_mut().zip(always.levels) {
        *level = level.or(more);
    }
    when.f_plus_m = when.f_plus_m.or(always.f_plus_m);
    when.cells = when.cells.take().or(always.cells);
    for (measure, test) in always.measures {
        if !when.measures.iter().any(|(m, _)| *m == measure) {
            when.measures.push((measure, test));
        }
    }
}
