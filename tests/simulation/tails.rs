//! Tails of the permutation tests where nobody was treated, over thousands of draws of every shop: only the tests are made, so
//! that ten thousand draws take seconds. The jobs of [`super::decisions`] say that the evaluation around them agrees.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use rfmill::internals::stats::{Alike, Arms, PermutationTest, Statistic, benjamini_hochberg, bin_of, coarse_bin_of};

use super::say;
use super::shops::{MADE_UP, SHARES, Shop};

/// Draws of every cell, unless `RFMILL_DRAWS` says otherwise.
fn draws() -> u64 {
    std::env::var("RFMILL_DRAWS").ok().and_then(|draws| draws.parse().ok()).unwrap_or(1_000)
}

/// Draws that are made one after the other from one seed.
const CHUNK: u64 = 50;

/// Customers who share a pair of bins: how many they are, and the sums of what they spent in the window and in the one before.
type Cell = [f64; 3];

/// A group of customers whose rows are tested: a tier, or all.
struct Group {
    name: &'static str,
    /// The cells of all members.
    whole: Vec<Cell>,
    /// Their θ, and the variance of their adjusted spend.
    theta: f64,
    variance: f64,
    buyers: usize,
}

/// A shop, ready to be drawn from.
struct Population {
    groups: Vec<Group>,
    /// By tier, its customers: the spend of both windows, the cell of the tier and that of the whole shop.
    tiers: Vec<Vec<(f64, f64, usize, usize)>>,
    mean: f64,
}

impl Population {
    fn new(shop: &Shop) -> Population {
        let mut bins: Vec<Vec<(i16, i16)>> = vec![Vec::new(); shop.tiers.len() + 1];
        let mut tiers = vec![Vec::new(); shop.tiers.len()];
        let all = shop.tiers.len();
        for customer in &shop.customers {
            let own = (bin_of(customer.after), coarse_bin_of(customer.before));
            let mut cell = |group: usize| {
                let known = &mut bins[group];
                known.iter().position(|bin| *bin == own).unwrap_or_else(|| {
                    known.push(own);
                    known.len() - 1
                })
            };
            let (y, x) = (customer.after as f64 / 100.0, customer.before as f64 / 100.0);
            tiers[customer.tier].push((y, x, cell(customer.tier), cell(all)));
        }
        let names = shop.tiers.iter().copied().chain([super::ALL]);
        let group = |(number, name): (usize, &'static str)| {
            let members: Vec<(f64, f64, usize)> = match number == all {
                true => tiers.iter().flatten().map(|c| (c.0, c.1, c.3)).collect(),
                false => tiers[number].iter().map(|c| (c.0, c.1, c.2)).collect(),
            };
            Group::new(name, &members, bins[number].len())
        };
        let groups: Vec<Group> = names.enumerate().map(group).collect();
        // One tier is all customers.
        let groups = if all == 1 { groups.into_iter().skip(1).collect() } else { groups };
        let spent: f64 = tiers.iter().flatten().map(|customer| customer.0).sum();
        Population { groups, mean: spent / shop.customers.len() as f64, tiers }
    }

    /// Draws a share of every tier, and tests every group by both methods: `None` where the test is refused. A refusal looks at
    /// both arms together, so it holds for other draws, too: `is_refused` has what is known by group and method.
    fn draw(&mut self, rng: &mut ChaCha8Rng, share: f64, is_refused: &mut [[Option<bool>; 2]]) -> Vec<[Option<Row>; 2]> {
        let mut controls: Vec<Vec<Cell>> = self.groups.iter().map(|group| vec![[0.0; 3]; group.whole.len()]).collect();
        let all = self.groups.len() - 1;
        for (tier, members) in self.tiers.iter_mut().enumerate() {
            for at in 0..(members.len() as f64 * share).round() as usize {
                let other = rng.random_range(at..members.len());
                members.swap(at, other);
                let (y, x, own, of_all) = members[at];
                let mut add = |group: usize, cell: usize| {
                    let cell = &mut controls[group][cell];
                    *cell = [cell[0] + 1.0, cell[1] + y, cell[2] + x];
                };
                add(all, of_all);
                if all > 0 {
                    add(tier, own);
                }
            }
        }
        let groups = self.groups.iter().zip(&controls).zip(is_refused);
        let test = |((group, control), known): ((&Group, &Vec<Cell>), &mut [Option<bool>; 2])| {
            [0, 1].map(|method| group.test(control, [0.0, group.theta][method], &mut known[method]))
        };
        groups.map(test).collect()
    }
}

/// A row that is told.
#[derive(Clone, Copy)]
struct Row {
    difference: f64,
    p: f64,
}

impl Group {
    fn new(name: &'static str, members: &[(f64, f64, usize)], cells: usize) -> Group {
        let n = members.len() as f64;
        let mut whole = vec![[0.0; 3]; cells];
        for (y, x, cell) in members {
            let cell: &mut Cell = &mut whole[*cell];
            *cell = [cell[0] + 1.0, cell[1] + y, cell[2] + x];
        }
        let mean = |of: &dyn Fn(&(f64, f64, usize)) -> f64| members.iter().map(of).sum::<f64>() / n;
        let (y, x) = (mean(&|m| m.0), mean(&|m| m.1));
        let (xx, xy) = (mean(&|m| (m.1 - x).powi(2)), mean(&|m| (m.1 - x) * (m.0 - y)));
        let theta = if xx > 0.0 { xy / xx } else { 0.0 };
        let variance = mean(&|m| (m.0 - y - theta * (m.1 - x)).powi(2));
        Group { name, whole, theta, variance, buyers: members.iter().filter(|m| m.0 != 0.0).count() }
    }

    fn test(&self, control: &[Cell], theta: f64, is_refused: &mut Option<bool>) -> Option<Row> {
        let alike = |[count, y, x]: Cell| (count > 0.5).then(|| Alike { count, y: y / count, x: x / count });
        let treated = self.whole.iter().zip(control).map(|(all, own)| [all[0] - own[0], all[1] - own[1], all[2] - own[2]]);
        let arms = Arms {
            treated: treated.filter_map(alike).collect(),
            control: control.iter().copied().filter_map(alike).collect(),
            weight: 1.0,
            theta,
        };
        // Cells are coarser than customers.
        let n: f64 = self.whole.iter().map(|cell| cell[0]).sum();
        let values = || arms.treated.iter().chain(&arms.control).map(|cell| (cell.count, cell.y - theta * cell.x));
        let mean = values().map(|(count, value)| count * value).sum::<f64>() / n;
        let of_cells = values().map(|(count, value)| count * (value - mean).powi(2)).sum::<f64>() / n;
        let dispersion = if theta == 0.0 || of_cells <= 0.0 { 1.0 } else { self.variance / of_cells };
        let test = PermutationTest::new(vec![arms], Statistic::Mean, dispersion)?;
        let is_refused = *is_refused.get_or_insert_with(|| test.leans());
        (!is_refused).then(|| Row { difference: test.difference(), p: test.tails(0.0).two_sided() })
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
    let population = Population::new(shop);
    let groups = population.groups.len();
    let chunk = |seed: u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(5_000_000 + seed);
        let mut population = Population::new(shop);
        let mut counts = vec![[Counts::default(); 2]; groups];
        let (mut claims, mut is_refused) = ([0; 2], vec![[None; 2]; groups]);
        for _ in 0..CHUNK {
            let rows = population.draw(&mut rng, share, &mut is_refused);
            for method in 0..2 {
                let shown: Vec<f64> = rows.iter().filter_map(|row| Some(row[method]?.p)).collect();
                claims[method] += u64::from(benjamini_hochberg(&shown).iter().any(|p| *p < 0.05));
            }
            for (counts, row) in counts.iter_mut().flatten().zip(rows.iter().flatten()) {
                let Some(row) = row else { continue };
                counts.shown += 1;
                counts.gains += u64::from(row.p < 0.05 && row.difference > 0.0);
                counts.losses += u64::from(row.p < 0.05 && row.difference < 0.0);
                counts.difference += row.difference;
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
            let bias = 100.0 * all.difference / all.shown.max(1) as f64 / population.mean;
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
