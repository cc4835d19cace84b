//! What a draw tells: arms by stratum, and what they can find.

use super::super::args::AssignArgs;
use super::super::console::{columns, count, data, printable};
use super::draw::Drawn;
use super::findings::{self, Line, Tests};
use super::past::PastSpend;
use super::population::Population;
use super::shares::{Shares, toml_key};
use super::strata::Strata;
use crate::domain::Day;

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
    /// What alike customers spent, if the job is known.
    pub past: Option<&'a PastSpend>,
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
    let tests = Tests { tiers: tiers(shown.states), treatments: shown.shares.arms.len() - 1 };
    let lines = lines(shown, tests);
    out.push_str(&format!("\n{}\n", columns(&table(shown, &lines))));
    let said = match shown.past {
        Some(past) => findings::sentences(&lines, &shown.shares.arms, past, tests),
        None => "What these arms can find is unknown, as the output holds no past spend of these customers; name the job file with --job.".into(),
    };
    out.push_str(&format!("\n{said}\n"));
    let already = if shown.unchanged { " (it was there already)" } else { "" };
    out.push_str(&format!("{}{already}\n", printable(&args.output.display().to_string())));
    out
}

/// How many different states these are.
fn tiers(states: &[u32]) -> usize {
    let mut states = states.to_vec();
    states.sort_unstable();
    states.dedup();
    states.len()
}

fn code(codes: &[u32], at: usize) -> usize {
    codes.get(at).map_or(usize::MAX, |code| *code as usize)
}

/// One line per stratum, and one for all.
fn lines(shown: &Shown, tests: Tests) -> Vec<Line> {
    let arms = shown.shares.arms.len();
    let mut strata = vec![vec![0u64; arms]; shown.strata.names.len()];
    for (code, arm) in shown.strata.codes.iter().zip(&shown.drawn.arms) {
        let customers = strata.get_mut(*code as usize).and_then(|arms| arms.get_mut(*arm as usize));
        if let Some(customers) = customers {
            *customers += 1;
        }
    }
    let strata: Vec<(&str, Vec<u64>)> = shown.strata.names.iter().map(String::as_str).zip(strata).collect();
    findings::lines(&strata, shown.shares.are_equal(), shown.past, tests)
}

/// The lines as rows of cells, under their heading.
fn table(shown: &Shown, lines: &[Line]) -> Vec<Vec<String>> {
    let arms = &shown.shares.arms;
    let mut heading = vec!["stratum".to_owned()];
    heading.extend(arms.iter().map(|arm| printable(arm)));
    let scale = shown.past.map(|past| past.scale);
    if scale.is_some() {
        heading.extend(arms.iter().skip(1).flat_map(|arm| {
            let of = if arms.len() > 2 { format!("{} ", printable(arm)) } else { String::new() };
            [format!("{of}finds a gain of"), "a loss of".into()]
        }));
    }
    let row = |line: &Line| {
        let mut row = vec![printable(&line.name)];
        row.extend(line.arms.iter().map(count));
        if let Some(scale) = scale {
            row.extend(line.findings.iter().flat_map(|finding| findings::cells(finding, scale)));
        }
        row
    };
    std::iter::once(heading).chain(lines.iter().map(row)).collect()
}
