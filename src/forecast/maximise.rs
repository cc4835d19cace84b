//! The maximum of a smooth function of a few positive parameters, by BFGS in their logarithms.

/// A function with its gradient in the parameters' logarithms.
pub type Evaluated<const N: usize> = (f64, [f64; N]);

/// Where the search ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Maximum<const N: usize> {
    /// The logarithms of the parameters.
    pub at: [f64; N],
    /// The value there.
    pub value: f64,
    /// Whether the gradient vanishes there; else a bound, or the precision of numbers, ended the search.
    pub is_inner: bool,
    /// Whether the value is greatest there among all points within the bounds that are near: where the gradient does not vanish, it
    /// leads out of them.
    pub is_settled: bool,
}

/// A step that promises less is not taken: of a mean over customers it is nothing, whatever their number.
const LEAST_GAIN: f64 = 1e-12;

/// Steps before the search gives up.
const STEPS: usize = 500;

/// Most that the logarithm of a parameter moves in a step.
const LONGEST: f64 = 2.0;

/// The share of the promised gain that a step must bring.
const ARMIJO: f64 = 1e-4;

/// Finds the maximum from `start` on, within `bounds` of the logarithms. The search always ends: every step gains, and there are
/// at most [`STEPS`].
pub fn maximise<const N: usize>(
    start: [f64; N],
    bounds: [(f64, f64); N],
    tolerance: f64,
    evaluate: impl Fn(&[f64; N]) -> Evaluated<N>,
) -> Maximum<N> {
    maximise_knowing(start, None, bounds, tolerance, evaluate)
}

/// The same where the inverse of the matrix of second derivatives of the negative function is known, about.
pub fn maximise_knowing<const N: usize>(
    start: [f64; N],
    curvature: Option<[[f64; N]; N]>,
    bounds: [(f64, f64); N],
    tolerance: f64,
    evaluate: impl Fn(&[f64; N]) -> Evaluated<N>,
) -> Maximum<N> {
    let mut at = start;
    let (mut value, mut gradient) = evaluate(&at);
    let mut is_fresh = curvature.is_none();
    let mut inverse = curvature.unwrap_or_else(identity::<N>);
    let mut promises_nothing = false;
    for _ in 0..STEPS {
        if !value.is_finite() || norm(&free(&gradient, &at, &bounds)) <= tolerance {
            break;
        }
        let usable = free(&gradient, &at, &bounds);
        let mut direction = times(&inverse, &usable);
        for (at, step) in direction.iter_mut().enumerate() {
            if usable[at] == 0.0 {
                *step = 0.0;
            }
        }
        if dot(&direction, &usable) <= 0.0 {
            (inverse, is_fresh) = (identity::<N>(), true);
            direction = usable;
        }
        let slope = dot(&direction, &usable);
        if !is_fresh && slope <= LEAST_GAIN {
            promises_nothing = true;
            break;
        }
        let longest = direction.iter().fold(0.0f64, |longest, step| longest.max(step.abs()));
        let limit = if is_fresh { LONGEST / 4.0 } else { LONGEST };
        let mut length = if longest > limit { limit / longest } else { 1.0 };
        let mut found = None;
        while length > 1e-14 {
            let mut next = at;
            for number in 0..N {
                next[number] = (at[number] + length * direction[number]).clamp(bounds[number].0, bounds[number].1);
            }
            let tried = evaluate(&next);
            if tried.0.is_finite() && tried.0 >= value + ARMIJO * length * slope && next != at {
                found = Some((next, tried));
                break;
            }
            length /= 3.0;
        }
        let Some((next, (next_value, next_gradient))) = found else {
            if is_fresh {
                break;
            }
            (inverse, is_fresh) = (identity::<N>(), true);
            continue;
        };
        let step: [f64; N] = std::array::from_fn(|i| next[i] - at[i]);
        // Of the negative function, which is convex near its minimum.
        let change: [f64; N] = std::array::from_fn(|i| gradient[i] - next_gradient[i]);
        update(&mut inverse, &step, &change, is_fresh);
        is_fresh = false;
        (at, value, gradient) = (next, next_value, next_gradient);
    }
    let is_free = (0..N).all(|i| at[i] > bounds[i].0 && at[i] < bounds[i].1);
    let vanishes = |gradient: &[f64; N]| value.is_finite() && norm(gradient) <= 100.0 * tolerance;
    let is_settled = promises_nothing || vanishes(&free(&gradient, &at, &bounds));
    Maximum { at, value, is_inner: is_free && is_settled, is_settled }
}

/// The inverse of the matrix of second derivatives of the negative function, from differences of its gradient; none if it is not
/// positive definite. Parameters at a bound are taken as known: their rows and columns are zero.
pub fn covariance<const N: usize>(
    at: &[f64; N],
    bounds: &[(f64, f64); N],
    evaluate: impl Fn(&[f64; N]) -> Evaluated<N>,
) -> Option<[[f64; N]; N]> {
    const STEP: f64 = 1e-4;
    let is_bound: [bool; N] = std::array::from_fn(|i| at[i] <= bounds[i].0 || at[i] >= bounds[i].1);
    let slopes: [[f64; N]; N] = std::array::from_fn(|number| {
        let moved = |by: f64| {
            let mut moved = *at;
            moved[number] += by;
            evaluate(&moved).1
        };
        let (up, down) = (moved(STEP), moved(-STEP));
        std::array::from_fn(|other| -(up[other] - down[other]) / (2.0 * STEP))
    });
    // Equal but for rounding.
    let entry = |row: usize, column: usize| match is_bound[row] || is_bound[column] {
        true => f64::from(u8::from(row == column)),
        false => (slopes[row][column] + slopes[column][row]) / 2.0,
    };
    let mut inverse = inverse_of(std::array::from_fn(|row| std::array::from_fn(|column| entry(row, column))))?;
    (0..N).filter(|at| is_bound[*at]).for_each(|at| inverse[at][at] = 0.0);
    Some(inverse)
}

/// By Gauss and Jordan, with the pivots of a positive definite matrix.
fn inverse_of<const N: usize>(mut matrix: [[f64; N]; N]) -> Option<[[f64; N]; N]> {
    let mut inverse = identity::<N>();
    for column in 0..N {
        let pivot = matrix[column][column];
        if !(pivot.is_finite() && pivot > 1e-12) {
            return None;
        }
        for at in 0..N {
            matrix[column][at] /= pivot;
            inverse[column][at] /= pivot;
        }
        for row in (0..N).filter(|row| *row != column) {
            let factor = matrix[row][column];
            for at in 0..N {
                matrix[row][at] -= factor * matrix[column][at];
                inverse[row][at] -= factor * inverse[column][at];
            }
        }
    }
    Some(inverse)
}

fn identity<const N: usize>() -> [[f64; N]; N] {
    std::array::from_fn(|row| std::array::from_fn(|column| f64::from(u8::from(row == column))))
}

fn dot<const N: usize>(a: &[f64; N], b: &[f64; N]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm<const N: usize>(of: &[f64; N]) -> f64 {
    of.iter().fold(0.0, |most, value| most.max(value.abs()))
}

fn times<const N: usize>(matrix: &[[f64; N]; N], vector: &[f64; N]) -> [f64; N] {
    std::array::from_fn(|row| dot(&matrix[row], vector))
}

/// The gradient without what would lead out of the bounds.
fn free<const N: usize>(gradient: &[f64; N], at: &[f64; N], bounds: &[(f64, f64); N]) -> [f64; N] {
    std::array::from_fn(|i| {
        let leads_out = (at[i] <= bounds[i].0 && gradient[i] < 0.0) || (at[i] >= bounds[i].1 && gradient[i] > 0.0);
        if leads_out { 0.0 } else { gradient[i] }
    })
}

/// The update of Broyden, Fletcher, Goldfarb and Shanno.
fn update<const N: usize>(inverse: &mut [[f64; N]; N], step: &[f64; N], change: &[f64; N], is_first: bool) {
    let curvature = dot(step, change);
    if curvature <= 1e-12 * norm(step) * norm(change) {
        return;
    }
    if is_first {
        let scale = curvature / dot(change, change);
        inverse.iter_mut().flatten().for_each(|entry| *entry *= scale);
    }
    let moved = times(inverse, change);
    let factor = (1.0 + dot(change, &moved) / curvature) / curvature;
    for row in 0..N {
        for column in 0..N {
            inverse[row][column] +=
                factor * step[row] * step[column] - (moved[row] * step[column] + step[row] * moved[column]) / curvature;
        }
    }
}
