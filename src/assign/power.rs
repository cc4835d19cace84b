//! What a draw can detect: the smallest effect that the evaluation's permutation test finds in four of five draws, if customers
//! spend as alike customers did before.
//!
//! Money is skewed, so no formula from a variance is right at small hold-outs. Both arms are redrawn from past spend, the treated
//! arm's is multiplied by an effect, and the test itself says how often it finds that.

use rand::RngExt;
use rand_distr::Binomial;
use rayon::prelude::*;

use crate::domain::SplitMix;
use crate::stats::{Alike, Arms, Bin, Grid, PermutationTest, Statistic, normal_quantile};

/// The share of draws in which a detectable effect is found.
const POWER: f64 = 0.8;

/// Redraws that an effect is measured on: its power has a standard error of 1.4 points.
const REDRAWS: usize = 800;

/// Redraws that come near it first.
const COARSE: usize = 100;

/// The largest gain that is looked at: eleven times the spend.
const LARGEST_GAIN: f64 = 10.0;

/// Customers of a stratum whose spend is known at least.
const FEWEST_KNOWN: i64 = 50;

/// A stratum of a test.
#[derive(Debug, Clone, Copy)]
pub struct StratumDesign<'a> {
    /// What alike customers spent in past windows.
    pub spend: &'a Grid,
    /// Treated customers.
    pub treated: u64,
    /// Customers in the control.
    pub control: u64,
}

/// Why nothing can be said of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// An arm has fewer than two customers.
    SmallArm,
    /// Only this many customers have a known spend.
    FewKnown(i64),
    /// All customers spent the same.
    Alike,
}

/// The smallest effects that are found, as shares of the spend; `None` if not even the largest is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectableLift {
    /// A gain, above 0.
    pub gain: Option<f64>,
    /// A loss, from −1 to 0.
    pub loss: Option<f64>,
}

/// A test that claims too often to be trusted with this hold-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// How many controls would do; `None` if not even half of the customers.
    pub enough: Option<u64>,
}

/// What a test of two arms can find.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Finding {
    /// These effects, on a mean of `mean` minor units.
    Found { lift: DetectableLift, mean: f64 },
    /// Nothing, as the evaluation refuses it.
    Refused(Refused),
    /// It cannot be said.
    Unknown(Unknown),
}

impl Finding {
    /// What a two-sided test of these strata at `level` finds.
    pub fn of(strata: &[StratumDesign<'_>], level: f64) -> Finding {
        match Power::new(strata) {
            Err(unknown) => Finding::Unknown(unknown),
            Ok(power) => match power.refused() {
                Some(refused) => Finding::Refused(refused),
                None => Finding::Found { lift: power.detectable(level), mean: power.mean() },
            },
        }
    }
}

/// Customers in one bin of past spend: what each spent, and how many are in the treated and the control arm.
type Cell = (f64, f64, f64);

/// A redraw: the cells of every stratum.
type Redraw = Vec<Vec<Cell>>;

/// How often a test finds an effect.
#[derive(Debug, Clone)]
pub struct Power {
    redraws: Vec<Redraw>,
    /// The customers who are to be expected.
    typical: Redraw,
    weights: Vec<f64>,
    /// The effect that a normal distribution would let a test at 5 % find; where the search begins.
    start: f64,
    /// Mean of the spend.
    mean: f64,
}

impl Power {
    /// The test of these strata, in which both arms are redrawn from past spend; the same in every run.
    ///
    /// # Errors
    /// Why nothing can be said.
    pub fn new(strata: &[StratumDesign<'_>]) -> Result<Power, Unknown> {
        if strata.iter().any(|stratum| stratum.treated < 2 || stratum.control < 2) || strata.is_empty() {
            return Err(Unknown::SmallArm);
        }
        let known = strata.iter().map(|stratum| known(stratum.spend)).min().unwrap_or_default();
        if known < FEWEST_KNOWN {
            return Err(Unknown::FewKnown(known));
        }
        let all: f64 = strata.iter().map(|s| (s.treated + s.control) as f64).sum();
        let weights: Vec<f64> = strata.iter().map(|s| (s.treated + s.control) as f64 / all).collect();
        let (mut mean, mut variance) = (0.0, 0.0);
        for (stratum, weight) in strata.iter().zip(&weights) {
            let own = moments(stratum.spend);
            mean += weight * own.0;
            variance += weight * weight * own.1 * (1.0 / stratum.treated as f64 + 1.0 / stratum.control as f64);
        }
        if variance <= 0.0 {
            return Err(Unknown::Alike);
        }
        let mut random = SplitMix::new(0);
        let redraws = (0..REDRAWS).map(|_| strata.iter().map(|stratum| redraw(stratum, &mut random)).collect()).collect();
        let start = 2.8 * variance.sqrt() / mean.abs().max(f64::MIN_POSITIVE);
        Ok(Power { redraws, typical: strata.iter().map(typical).collect(), weights, start, mean })
    }

    /// Mean of the spend, minor units.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Whether a two-sided test at `level` finds the effect `lift`, on its side, in four of five draws.
    pub fn finds(&self, lift: f64, level: f64) -> bool {
        self.quantile(REDRAWS, lift) <= normal_quantile(level / 2.0)
    }

    /// The p-value that four of five of the first `count` redraws do not exceed on the side of `lift`, as a normal quantile.
    fn quantile(&self, count: usize, lift: f64) -> f64 {
        let p_value = |redraw: &Redraw| {
            let tails = self.test(redraw, lift).map(|test| test.tails(0.0));
            tails.map_or(1.0, |tails| if lift > 0.0 { tails.gain } else { tails.loss })
        };
        let mut p_values: Vec<f64> = self.redraws.par_iter().take(count).map(p_value).collect();
        let place = (POWER * count as f64) as usize - 1;
        let p = *p_values.select_nth_unstable_by(place, f64::total_cmp).1;
        normal_quantile(p.clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON))
    }

    fn test(&self, redraw: &Redraw, lift: f64) -> Option<PermutationTest> {
        let arm = |cells: &[Cell], factor: f64, of: fn(&Cell) -> f64| -> Vec<Alike> {
            let drawn = cells.iter().filter(|cell| of(cell) > 0.0);
            drawn.map(|cell| Alike { count: of(cell), y: factor * cell.0, x: 0.0 }).collect()
        };
        let arms = redraw.iter().zip(&self.weights).map(|(cells, weight)| Arms {
            treated: arm(cells, 1.0 + lift, |cell| cell.1),
            control: arm(cells, 1.0, |cell| cell.2),
            weight: *weight,
            theta: 0.0,
        });
        PermutationTest::new(arms.collect(), Statistic::Mean, 1.0)
    }

    /// The smallest effects that a two-sided test at `level` finds in four of five draws.
    pub fn detectable(&self, level: f64) -> DetectableLift {
        DetectableLift { gain: self.smallest(level, 1.0, LARGEST_GAIN), loss: self.smallest(level, -1.0, 1.0).map(|size| -size) }
    }

    /// The smallest effect up to `largest` on a side that is found: by secants, with few redraws first and then with all.
    fn smallest(&self, level: f64, sign: f64, largest: f64) -> Option<f64> {
        let wanted = normal_quantile(level / 2.0);
        let mut at: f64 = self.start.min(largest);
        // Without an effect p-values are uniform.
        let mut slope = None;
        let mut before = (0.0, normal_quantile(POWER));
        for (count, steps, close) in [(COARSE, 8, 0.03), (REDRAWS, 4, 0.002)] {
            for step in 0..steps {
                let quantile = self.quantile(count, sign * at);
                if quantile > wanted && at >= largest {
                    return None;
                }
                // Points of unlike redraws, or close to each other, make no slope.
                if slope.is_none() || (step > 0 && (at / before.0 - 1.0_f64).abs() > 0.01) {
                    slope = Some((quantile - before.1) / (at - before.0));
                }
                before = (at, quantile);
                let next = slope.filter(|slope| *slope < 0.0).map_or(at * 2.0, |slope| at + (wanted - quantile) / slope);
                at = next.clamp(at / 2.0, at * 2.0).min(largest);
                if (at / before.0 - 1.0).abs() < close && (quantile <= wanted || at < largest) {
                    break;
                }
            }
        }
        Some(at)
    }

    /// Whether the evaluation would refuse the test of typical customers, and what it would say.
    pub fn refused(&self) -> Option<Refused> {
        let test = self.test(&self.typical, 0.0).filter(PermutationTest::leans)?;
        Some(Refused { enough: test.controls_that_would_do().map(|controls| controls as u64) })
    }
}

/// How many values there are.
fn known(spend: &Grid) -> i64 {
    spend.bins().map(|bin| bin.count).sum()
}

/// Mean and variance of the values, each at its bin's mean.
fn moments(spend: &Grid) -> (f64, f64) {
    let n = known(spend) as f64;
    let mean = spend.bins().map(|bin| bin.sum as f64).sum::<f64>() / n;
    let squares: f64 = spend.bins().map(|bin| bin.count as f64 * (bin.sum as f64 / bin.count as f64 - mean).powi(2)).sum();
    (mean, squares / n)
}

/// Both arms of a stratum, every customer's spend drawn from the past alone.
fn redraw(stratum: &StratumDesign<'_>, random: &mut SplitMix) -> Vec<Cell> {
    let mut left = known(stratum.spend);
    let mut to_draw = [stratum.treated, stratum.control];
    let mut cells = Vec::new();
    for bin in stratum.spend.bins() {
        let share = bin.count as f64 / left as f64;
        let [treated, control] = to_draw.each_mut().map(|to_draw| {
            let drawn = Binomial::new(*to_draw, share.min(1.0)).map_or(0, |binomial| random.sample(binomial));
            *to_draw -= drawn;
            drawn as f64
        });
        left -= bin.count;
        if treated + control > 0.0 {
            cells.push((bin.sum as f64 / bin.count as f64, treated, control));
        }
    }
    cells
}

/// The customers of a stratum who are to be expected: whole ones, rounded from the largest spend down. The control has the
/// smallest, which makes no difference to whether a test is refused.
fn typical(stratum: &StratumDesign<'_>) -> Vec<Cell> {
    let bins: Vec<Bin> = stratum.spend.bins().collect();
    let per_known = (stratum.treated + stratum.control) as f64 / known(stratum.spend) as f64;
    let (mut above, mut treated_left) = (0, stratum.treated as f64);
    let cell = |bin: &Bin| {
        let before = (above as f64 * per_known).round();
        above += bin.count;
        let customers = (above as f64 * per_known).round() - before;
        let treated = customers.min(treated_left);
        treated_left -= treated;
        (bin.sum as f64 / bin.count as f64, treated, customers - treated)
    };
    bins.iter().rev().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use rand_distr::StandardNormal;

    use super::*;

    /// Money of customers of whom `buying` in a thousand buy, log-normal with this σ.
    fn money(random: &mut SplitMix, customers: usize, buying: f64, sigma: f64) -> Vec<i64> {
        let mut one = || match random.unit() * 1000.0 < buying {
            true => (2_000.0 * (sigma * random.sample::<f64, _>(StandardNormal)).exp()).round() as i64,
            false => 0,
        };
        (0..customers).map(|_| one()).collect()
    }

    fn alike(values: impl Iterator<Item = i64>) -> Vec<Alike> {
        let grid: Grid = values.collect();
        grid.bins().map(|bin| Alike { count: bin.count as f64, y: bin.sum as f64 / bin.count as f64, x: 0.0 }).collect()
    }

    /// The share of shops in which the test finds the lift, in shops whose customers are drawn one by one.
    fn found(past: &[i64], control: usize, treated: usize, lift: f64, level: f64, random: &mut SplitMix) -> f64 {
        let shops = 800;
        let mut drawn = |customers: usize, factor: f64| {
            let one = |_| (past[random.below(past.len() as u64) as usize] as f64 * factor).round() as i64;
            alike((0..customers).map(one))
        };
        let mut one = || {
            let arms = Arms { treated: drawn(treated, 1.0 + lift), control: drawn(control, 1.0), weight: 1.0, theta: 0.0 };
            let tails = PermutationTest::new(vec![arms], Statistic::Mean, 1.0).expect("customers who differ").tails(0.0);
            (if lift > 0.0 { tails.gain } else { tails.loss }) < level / 2.0
        };
        (0..shops).filter(|_| one()).count() as f64 / f64::from(shops)
    }

    /// A gain is found no less often if more customers buy than if each spends more.
    #[test]
    fn more_buyers_are_found_sooner() {
        let mut random = SplitMix::new(11);
        let past = money(&mut random, 12_000, 200.0, 1.0);
        let buyers: Vec<i64> = past.iter().copied().filter(|y| *y > 0).collect();
        let spend: Grid = past.iter().copied().collect();
        let gain = gain(&spend, 1_500, 500).expect("a gain");
        let (mut shops, mut found) = (0, 0);
        while shops < 600 {
            let mut drawn = |customers: usize, share: f64| {
                let mut one = || if random.chance(share) { random.pick(&buyers, 0) } else { 0 };
                alike((0..customers).map(|_| one()).collect::<Vec<i64>>().into_iter())
            };
            let arms = Arms { treated: drawn(1_500, 0.2 * (1.0 + gain)), control: drawn(500, 0.2), weight: 1.0, theta: 0.0 };
            found += u32::from(
                PermutationTest::new(vec![arms], Statistic::Mean, 1.0).expect("customers who differ").tails(0.0).gain < 0.025,
            );
            shops += 1;
        }
        assert!(f64::from(found) / f64::from(shops) > 0.8, "{found} of {shops} at {gain}");
    }

    /// What is said to be found in four of five draws is found in 75 to 85 of 100 simulated shops: gains and losses, with
    /// skewed money, small hold-outs and halves, one test and nine.
    #[test]
    fn a_detectable_effect_is_found_in_four_of_five_draws() {
        let mut random = SplitMix::new(7);
        let past = money(&mut random, 12_000, 400.0, 1.0);
        let spend: Grid = past.iter().copied().collect();
        for control in [300, 600, 1_500] {
            let treated = 3_000 - control;
            let power = Power::new(&[StratumDesign { spend: &spend, treated, control }]).expect("known");
            assert_eq!(power.refused(), None);
            for level in [0.05, 0.05 / 9.0] {
                let DetectableLift { gain: Some(gain), loss: Some(loss) } = power.detectable(level) else {
                    panic!("{control} of 3,000 find both")
                };
                assert!(gain > 0.0 && (-1.0..0.0).contains(&loss), "{gain} {loss}");
                for lift in [gain, loss] {
                    let share = found(&past, control as usize, treated as usize, lift, level, &mut random);
                    assert!((0.75..=0.85).contains(&share), "{control} of 3,000 at {level}: {lift} is found in {share}");
                }
            }
        }
    }

    fn gain(spend: &Grid, treated: u64, control: u64) -> Option<f64> {
        match Finding::of(&[StratumDesign { spend, treated, control }], 0.05) {
            Finding::Found { lift, .. } => lift.gain,
            other => panic!("{other:?}"),
        }
    }

    /// More customers find less, and halves find least.
    #[test]
    fn size_and_balance_help() {
        let spend: Grid = money(&mut SplitMix::new(1), 5_000, 400.0, 1.0).into_iter().collect();
        let of = |treated, control| gain(&spend, treated, control).expect("a gain");
        assert!(of(4_000, 4_000) < 0.6 * of(1_000, 1_000) && of(1_000, 1_000) < of(1_700, 300));
        // Two strata of one kind are one population.
        let half = StratumDesign { spend: &spend, treated: 500, control: 500 };
        let whole = of(1_000, 1_000);
        let strata = Power::new(&[half, half]).expect("known").detectable(0.05).gain.expect("a gain");
        assert!((strata / whole - 1.0).abs() < 0.1, "{strata} {whole}");
    }

    /// Thirty of 2,000 customers buy, and one of them for 4,000: the evaluation refuses such a test of 200 controls, as
    /// `stats::permutation` tests, and with half of all customers in the control it does not.
    #[test]
    fn a_test_that_will_be_refused_finds_nothing() {
        let mut values: Vec<i64> = (0..2_000).map(|at| if at < 29 { 3_000 + 130 * at } else { 0 }).collect();
        values[29] = 400_000;
        let spend: Grid = values.into_iter().collect();
        let design = |control| StratumDesign { spend: &spend, treated: 2_000 - control, control };
        let Finding::Refused(Refused { enough: Some(enough) }) = Finding::of(&[design(200)], 0.05) else { panic!("refused") };
        assert!((250..=1_000).contains(&enough), "{enough}");
        assert!(Power::new(&[design(1_000)]).expect("known").refused().is_none());
    }

    #[test]
    fn what_is_not_known_has_a_reason() {
        let values = |n: i64, of: fn(i64) -> i64| -> Grid { (0..n).map(of).collect() };
        let of = |spend: &Grid, treated, control| Finding::of(&[StratumDesign { spend, treated, control }], 0.05);
        assert_eq!(of(&values(49, |at| at), 100, 100), Finding::Unknown(Unknown::FewKnown(49)));
        assert_eq!(of(&values(500, |at| at), 100, 1), Finding::Unknown(Unknown::SmallArm));
        assert_eq!(of(&values(500, |_| 7), 100, 100), Finding::Unknown(Unknown::Alike));
        // One customer in fifty buys, so about eight in an arm of 400: that all of them are in the control is one draw in 2^8,
        // which is not rare at a level of 1/2,000.
        let rare = values(1_000, |at| if at % 50 == 0 { 5_000 + at } else { 0 });
        let power = Power::new(&[StratumDesign { spend: &rare, treated: 400, control: 400 }]).expect("known");
        assert_eq!(power.detectable(0.0005).loss, None);
        assert_eq!(power.mean(), (0..20).map(|at| 5_000.0 + 50.0 * f64::from(at)).sum::<f64>() / 1_000.0);
    }
}
