//! Whether verdicts hold where nothing was done, at small hold-outs, on real and made-up spend.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use rfmill::internals::evaluate::{
    ALL, ArmKey, ArmSums, Evaluation, Method, Outcome, Phase, Primary, Quantity, Split, StrategySettings, evaluate,
};
use rfmill::internals::stats::{GridCell, JointGrid, Sums, bin_of, coarse_bin_of};

use super::say;
use super::shops::{MADE_UP, SHARES, Shop, Spender};
use crate::support::arms::{strategy, total};

/// Jobs of every cell, unless `RFMILL_JOBS` says otherwise.
pub fn jobs() -> u64 {
    std::env::var("RFMILL_JOBS").ok().and_then(|jobs| jobs.parse().ok()).unwrap_or(40)
}

/// Adds the sums of a period in which these customers are held out and the others treated, who then spend `effect` of their money.
pub fn add_period(arms: &mut ArmSums, shop: &Shop, held_out: &[bool], period: usize, spend: &dyn Fn(&Spender, bool) -> i64) {
    let mut groups: Vec<[(Sums, JointGrid); 2]> = shop.tiers.iter().map(|_| Default::default()).collect();
    for (customer, held_out) in shop.customers.iter().zip(held_out) {
        let after = spend(customer, !held_out);
        let (sums, grid) = &mut groups[customer.tier][usize::from(*held_out)];
        sums.observe([after, customer.before, 0, 0]).expect("small sums");
        let cell = GridCell { count: 1, first: after.into(), second: customer.before.into() };
        grid.add((bin_of(after), coarse_bin_of(customer.before)), cell);
    }
    for (tier, both) in shop.tiers.iter().zip(groups) {
        for (arm, (sums, grid)) in ["mail", "control"].into_iter().zip(both) {
            for (scheme, state) in [(ALL, ALL), ("segment", *tier)] {
                let key = total("null", period, Phase::During, arm, Quantity::Outcome(Outcome::Revenue));
                let key = ArmKey { scheme: scheme.into(), state: state.into(), ..key };
                arms.add(key.clone(), &sums).expect("small sums");
                arms.add_grid(key, &grid);
            }
        }
    }
}

pub fn settings(share: f64, periods: usize) -> StrategySettings {
    StrategySettings {
        split: Split { shares: [("control".into(), share), ("mail".into(), 1.0 - share)].into(), ..Split::default() },
        by: vec!["segment".into()],
        primary: Primary { outcome: Outcome::Revenue, method: Method::PermutationBaseline },
        ..strategy("null", periods)
    }
}

/// A job on a shop in which a share is held out.
fn job(shop: &Shop, share: f64, seed: u64, spend: &dyn Fn(&Spender, bool) -> i64) -> Evaluation {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut arms = ArmSums::default();
    add_period(&mut arms, shop, &shop.draw(&mut rng, share), 0, spend);
    evaluate(&[settings(share, 1)], &arms).expect("an evaluation")
}

/// How often a row of a method and tier is shown, gains and loses.
#[derive(Default)]
struct Tails {
    shown: u32,
    gains: u32,
    losses: u32,
}

/// Prints, by method and tier, the tails of rows of jobs without effect, and the share of jobs with a claim.
fn null_tails(shop: &Shop, share: f64, methods: &[Method]) -> f64 {
    let runs = jobs();
    let evaluations: Vec<Evaluation> = (0..runs).into_par_iter().map(|seed| job(shop, share, seed, &|c, _| c.after)).collect();
    for method in methods {
        for tier in std::iter::once(ALL).chain(shop.tiers.iter().copied().filter(|_| shop.tiers.len() > 1)) {
            let mut tails = Tails::default();
            for evaluation in &evaluations {
                let row = evaluation.effects.iter().find(|e| e.method == method.to_string() && e.state == tier).expect("a row");
                let Some((difference, p)) = row.difference.zip(row.p_value) else { continue };
                tails.shown += 1;
                tails.gains += u32::from(p < 0.05 && difference > 0.0);
                tails.losses += u32::from(p < 0.05 && difference < 0.0);
            }
            let percent = |n: u32, of: u32| 100.0 * f64::from(n) / f64::from(of.max(1));
            let (gains, losses) = (percent(tails.gains, tails.shown), percent(tails.losses, tails.shown));
            let error = 100.0 * (0.025 * 0.975 / f64::from(tails.shown.max(1))).sqrt();
            let what = format!("{}, {:.0} % held out, {method}, {tier}", shop.name, 100.0 * share);
            let refused = 100.0 - percent(tails.shown, runs as u32);
            say(&what, &format!("gains {gains:.1} %, losses {losses:.1} % (± {error:.1}), refused {refused:.0} %"));
            // Either tail of shown rows is at most 3.5 %, give or take three standard errors; a refusal that looks at the arms
            // selects the rows of classical methods, and a few rows say nothing.
            let is_promised = method.permutes() && refused <= 50.0;
            assert!(!is_promised || gains.max(losses) <= 3.5 + 3.0 * error, "{what}: {gains} and {losses}");
        }
    }
    let claims =
        evaluations.iter().filter(|e| e.verdicts.iter().any(|v| !matches!(v.verdict.as_str(), "test_longer" | "cannot_say")));
    let claims = claims.count() as f64 / runs as f64;
    assert!(claims <= 0.06 + 3.0 * (0.06 * 0.94 / runs as f64).sqrt(), "{}, {share}: {claims}", shop.name);
    say(&format!("{}, {:.0} % held out, jobs with a claim", shop.name, 100.0 * share), &format!("{:.1} %", 100.0 * claims));
    claims
}

#[test]
#[ignore = "minutes: see the head of simulation.rs"]
fn simulation_nothing_is_claimed_of_real_spend() {
    for shop in Shop::real() {
        for share in [0.1, 0.2, 0.5] {
            null_tails(&shop, share, &[Method::Permutation, Method::PermutationBaseline, Method::Welch, Method::Cuped]);
        }
    }
}

#[test]
#[ignore = "minutes: see the head of simulation.rs"]
fn simulation_nothing_is_claimed_of_made_up_spend() {
    for (number, (customers, buying, sigma)) in MADE_UP.into_iter().enumerate() {
        let shop = Shop::made_up(&mut ChaCha8Rng::seed_from_u64(number as u64), customers, buying, sigma);
        for share in SHARES {
            null_tails(&shop, share, &[Method::Permutation, Method::PermutationBaseline]);
        }
    }
}

/// What a true coverage of 92 % shows in all but one of a thousand of so many runs, in percent.
pub fn least_covered(runs: u64) -> f64 {
    92.0 - 300.0 * (0.92 * 0.08 / runs as f64).sqrt()
}

/// Prints how often intervals of an effect cover it, by way and size; an effect is a factor of what each spends, or, with a loss,
/// of who spends.
fn coverage(shop: &Shop, share: f64) {
    let mean = shop.customers.iter().map(|c| c.after as f64).sum::<f64>() / shop.customers.len() as f64 / 100.0;
    for (way, lift) in [("each spends", -0.3), ("fewer buy", -0.3), ("each spends", 0.3), ("each spends", 1.0)] {
        let spend = |customer: &Spender, treated: bool| match (treated, way) {
            (false, _) => customer.after,
            (true, "fewer buy") if (customer.after ^ (customer.after >> 3)).wrapping_mul(2_654_435_761) % 1_000 < 300 => 0,
            (true, "fewer buy") => customer.after,
            (true, _) => (customer.after as f64 * (1.0 + lift)).round() as i64,
        };
        let truth =
            shop.customers.iter().map(|c| spend(c, true) as f64).sum::<f64>() / shop.customers.len() as f64 / 100.0 - mean;
        let runs = jobs();
        let evaluations: Vec<Evaluation> =
            (0..runs).into_par_iter().map(|seed| job(shop, share, 9_000_000 + seed, &spend)).collect();
        for method in [Method::Permutation, Method::PermutationBaseline] {
            let row = |e: &Evaluation| {
                e.effects.iter().find(|e| e.method == method.to_string() && e.state == ALL).cloned().expect("a row")
            };
            let rows: Vec<_> = evaluations.iter().map(row).collect();
            let shown: Vec<_> = rows.iter().filter_map(|r| Some((r.ci_low?, r.ci_high?, r.lift_low, r.lift_high))).collect();
            let part = |n: usize| 100.0 * n as f64 / shown.len().max(1) as f64;
            let covered = part(shown.iter().filter(|(low, high, ..)| *low <= truth && truth <= *high).count());
            let lift = truth / mean;
            let lifts = part(
                shown.iter().filter(|(.., low, high)| low.is_none_or(|l| l <= lift) && high.is_none_or(|h| lift <= h)).count(),
            );
            let refused = 100.0 - 100.0 * shown.len() as f64 / runs as f64;
            let what = format!("{}, {:.0} % held out, {method}, {way} {:+.0} %", shop.name, 100.0 * share, 100.0 * lift);
            say(&what, &format!("covered {covered:.1} %, lift {lifts:.1} %, refused {refused:.0} %"));
            assert!(refused > 5.0 || covered.min(lifts) >= least_covered(runs), "{what}: {covered} and {lifts}");
        }
    }
}

#[test]
#[ignore = "minutes: see the head of simulation.rs"]
fn simulation_effects_are_covered() {
    for shop in Shop::real() {
        [0.1, 0.2, 0.5].iter().for_each(|share| coverage(&shop, *share));
    }
    for (number, (customers, buying, sigma)) in
        [(2_000, 0.3, 0.9), (10_000, 0.3, 1.8), (10_000, 0.015, 0.9)].into_iter().enumerate()
    {
        let shop = Shop::made_up(&mut ChaCha8Rng::seed_from_u64(100 + number as u64), customers, buying, sigma);
        [0.1, 0.5].iter().for_each(|share| coverage(&shop, *share));
    }
}

/// Eight quarters with 10 % held out, drawn anew each, and no effect: bias, tails, and claims at any look.
#[test]
#[ignore = "minutes: see the head of simulation.rs"]
fn simulation_quarters_pool_without_a_lean() {
    let mut shops = Shop::real();
    shops.push(Shop::made_up(&mut ChaCha8Rng::seed_from_u64(200), 1_000, 0.3, 1.2));
    shops.push(Shop::made_up(&mut ChaCha8Rng::seed_from_u64(201), 4_000, 0.3, 1.8));
    for shop in &shops {
        let mean = shop.customers.iter().map(|c| c.after as f64).sum::<f64>() / shop.customers.len() as f64 / 100.0;
        let one = |seed: u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(7_000_000 + seed);
            let mut arms = ArmSums::default();
            let mut claimed = false;
            for period in 0..8 {
                // A season: every quarter has its own level.
                let season = [1.0, 0.7, 0.8, 1.9][period % 4];
                add_period(&mut arms, shop, &shop.draw(&mut rng, 0.1), period, &|c, _| (c.after as f64 * season).round() as i64);
                if (1..=4).contains(&period) {
                    let evaluation = evaluate(&[settings(0.1, period + 1)], &arms).expect("an evaluation");
                    let pooled = evaluation.verdicts.iter().filter(|v| v.period_start.is_none());
                    claimed |= pooled.into_iter().any(|v| !matches!(v.verdict.as_str(), "test_longer" | "cannot_say"));
                }
            }
            let all = StrategySettings { looks: 7, ..settings(0.1, 8) };
            let evaluation = evaluate(&[all], &arms).expect("an evaluation");
            let row = |method: &str| {
                let row = evaluation.over_time.iter().find(|r| r.method == method && r.state == ALL).expect("a row");
                row.difference.zip(row.p_value)
            };
            (claimed, [row("permutation"), row("permutation_baseline")])
        };
        let runs: Vec<_> = (0..jobs()).into_par_iter().map(one).collect();
        for (at, method) in ["permutation", "permutation_baseline"].into_iter().enumerate() {
            let shown: Vec<(f64, f64)> = runs.iter().filter_map(|run| run.1[at]).collect();
            let part = |n: usize| 100.0 * n as f64 / shown.len().max(1) as f64;
            let differences: Vec<f64> = shown.iter().map(|row| 100.0 * row.0 / (1.1 * mean)).collect();
            let (bias, error) = (super::mean(&differences), super::spread(&differences));
            let gains = part(shown.iter().filter(|(d, p)| *p < 0.05 && *d > 0.0).count());
            let losses = part(shown.iter().filter(|(d, p)| *p < 0.05 && *d < 0.0).count());
            let refused = 100.0 - 100.0 * shown.len() as f64 / runs.len() as f64;
            let what = format!("{}, 8 quarters, 10 % held out, {method}", shop.name);
            say(
                &what,
                &format!(
                    "bias {bias:+.2} ± {error:.2} % of the mean, gains {gains:.1} %, losses {losses:.1} %, refused {refused:.0} %"
                ),
            );
            let of_tails = 300.0 * (0.03 * 0.97 / shown.len().max(1) as f64).sqrt();
            let is_promised = refused < 5.0;
            assert!(!is_promised || bias.abs() <= 1.0 + 3.0 * error, "{what}: {bias}");
            assert!(!is_promised || gains.max(losses) <= 3.0 + of_tails, "{what}: {gains} and {losses}");
        }
        let claims = runs.iter().filter(|run| run.0).count() as f64 / runs.len() as f64;
        say(&format!("{}, 8 quarters, claims at any of four looks", shop.name), &format!("{:.1} %", 100.0 * claims));
        assert!(claims <= 0.055 + 3.0 * (0.055 * 0.945 / runs.len() as f64).sqrt(), "{}: {claims}", shop.name);
    }
}

/// A gain of 10 % in every quarter of a seasonal shop, at next to no cost: where it is shown to pay, periods do not withhold it.
#[test]
#[ignore = "minutes: see the head of simulation.rs"]
fn simulation_a_steady_gain_is_not_withheld() {
    let shop = Shop::made_up(&mut ChaCha8Rng::seed_from_u64(300), 20_000, 0.3, 0.9);
    let one = |seed: u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(11_000_000 + seed);
        let mut arms = ArmSums::default();
        for period in 0..8 {
            let level = |treated: bool| [1.0, 0.7, 0.8, 1.9][period % 4] * if treated { 1.1 } else { 1.0 };
            let held_out = shop.draw(&mut rng, 0.1);
            add_period(&mut arms, &shop, &held_out, period, &|c, treated| (c.after as f64 * level(treated)).round() as i64);
        }
        let cost = rfmill::internals::domain::Decimal::parse("0.01");
        let paid = StrategySettings { margin_rate: Some(1.0), cost_per_customer: cost, looks: 1, ..settings(0.1, 8) };
        let evaluation = evaluate(&[paid], &arms).expect("an evaluation");
        let verdict = evaluation.verdicts.iter().find(|v| v.period_start.is_none() && v.state == ALL).expect("a verdict");
        (verdict.net_margin_low_adjusted.is_some_and(|low| low > 0.0), verdict.verdict == "scale")
    };
    let runs: Vec<(bool, bool)> = (0..jobs()).into_par_iter().map(one).collect();
    let pays = runs.iter().filter(|run| run.0).count() as f64;
    let scaled = runs.iter().filter(|run| run.1).count() as f64;
    say(
        "8 quarters of a season, +10 % in each",
        &format!(
            "shown to pay in {:.0} %, of these `scale` {:.1} %",
            100.0 * pays / runs.len() as f64,
            100.0 * scaled / pays.max(1.0)
        ),
    );
    assert!(scaled >= 0.97 * pays && pays > 0.5 * runs.len() as f64, "{scaled} of {pays}");
}

/// 200 tiers that break even and 20 that pay: how many of all `scale` are false, and how often an effect of the printed size is
/// found.
#[test]
#[ignore = "minutes: see the head of simulation.rs"]
fn simulation_break_even_tiers_are_not_scaled() {
    let (mut scaled, mut wrong, mut found, mut paying) = (0, 0, 0, 0);
    let runs = (jobs() / 20).max(2);
    for seed in 0..runs {
        let mut rng = ChaCha8Rng::seed_from_u64(8_000_000 + seed);
        let names: Vec<&'static str> = (0..220).map(|n| &*Box::leak(format!("tier {n:03}").into_boxed_str())).collect();
        let mut shop = Shop::made_up(&mut rng, 220 * 400, 0.5, 0.9);
        shop.customers.iter_mut().enumerate().for_each(|(at, customer)| customer.tier = at % 220);
        shop.tiers = names;
        let mean = shop.customers.iter().map(|c| c.after as f64).sum::<f64>() / shop.customers.len() as f64 / 100.0;
        // All tiers gain 20 %; where the treatment costs as much it breaks even, and it pays where the gain is 120 %.
        let spend = |c: &Spender, treated: bool| match (treated, c.tier < 20) {
            (false, _) => c.after,
            (true, true) => (c.after as f64 * 2.2).round() as i64,
            (true, false) => (c.after as f64 * 1.2).round() as i64,
        };
        let mut arms = ArmSums::default();
        add_period(&mut arms, &shop, &shop.draw(&mut rng, 0.5), 0, &spend);
        let cost = rfmill::internals::domain::Decimal::parse(&format!("{:.4}", 0.2 * mean));
        let paid = StrategySettings { margin_rate: Some(1.0), cost_per_customer: cost, ..settings(0.5, 1) };
        let evaluation = evaluate(&[paid], &arms).expect("an evaluation");
        for verdict in evaluation.verdicts.iter().filter(|v| v.period_start.is_some() && v.state != ALL) {
            let tier: usize = verdict.state[5..].parse().expect("a number");
            let is_scale = verdict.verdict == "scale";
            (scaled, wrong) = (scaled + u32::from(is_scale), wrong + u32::from(is_scale && tier >= 20));
            (found, paying) = (found + u32::from(is_scale && tier < 20), paying + u32::from(tier < 20));
        }
    }
    say(
        "220 tiers of 400, 200 break even and 20 pay",
        &format!(
            "{:.1} % of {scaled} `scale` are false; {:.0} % of paying tiers found",
            100.0 * f64::from(wrong) / f64::from(scaled.max(1)),
            100.0 * f64::from(found) / f64::from(paying.max(1))
        ),
    );
    assert!(f64::from(wrong) <= 0.06 * f64::from(scaled) + 3.0 * (0.06 * f64::from(scaled)).sqrt(), "{wrong} of {scaled}");
}
