//! What a draw tells: arms by stratum, and what they can detect.

use super::super::args::AssignArgs;
use super::super::commands::data;
use super::super::console::{columns, count, printable};
use super::draw::Drawn;
use super::population::Population;
use super::shares::{Shares, toml_key};
use super::strata::Strata;
use crate::assign::{DetectableEffect, OutcomeSpread, detectable_effect, stratified_detectable_effect};
use crate::domain::{ALL, Day};

/// Everything that is shown.
pub(super) struct Shown<'a> {
    pub args: &'a AssignArgs,
    pub shares: &'a Shares,
    pub as_of: Day,
    pub assigned_on: Day,
    /// Customers in the states to draw from.
    pub candidates: usize,
    pub drawn: &'a Drawn,
    pub strata: &'a Strata,
    /// Number of the state of every assigned customer.
    pub states: &'a [u32],
    pub customers: &'a Population,
    /// Whether the file was there already.
    pub unchanged: bool,
}

/// Prints the draw to stdout.
pub(super) fn draw(shown: &Shown) -> crate::error::Result<()> {
    data(&text(shown))
}

/// The strategy as the job file may have it; the path of the assignments is as it was given here.
pub(super) fn job_section(shown: &Shown) -> String {
    let Shown { args, shares, .. } = shown;
    let text = |text: &str| toml::Value::from(text).to_string();
    let mut split = vec![shares.in_toml(None)];
    for (number, stratum) in shown.strata.names.iter().enumerate().filter(|_| !shares.are_equal()) {
        let row = shown.strata.codes.iter().position(|code| *code as usize == number);
        let state = row.and_then(|at| shown.customers.columns.first()?.names.get(code(shown.states, at)));
        if let Some(state) = state.filter(|state| shares.differ_in(state)) {
            split.push(format!("{} = {{ {} }}", toml_key(stratum), shares.in_toml(Some(state))));
        }
    }
    format!(
        "\nFor the job file:\n\n[[strategy]]\nname = {}\ndesign = \"randomised\"\nassignments = {}\ncontrol = {}\nsplit = {{ {} }}",
        text(&args.name),
        text(&args.output.display().to_string()),
        text(&args.control),
        split.join(", ")
    )
}

fn text(shown: &Shown) -> String {
    let Shown { args, drawn, .. } = shown;
    let mut out = format!(
        "{}: {} of {} customers in the states of {}, assigned on {}\n",
        printable(&args.name),
        count(drawn.rows.len()),
        count(shown.candidates),
        shown.as_of,
        shown.assigned_on
    );
    if args.global_holdout.is_some() {
        out.push_str(&format!("  {} in the global hold-out\n", count(drawn.global)));
    }
    if let Some(path) = &args.reuse {
        out.push_str(&format!("  {} keep their arms of {}\n", count(drawn.kept), printable(&path.display().to_string())));
    }
    if let Some(path) = args.avoid.as_ref().or(args.reuse.as_ref()).filter(|_| args.avoid.is_some() || drawn.left_out > 0) {
        out.push_str(&format!("  {} left out for {}\n", count(drawn.left_out), printable(&path.display().to_string())));
    }
    out.push_str(&format!("\n{}\n", columns(&table(shown))));
    out.push_str(&format!("\n{}\n", summary(shown)));
    let already = if shown.unchanged { " (it was there already)" } else { "" };
    out.push_str(&format!("{}{already}\n", printable(&args.output.display().to_string())));
    out
}

/// Assigned customers of a part of the draw: by arm, and their money.
#[derive(Default, Clone)]
struct Group {
    arms: Vec<u64>,
    money: Vec<i64>,
}

impl Group {
    fn detects(&self, arm: usize) -> Result<DetectableEffect, &'static str> {
        let at = |arm: usize| self.arms.get(arm).copied().unwrap_or_default();
        detectable_effect(&OutcomeSpread::of(self.money.iter().copied()), at(arm), at(0))
    }
}

/// The assigned customers by a number of theirs.
fn groups(shown: &Shown, number: impl Fn(usize) -> usize, many: usize) -> Vec<Group> {
    let mut groups = vec![Group { arms: vec![0; shown.shares.arms.len()], money: Vec::new() }; many];
    for (at, (row, arm)) in shown.drawn.rows.iter().zip(&shown.drawn.arms).enumerate() {
        let Some(group) = groups.get_mut(number(at)) else { continue };
        if let Some(customers) = group.arms.get_mut(*arm as usize) {
            *customers += 1;
        }
        group.money.extend(shown.customers.monetary.as_ref().and_then(|money| money.get(*row)));
    }
    groups
}

fn code(codes: &[u32], at: usize) -> usize {
    codes.get(at).map_or(usize::MAX, |code| *code as usize)
}

/// One row per stratum, and one for all.
fn table(shown: &Shown) -> Vec<Vec<String>> {
    let arms = &shown.shares.arms;
    let known = shown.customers.monetary.is_some();
    let treatments: Vec<usize> = (1..arms.len()).collect();
    let mut heading = vec!["stratum".to_owned()];
    heading.extend(arms.iter().map(|arm| printable(arm)));
    if known {
        heading.extend(treatments.iter().map(|at| match (treatments.len(), arms.get(*at)) {
            (2.., Some(arm)) => format!("{} detects", printable(arm)),
            _ => "detects".into(),
        }));
    }
    let row = |name: String, group: &Group, detects: &dyn Fn(usize) -> Result<DetectableEffect, &'static str>| {
        let mut row = vec![name];
        row.extend(group.arms.iter().map(count));
        if known {
            row.extend(treatments.iter().map(|at| shortly(detects(*at), shown.customers.scale)));
        }
        row
    };
    let strata = groups(shown, |at| code(&shown.strata.codes, at), shown.strata.names.len());
    let mut rows = vec![heading];
    if strata.len() > 1 {
        for (name, group) in shown.strata.names.iter().zip(&strata) {
            rows.push(row(printable(name), group, &|arm| group.detects(arm)));
        }
    }
    let all = groups(shown, |_| 0, 1).pop().unwrap_or_default();
    let name = match shown.strata.names.as_slice() {
        [only] => printable(only),
        _ => ALL.into(),
    };
    rows.push(row(name, &all, &|arm| over_all(shown, &all, arm)));
    rows
}

/// What all strata together detect; post-stratified by state if the shares differ by state.
fn over_all(shown: &Shown, all: &Group, arm: usize) -> Result<DetectableEffect, &'static str> {
    if shown.shares.are_equal() {
        return all.detects(arm);
    }
    let many = shown.states.iter().max().map_or(0, |most| *most as usize + 1);
    let states: Vec<(OutcomeSpread, u64, u64)> = groups(shown, |at| code(shown.states, at), many)
        .into_iter()
        .filter(|group| group.arms.iter().any(|customers| *customers > 0))
        .map(|group| {
            let at = |arm: usize| group.arms.get(arm).copied().unwrap_or_default();
            (OutcomeSpread::of(group.money.iter().copied()), at(arm), at(0))
        })
        .collect();
    stratified_detectable_effect(&states)
}

fn shortly(detects: Result<DetectableEffect, &'static str>, scale: u32) -> String {
    match detects {
        Ok(DetectableEffect { absolute, relative: Some(relative) }) => {
            format!("+{} ({})", percent(relative), printed(absolute, scale))
        }
        Ok(DetectableEffect { absolute, relative: None }) => format!("+{}", printed(absolute, scale)),
        Err(_) => "-".into(),
    }
}

/// A sentence per treatment.
fn summary(shown: &Shown) -> String {
    if shown.customers.monetary.is_none() {
        return "What these arms can detect is unknown: the customers have no column monetary.".into();
    }
    let all = groups(shown, |_| 0, 1).pop().unwrap_or_default();
    let mean = OutcomeSpread::of(all.money.iter().copied()).mean().unwrap_or_default();
    let scale = shown.customers.scale;
    let at = |arm: usize| all.arms.get(arm).copied().unwrap_or_default();
    let name = |arm: usize| shown.shares.arms.get(arm).map_or(String::new(), |arm| printable(arm));
    let mut sentences: Vec<String> = Vec::new();
    for arm in 1..shown.shares.arms.len() {
        let sizes = match at(arm) == at(0) {
            true => format!("{} per arm ({} and {})", count(at(arm)), name(arm), name(0)),
            false => format!("{} in {} and {} in {}", count(at(arm)), name(arm), count(at(0)), name(0)),
        };
        sentences.push(match over_all(shown, &all, arm) {
            Ok(DetectableEffect { absolute, relative: Some(relative) }) => format!(
                "{sizes} detect +{}, that is {} on a mean of {}.",
                percent(relative),
                printed(absolute, scale),
                printed(mean, scale)
            ),
            Ok(DetectableEffect { absolute, relative: None }) => format!("{sizes} detect +{}.", printed(absolute, scale)),
            Err(reason) => format!("What {sizes} detect cannot be said: {reason}."),
        });
    }
    sentences.push(
        "In four of five draws a test at 5 % finds an effect of this size, if revenue after assignment varies between \
         customers as their monetary does."
            .into(),
    );
    sentences.join("\n")
}

/// Minor units as an amount.
fn printed(minor: f64, scale: u32) -> String {
    count(format!("{:.*}", scale as usize, minor / 10f64.powi(scale as i32)))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
