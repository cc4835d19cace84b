//! Tails of the permutation tests where nobody was treated, and how often their intervals cover effects, over thousands of draws of
//! every shop: only the tests are made, so that ten thousand draws take seconds. The jobs of [`super::decisions`] say that the
//! evaluation around them agrees.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use rfmill::internals::stats::{Alike, Arms, Deviations, PermutationTest, Statistic, benjamini_hochberg, bin_of, coarse_bin_of};

use super::say;
use super::shops::{MADE_UP, SHARES, Shop, Spender};

/// Draws of every cell, unless `RFMILL_DRAWS` says otherwise.
fn draws() -> u64 {
    std::env::var("RFMILL_DRAWS").ok().and_then(|draws| draws.parse().ok()).unwrap_or(1_000)
}

/// Draws that are made one after the other from one seed.
const CHUNK: u64 = 50;

/// Customers who share a pair of bins: how many they are, the sums of what they spent in the window and in the one before, and that
/// of the squares of what they spent less θ times what they had spent.
type Cell = [f64; 4];

/// A group of customers whose rows are tested: a tier, or all.
struct Group {
    name: &'static str,
    /// The cells of all members, if all are treated.
    treated: Vec<Cell>,
    theta: f64,
    /// Members who buy if they are not treated, and what members then spend on average.
    buyers: usize,
    mean: f64,
    /// What the treatment adds to that.
    effect: f64,
}

/// What a customer spends, if treated or if not: the money, and its cell in the tier and in the whole shop.
#[derive(Clone, Copy)]
struct Spend {
    money: f64,
    cells: [usize; 2],
}

/// A customer: both, and the spend before.
#[derive(Clone, Copy)]
struct Member {
    treated: Spend,
    control: Spend,
    before: f64,
}

/// A shop, ready to be drawn from.
struct Population {
    groups: Vec<Group>,
    /// By tier, its customers.
    tiers: Vec<Vec<Member>>,
}

impl Population {
    /// A shop whose treated spend what `spend` says.
    fn new(shop: &Shop, spend: &dyn Fn(&Spender) -> i64) -> Population {
        let all = shop.tiers.len();
        let mut bins: Vec<Vec<(i16, i16)>> = vec![Vec::new(); all + 1];
        let mut tiers = vec![Vec::new(); all];
        for customer in &shop.customers {
            let mut of = |cents: i64| {
                let own = (bin_of(cents), coarse_bin_of(customer.before));
                let cells = [customer.tier, all].map(|group| {
                    let known = &mut bins[group];
                    known.iter().position(|bin| *bin == own).unwrap_or_else(|| {
                        known.push(own);
                        known.len() - 1
                    })
                });
                Spend { money: cents as f64 / 100.0, cells }
            };
            let (control, treated) = (of(customer.after), of(spend(customer)));
            tiers[customer.tier].push(Member { treated, control, before: customer.before as f64 / 100.0 });
        }
        let names = shop.tiers.iter().copied().chain([super::ALL]).enumerate();
        let group = |(number, name): (usize, &'static str)| match number == all {
            true => Group::new(name, &tiers.concat(), 1, bins[number].len()),
            false => Group::new(name, &tiers[number], 0, bins[number].len()),
        };
        // One tier is all customers.
        let groups = names.map(group).skip(usize::from(all == 1)).collect();
        Population { groups, tiers }
    }

    /// Draws a share of every tier, and tests every group by both methods: `None` where the test is refused. A refusal looks at
    /// both arms together, so it holds for other draws, too: `is_refused` has what is known by group and method.
    fn draw(
        &mut self,
        rng: &mut ChaCha8Rng,
        share: f64,
        is_refused: &mut [[Option<bool>; 2]],
    ) -> Vec<[Option<PermutationTest>; 2]> {
        // By group, the cells of the treated and of the control.
        let cells = |group: &Group| [group.treated.clone(), vec![[0.0; 4]; group.treated.len()]];
        let mut arms: Vec<[Vec<Cell>; 2]> = self.groups.iter().map(cells).collect();
        let all = self.groups.len() - 1;
        for (tier, members) in self.tiers.iter_mut().enumerate() {
            for at in 0..(members.len() as f64 * share).round() as usize {
                let other = rng.random_range(at..members.len());
                members.swap(at, other);
                let Member { treated, control, before } = members[at];
                let mut hold_out = |group: usize, of: usize| {
                    let (theta, [others, held_out]) = (self.groups[group].theta, &mut arms[group]);
                    add(&mut others[treated.cells[of]], treated.money, before, theta, -1.0);
                    add(&mut held_out[control.cells[of]], control.money, before, theta, 1.0);
                };
                hold_out(all, 1);
                if all > 0 {
                    hold_out(tier, 0);
                }
            }
        }
        let groups = self.groups.iter().zip(&arms).zip(is_refused);
        let test = |((group, arms), known): ((&Group, &[Vec<Cell>; 2]), &mut [Option<bool>; 2])| {
            [0, 1].map(|method| group.test(arms, [0.0, group.theta][method], &mut known[method]))
        };
        groups.map(test).collect()
    }
}

/// Adds a customer to a cell, or takes one out.
fn add(cell: &mut Cell, money: f64, before: f64, theta: f64, sign: f64) {
    let adjusted = money - theta * before;
    for (sum, value) in cell.iter_mut().zip([1.0, money, before, adjusted * adjusted]) {
        *sum += sign * value;
    }
}

impl Group {
    /// The group of these members, whose cells are those of their tier (0) or of the shop (1).
    fn new(name: &'static str, members: &[Member], of: usize, cells: usize) -> Group {
        let n = members.len() as f64;
        let mean = |of: &dyn Fn(&Member) -> f64| members.iter().map(of).sum::<f64>() / n;
        let (y, x) = (mean(&|m| m.control.money), mean(&|m| m.before));
        let (xx, xy) = (mean(&|m| (m.before - x).powi(2)), mean(&|m| (m.before - x) * (m.control.money - y)));
        let theta = if xx > 0.0 { xy / xx } else { 0.0 };
        let mut treated = vec![[0.0; 4]; cells];
        members.iter().for_each(|m| add(&mut treated[m.treated.cells[of]], m.treated.money, m.before, theta, 1.0));
        let buyers = members.iter().filter(|m| m.control.money != 0.0).count();
        Group { name, treated, theta, buyers, mean: y, effect: mean(&|m| m.treated.money) - y }
    }

    /// The test of cells of the treated and of the control.
    fn test(&self, [treated, control]: &[Vec<Cell>; 2], theta: f64, is_refused: &mut Option<bool>) -> Option<PermutationTest> {
        let alike = |[count, y, x, _]: Cell| (count > 0.5).then(|| Alike { count, y: y / count, x: x / count });
        let arms = Arms {
            treated: treated.iter().copied().filter_map(alike).collect(),
            control: control.iter().copied().filter_map(alike).collect(),
            weight: 1.0,
            theta,
        };
        // Cells are coarser than customers.
        let both = || treated.iter().chain(control).filter(|cell| cell[0] > 0.5);
        let sum = |of: &dyn Fn(&Cell) -> f64| both().map(of).sum::<f64>();
        let (n, adjusted) = (sum(&|cell| cell[0]), |cell: &Cell| cell[1] - theta * cell[2]);
        let mean = sum(&adjusted) / n;
        let of_cells = sum(&|cell| adjusted(cell).powi(2) / cell[0]) / n - mean * mean;
        let of_customers = sum(&|cell| cell[3]) / n - mean * mean;
        let dispersion = if theta == 0.0 || of_cells <= 0.0 { 1.0 } else { of_customers / of_cells };
        let test = PermutationTest::new(vec![arms], Statistic::Mean, dispersion)?;
        let is_refused = *is_refused.get_or_insert_with(|| test.leans());
        (!is_refused).then_some(test)
    }
}

/// What is counted of a group and a method.
#[derive(Clone, Copy, Default)]
struct Counts {
    shown: u64,
    gains: u64,
    losses: u64,
    difference: f64,
}

/// Draws a share of a shop again and again; prints its tails and asserts them: a true 2 to 3 % passes.
fn tails(shop: &Shop, share: f64) {
    let untreated = |customer: &Spender| customer.after;
    let population = Population::new(shop, &untreated);
    let groups = population.groups.len();
    let chunk = |seed: u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(5_000_000 + seed);
        let mut population = Population::new(shop, &untreated);
        let mut counts = vec![[Counts::default(); 2]; groups];
        let (mut claims, mut is_refused) = ([0; 2], vec![[None; 2]; groups]);
        for _ in 0..CHUNK {
            let tests = population.draw(&mut rng, share, &mut is_refused);
            let row = |test: &Option<PermutationTest>| test.as_ref().map(|test| (test.difference(), test.tails(0.0).two_sided()));
            let rows: Vec<[Option<(f64, f64)>; 2]> = tests.iter().map(|both| [row(&both[0]), row(&both[1])]).collect();
            for method in 0..2 {
                let shown: Vec<f64> = rows.iter().filter_map(|row| Some(row[method]?.1)).collect();
                claims[method] += u64::from(benjamini_hochberg(&shown).iter().any(|p| *p < 0.05));
            }
            for (counts, row) in counts.iter_mut().flatten().zip(rows.iter().flatten()) {
                let Some((difference, p)) = *row else { continue };
                counts.shown += 1;
                counts.gains += u64::from(p < 0.05 && difference > 0.0);
                counts.losses += u64::from(p < 0.05 && difference < 0.0);
                counts.difference += difference;
            }
        }
        (counts, claims)
    };
    let chunks: Vec<_> = (0..draws().div_ceil(CHUNK)).into_par_iter().map(chunk).collect();
    let runs = (chunks.len() as u64 * CHUNK) as f64;
    for (at, group) in population.groups.iter().enumerate() {
        for (number, method) in ["permutation", "permutation_baseline"].into_iter().enumerate() {
            let mut all = Counts::default();
            for (counts, _) in &chunks {
                let own = counts[at][number];
                all = Counts {
                    shown: all.shown + own.shown,
                    gains: all.gains + own.gains,
                    losses: all.losses + own.losses,
                    difference: all.difference + own.difference,
                };
            }
            let of_shown = |n: u64| 100.0 * n as f64 / all.shown.max(1) as f64;
            let (gains, losses, refused) = (of_shown(all.gains), of_shown(all.losses), 100.0 * (1.0 - all.shown as f64 / runs));
            let bias = 100.0 * all.difference / all.shown.max(1) as f64 / group.mean;
            let buyers = group.buyers as f64 * share;
            let what = format!("{}, {:.0} % held out, {method}, {}", shop.name, 100.0 * share, group.name);
            say(
                &what,
                &format!(
                    "gains {gains:.2} %, losses {losses:.2} %, refused {refused:.0} %, {buyers:.0} buyers held out, bias {bias:+.2} %"
                ),
            );
            let error = |share: f64| 100.0 * (share * (1.0 - share) / all.shown.max(1) as f64).sqrt();
            // Rows that some draws refuse are chosen by what was drawn.
            let is_promised = refused < 5.0;
            assert!(!is_promised || gains.max(losses) <= 3.0 + 3.0 * error(0.03), "{what}: {gains} and {losses}");
        }
    }
    for (number, method) in ["permutation", "permutation_baseline"].into_iter().enumerate() {
        let claims = chunks.iter().map(|(_, claims)| claims[number]).sum::<u64>() as f64 / runs;
        say(&format!("{}, {:.0} % held out, {method}, any claim", shop.name, 100.0 * share), &format!("{:.2} %", 100.0 * claims));
        assert!(claims <= 0.055 + 3.0 * (0.055 * 0.945 / runs).sqrt(), "{}, {share}, {method}: {claims}", shop.name);
    }
}

#[test]
#[ignore = "simulation"]
fn simulation_tails_are_right_on_real_spend() {
    for shop in Shop::real() {
        [0.1, 0.2, 0.5].into_iter().for_each(|share| tails(&shop, share));
    }
}

#[test]
#[ignore = "simulation"]
fn simulation_tails_are_right_on_made_up_spend() {
    for (number, (customers, buying, sigma)) in MADE_UP.into_iter().enumerate() {
        let shop = Shop::made_up(&mut ChaCha8Rng::seed_from_u64(number as u64), customers, buying, sigma);
        SHARES.into_iter().for_each(|share| tails(&shop, share));
    }
}

/// How an effect changes what customers spend: a factor of it, or of those who buy.
#[derive(Clone, Copy)]
enum Way {
    EachSpends(f64),
    FewerBuy(f64),
}

impl Way {
    fn spend(self, customer: &Spender) -> i64 {
        let cents = customer.after;
        match self {
            Way::EachSpends(factor) => (cents as f64 * factor).round() as i64,
            // By a hash of what they spend.
            Way::FewerBuy(kept) if ((cents ^ (cents >> 3)).wrapping_mul(2_654_435_761) % 1_000) as f64 >= 1_000.0 * kept => 0,
            Way::FewerBuy(_) => cents,
        }
    }
}

/// What may be promised of intervals in each cell with this many buyers held out, and of all together, in percent.
const BUYERS: f64 = 5.0;
const LEAST_OF_A_CELL: f64 = 88.0;
const OF_ALL: std::ops::RangeInclusive<f64> = 94.0..=97.0;

/// Prints how often intervals at 5 % hold the effect, and those of lifts the lift; returns both of every cell that is promised.
fn coverage(shop: &Shop, share: f64, draws: u64) -> Vec<[f64; 2]> {
    let mut promised = Vec::new();
    for way in [Way::EachSpends(0.7), Way::FewerBuy(0.7), Way::EachSpends(1.3), Way::EachSpends(2.0)] {
        let spend = |customer: &Spender| way.spend(customer);
        let population = Population::new(shop, &spend);
        let groups = population.groups.len();
        let chunk = |seed: u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(15_000_000 + seed);
            let mut population = Population::new(shop, &spend);
            // Shown, effects covered, lifts covered.
            let (mut counts, mut is_refused) = (vec![[[0.0; 3]; 2]; groups], vec![[None; 2]; groups]);
            for _ in 0..CHUNK {
                let tests = population.draw(&mut rng, share, &mut is_refused);
                for ((group, tests), counts) in population.groups.iter().zip(&tests).zip(&mut counts) {
                    let lift = group.effect / group.mean;
                    for (test, counts) in tests.iter().zip(counts) {
                        let Some(test) = test else { continue };
                        let holds = |delta: f64, deviations: Deviations| {
                            f64::from(u8::from(test.tails_with(delta, deviations).two_sided() >= 0.05))
                        };
                        // The difference that has this lift.
                        let treated = || test.strata().flat_map(|arms| &arms.treated);
                        let mean_treated = treated().map(|cell| cell.count * cell.y).sum::<f64>()
                            / treated().map(|cell| cell.count).sum::<f64>();
                        let of_lift = mean_treated * lift / (1.0 + lift);
                        let own = [1.0, holds(group.effect, Deviations::OfDifference), holds(of_lift, Deviations::OfLift)];
                        counts.iter_mut().zip(own).for_each(|(sum, one)| *sum += one);
                    }
                }
            }
            counts
        };
        let chunks: Vec<_> = (0..draws.div_ceil(CHUNK)).into_par_iter().map(chunk).collect();
        for (at, group) in population.groups.iter().enumerate() {
            for (number, method) in ["permutation", "permutation_baseline"].into_iter().enumerate() {
                let of = |what: usize| chunks.iter().map(|counts| counts[at][number][what]).sum::<f64>();
                let (shown, runs) = (of(0), chunks.len() as f64 * CHUNK as f64);
                let refused = 100.0 * (1.0 - shown / runs);
                let [covered, lifts] = [of(1), of(2)].map(|held| 100.0 * held / shown.max(1.0));
                let (lift, buyers) = (100.0 * group.effect / group.mean, group.buyers as f64 * share);
                let change = if matches!(way, Way::FewerBuy(_)) { "fewer buy" } else { "each spends" };
                let what =
                    format!("{}, {:.0} % held out, {method}, {}, {change} {lift:+.0} %", shop.name, 100.0 * share, group.name);
                let told =
                    format!("covered {covered:.1} %, lift {lifts:.1} %, refused {refused:.0} %, {buyers:.0} buyers held out");
                say(&what, &told);
                if refused <= 5.0 && buyers >= BUYERS {
                    let least = LEAST_OF_A_CELL - 300.0 * (LEAST_OF_A_CELL / 100.0 * 0.12 / shown).sqrt();
                    assert!(covered.min(lifts) >= least, "{what}: {told}");
                    promised.push([covered, lifts]);
                }
            }
        }
    }
    promised
}

/// Prints and asserts what all cells cover together.
fn together(what: &str, cells: &[[f64; 2]]) {
    let [covered, lifts] = [0, 1].map(|at| super::mean(&cells.iter().map(|cell| cell[at]).collect::<Vec<f64>>()));
    say(&format!("{what}: {} cells together", cells.len()), &format!("covered {covered:.1} %, lift {lifts:.1} %"));
    assert!(cells.is_empty() || (OF_ALL.contains(&covered) && OF_ALL.contains(&lifts)), "{what}: {covered} and {lifts}");
}

#[test]
#[ignore = "simulation"]
fn simulation_intervals_cover_real_spend() {
    let shops = Shop::real();
    let cells = shops.iter().flat_map(|shop| [0.1, 0.2, 0.5].map(|share| coverage(shop, share, draws())).concat());
    together("real spend", &cells.collect::<Vec<_>>());
}

#[test]
#[ignore = "simulation"]
fn simulation_intervals_cover_made_up_spend() {
    let mut cells = Vec::new();
    for (number, (customers, buying, sigma)) in MADE_UP.into_iter().enumerate() {
        let shop = Shop::made_up(&mut ChaCha8Rng::seed_from_u64(number as u64), customers, buying, sigma);
        cells.extend(SHARES.into_iter().flat_map(|share| coverage(&shop, share, draws())));
    }
    together("made-up spend", &cells);
}
