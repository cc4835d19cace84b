//! The permutation test of treated against control, and the interval that inverts it.
//!
//! Under the known draw, every subset of the customers could have been the control arm. The test compares the control arm's sum
//! with its distribution over all subsets ([`super::saddlepoint`]), which does not rest on the small arm's own variance. With a
//! 10 % hold-out and money of heavy tails (log-normal, σ 1.8), Welch's test finds gains that are none more than twice as often
//! as the 2.5 % that are right, because the control's mean and variance are low together (`welch_leans_where_this_test_does_not`).
//!
//! The interval holds the differences δ that the test does not reject after it is taken off the treated: their mean m becomes
//! m·r with r = (m − δ)/m, and their deviations from it are scaled by rᵉ. The exponent e says how money varies with its mean.
//! Where each customer buys more, e is 1; where more customers buy, it is ½(1 − 1/c²) for the coefficient of variation c, ½ if
//! buyers are few. The data decide between both as far as the two arms' variances are known, which a small arm of skewed
//! money hardly is: a normal prior with its mean in the middle and half the distance as its standard deviation. At δ = 0
//! nothing is scaled, so the test itself does not depend on e.

use super::redraws::Redraws;
use super::saddlepoint::{DrawnSum, Stratum};

/// The least exponent of the mean that deviations are scaled with.
const LEAST_EXPONENT: f64 = -1.0;

/// The least and the greatest factor of the mean whose deviations are scaled.
const SCALE_RANGE: (f64, f64) = (0.05, 20.0);

/// The most of its redraws that a test may have in a tail of 2.5 %.
const MOST_IN_TAIL: f64 = 0.035;

/// Customers with the same values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alike {
    /// How many they are.
    pub count: f64,
    /// Their outcome.
    pub y: f64,
    /// The same in the baseline; 0 if it is not used.
    pub x: f64,
}

/// The arms of one stratum of the draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Arms {
    /// The treated.
    pub treated: Vec<Alike>,
    /// The control.
    pub control: Vec<Alike>,
    /// The stratum's weight in the difference; those of all strata add up to 1.
    pub weight: f64,
}

/// How often the control arm is as low, and as high, as it is, if there is no effect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tails {
    /// As low: the p-value of a gain.
    pub gain: f64,
    /// As high: the p-value of a loss.
    pub loss: f64,
}

impl Tails {
    /// The two-sided p-value.
    pub fn two_sided(self) -> f64 {
        (2.0 * self.gain.min(self.loss)).min(1.0)
    }
}

impl From<(f64, f64)> for Tails {
    fn from((gain, loss): (f64, f64)) -> Tails {
        Tails { gain, loss }
    }
}

/// The differences, and the lifts, that a test does not reject.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PermutationInterval {
    /// The least and the greatest difference.
    pub difference: (f64, f64),
    /// The least and the greatest lift over the control's mean; `None` where that mean could be 0.
    pub lift: (Option<f64>, Option<f64>),
}

/// A permutation test.
#[derive(Debug, Clone)]
pub struct PermutationTest {
    strata: Vec<Arms>,
    theta: f64,
    /// The treated arm's mean, over strata.
    mean_treated: f64,
    difference: f64,
    /// The exponent of the mean that deviations are scaled with.
    exponent: f64,
}

fn size(cells: &[Alike]) -> f64 {
    cells.iter().map(|cell| cell.count).sum()
}

fn mean(cells: &[Alike], value: impl Fn(&Alike) -> f64) -> f64 {
    cells.iter().map(|cell| cell.count * value(cell)).sum::<f64>() / size(cells)
}

impl PermutationTest {
    /// The test of strata in which both arms have customers, with outcomes less `theta` times the baseline; `None` if no
    /// customer's number differs from another's in the same stratum.
    pub fn new(strata: Vec<Arms>, theta: f64) -> Option<PermutationTest> {
        let over_strata = |of: &dyn Fn(&Arms) -> f64| strata.iter().map(|arms| arms.weight * of(arms)).sum::<f64>();
        let adjusted = |cell: &Alike| cell.y - theta * cell.x;
        let mean_treated = over_strata(&|arms| mean(&arms.treated, |cell| cell.y));
        let difference = over_strata(&|arms| mean(&arms.treated, adjusted) - mean(&arms.control, adjusted));
        let exponent = exponent(&strata, mean_treated, over_strata(&|arms| mean(&arms.control, |cell| cell.y)));
        let test = PermutationTest { strata, theta, mean_treated, difference, exponent };
        (test.under(0.0).0.sd() > 0.0).then_some(test)
    }

    /// Treated less control.
    pub fn difference(&self) -> f64 {
        self.difference
    }

    /// The control arms' weighted means over all draws if the effect were `delta`, and how far above its mean the drawn one lies.
    fn under(&self, delta: f64) -> (DrawnSum, f64) {
        let is_scaled = self.mean_treated > 0.0;
        let factor = 1.0 - delta / self.mean_treated;
        let scale = factor.clamp(SCALE_RANGE.0, SCALE_RANGE.1).powf(self.exponent);
        let mut observed = 0.0;
        let strata = self.strata.iter().map(|arms| {
            // The control's sum decides over the difference, as both sums together are fixed.
            let (treated, control) = (size(&arms.treated), size(&arms.control));
            let unit = arms.weight * (1.0 / treated + 1.0 / control);
            let own_mean = mean(&arms.treated, |cell| cell.y);
            let without_effect = |y: f64| match is_scaled {
                true => factor * own_mean + scale * (y - own_mean),
                false => y - delta,
            };
            let treated = arms.treated.iter().map(|cell| (cell.count, without_effect(cell.y) - self.theta * cell.x));
            let control = arms.control.iter().map(|cell| (cell.count, cell.y - self.theta * cell.x));
            let cells: Vec<(f64, f64)> = treated.chain(control.clone()).map(|(count, v)| (count, unit * v)).collect();
            let all: f64 = cells.iter().map(|(count, _)| count).sum();
            let mean = cells.iter().map(|(count, v)| count * v).sum::<f64>() / all;
            let drawn: f64 = control.clone().map(|(count, _)| count).sum();
            observed += control.map(|(count, v)| count * (unit * v - mean)).sum::<f64>();
            Stratum::new(cells.into_iter(), drawn)
        });
        (DrawnSum::new(strata.collect()), observed)
    }

    /// The tails if the effect were `delta`.
    pub fn tails(&self, delta: f64) -> Tails {
        let (sum, observed) = self.under(delta);
        if sum.sd() <= 0.0 {
            return Tails { gain: 1.0, loss: 1.0 };
        }
        let loss = sum.upper_tail(observed);
        Tails { gain: 1.0 - loss, loss }
    }

    /// The differences around the observed one that a two-sided test at `alpha` does not reject: on either side up to the first
    /// that it does, sought in steps of half a standard deviation and then by bisection.
    pub fn interval(&self, alpha: f64) -> PermutationInterval {
        let step = 0.5 * self.under(self.difference).0.sd().max(self.under(0.0).0.sd());
        let end = |sign: f64| {
            let is_kept = |delta: f64| {
                let Tails { gain, loss } = self.tails(delta);
                (if sign > 0.0 { loss } else { gain }) > alpha / 2.0
            };
            let (mut kept, mut rejected) = (self.difference, self.difference + 2.0 * sign * step);
            for _ in 0..100 {
                if !is_kept(rejected) {
                    break;
                }
                (kept, rejected) = (rejected, rejected + sign * step);
            }
            for _ in 0..40 {
                let middle = (kept + rejected) / 2.0;
                if is_kept(middle) {
                    kept = middle;
                } else {
                    rejected = middle;
                }
            }
            kept
        };
        let (low, high) = (end(-1.0), end(1.0));
        let lift = |delta: f64| (delta < self.mean_treated).then(|| delta / (self.mean_treated - delta));
        PermutationInterval { difference: (low, high), lift: (lift(low), lift(high)) }
    }

    /// How often redraws of the arms lie in the tails of 2.5 % of the test, which says whether its approximation holds here.
    pub fn lean(&self) -> Tails {
        let (sum, _) = self.under(0.0);
        Redraws::new(sum.strata(), 1.0).tails().into()
    }

    /// Whether the test claims too often: more than 3.5 % of redraws lie in a tail of 2.5 %.
    pub fn leans(&self) -> bool {
        is_too_much(self.lean())
    }

    /// How many controls, of these customers, would do; `None` if not even half of them.
    pub fn controls_that_would_do(&self) -> Option<f64> {
        let (sum, _) = self.under(0.0);
        let (drawn, all) = sum.strata().iter().fold((0.0, 0.0), |(drawn, all), s| (drawn + s.drawn(), all + s.all()));
        let mut factor = 1.0;
        while drawn * factor <= all / 2.0 {
            if !is_too_much(Redraws::new(sum.strata(), factor).tails().into()) {
                return Some((drawn * factor).ceil());
            }
            factor *= 1.25;
        }
        (!is_too_much(Redraws::new(sum.strata(), all / 2.0 / drawn).tails().into())).then(|| (all / 2.0).ceil())
    }
}

/// The exponent of the mean with which money varies, from the arms' means over strata and their variances within them.
fn exponent(strata: &[Arms], mean_treated: f64, mean_control: f64) -> f64 {
    let treated = Spread::new(strata.iter().map(|arms| arms.treated.as_slice()));
    let control = Spread::new(strata.iter().map(|arms| arms.control.as_slice()));
    // The derivative of ln √(p·E[a²] − p²·E[a]²) by ln p, for a share p of buyers who spend a.
    let more_buy = match treated.variance > 0.0 {
        true => (0.5 * (1.0 - mean_treated * mean_treated / treated.variance)).clamp(LEAST_EXPONENT, 1.0),
        false => LEAST_EXPONENT,
    };
    let (prior, prior_sd) = ((1.0 + more_buy) / 2.0, (1.0 - more_buy) / 2.0);
    if mean_control <= 0.0 || mean_treated <= 0.0 || treated.variance <= 0.0 || control.variance <= 0.0 || prior_sd <= 0.0 {
        return prior;
    }
    let log_ratio = (mean_control / mean_treated).ln();
    let log_sd_ratio = (control.variance / treated.variance).ln() / 2.0;
    let kurtosis = treated.kurtosis.max(control.kurtosis);
    let precision = 1.0 / ((kurtosis - 1.0).max(f64::MIN_POSITIVE) / 4.0 * (1.0 / treated.n + 1.0 / control.n));
    let prior_precision = 1.0 / (prior_sd * prior_sd);
    (prior * prior_precision + log_ratio * log_sd_ratio * precision) / (prior_precision + log_ratio * log_ratio * precision)
}

/// How the outcomes of an arm vary within strata.
struct Spread {
    n: f64,
    variance: f64,
    kurtosis: f64,
}

impl Spread {
    fn new<'a>(strata: impl Iterator<Item = &'a [Alike]>) -> Spread {
        let [mut n, mut second, mut fourth] = [0.0; 3];
        for cells in strata {
            let mean = mean(cells, |cell| cell.y);
            for cell in cells {
                let square = (cell.y - mean) * (cell.y - mean);
                n += cell.count;
                second += cell.count * square;
                fourth += cell.count * square * square;
            }
        }
        let variance = second / n;
        Spread { n, variance, kurtosis: fourth / n / (variance * variance).max(f64::MIN_POSITIVE) }
    }
}

fn is_too_much(tails: Tails) -> bool {
    tails.gain > MOST_IN_TAIL || tails.loss > MOST_IN_TAIL
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_distr::StandardNormal;

    use super::super::grid::Grid;
    use super::*;
    use crate::domain::SplitMix;

    fn alike(values: impl IntoIterator<Item = i64>) -> Vec<Alike> {
        let grid: Grid = values.into_iter().collect();
        grid.bins().map(|bin| Alike { count: bin.count as f64, y: bin.sum as f64 / bin.count as f64, x: 0.0 }).collect()
    }

    fn test_of(treated: &[i64], control: &[i64]) -> PermutationTest {
        let arms = Arms { treated: alike(treated.iter().copied()), control: alike(control.iter().copied()), weight: 1.0 };
        PermutationTest::new(vec![arms], 0.0).expect("customers who differ")
    }

    /// Money of customers of whom `buying` in a thousand buy, log-normal with this σ; the same in every run.
    fn money(random: &mut SplitMix, customers: usize, buying: u32, sigma: f64) -> Vec<i64> {
        let mut one = || match random.unit() * 1000.0 < f64::from(buying) {
            true => (800.0 * (sigma * random.sample::<f64, _>(StandardNormal)).exp()).round() as i64,
            false => 0,
        };
        (0..customers).map(|_| one()).collect()
    }

    /// Draws a control arm to the front of the values.
    fn draw(random: &mut SplitMix, values: &mut [i64], control: usize) {
        for at in 0..control {
            let other = at + (random.unit() * (values.len() - at) as f64) as usize;
            values.swap(at, other);
        }
    }

    /// `scipy.stats.permutation_test` 1.17.1 over all 3,108,105 subsets, "less" for the control's mean.
    #[test]
    fn tails_are_those_of_scipy() {
        let treated = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1250, 1990, 2400, 3100, 3575, 4899, 5200, 7350, 9900, 15800, 42000];
        let control = [0, 0, 0, 0, 990, 1500, 2100, 3300];
        let test = test_of(&treated, &control);
        assert!((test.difference() - 3886.95).abs() < 1e-9);
        let tails = test.tails(0.0);
        assert!((tails.gain - 0.0703).abs() < 0.006 && (tails.loss - 0.9299).abs() < 0.006, "{tails:?}");
        assert_eq!(tails.two_sided(), 2.0 * tails.gain);
    }

    /// Welch's statistic.
    fn welch(treated: &[i64], control: &[i64]) -> f64 {
        let mean_and_variance = |values: &[i64]| {
            let n = values.len() as f64;
            let mean = values.iter().sum::<i64>() as f64 / n;
            let squares: f64 = values.iter().map(|value| (*value as f64 - mean).powi(2)).sum();
            (mean, squares / (n - 1.0) / n)
        };
        let ((treated, one), (control, other)) = (mean_and_variance(treated), mean_and_variance(control));
        (treated - control) / (one + other).sqrt()
    }

    /// With nobody treated and skewed money, each tail of 2.5 % has that share of draws, at small hold-outs too. 1,500 draws
    /// have a standard error of 0.4 %.
    #[test]
    fn nothing_is_found_where_nothing_is() {
        let mut random = SplitMix::new(0);
        for (buying, sigma, share) in [(300, 0.9, 0.1), (300, 1.8, 0.1), (300, 1.8, 0.5), (500, 1.2, 0.05)] {
            let mut values = money(&mut random, 2_000, buying, sigma);
            let control = (values.len() as f64 * share) as usize;
            let (mut gains, mut losses) = (0, 0);
            for _ in 0..1_500 {
                draw(&mut random, &mut values, control);
                let tails = test_of(&values[control..], &values[..control]).tails(0.0);
                gains += u32::from(tails.gain < 0.025);
                losses += u32::from(tails.loss < 0.025);
            }
            let test = test_of(&values[control..], &values[..control]);
            let said = test.lean();
            assert!(
                !test.leans() && (18..=58).contains(&gains) && (18..=58).contains(&losses),
                "{buying} {sigma} {share}: {gains} gains, {losses} losses of 1500, {said:?}"
            );
        }
    }

    /// In 1,500 shops with 10 % held out and nobody treated, Welch's test finds gains in over 5 %, and this test in 2.5 %.
    #[test]
    fn welch_leans_where_this_test_does_not() {
        let mut random = SplitMix::new(0);
        let (mut gains, mut losses, mut welch_gains) = (0, 0, 0);
        for _ in 0..1_500 {
            let values = money(&mut random, 2_000, 300, 1.8);
            let (control, treated) = values.split_at(200);
            let tails = test_of(treated, control).tails(0.0);
            gains += u32::from(tails.gain < 0.025);
            losses += u32::from(tails.loss < 0.025);
            welch_gains += u32::from(welch(treated, control) > 1.96);
        }
        assert!(welch_gains > 75, "{welch_gains} gains by Welch's test");
        assert!((18..=58).contains(&gains) && (18..=58).contains(&losses), "{gains} gains, {losses} losses");
    }

    /// Thirty buyers among 2,000 customers, about three of them held out: the test leans, says so, and names a hold-out that does.
    #[test]
    fn a_hold_out_that_is_too_small_is_refused() {
        let mut random = SplitMix::new(0);
        // 29 customers spend about 50, and one 4,000.
        let mut values: Vec<i64> = (0..2_000).map(|at| if at < 29 { 3_000 + 130 * at } else { 0 }).collect();
        values[29] = 400_000;
        let mut drawn = |values: &mut Vec<i64>, control: usize| {
            draw(&mut random, values, control);
            test_of(&values[control..], &values[..control])
        };
        let test = drawn(&mut values, 200);
        assert!(test.leans(), "{:?}", test.lean());
        let enough = test.controls_that_would_do().expect("a hold-out that does") as usize;
        assert!((250..=1_000).contains(&enough), "{enough}");
        assert!(!drawn(&mut values, enough).leans());
        // One customer has nearly all the money: no hold-out does.
        let mut whale = vec![0; 400];
        whale[0] = 1_000_000;
        whale[1] = 1;
        assert_eq!(test_of(&whale[40..], &whale[..40]).controls_that_would_do(), None);
    }

    #[test]
    fn intervals_invert_the_test() {
        let mut random = SplitMix::new(0);
        let values = money(&mut random, 3_000, 300, 1.2);
        let treated: Vec<i64> = values[300..].iter().map(|y| y * 13 / 10).collect();
        let test = test_of(&treated, &values[..300]);
        let (mut before, mut widths) = (None::<PermutationInterval>, Vec::new());
        for alpha in [0.32, 0.05, 0.01, 0.0005] {
            let interval = test.interval(alpha);
            let (low, high) = interval.difference;
            assert!(
                (test.tails(low).gain / (alpha / 2.0) - 1.0).abs() < 1e-3
                    && (test.tails(high).loss / (alpha / 2.0) - 1.0).abs() < 1e-3
            );
            assert!(low < test.difference() && test.difference() < high);
            // The interval leaves 0 out exactly where the test rejects.
            assert_eq!(test.tails(0.0).two_sided() < alpha, low > 0.0 || high < 0.0);
            let mean = treated.iter().sum::<i64>() as f64 / treated.len() as f64;
            let lift = interval.lift.0.expect("a lift");
            assert!((lift - low / (mean - low)).abs() < 1e-12);
            assert!(before.is_none_or(|inner| inner.difference.0 > low && inner.difference.1 < high));
            before = Some(interval);
            widths.push(high - low);
        }
        assert!(widths.is_sorted());
    }

    /// A true effect is covered in 92 to 98 % of 600 shops, give or take a standard error, whichever way it comes about.
    #[test]
    fn effects_are_covered() {
        let mut random = SplitMix::new(0);
        for (lift, buys_more) in [(0.5, true), (0.5, false), (-0.3, true)] {
            let mut covered = 0;
            for _ in 0..600 {
                let control = money(&mut random, 150, 300, 1.0);
                let (buying, factor) = if buys_more { (300.0 * (1.0 + lift), 1.0) } else { (300.0, 1.0 + lift) };
                let treated: Vec<i64> = money(&mut random, 1_350, buying as u32, 1.0)
                    .into_iter()
                    .map(|y| (y as f64 * factor).round() as i64)
                    .collect();
                let test = test_of(&treated, &control);
                let truth = 0.3 * 800.0 * 0.5f64.exp() * lift;
                let tails = test.tails(truth);
                covered += u32::from(tails.gain.min(tails.loss) > 0.025);
            }
            assert!((546..=594).contains(&covered), "{lift} {buys_more}: {covered} of 600");
        }
    }

    /// Strata of unlike money and unlike shares: weighted, their difference has no lean; put together, it does.
    #[test]
    fn strata_keep_their_shares() {
        let mut random = SplitMix::new(0);
        let (rich, poor) = (money(&mut random, 400, 900, 0.5), money(&mut random, 1_600, 100, 0.5));
        let arms = |values: &[i64], control: usize, weight: f64| Arms {
            treated: alike(values[control..].iter().copied()),
            control: alike(values[..control].iter().copied()),
            weight,
        };
        let stratified = PermutationTest::new(vec![arms(&rich, 40, 0.2), arms(&poor, 800, 0.8)], 0.0).expect("a test");
        let together: [Vec<i64>; 2] = [[&rich[40..], &poor[800..]].concat(), [&rich[..40], &poor[..800]].concat()];
        let mixed = test_of(&together[0], &together[1]);
        assert!(stratified.tails(0.0).two_sided() > 0.01, "{:?}", stratified.tails(0.0));
        assert!(mixed.tails(0.0).gain < 1e-6 && !stratified.leans());
    }

    /// What the baseline explains does not widen the interval.
    #[test]
    fn a_baseline_sharpens() {
        let mut random = SplitMix::new(0);
        let before = money(&mut random, 2_000, 700, 0.8);
        let cells: Vec<Alike> = before
            .iter()
            .map(|x| Alike { count: 1.0, y: *x as f64 + 50.0 * random.sample::<f64, _>(StandardNormal), x: *x as f64 })
            .collect();
        let test = |theta: f64| {
            let arms = Arms { treated: cells[400..].to_vec(), control: cells[..400].to_vec(), weight: 1.0 };
            PermutationTest::new(vec![arms], theta).expect("a test")
        };
        let width = |test: PermutationTest| {
            let (low, high) = test.interval(0.05).difference;
            assert!(low < 0.0 && high > 0.0);
            high - low
        };
        assert!(width(test(1.0)) < width(test(0.0)) / 5.0);
    }

    #[test]
    fn alike_customers_and_tiny_arms_are_no_panic() {
        let one = |y: f64, count: f64| Alike { count, y, x: 0.0 };
        let same = Arms { treated: vec![one(5.0, 10.0)], control: vec![one(5.0, 3.0)], weight: 1.0 };
        assert!(PermutationTest::new(vec![same], 0.0).is_none());
        for (treated, control) in [(&[0, 1][..], &[0][..]), (&[-5, -3, -9], &[-1, 7]), (&[0, 0, 0], &[0, 9])] {
            let test = test_of(treated, control);
            let (tails, interval) = (test.tails(0.0), test.interval(0.05));
            assert!((0.0..=1.0).contains(&tails.gain) && (0.0..=1.0).contains(&tails.loss), "{treated:?} {control:?} {tails:?}");
            assert!(interval.difference.0 <= interval.difference.1, "{interval:?}");
            let _ = (test.lean(), test.controls_that_would_do());
        }
    }
}
