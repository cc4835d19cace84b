//! What arms can find, in cells and sentences.

use super::super::console::{count, printable};
use super::past::PastSpend;
use crate::assign::{Finding, StratumDesign, Unknown};
use crate::domain::ALL;
use crate::stats::Grid;

/// The tests that are adjusted together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tests {
    /// Different states that are drawn from.
    pub tiers: usize,
    /// Arms that are compared with the control.
    pub treatments: usize,
}

impl Tests {
    /// How many they are: every state, and all of them together.
    pub fn count(self) -> usize {
        self.treatments * if self.tiers > 1 { self.tiers + 1 } else { 1 }
    }

    /// The level at which the Benjamini–Hochberg rule at 5 % finds a single true effect in any case.
    pub fn level(self) -> f64 {
        0.05 / self.count() as f64
    }
}

/// A stratum, or all of them.
pub(super) struct Line {
    pub name: String,
    /// Customers by arm, the control first.
    pub arms: Vec<u64>,
    /// What each treatment finds; empty without past spend.
    pub findings: Vec<Finding>,
}

/// One line per stratum, and one for all, which is tested within strata if their shares differ.
pub(super) fn lines(strata: &[(&str, Vec<u64>)], equal_shares: bool, past: Option<&PastSpend>, tests: Tests) -> Vec<Line> {
    let none = Grid::default();
    let spend = |name: &str| past.and_then(|past| past.by_stratum.get(name)).unwrap_or(&none);
    let everybody = past.map(PastSpend::all).unwrap_or_default();
    let treatments = |arms: &[u64]| if past.is_some() { 1..arms.len() } else { 0..0 };
    let mut lines: Vec<Line> = Vec::new();
    if strata.len() > 1 {
        lines.extend(strata.iter().map(|(name, arms)| {
            let finding = |arm| Finding::of(&[design(spend(name), arms, arm)], tests.level());
            Line { name: (*name).to_owned(), arms: arms.clone(), findings: treatments(arms).map(finding).collect() }
        }));
    }
    let width = strata.first().map_or(0, |(_, arms)| arms.len());
    let sum: Vec<u64> = (0..width).map(|arm| strata.iter().filter_map(|(_, arms)| arms.get(arm)).sum()).collect();
    let finding = |arm| {
        let designs: Vec<StratumDesign<'_>> = match equal_shares {
            true => vec![design(&everybody, &sum, arm)],
            false => strata.iter().map(|(name, arms)| design(spend(name), arms, arm)).collect(),
        };
        Finding::of(&designs, tests.level())
    };
    let name = if let [(only, _)] = strata { only } else { ALL };
    let findings = treatments(&sum).map(finding).collect();
    lines.push(Line { name: name.to_owned(), findings, arms: sum });
    lines
}

/// The comparison of an arm with the control, arm 0.
fn design<'a>(spend: &'a Grid, arms: &[u64], arm: usize) -> StratumDesign<'a> {
    let customers = |arm: usize| arms.get(arm).copied().unwrap_or_default();
    StratumDesign { spend, treated: customers(arm), control: customers(0) }
}

/// The gain with its amount, and the loss.
pub(super) fn cells(finding: &Finding, scale: u32) -> [String; 2] {
    match finding {
        Finding::Found { lift, mean } => {
            let gain = lift.gain.map(|gain| format!("{} ({})", percent(gain), amount(gain * mean, scale)));
            [gain, lift.loss.map(percent)].map(|cell| cell.unwrap_or_else(|| "none".into()))
        }
        Finding::Refused(_) => ["refused", "refused"].map(String::from),
        Finding::Unknown(_) => ["-", "-"].map(String::from),
    }
}

/// What the figures are, what they rest on, and why some are missing.
pub(super) fn sentences(lines: &[Line], arms: &[String], past: &PastSpend, tests: Tests) -> String {
    let Some(basis) = basis(past) else {
        return "What these arms can find is unknown: no customer was in these states at the start of a past window; the orders begin too late."
            .into();
    };
    let mut sentences = vec![
        "Effects on revenue per customer that are found in four of five draws, by the permutation test of the evaluation."
            .to_owned(),
        basis,
    ];
    if tests.count() > 1 {
        sentences.push(format!(
            "Each is tested at {:.2} %, which is 5 % over {} tests: at this level an effect is found even if it is the only one (Benjamini and Hochberg).",
            100.0 * tests.level(),
            tests.count()
        ));
    }
    for line in lines {
        for (arm, finding) in arms.iter().skip(1).zip(&line.findings) {
            let whose =
                if arms.len() > 2 { format!("{}, {}", printable(&line.name), printable(arm)) } else { printable(&line.name) };
            sentences
                .extend(remark(finding, line.arms.first().copied().unwrap_or_default()).map(|said| format!("{whose}: {said}")));
        }
    }
    sentences.join("\n")
}

/// What past spend the figures rest on; `None` without a window.
pub(super) fn basis(past: &PastSpend) -> Option<String> {
    let (newest, oldest) = (past.windows.first()?, past.windows.last()?);
    let bins = past.all();
    let (n, sum) = bins.bins().fold((0, 0.0), |(n, sum), bin| (n + bin.count, sum + bin.sum as f64));
    Some(format!(
        "They assume that customers spend as those did who were in the same states at the start of {} past window{} of {} days ({} to {}): {} customers, {} each on average.",
        past.windows.len(),
        if past.windows.len() == 1 { "" } else { "s" },
        newest.days(),
        oldest.start,
        newest.last_day(),
        count(n),
        amount(sum / n as f64, past.scale)
    ))
}

/// What a reader must know who sees no figure.
fn remark(finding: &Finding, controls: u64) -> Option<String> {
    match finding {
        Finding::Found { lift, .. } => match (lift.gain, lift.loss) {
            (None, _) => {
                Some("not even a gain of 1,000 % is found; --find proposes a hold-out, or draw from more customers.".into())
            }
            (_, None) => Some("not even the loss of all revenue is found.".into()),
            _ => None,
        },
        Finding::Refused(refused) => Some(format!(
            "a test of {} controls will be refused here, as too few customers have most of the money; {}.",
            count(controls),
            match refused.enough {
                Some(enough) => format!("hold out at least {}", count(enough)),
                None => "no hold-out up to half of them would do, so draw from more customers".into(),
            }
        )),
        Finding::Unknown(Unknown::SmallArm) => Some("an arm has fewer than 2 customers.".into()),
        Finding::Unknown(Unknown::FewKnown(known)) => {
            Some(format!("only {known} customers were in this state before, too few to know what they spend."))
        }
        Finding::Unknown(Unknown::Alike) => Some("all customers who were in this state before spent the same.".into()),
    }
}

/// Minor units as an amount.
fn amount(minor: f64, scale: u32) -> String {
    count(format!("{:.*}", scale as usize, minor / 10f64.powi(scale as i32)))
}

/// A share with its sign, in two digits, which is what 1,000 redraws know.
pub(super) fn percent(share: f64) -> String {
    let share = 100.0 * share;
    if share.abs() < 9.95 { format!("{share:+.1} %") } else { format!("{} %", signed(share)) }
}

fn signed(percent: f64) -> String {
    let sign = if percent < 0.0 { "-" } else { "+" };
    format!("{sign}{}", count(format!("{:.0}", percent.abs())))
}
