//! Scheme files: reading, and the changes a job makes to them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Conditions, Rule, Scheme, State, builtin_names, builtin_text, condition};
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

/// Reads the scheme that a job uses, built in or from a file, with the job's own rules in place; `known` are the measures
/// that its rules can name.
///
/// # Errors
/// Exit 2: no such scheme (with the nearest), a mistake in the file with its place, ranges that the job must give.
pub fn load(used: &SchemeUse, known: &Catalogue, job: &Source) -> Result<Scheme> {
    load_as(used, &format!("schemes.{}.rules", used.column), known, job)
}

/// [`load`], where `key` is what errors call the job's own rules.
fn load_as(used: &SchemeUse, key: &str, known: &Catalogue, job: &Source) -> Result<Scheme> {
    let (source, builtin) = match builtin_text(&used.scheme) {
        Some(text) => (Source { path: format!("{}.toml (built in)", used.scheme).into(), text: text.to_owned() }, true),
        None if used.scheme.ends_with(".toml") => (Source::read(&job.folder().join(&used.scheme), "scheme file")?, false),
        None => {
            return Err(Error::usage(format!(
                "{}: there is no scheme {:?}{} (built in: {}; or give the path of a .toml file)",
                job.locate(&format!("\"{}\"", used.scheme)),
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
    let at = |literal: &str| source.locate(&format!("\"{literal}\""));
    if let Some(bins) = raw.bins
        && !(2..=10).contains(&bins)
    {
        return Err(Error::usage(format!("{path}: bins is {bins}; expected 2 to 10")));
    }
    let mut names: Vec<&str> = Vec::new();
    for state in &raw.states {
        if names.contains(&state.name.as_str()) || state.name.trim().is_empty() || state.name.starts_with('(') {
            return Err(Error::usage(format!(
                "{}: the state {:?} is listed twice, is empty, or begins with a parenthesis; give every state a name of its own",
                at(&state.name),
                state.name
            )));
        }
        names.push(&state.name);
    }
    let find = |name: &str, place: String| {
        names.iter().position(|n| *n == name).ok_or_else(|| {
            Error::usage(format!(
                "{place}: there is no state {name:?}{} (states: {})",
                suggestion(name, names.iter().copied()),
                names.join(", ")
            ))
        })
    };
    let ladder = raw.ladder.iter().map(|name| find(name, at(name))).collect::<Result<Vec<usize>>>()?;
    if !ladder.is_empty() && (ladder.len() != names.len() || (0..names.len()).any(|s| !ladder.contains(&s))) {
        return Err(Error::usage(format!(
            "{path}: the ladder must hold every state once; it has {} of {}",
            ladder.len(),
            names.len()
        )));
    }
    // The job's own conditions, by state.
    let mut own: BTreeMap<usize, Conditions> = BTreeMap::new();
    for (name, conditions) in rules {
        let place = job.locate(name);
        let state = find(name, format!("{place}: {key}"))?;
        let table = conditions.as_table().ok_or_else(|| {
            Error::usage(format!("{place}: {key}.{name} is {conditions}; expected conditions such as {{ frequency = [4, inf] }}"))
        })?;
        own.insert(state, condition::parse(table, raw.bins, known, &format!("{place}: {key}.{name}"))?);
    }
    let mut out: Vec<Rule> = Vec::new();
    let last = raw.rules.len().saturating_sub(1);
    for (number, rule) in raw.rules.iter().enumerate() {
        let place = format!("{path}, rule {} (state {:?})", number + 1, rule.state);
        let state = find(&rule.state, at(&rule.state))?;
        let always = condition::parse(&rule.always, raw.bins, known, &place)?;
        let replaced = own.get(&state);
        // A replaced state keeps the place of its first rule.
        if replaced.is_some() && out.iter().any(|r| r.state == state) {
            continue;
        }
        let mut when = match (&rule.when, replaced) {
            (_, Some(conditions)) => conditions.clone(),
            (Some(When::Conditions(table)), None) => condition::parse(table, raw.bins, known, &place)?,
            (Some(When::Word(word)), None) if word == "job" => {
                return Err(Error::usage(format!(
                    "{}: the scheme {:?} leaves the ranges of {:?} to the job; give them, for example [{key}] {} = {{ \"monetary@365d\" = {{ min = 1000 }} }}",
                    job.locate(&raw.name),
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
    if out.is_empty() {
        return Err(Error::usage(format!("{path} has no rules; add at least one [[rules]]")));
    }
    let states =
        raw.states.iter().map(|s| State { name: s.name.clone(), labels: s.labels.clone(), definition: s.definition.clone() });
    Ok(Scheme {
        states: states.collect(),
        name: raw.name.clone(),
        summary: raw.summary.clone(),
        bins: raw.bins,
        builtin,
        changed: !rules.is_empty(),
        ladder,
        rules: out,
    })
}

/// Adds what must hold besides; the rule's own condition on the same key wins.
fn merge(when: &mut Conditions, always: Conditions) {
    for (own, also) in when.scores.iter_mut().zip(always.scores) {
        *own = own.or(also);
    }
    for (own, also) in when.levels.iter_mut().zip(always.levels) {
        *own = own.or(also);
    }
    when.f_plus_m = when.f_plus_m.or(always.f_plus_m);
    when.cells = when.cells.take().or(always.cells);
    for (measure, test) in always.measures {
        if !when.measures.iter().any(|(m, _)| *m == measure) {
            when.measures.push((measure, test));
        }
    }
}
