//! Whether effects of the printed size are found as often as is said, whether ratios are covered, and whether many fair strata pass.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution};
use rayon::prelude::*;
use rfmill::internals::evaluate::{
    ALL, ArmSums, Evaluation, Method, Outcome, Phase, Primary, Quantity, StrategySettings, evaluate,
};
use rfmill::internals::stats::{GridCell, JointGrid, SplitCell, Sums, bin_of, split_check};
use rfmill::rows::EffectRow;

use super::decisions::{add_period, jobs, least_covered, settings};
use super::shops::{Shop, Spender};
use super::{mean, say};
use crate::support::arms::total;

/// A job in which the treated of the first tier spend `factor` of their money.
fn job(shop: &Shop, share: f64, seed: u64, factor: f64) -> Evaluation {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut arms = ArmSums::default();
    let spend = |c: &Spender, treated: bool| match treated && c.tier == 0 {
        true => (c.after as f64 * factor).round() as i64,
        false => c.after,
    };
    add_period(&mut arms, shop, &shop.draw(&mut rng, share), 0, &spend);
    evaluate(&[settings(share, 1)], &arms).expect("an evaluation")
}

fn headline<'e>(evaluation: &'e Evaluation, tier: &str) -> &'e EffectRow {
    evaluation.effects.iter().find(|row| row.headline == Some(true) && row.state == tier).expect("a headline")
}

/// An effect as large as the printed one, on the first tier alone: how often it is found, in either direction.
fn power(shop: &Shop, share: f64) {
    let tier = shop.tiers[0];
    let runs = jobs();
    let null: Vec<Evaluation> = (0..runs.min(100)).into_par_iter().map(|seed| job(shop, share, 12_000_000 + seed, 1.0)).collect();
    let of = |size: fn(&EffectRow) -> Option<f64>| -> f64 {
        mean(&null.iter().filter_map(|evaluation| size(headline(evaluation, tier))).collect::<Vec<f64>>())
    };
    let members: Vec<f64> = shop.customers.iter().filter(|c| c.tier == 0).map(|c| c.after as f64 / 100.0).collect();
    for (way, size, sign) in [("gain", of(|row| row.mde), 1.0), ("loss", of(|row| row.mde_loss), -1.0)] {
        let factor = 1.0 + sign * size / mean(&members);
        let what = format!(
            "{}, {tier}, {:.0} % held out, the printed {way} of {:+.0} %",
            shop.name,
            100.0 * share,
            100.0 * (factor - 1.0)
        );
        if factor < 0.0 {
            say(&what, "is more than all they spend");
            continue;
        }
        let found = |seed: u64| {
            let evaluation = job(shop, share, 13_000_000 + seed, factor);
            let row = headline(&evaluation, tier);
            row.p_adjusted.is_some_and(|p| p < 0.05) && row.difference.is_some_and(|difference| difference * sign > 0.0)
        };
        let found = (0..runs).into_par_iter().filter(|seed| found(*seed)).count() as f64 / runs as f64;
        say(&what, &format!("found in {:.1} %", 100.0 * found));
        let error = 3.0 * (0.8 * 0.2 / runs as f64).sqrt();
        assert!((0.75 - error..=0.85 + error).contains(&found), "{what}: {found}");
    }
}

#[test]
#[ignore = "simulation"]
fn simulation_printed_effects_are_found() {
    let one_tier = Shop::made_up(&mut ChaCha8Rng::seed_from_u64(400), 10_000, 0.3, 0.9);
    [0.1, 0.2, 0.5].into_iter().for_each(|share| power(&one_tier, share));
    let mut tiers = Shop::made_up(&mut ChaCha8Rng::seed_from_u64(401), 30_000, 0.3, 0.9);
    tiers.tiers = vec!["one order", "two orders", "three", "four", "five"];
    tiers.customers.iter_mut().enumerate().for_each(|(at, customer)| customer.tier = at % 5);
    [0.1, 0.5].into_iter().for_each(|share| power(&tiers, share));
}

/// How often the interval of a change of the value of an order, and that of its lift, cover it.
fn order_value(shop: &Shop, share: f64, lift: f64) {
    let sums = |of: fn(&Spender) -> i64| shop.customers.iter().map(of).sum::<i64>() as f64;
    let usual = sums(|c| c.after) / 100.0 / sums(|c| c.orders);
    let run = |seed: u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(14_000_000 + seed);
        let mut groups = [(Sums::default(), JointGrid::default()), (Sums::default(), JointGrid::default())];
        for (customer, held_out) in shop.customers.iter().zip(shop.draw(&mut rng, share)) {
            let factor = if held_out { 1.0 } else { 1.0 + lift };
            let after = (customer.after as f64 * factor).round() as i64;
            let (sums, grid) = &mut groups[usize::from(held_out)];
            sums.observe([after, 0, customer.orders, 0]).expect("small sums");
            let cell = GridCell { count: 1, first: after.into(), second: customer.orders.into() };
            grid.add((bin_of(after), bin_of(customer.orders)), cell);
        }
        let mut arms = ArmSums::default();
        for (arm, (sums, grid)) in ["mail", "control"].into_iter().zip(groups) {
            let key = total("null", 0, Phase::During, arm, Quantity::Outcome(Outcome::AvgOrderValue));
            arms.add(key.clone(), &sums).expect("small sums");
            arms.add_grid(key, &grid);
            // The check of the arms' sizes counts customers by the primary outcome.
            let key = total("null", 0, Phase::During, arm, Quantity::Outcome(Outcome::Converted));
            arms.add(key, &sums_of(sums.n)).expect("small sums");
        }
        let settings = StrategySettings {
            outcomes: vec![Outcome::Converted, Outcome::AvgOrderValue],
            primary: Primary { outcome: Outcome::Converted, method: Method::Permutation },
            by: Vec::new(),
            ..settings(share, 1)
        };
        let evaluation = evaluate(&[settings], &arms).expect("an evaluation");
        let is_it = |row: &&EffectRow| row.outcome == "avg_order_value" && row.method == "permutation" && row.state == ALL;
        let row = evaluation.effects.iter().find(is_it).expect("a row").clone();
        Some((row.ci_low?, row.ci_high?, row.lift_low, row.lift_high))
    };
    let runs = jobs();
    let rows: Vec<_> = (0..runs).into_par_iter().map(run).collect();
    let shown: Vec<_> = rows.into_iter().flatten().collect();
    let part = |n: usize| 100.0 * n as f64 / shown.len().max(1) as f64;
    let truth = lift * usual;
    let covered = part(shown.iter().filter(|(low, high, ..)| *low <= truth && truth <= *high).count());
    let lifts =
        part(shown.iter().filter(|(.., low, high)| low.is_none_or(|l| l <= lift) && high.is_none_or(|h| lift <= h)).count());
    let refused = 100.0 - 100.0 * shown.len() as f64 / runs as f64;
    let what = format!("{}, {:.0} % held out, value of an order {:+.0} %", shop.name, 100.0 * share, 100.0 * lift);
    say(&what, &format!("covered {covered:.1} %, lift {lifts:.1} %, refused {refused:.0} %"));
    assert!(refused > 5.0 || covered.min(lifts) >= least_covered(runs), "{what}: {covered} and {lifts}");
}

/// The sums of so many customers who did nothing, and of one who bought.
fn sums_of(n: i64) -> Sums {
    let mut sums = Sums::default();
    (0..n).for_each(|at| sums.observe([i64::from(at == 0), 0, 0, 0]).expect("small sums"));
    sums
}

#[test]
#[ignore = "simulation"]
fn simulation_order_values_are_covered() {
    let mut shops = Shop::real();
    shops.push(Shop::made_up(&mut ChaCha8Rng::seed_from_u64(402), 2_000, 0.3, 0.9));
    shops.push(Shop::made_up(&mut ChaCha8Rng::seed_from_u64(403), 10_000, 0.3, 1.8));
    for shop in &shops {
        for share in [0.1, 0.2, 0.5] {
            [-0.3, 0.0, 0.3, 1.0].into_iter().for_each(|lift| order_value(shop, share, lift));
        }
    }
}

/// Two hundred fair strata of 10 to 400 customers.
#[test]
#[ignore = "simulation"]
fn simulation_many_fair_strata_pass() {
    for (seed, share) in [(96, 0.1), (97, 0.2), (98, 0.5)] {
        let runs = 10_000u64;
        let failed = |run: u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed * 1_000_000 + run);
            let stratum = |number: u64| {
                let customers = 10 + 390 * number / 199;
                let held_out = Binomial::new(customers, share).expect("a binomial").sample(&mut rng) as i64;
                SplitCell { observed: vec![held_out, customers as i64 - held_out], planned: vec![share, 1.0 - share] }
            };
            split_check(&(0..200).map(stratum).collect::<Vec<_>>()).is_some_and(|p| p < 0.001)
        };
        let failed = (0..runs).into_par_iter().filter(|run| failed(*run)).count() as f64 / runs as f64;
        say(&format!("200 fair strata, {:.0} % held out", 100.0 * share), &format!("refused in {:.2} %", 100.0 * failed));
        assert!(failed <= 0.002, "{failed}");
    }
}
