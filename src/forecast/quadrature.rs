//! Gauss–Legendre quadrature.

use std::sync::OnceLock;

/// Nodes of a panel.
const NODES: usize = 16;

/// Nodes and weights on [−1, 1].
fn rule() -> &'static [(f64, f64); NODES] {
    static RULE: OnceLock<[(f64, f64); NODES]> = OnceLock::new();
    RULE.get_or_init(|| {
        let mut rule = [(0.0, 0.0); NODES];
        for (number, place) in rule.iter_mut().enumerate() {
            // Newton's iteration on the Legendre polynomial, from Chebyshev's nodes.
            let mut x = (std::f64::consts::PI * (number as f64 + 0.75) / (NODES as f64 + 0.5)).cos();
            let mut slope = 1.0;
            for _ in 0..100 {
                let (mut before, mut value) = (1.0, x);
                for degree in 2..=NODES {
                    let n = degree as f64;
                    (before, value) = (value, ((2.0 * n - 1.0) * x * value - (n - 1.0) * before) / n);
                }
                slope = NODES as f64 * (x * value - before) / (x * x - 1.0);
                let step = value / slope;
                x -= step;
                if step.abs() < 1e-16 {
                    break;
                }
            }
            *place = (x, 2.0 / ((1.0 - x * x) * slope * slope));
        }
        rule
    })
}

/// Calls `take` with each node between two bounds and its weight.
pub fn nodes(from: f64, to: f64, mut take: impl FnMut(f64, f64)) {
    let (middle, half) = ((from + to) / 2.0, (to - from) / 2.0);
    for (x, weight) in rule() {
        take(middle + half * x, half * weight);
    }
}

/// A positive function between two bounds, as the polynomial through its values at the nodes.
pub struct Panel {
    middle: f64,
    half: f64,
    values: [f64; NODES],
}

impl Panel {
    /// That of a function.
    pub fn new(from: f64, to: f64, function: impl Fn(f64) -> f64) -> Panel {
        let (middle, half) = ((from + to) / 2.0, (to - from) / 2.0);
        Panel { middle, half, values: rule().map(|(x, _)| function(middle + half * x)) }
    }

    /// The integral between the bounds.
    pub fn integral(&self) -> f64 {
        self.half * rule().iter().zip(&self.values).map(|((_, weight), value)| weight * value).sum::<f64>()
    }

    /// The function as a sum of Legendre polynomials, whose integrals are differences of two of them.
    pub fn series(&self) -> Series {
        let mut factors = [0.0; NODES];
        for (row, value) in projection().iter().zip(&self.values) {
            factors.iter_mut().zip(row).for_each(|(factor, share)| *factor += share * value);
        }
        Series { middle: self.middle, half: self.half, factors }
    }
}

/// By node and degree, what a value at the node has of the Legendre polynomial.
fn projection() -> &'static [[f64; NODES]; NODES] {
    static PROJECTION: OnceLock<[[f64; NODES]; NODES]> = OnceLock::new();
    PROJECTION.get_or_init(|| {
        rule().map(|(x, weight)| {
            let polynomials = legendre(x);
            std::array::from_fn(|degree| (degree as f64 + 0.5) * weight * polynomials[degree])
        })
    })
}

/// The polynomial of a panel, by degree.
pub struct Series {
    middle: f64,
    half: f64,
    factors: [f64; NODES],
}

impl Series {
    /// Up to where the integral from the lower bound has a value, which is at most that of the panel.
    pub fn reach(&self, value: f64) -> f64 {
        let value = value / self.half;
        let (mut low, mut high, mut x) = (-1.0, 1.0, 0.0);
        // Newton's iteration, by halves where it would leave what is known of the place.
        for _ in 0..60 {
            let (integral, slope) = self.at(x);
            if integral < value {
                low = x;
            } else {
                high = x;
            }
            let next = x + (value - integral) / slope;
            let next = if next > low && next < high { next } else { (low + high) / 2.0 };
            let step = next - x;
            x = next;
            if step.abs() < 1e-7 {
                break;
            }
        }
        self.middle + self.half * x
    }

    /// The integral from the lower bound to a place in [−1, 1], and the function there.
    fn at(&self, x: f64) -> (f64, f64) {
        let polynomials = legendre(x);
        let (mut integral, mut value) = (self.factors[0] * (x + 1.0), self.factors[0]);
        for degree in 1..NODES {
            let difference = polynomials[degree + 1] - polynomials[degree - 1];
            integral += self.factors[degree] * difference / (2 * degree + 1) as f64;
            value += self.factors[degree] * polynomials[degree];
        }
        (integral, value)
    }
}

/// The Legendre polynomials at a place, by degree.
fn legendre(x: f64) -> [f64; NODES + 1] {
    let mut all = [1.0; NODES + 1];
    all[1] = x;
    for degree in 2..=NODES {
        let product = x * all[degree - 1];
        all[degree] = product + SHARES[degree] * (product - all[degree - 2]);
    }
    all
}

/// (n − 1) / n by degree n.
const SHARES: [f64; NODES + 1] = {
    let mut shares = [0.0; NODES + 1];
    let mut degree = 1;
    while degree <= NODES {
        shares[degree] = (degree - 1) as f64 / degree as f64;
        degree += 1;
    }
    shares
};
