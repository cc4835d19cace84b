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
    let arms = Arms { treated: alike(treated.iter().copied()), control: alike(control.iter().copied()), weight: 1.0, theta: 0.0 };
    PermutationTest::new(vec![arms], Statistic::Mean, 1.0).expect("customers who differ")
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

/// Of two controls, every draw without a buyer is as low as any: far from rare, so the test must not claim it to be.
#[test]
fn two_controls_show_nothing() {
    for buyers in 1..=6 {
        let treated: Vec<i64> = (0..10).map(|customer| i64::from(customer < buyers)).collect();
        let test = test_of(&treated, &[0, 0]);
        let (tails, (low, high)) = (test.tails(0.0), test.interval(0.05));
        assert!(test.leans() || tails.two_sided() > 0.05, "{buyers} {tails:?}");
        assert!(low <= test.difference() && test.difference() <= high, "{buyers}: {low} to {high}");
    }
}

#[test]
fn intervals_invert_the_test() {
    let mut random = SplitMix::new(0);
    let values = money(&mut random, 3_000, 300, 1.2);
    let treated: Vec<i64> = values[300..].iter().map(|y| y * 13 / 10).collect();
    let test = test_of(&treated, &values[..300]);
    let (mut before, mut widths) = (None::<(f64, f64)>, Vec::new());
    for alpha in [0.32, 0.05, 0.01, 0.0005] {
        let interval = test.interval(alpha);
        let (low, high) = interval;
        assert!(
            (test.tails(low).gain / (alpha / 2.0) - 1.0).abs() < 1e-3
                && (test.tails(high).loss / (alpha / 2.0) - 1.0).abs() < 1e-3
        );
        assert!(low < test.difference() && test.difference() < high);
        // The interval leaves 0 out exactly where the test rejects.
        assert_eq!(test.tails(0.0).two_sided() < alpha, low > 0.0 || high < 0.0);
        let mean = treated.iter().sum::<i64>() as f64 / treated.len() as f64;
        let (least, most) = test.lift_interval(alpha);
        let at = |lift: Option<f64>| {
            let lift = lift.expect("a lift");
            test.tails_with(mean * lift / (1.0 + lift), Deviations::OfLift)
        };
        assert!((at(least).gain / (alpha / 2.0) - 1.0).abs() < 1e-3 && (at(most).loss / (alpha / 2.0) - 1.0).abs() < 1e-3);
        assert!(before.is_none_or(|inner| inner.0 > low && inner.1 < high));
        before = Some(interval);
        widths.push(high - low);
    }
    assert!(widths.is_sorted());
}

/// A true lift of halves is covered, too, which the lift of a difference's ends is not: its spread grows with the treated's mean.
#[test]
fn lifts_are_covered() {
    let mut random = SplitMix::new(1);
    for lift in [-0.3, 1.0] {
        let mut covered = 0;
        for _ in 0..600 {
            let [control, treated] = [0, 1].map(|_| money(&mut random, 700, 300, 1.0));
            let treated: Vec<i64> = treated.into_iter().map(|y| (y as f64 * (1.0 + lift)).round() as i64).collect();
            let mean = treated.iter().sum::<i64>() as f64 / treated.len() as f64;
            let tails = test_of(&treated, &control).tails_with(mean * lift / (1.0 + lift), Deviations::OfLift);
            covered += u32::from(tails.gain.min(tails.loss) > 0.025);
        }
        assert!((546..=594).contains(&covered), "{lift}: {covered} of 600");
    }
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
            let treated: Vec<i64> =
                money(&mut random, 1_350, buying as u32, 1.0).into_iter().map(|y| (y as f64 * factor).round() as i64).collect();
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
        theta: 0.0,
    };
    let stratified =
        PermutationTest::new(vec![arms(&rich, 40, 0.2), arms(&poor, 800, 0.8)], Statistic::Mean, 1.0).expect("a test");
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
        let arms = Arms { treated: cells[400..].to_vec(), control: cells[..400].to_vec(), weight: 1.0, theta };
        PermutationTest::new(vec![arms], Statistic::Mean, 1.0).expect("a test")
    };
    let width = |test: PermutationTest| {
        let (low, high) = test.interval(0.05);
        assert!(low < 0.0 && high > 0.0);
        high - low
    };
    assert!(width(test(1.0)) < width(test(0.0)) / 5.0);
}

#[test]
fn alike_customers_and_tiny_arms_are_no_panic() {
    let one = |y: f64, count: f64| Alike { count, y, x: 0.0 };
    let same = Arms { treated: vec![one(5.0, 10.0)], control: vec![one(5.0, 3.0)], weight: 1.0, theta: 0.0 };
    assert!(PermutationTest::new(vec![same], Statistic::Mean, 1.0).is_none());
    for (treated, control) in [(&[0, 1][..], &[0][..]), (&[-5, -3, -9], &[-1, 7]), (&[0, 0, 0], &[0, 9])] {
        let test = test_of(treated, control);
        let (tails, interval) = (test.tails(0.0), test.interval(0.05));
        assert!((0.0..=1.0).contains(&tails.gain) && (0.0..=1.0).contains(&tails.loss), "{treated:?} {control:?} {tails:?}");
        assert!(interval.0 <= interval.1, "{interval:?}");
        let _ = (test.lean(), test.controls_that_would_do());
    }
}

/// An arm whose customers, if they buy, have one to three orders of about `value` each.
fn orders(random: &mut SplitMix, customers: usize, buying: u32, value: f64) -> Vec<Alike> {
    let mut one = || {
        let orders = if random.unit() * 1000.0 < f64::from(buying) { 1.0 + (random.unit() * 3.0).floor() } else { 0.0 };
        let money: f64 = (0..orders as u32).map(|_| value * (0.8 * random.sample::<f64, _>(StandardNormal)).exp()).sum();
        Alike { count: 1.0, y: money, x: orders }
    };
    (0..customers).map(|_| one()).collect()
}

fn ratio_of(treated: Vec<Alike>, control: Vec<Alike>) -> PermutationTest {
    let arms = Arms { treated, control, weight: 1.0, theta: 0.0 };
    PermutationTest::new(vec![arms], Statistic::Ratio, 1.0).expect("a test")
}

/// Money of two orders and more: a ratio is tested by residuals, and its interval covers the true effect on an order.
#[test]
fn ratios_are_covered() {
    let mut random = SplitMix::new(0);
    for (lift, buying, control) in [(0.0, 300, 300), (0.3, 300, 300), (0.0, 60, 300), (-0.3, 500, 100), (1.0, 300, 900)] {
        let mut covered = 0;
        for _ in 0..400 {
            let treated = orders(&mut random, 900, buying, 50.0 * (1.0 + lift));
            let test = ratio_of(treated, orders(&mut random, control, buying, 50.0));
            let tails = test.tails(50.0 * lift * 0.32f64.exp());
            covered += u32::from(tails.gain.min(tails.loss) > 0.025);
        }
        assert!((368..=392).contains(&covered), "{lift} {buying}: {covered} of 400");
    }
}

/// The ends of a ratio's interval have the tails that they should, whether customers have a tenth of an order each or two.
#[test]
fn intervals_of_ratios_invert_the_test() {
    let mut random = SplitMix::new(0);
    for buying in [60, 300, 1000] {
        let test = ratio_of(orders(&mut random, 900, buying, 60.0), orders(&mut random, 300, buying, 50.0));
        for alpha in [0.32, 0.05, 0.0005] {
            let (low, high) = test.interval(alpha);
            let (gain, loss) = (test.tails(low).gain / (alpha / 2.0), test.tails(high).loss / (alpha / 2.0));
            assert!((gain - 1.0).abs() < 1e-3 && (loss - 1.0).abs() < 1e-3, "{buying} {alpha}: {gain} {loss}");
            assert!(low < test.difference() && test.difference() < high);
        }
    }
}

/// Of 300 customers 45 buy, and nobody of 20 who are held out: so are C(255, 20)/C(300, 20) = 3.45 % of all draws (scipy.special.comb).
/// A sum that is as low as it can be has no continuous tail, and was told with a p-value of 0.
#[test]
fn nobody_who_buys_is_no_proof() {
    let buyers = (0..45).map(|at| 1_000 + 37 * at);
    let treated: Vec<i64> = buyers.chain(std::iter::repeat_n(0, 235)).collect();
    let test = test_of(&treated, &[0; 20]);
    assert!((test.tails(0.0).gain / 0.034468 - 1.0).abs() < 1e-3, "{:?}", test.tails(0.0));
    let ((low, high), p) = (test.interval(0.05), test.tails(0.0).two_sided());
    assert!(p > 0.05 && low <= 0.0 && high > 0.0, "{low} to {high}, p {p}");
    let (low, _) = test.interval(0.1);
    assert!(low > 0.0, "a level of 10 % rejects 6.9 %: {low}");
    // Everybody who is held out buys the same, and of the others half do.
    let treated: Vec<i64> = std::iter::repeat_n(500, 20).chain(std::iter::repeat_n(0, 20)).collect();
    let tails = test_of(&treated, &[500; 6]).tails(0.0);
    // C(26, 6)/C(46, 6).
    assert!((tails.loss / 0.024579 - 1.0).abs() < 1e-3, "{tails:?}");
    // The three who spend least of twelve, two of whom spend the same: 2 of 220 draws.
    let tails = test_of(&[100, 200, 250, 300, 400, 500, 600, 700, 900], &[20, 40, 100]).tails(0.0);
    assert!((tails.gain - 2.0 / 220.0).abs() < 1e-9 && tails.loss == 1.0, "{tails:?}");
}
