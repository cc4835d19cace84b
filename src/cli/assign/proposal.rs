//! `--find`: the hold-outs that find a gain, per state. Nothing is drawn.

use super::super::args::AssignArgs;
use super::super::console::{columns, count, printable};
use super::findings::{self, Tests, percent};
use super::past::PastSpend;
use crate::assign::{Power, StratumDesign};
use crate::domain::Decimal;
use crate::error::{Error, Result};

/// Hold-outs that are tried, in percent.
const SHARES: [u32; 10] = [5, 10, 15, 20, 25, 30, 35, 40, 45, 50];

/// A state with its customers, and what is proposed.
struct Proposed {
    state: String,
    customers: u64,
    /// The hold-out in percent, and the gain that it finds; none if nothing can be said.
    holdout: Option<(u32, f64)>,
}

/// The gain of `--find`: `10%` or `0.1`.
///
/// # Errors
/// Exit 2 if it is no share above 0 and up to 10.
pub(super) fn gain(text: &str) -> Result<f64> {
    let trimmed = text.trim();
    let (digits, unit) = trimmed.strip_suffix('%').map_or((trimmed, 1.0), |digits| (digits.trim(), 100.0));
    let gain = Decimal::parse(digits).and_then(|_| digits.parse::<f64>().ok()).map(|number| number / unit);
    gain.filter(|gain| *gain > 0.0 && *gain <= 10.0)
        .ok_or_else(|| Error::usage(format!("--find is {text:?}; expected a gain above 0 and up to 1,000 %, such as 10% or 0.1")))
}

/// The flags of a draw whose arms are not yet known, as halves.
pub(super) fn as_halves(args: &AssignArgs) -> AssignArgs {
    AssignArgs {
        name: "find".into(),
        salt: "find".into(),
        output: "find.csv".into(),
        holdout: Some("1/2".into()),
        ..args.clone()
    }
}

/// The proposal for states with their customers, in the column `column`.
pub(super) fn text(column: &str, states: &[(String, u64)], past: &PastSpend, find: f64) -> String {
    let tests = Tests { tiers: states.len(), treatments: 1 };
    let Some(basis) = findings::basis(past) else {
        return "Nothing can be proposed: no customer was in these states at the start of a past window; the orders begin too late."
            .into();
    };
    let proposed: Vec<Proposed> = states.iter().map(|(state, customers)| propose(state, *customers, past, find, tests)).collect();
    let mut rows = vec![["hold out", "controls", "finds"].map(String::from).to_vec()];
    rows.iter_mut().for_each(|heading| heading.splice(0..0, [printable(column), "customers".into()]).for_each(drop));
    for of in &proposed {
        let cells = match of.holdout {
            Some((percents, best)) => {
                let most = if best > find { " at best" } else { "" };
                [format!("{percents} %"), count(controls(of.customers, percents)), format!("{}{most}", percent(best))]
            }
            None => ["-", "-", "nothing"].map(String::from),
        };
        rows.push([vec![printable(&of.state), count(of.customers)], cells.to_vec()].concat());
    }
    let mut said = format!(
        "{}\n\nGains in revenue per customer that are found in four of five draws, by the permutation test of the evaluation.\n{basis}\n",
        columns(&rows)
    );
    if tests.count() > 1 {
        said += &format!("Each state is tested at 5 % over {} tests.\n", tests.count());
    }
    said + &flags(&proposed)
}

/// The smallest hold-out that finds the gain and is not refused; else the one that finds the smallest.
fn propose(state: &str, customers: u64, past: &PastSpend, find: f64, tests: Tests) -> Proposed {
    let power = |percents: u32| {
        let control = controls(customers, percents);
        let design = StratumDesign { spend: past.by_stratum.get(state)?, treated: customers - control, control };
        Power::new(&[design]).ok()
    };
    let finds = |percents: u32| power(percents).is_some_and(|power| power.finds(find, tests.level()));
    let first = SHARES.partition_point(|percents| !finds(*percents));
    let is_sound = |percents: &u32| power(*percents).is_some_and(|power| power.refused().is_none());
    let enough = SHARES.iter().skip(first).copied().find(is_sound).map(|percents| (percents, find));
    let best = || {
        let gains = [30, 40, 50].into_iter().filter(is_sound);
        let gains = gains.filter_map(|percents| Some((percents, power(percents)?.detectable(tests.level()).gain?)));
        gains.min_by(|a, b| a.1.total_cmp(&b.1))
    };
    Proposed { state: state.to_owned(), customers, holdout: enough.or_else(best) }
}

/// How many controls a share is.
fn controls(customers: u64, percents: u32) -> u64 {
    (customers * u64::from(percents) + 50) / 100
}

/// The flags that draw what is proposed.
fn flags(proposed: &[Proposed]) -> String {
    let share = |percents: u32| format!("{}", f64::from(percents) / 100.0);
    let known: Vec<(&str, u32)> = proposed.iter().filter_map(|of| Some((of.state.as_str(), of.holdout?.0))).collect();
    let Some(&(_, usual)) = known.first() else { return "Draw from more customers, or from states that more were in.".into() };
    let others = known.iter().filter(|(_, percents)| *percents != usual);
    let others: String =
        others.map(|(state, percents)| format!(" --holdout-by \"{}={}\"", printable(state), share(*percents))).collect();
    let hopeless: Vec<String> = proposed.iter().filter(|of| of.holdout.is_none()).map(|of| printable(&of.state)).collect();
    let left_out = match hopeless.as_slice() {
        [] => String::new(),
        states => format!("Leave out {}: no hold-out up to half of them is known to find a gain.\n", states.join(", ")),
    };
    format!("{left_out}To draw so: --holdout {}{others}", share(usual))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assign::Finding;
    use crate::stats::Grid;

    /// What is proposed finds the gain, the next smaller hold-out does not, and a gain that no hold-out finds is said.
    #[test]
    fn the_smallest_hold_out_is_proposed() {
        // Every third customer buys, for amounts with a long tail.
        let spend: Grid = (0..9_000i64).map(|at| if at % 3 == 0 { 90_000_000 / (at + 300) } else { 0 }).collect();
        let past = PastSpend { by_stratum: [("A".to_owned(), spend.clone())].into(), ..PastSpend::default() };
        let tests = Tests { tiers: 4, treatments: 1 };
        let gain_at = |percents: u32| {
            let control = controls(12_000, percents);
            match Finding::of(&[StratumDesign { spend: &spend, treated: 12_000 - control, control }], tests.level()) {
                Finding::Found { lift, .. } => lift.gain.expect("a gain"),
                other => panic!("{other:?}"),
            }
        };
        let (percents, gain) = propose("A", 12_000, &past, 0.3, tests).holdout.expect("a hold-out");
        assert!((10..=45).contains(&percents) && gain == 0.3, "{percents} {gain}");
        assert!(gain_at(percents) < 0.303 && gain_at(percents - 5) > 0.297, "{percents}");
        let (percents, best) = propose("A", 12_000, &past, 0.02, tests).holdout.expect("a hold-out");
        assert!((30..=50).contains(&percents) && best > 0.1 && best == gain_at(percents), "{percents} {best}");
        assert_eq!(propose("B", 12_000, &past, 0.3, tests).holdout, None);
    }

    #[test]
    fn gains_are_shares_or_percents() {
        assert_eq!((gain("10%"), gain(" 2.5 % "), gain("0.1")), (Ok(0.1), Ok(0.025), Ok(0.1)));
        for text in ["", "%", "0", "-5%", "1001%", "NaN", "inf", "a tenth"] {
            assert!(gain(text).is_err(), "{text}");
        }
    }
}
