//! Two arms held against each other: the estimate of a method from their sums, and its test from their grids.

use std::collections::BTreeMap;

use super::arm_sums::{CellGrids, Group, PeriodSums, Quantity};
use super::diagnostics::PeriodDiagnostics;
use super::placebo::{End, Placebo};
use super::reason::NotEstimable;
use super::sentence::{Quoted, Rounded};
use crate::domain::{Design, EffectMethod as Method, Outcome};
use crate::error::Result;
use crate::stats::{
    Adjustment, Alike, Arms, Cell, D, DifferenceTest, Estimate, EstimateError, MOST_IN_TAIL, PermutationTest, Shape, Statistic,
    Sums, Weighting, Y, estimate, power, student_tail, theta,
};

/// The level of all verdicts.
pub(super) const LEVEL: f64 = 0.05;

/// The least share that the larger arm may have, and the ratio of variances up to which numbers that can be negative are tested
/// whatever the shares: an effect on them need not be a multiple of anything.
const LARGE_SHARE: f64 = 0.7;
const UNLIKE_VARIANCES: f64 = 2.0;

/// What a comparison finds.
#[derive(Debug, Clone)]
pub(super) struct Compared {
    /// The estimate.
    pub estimate: Estimate,
    /// Its test.
    pub test: DifferenceTest,
    /// The test's interval at 95 %.
    pub interval: (f64, f64),
    /// The test's p-value.
    pub p: f64,
    /// What the comparison says of the time before anybody was treated, in a matched strategy.
    pub placebo: Option<Placebo>,
    /// The units of the treated and of the control arm: customers, or clusters.
    pub units: [f64; 2],
}

impl Compared {
    /// The same of `scale` times the outcome less what a customer of either arm costs.
    pub fn as_net(&self, scale: f64, [cost, of_control]: [f64; 2]) -> Compared {
        let more = cost - of_control;
        let test = self.test.mapped(scale, -more);
        let mut estimate = self.estimate.clone();
        estimate.mean_treated = estimate.mean_treated * scale - cost;
        for number in [&mut estimate.mean_control, &mut estimate.base, &mut estimate.se] {
            *number *= scale;
        }
        estimate.mean_control -= of_control;
        estimate.base -= of_control;
        estimate.difference = test.value;
        estimate.lift = None;
        for influence in estimate.influence.iter_mut().flatten() {
            influence.coefficients.iter_mut().for_each(|coefficient| *coefficient *= scale);
            influence.constant *= scale;
        }
        let interval = (self.interval.0 * scale - more, self.interval.1 * scale - more);
        let placebo = self.placebo.as_ref().map(|placebo| placebo.as_net(scale, more));
        Compared { p: test.p(), estimate, test, interval, placebo, units: self.units }
    }
}

/// A comparison, and why its numbers are not told.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    /// The comparison, if there is one.
    pub compared: Option<Compared>,
    /// Why it is not told.
    pub reason: Option<NotEstimable>,
}

impl Found {
    /// The comparison, if it is told.
    pub fn told(&self) -> Option<&Compared> {
        self.compared.as_ref().filter(|_| self.reason.is_none())
    }

    /// The comparison, if it is told or may be told with others: several periods can do what is too little in one.
    pub fn poolable(&self) -> Option<&Compared> {
        let is_too_little = matches!(
            self.reason,
            Some(
                NotEstimable::TooSkewed { .. }
                    | NotEstimable::FewSpenders { .. }
                    | NotEstimable::TooSkewedClusters { .. }
                    | NotEstimable::UnlikeClusters { .. }
                    | NotEstimable::FewDraws { .. }
                    | NotEstimable::FewCustomers { .. }
            )
        );
        self.compared.as_ref().filter(|_| self.reason.is_none() || is_too_little)
    }
}

impl From<NotEstimable> for Found {
    fn from(reason: NotEstimable) -> Found {
        Found { compared: None, reason: Some(reason) }
    }
}

/// Both arms of one cell.
pub(super) struct Pair<'a> {
    pub cell: &'a str,
    pub treated: Sums,
    pub control: Sums,
    /// How many customers they are of, which n says unless clusters were drawn.
    pub customers: [i64; 2],
}

/// The rows that a comparison reads.
#[derive(Clone, Copy)]
pub(super) struct Comparison<'a, 'i> {
    pub diagnostics: &'i PeriodDiagnostics<'a>,
    pub slice: &'i PeriodSums<'a>,
    /// The rows of phase `during`, which say how many customers there are.
    pub during: &'i PeriodSums<'a>,
}

/// What is compared.
#[derive(Clone, Copy)]
pub(super) struct Contrast<'a, 'i> {
    pub group: Group<'a>,
    pub outcome: &'i Outcome,
    pub method: Method,
    pub arm: &'a str,
    pub against: &'a str,
}

impl<'a, 'i> Comparison<'a, 'i> {
    /// Both arms' sums per cell.
    pub fn pairs(&self, of: Contrast<'a, '_>) -> Vec<Pair<'a>> {
        let quantity = Quantity::Outcome(of.outcome.clone());
        let cells = self.slice.table(of.group, &quantity).into_iter().flatten();
        let sums = |arms: &BTreeMap<&str, &Sums>, arm: &str| arms.get(arm).map_or(Sums::default(), |s| **s);
        let customers = |cell: &str, arm: &str| self.during.customers(of.group, &quantity, arm, Some(&[cell]));
        let pair = |(cell, arms): (&&'a str, _)| {
            let (treated, control) = (sums(arms, of.arm), sums(arms, of.against));
            let customers = match self.diagnostics.strategy.cluster {
                Some(_) => [customers(cell, of.arm), customers(cell, of.against)],
                None => [treated.n, control.n],
            };
            Pair { cell, treated, control, customers }
        };
        cells.map(pair).filter(|p| p.treated.n + p.control.n > 0).collect()
    }

    /// The estimate and its test over these cells.
    ///
    /// # Errors
    /// Exit 3 if sums of cells leave 128 bits.
    pub fn compare(&self, pairs: &[Pair<'_>], of: Contrast<'a, 'a>) -> Result<Found> {
        let cells = self.cells(pairs, of)?;
        let shape = self.shape(of);
        let (adjustment, weighting) = match of.method {
            // The test of a ratio takes no baseline in, so its difference does not either.
            Method::PermutationBaseline if shape == Shape::Ratio => (Adjustment::None, Weighting::Given),
            Method::Cuped => (Adjustment::Cuped, Weighting::Pooled),
            Method::PermutationBaseline => (Adjustment::Cuped, Weighting::Given),
            Method::Permutation => (Adjustment::None, Weighting::Given),
            Method::Did => (Adjustment::Change, Weighting::Treated),
            Method::Matched => (Adjustment::None, Weighting::Treated),
            // Fits at a cut have no cells.
            Method::Welch | Method::PostStratified | Method::Threshold => (Adjustment::None, Weighting::Pooled),
        };
        let has_clusters = self.diagnostics.strategy.cluster.is_some();
        let estimate = estimate(&cells, shape, adjustment, weighting).map_err(|why| match why {
            EstimateError::NoCells if has_clusters => NotEstimable::NoClusterCells,
            EstimateError::ZeroVariance if has_clusters => NotEstimable::SameClusters,
            EstimateError::NoCells => NotEstimable::NoCells,
            EstimateError::ZeroVariance if shape == Shape::Ratio => NotEstimable::SameValue,
            EstimateError::ZeroVariance => NotEstimable::SameOutcome,
            EstimateError::Explained => NotEstimable::Explained,
            EstimateError::ZeroDenominator => NotEstimable::NoDenominator,
        });
        let mut estimate = match estimate {
            Ok(estimate) => estimate,
            Err(why) => return Ok(why.into()),
        };
        let (test, reason) = match of.method.permutes() {
            true => match self.permutation_test(&cells, pairs, of, &estimate) {
                Ok((test, reason)) => (test, reason),
                Err(why) => return Ok(why.into()),
            },
            false => self.students_test(&cells, pairs, of, &estimate),
        };
        let placebo = self.placebo(&cells, pairs, of)?;
        let units = [estimate.n_treated, estimate.n_control];
        if has_clusters {
            // Everything that is per customer goes by customers.
            let customers = |arm: usize| pairs.iter().map(|pair| pair.customers[arm]).sum::<i64>() as f64;
            (estimate.n_treated, estimate.n_control) = (customers(0), customers(1));
        }
        Ok(Found {
            compared: Some(Compared { interval: test.interval(0.05), p: test.p(), test, estimate, placebo, units }),
            reason,
        })
    }

    /// The placebo of a matched comparison, if enough is known of the time before.
    fn placebo(&self, cells: &[Cell], pairs: &[Pair<'_>], of: Contrast<'a, 'a>) -> Result<Option<Placebo>> {
        if !self.diagnostics.has_placebo(of.outcome) {
            return Ok(None);
        }
        let names: Vec<&str> = pairs.iter().map(|pair| pair.cell).collect();
        let scales = self.diagnostics.strategy.scales(of.outcome);
        let end = End { method: of.method, names: &names, cells, arms: [of.arm, of.against], scales };
        end.placebo(self.slice.earlier(of.group, of.outcome))
    }

    /// What the arms' outcome is.
    fn shape(&self, of: Contrast<'a, '_>) -> Shape {
        self.diagnostics.strategy.shape(of.outcome)
    }

    /// The moments of the cells; of all together for methods without.
    fn cells(&self, pairs: &[Pair<'_>], of: Contrast<'a, '_>) -> Result<Vec<Cell>> {
        let scales = self.diagnostics.strategy.scales(of.outcome);
        let whole;
        let pairs = if of.method.has_cells() {
            pairs
        } else {
            let mut sum = Pair { cell: "", treated: Sums::default(), control: Sums::default(), customers: [0; 2] };
            for pair in pairs {
                sum.treated.add(&pair.treated)?;
                sum.control.add(&pair.control)?;
            }
            whole = [sum];
            &whole
        };
        let mut cells = Vec::new();
        for pair in pairs {
            let mut both = pair.treated;
            both.add(&pair.control)?;
            let moments = (pair.treated.moments(scales), pair.control.moments(scales), both.moments(scales));
            if let (Some(treated), Some(control), Some(both)) = moments {
                cells.push(Cell { treated, control, both });
            }
        }
        Ok(cells)
    }

    /// The permutation test of the difference, and whether it would claim too often here.
    fn permutation_test(
        &self,
        cells: &[Cell],
        pairs: &[Pair<'_>],
        of: Contrast<'a, '_>,
        estimate: &Estimate,
    ) -> std::result::Result<(DifferenceTest, Option<NotEstimable>), NotEstimable> {
        let shape = self.shape(of);
        let theta = match (of.method, shape) {
            (Method::PermutationBaseline, Shape::Mean) => theta(shape, cells).unwrap_or_default(),
            _ => 0.0,
        };
        let customers: f64 = cells.iter().map(|cell| cell.both.n).sum();
        let strata = self.strata(pairs, of, theta, customers).ok_or(NotEstimable::NoGrid)?;
        let statistic = match (shape, of.outcome) {
            (Shape::Ratio, _) => Statistic::Ratio,
            (Shape::Mean, Outcome::Net) => Statistic::Shifted,
            (Shape::Mean, _) => Statistic::Mean,
        };
        if *of.outcome == Outcome::Net && has_unlike_variances(cells, shape) {
            return Err(NotEstimable::UnlikeVariances);
        }
        let dispersion = dispersion(cells, &strata, theta, shape);
        let cluster = self.diagnostics.strategy.cluster.as_deref();
        let without_variance = if cluster.is_some() { NotEstimable::SameClusters } else { NotEstimable::SameOutcome };
        let test = PermutationTest::new(strata, statistic, dispersion).ok_or(without_variance)?;
        let test = if cluster.is_some() { test.of_few_units() } else { test };
        let reason = what_leans(&test, estimate.n_control.min(estimate.n_treated), cluster, 1.0);
        let draws = test.draws();
        Ok((DifferenceTest::permutation(test, estimate.se).of_draws(draws), reason))
    }

    /// Student's test of the difference, and whether it would claim too often here.
    fn students_test(
        &self,
        cells: &[Cell],
        pairs: &[Pair<'_>],
        of: Contrast<'a, '_>,
        estimate: &Estimate,
    ) -> (DifferenceTest, Option<NotEstimable>) {
        let test = DifferenceTest::student(estimate.difference, estimate.se, estimate.df);
        if self.diagnostics.strategy.design != Design::Randomised || self.shape(of) == Shape::Ratio {
            return (test, None);
        }
        let theta = if of.method.adjusts() { theta(Shape::Mean, cells).unwrap_or_default() } else { 0.0 };
        let customers = estimate.n_treated + estimate.n_control;
        let Some(strata) = self.strata(pairs, of, theta, customers) else { return (test, None) };
        let tail = student_tail(&strata);
        let leans = tail > MOST_IN_TAIL;
        (test, leans.then(|| NotEstimable::StudentLeans { tail: Rounded::new(100.0 * tail, 1) }))
    }

    /// The grids of both arms per cell; `None` if there are none.
    fn strata(&self, pairs: &[Pair<'_>], of: Contrast<'a, '_>, theta: f64, customers: f64) -> Option<Vec<Arms>> {
        let quantity = Quantity::Outcome(of.outcome.clone());
        let grids: &CellGrids<'_> = self.slice.grids(of.group, &quantity)?;
        let [y, x, d, _] = self.diagnostics.strategy.scales(of.outcome);
        let (first, second) = (power(y), if self.shape(of) == Shape::Ratio { power(d) } else { power(x) });
        let alike = |cell: &str, arm: &str, out: &mut Vec<Alike>| -> Option<()> {
            let grid = grids.get(cell)?.get(arm)?;
            out.extend(grid.cells().map(|cell| {
                let count = cell.count as f64;
                Alike { count, y: cell.first as f64 / count / first, x: cell.second as f64 / count / second }
            }));
            Some(())
        };
        let arms = |weight: f64| Arms { treated: Vec::new(), control: Vec::new(), weight, theta };
        let mut strata = Vec::new();
        let mut whole = arms(1.0);
        for pair in pairs {
            let mut own = arms((pair.treated.n + pair.control.n) as f64 / customers);
            let into = if of.method.has_cells() { &mut own } else { &mut whole };
            // An arm that has nobody in the cell has no grid.
            let both = [(of.arm, pair.treated.n, &mut into.treated), (of.against, pair.control.n, &mut into.control)];
            for (arm, _, out) in both.into_iter().filter(|(_, n, _)| *n > 0) {
                alike(pair.cell, arm, out)?;
            }
            if of.method.has_cells() {
                strata.push(own);
            }
        }
        if !of.method.has_cells() {
            strata.push(whole);
        }
        Some(strata)
    }
}

/// What makes a test claim too often whose smaller arm has these many units: customers, or clusters of a column. Draws are told
/// apart as far as they are independent: the same units held out `repeated` times are one draw.
pub(super) fn what_leans(test: &PermutationTest, units: f64, cluster: Option<&str>, repeated: f64) -> Option<NotEstimable> {
    let Some(column) = cluster.map(Quoted::from) else {
        if test.draws() * LEVEL < 2.0 {
            return Some(NotEstimable::FewCustomers { draws: test.draws() as i64 });
        }
        let controls = units as i64;
        return test.leans().then(|| match test.controls_that_would_do() {
            Some(enough) => NotEstimable::TooSkewed { controls, enough: enough as i64 },
            None => NotEstimable::FewSpenders { controls },
        });
    };
    let draws = test.draws().powf(1.0 / repeated.max(1.0));
    if draws * LEVEL < 2.0 {
        return Some(NotEstimable::FewDraws { draws: draws as i64, column });
    }
    let clusters = units as i64;
    test.leans().then(|| match test.controls_that_would_do() {
        Some(enough) => NotEstimable::TooSkewedClusters { clusters, column, enough: enough as i64 },
        None => NotEstimable::UnlikeClusters { clusters, column },
    })
}

/// Whether the arms' variances are too unlike for a test that exchanges their customers at such shares.
fn has_unlike_variances(cells: &[Cell], shape: Shape) -> bool {
    let sum = |of: &dyn Fn(&Cell) -> f64| cells.iter().map(of).sum::<f64>();
    let (treated, control) = (sum(&|cell| cell.treated.n), sum(&|cell| cell.control.n));
    let slope = match shape {
        Shape::Mean => 0.0,
        Shape::Ratio => sum(&|cell| cell.both.n * cell.both.mean[Y]) / sum(&|cell| cell.both.n * cell.both.mean[D]),
    };
    let slope = [1.0, 0.0, -slope, 0.0];
    let of_treated = sum(&|cell| cell.treated.n * cell.treated.variance(&slope)) / treated;
    let of_control = sum(&|cell| cell.control.n * cell.control.variance(&slope)) / control;
    let ratio = of_treated.max(of_control) / of_treated.min(of_control);
    treated.max(control) / (treated + control) > LARGE_SHARE && (ratio.is_nan() || ratio > UNLIKE_VARIANCES)
}

/// The variance of customers' adjusted outcomes over that of their grid's cells, within strata and over both arms together.
fn dispersion(cells: &[Cell], strata: &[Arms], theta: f64, shape: Shape) -> f64 {
    if shape == Shape::Ratio || theta == 0.0 {
        return 1.0;
    }
    let slope = [1.0, -theta, 0.0, 0.0];
    let (mut exact, mut of_grid) = (0.0, 0.0);
    for (cell, arms) in cells.iter().zip(strata) {
        let weight = arms.weight * arms.weight * cell.both.n / (cell.treated.n * cell.control.n);
        exact += weight * cell.both.variance(&slope);
        let all = || arms.treated.iter().chain(&arms.control);
        let mean = all().map(|alike| alike.count * (alike.y - theta * alike.x)).sum::<f64>() / cell.both.n;
        let squares: f64 = all().map(|alike| alike.count * (alike.y - theta * alike.x - mean).powi(2)).sum();
        of_grid += weight * squares / (cell.both.n - 1.0);
    }
    if of_grid > 0.0 { exact / of_grid } else { 1.0 }
}
