//! What a strategy brought so far: whether the whole curve of a permanent hold-out holds the truth, and 0 where nothing was done.
//! `RFMILL_RUNS` says how many runs each has.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use rfmill::internals::evaluate::{ALL, Method, Outcome, Primary, Split, StrategySettings};

use super::cuts::runs;
use super::{Shopper, run, say, share, shops};
use crate::support::arms::{Customer, strategy};

/// Quarters of the hold-out that is made up.
const QUARTERS: usize = 6;

/// The share of customers whom nothing reaches.
const HELD_OUT: f64 = 0.05;

/// What the curve of a run says: whether a point leaves 0 out, and whether all hold the truth; `None` where a point is not told.
type Read = Option<(bool, bool)>;

/// A hold-out of these quarters, looked at after each.
fn settings(quarters: usize) -> StrategySettings {
    StrategySettings {
        primary: Primary { outcome: Outcome::Revenue, method: Method::PermutationBaseline },
        // Failed split checks are part of the design, and rare; what they withhold is not counted here.
        split: Split::default(),
        looks: quarters as u32 - 1,
        ..strategy("everything", quarters)
    }
}

/// Reads the curve of a hold-out whose effect per customer up to each quarter is known.
fn read(periods: &[Vec<Customer>], truth: &[f64]) -> Read {
    let evaluation = run(&settings(periods.len()), periods);
    let rows = &evaluation.to_date;
    assert_eq!((rows.len(), rows[1].method.as_str()), (periods.len(), "permutation"));
    let mut out = (false, true);
    for (row, truth) in rows.iter().zip(truth) {
        let (low, high) = row.ci_low_adjusted.zip(row.ci_high_adjusted)?;
        out = (out.0 || low > 0.0 || high < 0.0, out.1 && low <= *truth && *truth <= high);
    }
    Some(out)
}

/// A customer's quarter.
fn quarter(id: usize, held_out: bool, after: i64, baseline: i64, at: usize) -> Customer {
    let arm = if held_out { "control" } else { "mail" };
    Customer { id: id as u32, arm, state: ALL, cell: ALL, earlier: ALL, before: 0, baseline, after, touched: at > 0 && !held_out }
}

/// A shop made up, whose customers are drawn once and then stay in their arms.
fn made_up(seed: u64, customers: usize, lift: f64) -> Read {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let shoppers: Vec<(Shopper, bool)> = (0..customers).map(|_| (Shopper::draw(rng), rng.random_bool(HELD_OUT))).collect();
    let mut last: Vec<i64> = shoppers.iter().map(|(shopper, _)| shopper.quarter(rng, 1.0)).collect();
    let mut periods = Vec::new();
    for at in 0..QUARTERS {
        let own = shoppers.iter().enumerate().map(|(id, (shopper, held_out))| {
            let after = shopper.quarter(rng, if *held_out { 1.0 } else { lift });
            let baseline = std::mem::replace(&mut last[id], after);
            quarter(id, *held_out, after, baseline, at)
        });
        periods.push(own.collect());
    }
    read(&periods, &[(lift - 1.0) * Shopper::mean_quarter(); QUARTERS])
}

/// A shop of which the spend by customer and quarter is known; the first quarter is the baseline of the second. Who is not held
/// out spends `lift` of it.
fn real(spend: &[Vec<i64>], seed: u64, lift: f64) -> Read {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let held_out: Vec<bool> = spend.iter().map(|_| rng.random_bool(HELD_OUT)).collect();
    let quarters = spend[0].len();
    let lifted = |own: &[i64], at: usize, held_out: bool| match held_out || at == 0 {
        true => own[at],
        false => (own[at] as f64 * lift).round() as i64,
    };
    let periods: Vec<Vec<Customer>> = (1..quarters)
        .map(|at| {
            let own = spend.iter().zip(&held_out).enumerate();
            let one = |(id, (own, held_out)): (usize, (&Vec<i64>, &bool))| {
                quarter(id, *held_out, lifted(own, at, *held_out), lifted(own, at - 1, *held_out), at - 1)
            };
            own.map(one).collect()
        })
        .collect();
    let mean = |at: usize| spend.iter().map(|own| own[at] as f64 / 100.0).sum::<f64>() / spend.len() as f64;
    let so_far = (1..quarters).scan(0.0, |sum, at| {
        *sum += (lift - 1.0) * mean(at);
        Some(*sum / at as f64)
    });
    read(&periods, &so_far.collect::<Vec<f64>>())
}

/// Prints what runs without an effect and with one say of the curve, and asserts it.
fn promised(what: &str, null: &[Read], effect: &[Read]) {
    let told = |runs: &[Read]| -> Vec<(bool, bool)> { runs.iter().flatten().copied().collect() };
    let all = null.len() + effect.len();
    let (null, effect) = (told(null), told(effect));
    let refused = 1.0 - (null.len() + effect.len()) as f64 / all as f64;
    let (claims, covered) = (share(null.iter().map(|run| run.0)), share(effect.iter().map(|run| run.1)));
    say(
        what,
        &format!(
            "without effect {:.1} % of curves leave 0 out at some point, with one {:.1} % hold it at all, refused {:.0} %",
            100.0 * claims,
            100.0 * covered,
            100.0 * refused
        ),
    );
    let error = |n: usize| 3.0 * (0.05 * 0.95 / n as f64).sqrt();
    assert!(claims <= 0.05 + error(null.len()), "{what}: {claims}");
    assert!(covered >= 0.95 - error(effect.len()), "{what}: {covered}");
}

#[test]
#[ignore = "minutes: see the head of simulation.rs"]
fn simulation_curves_of_a_hold_out_hold_the_truth() {
    for customers in [2_000, 6_000] {
        let runs = |seed: u64, lift: f64| -> Vec<Read> {
            (0..runs()).into_par_iter().map(|n| made_up(seed * 1_000_000 + n, customers, lift)).collect()
        };
        let what = format!("{customers} customers, 5 % held out for 6 quarters");
        promised(&what, &runs(600, 1.0), &runs(601, 1.2));
    }
}

#[test]
#[ignore = "minutes: see the head of simulation.rs"]
fn simulation_curves_of_real_spend_hold_the_truth() {
    for (name, lines) in shops::spend() {
        let spend = shops::by_quarter(&lines, if name == "CDNOW" { 6 } else { 4 });
        // Some thousand customers are enough, of however many.
        let spend: Vec<Vec<i64>> = spend.iter().step_by(spend.len() / 2_500 + 1).cloned().collect();
        let runs = |seed: u64, lift: f64| -> Vec<Read> {
            (0..runs()).into_par_iter().map(|n| real(&spend, seed * 1_000_000 + n, lift)).collect()
        };
        let what = format!("{name}, {} customers, 5 % held out for {} quarters", spend.len(), spend[0].len() - 1);
        promised(&what, &runs(602, 1.0), &runs(603, 1.2));
    }
}

/// The same of few runs, which find a curve that errs three times as often as it may.
#[test]
fn curves_of_a_hold_out_hold_the_truth_in_few_runs() {
    let runs = |seed: u64, lift: f64| -> Vec<Read> {
        (0..24).into_par_iter().map(|n| made_up(seed * 1_000_000 + n, 1_000, lift)).collect()
    };
    promised("24 curves of 1,000 customers, 5 % held out for 6 quarters", &runs(604, 1.0), &runs(605, 1.3));
}
