//! Matched strategies whose treated somebody chose, by rules that alike states do not show.

use std::sync::LazyLock;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal, Poisson};
use rayon::prelude::*;
use rfmill::internals::evaluate::{ALL, Design, Evaluation, Method, Outcome, Primary, Split, StrategySettings};

use super::{Shopper, run, say, share};
use crate::support::arms::{Customer, strategy};

/// Quarters before the outcome's.
const QUARTERS: usize = 6;

/// Runs of every row, unless `RFMILL_JOBS` says otherwise.
fn jobs() -> u64 {
    std::env::var("RFMILL_JOBS").ok().and_then(|jobs| jobs.parse().ok()).unwrap_or(400)
}

/// How the treated are chosen.
#[derive(Clone, Copy, PartialEq)]
enum Chosen {
    AtRandom,
    /// By a steady rise in how often they buy.
    RisingRate,
    /// Because they spent more than in the quarter before.
    SpentMore,
    /// By how often they buy, which no state shows.
    OftenBuyers,
    /// By what an order of theirs is worth.
    BigBaskets,
    /// Because they bought in the last quarter.
    BoughtLately,
    /// Because they spent little in two quarters.
    SpentLittle,
    /// Those who buy often, of those who did not buy in the last quarter.
    OftenBuyersWhoLapsed,
    /// Because they are about to buy.
    AboutToBuy,
}

/// The names of states: 4 of recency, 4 of frequency, 3 of money.
static STATES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| (0..48).map(|at: usize| -> &'static str { String::leak(format!("state {at}")) }).collect());

/// The state by the last four quarters: (orders, cents) each.
fn state(quarters: &[(u32, i64)]) -> &'static str {
    let last = &quarters[quarters.len() - 4..];
    let bought = |of: &[(u32, i64)]| of.iter().any(|quarter| quarter.0 > 0);
    let recency = match () {
        () if bought(&last[3..]) => 0,
        () if bought(&last[2..3]) => 1,
        () if bought(&last[..2]) => 2,
        () => 3,
    };
    let orders: u32 = last.iter().map(|quarter| quarter.0).sum();
    let money: i64 = last.iter().map(|quarter| quarter.1).sum();
    let frequency = [2, 4, 8].iter().filter(|bound| orders >= **bound).count();
    STATES[(recency * 4 + frequency) * 3 + [6_000, 20_000].iter().filter(|bound| money >= **bound).count()]
}

/// Orders and cents of a quarter.
fn quarter(rng: &mut ChaCha8Rng, shopper: Shopper, factor: f64) -> (u32, i64) {
    let rate = shopper.rate * factor;
    let orders = if rate < 1e-9 { 0.0 } else { Poisson::new(rate).expect("a Poisson").sample(rng) };
    let noise = rand_distr::LogNormal::new(0.0, 0.5).expect("a log-normal");
    (orders as u32, (0..orders as u32).map(|_| (shopper.level * noise.sample(rng)).round() as i64).sum())
}

fn customer(rng: &mut ChaCha8Rng, id: u32, chosen: Chosen, lift: f64, peak: f64) -> Customer {
    let shopper = Shopper::draw(rng);
    let slope: f64 = Normal::new(0.0, 0.08).expect("a normal").sample(rng);
    let slope = if chosen == Chosen::RisingRate { slope.clamp(-0.15, 0.15) } else { 0.0 };
    // The outcome's quarter, and that of the year before, are a season's peak.
    let factor = |at: usize| (1.0 + slope * (at as f64 - 2.0)) * if at == 2 || at == QUARTERS { peak } else { 1.0 };
    let quarters: Vec<(u32, i64)> = (0..QUARTERS).map(|at| quarter(rng, shopper, factor(at))).collect();
    let (before, last) = (quarters[QUARTERS - 2], quarters[QUARTERS - 1]);
    let untreated = quarter(rng, shopper, factor(QUARTERS));
    let often = shopper.rate / (shopper.rate + 0.5);
    let chance = match chosen {
        Chosen::AtRandom => 0.5,
        Chosen::RisingRate => 1.0 / (1.0 + (-20.0 * slope).exp()),
        Chosen::SpentMore => {
            if last.1 > before.1 {
                0.7
            } else {
                0.3
            }
        }
        Chosen::OftenBuyers => often,
        Chosen::BigBaskets => shopper.level / (shopper.level + 3_000.0),
        Chosen::BoughtLately => match last.0 {
            0 => 0.15,
            1 => 0.5,
            _ => 0.8,
        },
        Chosen::SpentLittle => {
            if before.1 + last.1 < 2_000 {
                0.7
            } else {
                0.25
            }
        }
        Chosen::OftenBuyersWhoLapsed => {
            if last.0 == 0 {
                often
            } else {
                0.1
            }
        }
        Chosen::AboutToBuy => {
            if untreated.0 > 0 {
                0.7
            } else {
                0.4
            }
        }
    };
    let mail = rng.random_bool(0.1 + 0.8 * chance);
    let after = if mail && lift != 1.0 { quarter(rng, shopper, factor(QUARTERS) * lift) } else { untreated };
    Customer {
        id,
        arm: if mail { "mail" } else { "control" },
        state: ALL,
        cell: state(&quarters),
        earlier: state(&quarters[..QUARTERS - 1]),
        after: after.1,
        baseline: last.1,
        before: before.1,
        touched: false,
    }
}

fn keeps(evaluation: &Evaluation) -> bool {
    evaluation.verdicts.iter().any(|v| v.period_start.is_some() && v.verdict == "keep")
}

/// Whether a method's plain interval lies above 0.
fn rises(evaluation: &Evaluation, method: &str) -> bool {
    evaluation.effects.iter().any(|e| e.method == method && e.ci_low.is_some_and(|low| low > 0.0))
}

#[test]
#[ignore = "simulation"]
fn simulation_chosen_customers_are_no_effect() {
    let matched = StrategySettings {
        design: Design::Matched,
        primary: Primary { outcome: Outcome::Revenue, method: Method::Did },
        split: Split::default(),
        ..strategy("s", 1)
    };
    let none = [
        (Chosen::AtRandom, 1.0, "at random", true),
        (Chosen::RisingRate, 1.0, "by a steady rise in how often they buy", true),
        (Chosen::SpentMore, 1.0, "because they spent more than in the quarter before", true),
        (Chosen::OftenBuyers, 1.0, "by how often they buy", true),
        (Chosen::BigBaskets, 1.0, "by what their orders are worth", true),
        (Chosen::BoughtLately, 1.0, "because they bought lately", true),
        (Chosen::SpentLittle, 1.0, "because they spent little", true),
        (Chosen::OftenBuyers, 1.4, "by how often they buy, before a season's peak of +40 %", false),
        (Chosen::OftenBuyersWhoLapsed, 1.0, "by how often they buy, of those who lapsed", false),
        (Chosen::AboutToBuy, 1.0, "because they were about to buy", false),
    ];
    let real =
        [(Chosen::AtRandom, 1.0, "at random, +20 %", false), (Chosen::OftenBuyers, 1.0, "by how often they buy, +20 %", false)];
    let rows = none.map(|row| (row, 1.0)).into_iter().chain(real.map(|row| (row, 1.2)));
    for (customers, seed) in [(6_000, 700), (20_000, 800)] {
        for (at, ((chosen, peak, what, is_promised), lift)) in rows.clone().enumerate() {
            let runs: Vec<[bool; 3]> = (0..jobs())
                .into_par_iter()
                .map(|n| {
                    let mut rng = ChaCha8Rng::seed_from_u64((seed + at as u64) * 1_000_000 + n);
                    let people: Vec<Customer> = (0..customers).map(|id| customer(&mut rng, id, chosen, lift, peak)).collect();
                    let evaluation = run(&matched, &[people]);
                    [keeps(&evaluation), rises(&evaluation, "matched"), rises(&evaluation, "did")]
                })
                .collect();
            let [keep, level, change] = std::array::from_fn(|i| 100.0 * share(runs.iter().map(|run| run[i])));
            say(
                &format!("{customers} customers, chosen {what}"),
                &format!("keep {keep:.1} % (level alone {level:.1} %, change alone {change:.1} %)"),
            );
            // Five per cent, give or take three standard errors of so many runs.
            let error = 100.0 * (0.05 * 0.95 / runs.len() as f64).sqrt();
            assert!(!is_promised || keep <= 5.0 + 3.0 * error, "{what}: {keep}");
        }
    }
}
