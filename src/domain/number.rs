//! Exact numbers: decimals as they are written, and ratios that are compared without division.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// `10^n` as an integer, if it fits.
pub fn pow10(n: u32) -> Option<i128> {
    10i128.checked_pow(n)
}

/// A decimal number as somebody wrote it: `digits / 10^scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// All digits with their sign.
    pub digits: i128,
    /// How many of the digits stand behind the point.
    pub scale: u32,
}

impl Decimal {
    /// Reads `-12.50`, `3`, `1e3`; at most 30 digits.
    pub fn parse(text: &str) -> Option<Decimal> {
        let text = text.trim();
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((m, e)) => (m, e.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all: String = whole.chars().chain(fraction.chars()).collect();
        if all.is_empty() || all.len() > 30 || !all.bytes().all(|b| b.is_ascii_digit()) || exponent.abs() > 30 {
            return None;
        }
        let mut digits: i128 = all.parse().ok()?;
        let mut scale = fraction.len() as i32 - exponent;
        while scale > 0 && digits % 10 == 0 {
            digits /= 10;
            scale -= 1;
        }
        if scale < 0 {
            digits = digits.checked_mul(pow10(scale.unsigned_abs())?)?;
            scale = 0;
        }
        Some(Decimal { digits: if negative { -digits } else { digits }, scale: scale.unsigned_abs() })
    }

    /// The shortest decimal that reads back as the float `x`.
    pub fn from_float(x: f64) -> Option<Decimal> {
        if x.is_finite() { Decimal::parse(&format!("{x}")) } else { None }
    }

    /// The nearest floating-point number.
    pub fn to_f64(self) -> f64 {
        // The standard library's reading of decimals rounds correctly; dividing would round twice.
        format!("{}e-{}", self.digits, self.scale).parse().unwrap_or(f64::NAN)
    }

    /// The number times `10^shift` as an exact ratio.
    pub fn shifted(self, shift: u32) -> Option<Ratio> {
        if self.scale <= shift {
            Some(Ratio::new(self.digits.checked_mul(pow10(shift - self.scale)?)?, 1))
        } else {
            Some(Ratio::new(self.digits, pow10(self.scale - shift)?))
        }
    }
}

/// An exact ratio in lowest terms with a positive denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ratio {
    numerator: i128,
    denominator: i128,
}

impl Ratio {
    /// `numerator / denominator` in lowest terms; a zero denominator is taken as 1.
    pub fn new(numerator: i128, denominator: i128) -> Ratio {
        let (numerator, denominator) = if denominator < 0 { (-numerator, -denominator) } else { (numerator, denominator.max(1)) };
        let divisor = gcd(numerator.unsigned_abs(), denominator.unsigned_abs()).max(1) as i128;
        Ratio { numerator: numerator / divisor, denominator: denominator / divisor }
    }

    /// Reads `p/q` or `p`.
    pub fn parse(text: &str) -> Option<Ratio> {
        let (p, q) = text.split_once('/').unwrap_or((text, "1"));
        let (p, q) = (p.parse().ok()?, q.parse().ok()?);
        (q > 0).then(|| Ratio::new(p, q))
    }

    /// Numerator and denominator, in lowest terms.
    pub fn parts(self) -> (i128, i128) {
        (self.numerator, self.denominator)
    }

    /// The ratio as a decimal number, if it is one of at most 18 digits behind the point.
    pub fn decimal(self) -> Option<String> {
        (0..=18).find_map(|scale| {
            let digits = self.numerator.checked_mul(pow10(scale)?)?;
            (digits % self.denominator == 0).then(|| format_money(digits / self.denominator, scale))
        })
    }

    /// The sum of the two, if it fits.
    pub fn plus(self, other: Ratio) -> Option<Ratio> {
        let divisor = gcd(self.denominator.unsigned_abs(), other.denominator.unsigned_abs()).max(1) as i128;
        let (left, right) = (other.denominator / divisor, self.denominator / divisor);
        let numerator = self.numerator.checked_mul(left)?.checked_add(other.numerator.checked_mul(right)?)?;
        Some(Ratio::new(numerator, self.denominator.checked_mul(left)?))
    }

    /// The smallest integer not below the ratio.
    pub fn ceil(self) -> i128 {
        -(-self.numerator).div_euclid(self.denominator)
    }

    /// The largest integer not above the ratio.
    pub fn floor(self) -> i128 {
        self.numerator.div_euclid(self.denominator)
    }

    /// The ratio with its sign turned.
    pub fn negated(self) -> Ratio {
        Ratio { numerator: -self.numerator, denominator: self.denominator }
    }

    /// The ratio divided by `10^scale`, as a double.
    pub fn printed(self, scale: u32) -> f64 {
        let whole = self.numerator.div_euclid(self.denominator);
        let rest = self.numerator.rem_euclid(self.denominator);
        // Joined before the last division, so that integers up to 2^53 and their simple fractions stay exact.
        (whole as f64 + rest as f64 / self.denominator as f64) / 10f64.powi(scale as i32)
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        // Floors first: the products of the remainders cannot overflow for denominators below 2^63.
        self.floor().cmp(&other.floor()).then_with(|| {
            let left = self.numerator.rem_euclid(self.denominator).saturating_mul(other.denominator);
            let right = other.numerator.rem_euclid(other.denominator).saturating_mul(self.denominator);
            left.cmp(&right)
        })
    }
}

/// As text such as `"1250e-2"`: JSON numbers lose digits.
impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}e-{}", self.digits, self.scale))
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// `a / b` rounded half to even, for `b > 0`.
pub fn divide_half_even(a: i128, b: i128) -> i128 {
    let (quotient, remainder) = (a.div_euclid(b), a.rem_euclid(b));
    // Compared with the distance to the next multiple, so that nothing doubles.
    match remainder.cmp(&(b - remainder)) {
        std::cmp::Ordering::Less => quotient,
        std::cmp::Ordering::Greater => quotient + 1,
        std::cmp::Ordering::Equal => quotient + quotient.rem_euclid(2),
    }
}

/// Money in minor units as text with `scale` digits behind the point.
pub fn format_money(minor: i128, scale: u32) -> String {
    if scale == 0 {
        return minor.to_string();
    }
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = scale as usize + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
    format!("{}{whole}.{fraction}", if minor < 0 { "-" } else { "" })
}

/// The least and the greatest of some values. Several of each are kept, so that no comparison waits for the one before.
pub fn ends<T: Copy + Ord>(values: &[T]) -> Option<(T, T)> {
    let first = *values.first()?;
    let (groups, rest) = values.as_chunks::<8>();
    let (mut least, mut greatest) = ([first; 8], [first; 8]);
    for group in groups {
        for lane in 0..8 {
            least[lane] = least[lane].min(group[lane]);
            greatest[lane] = greatest[lane].max(group[lane]);
        }
    }
    let (least, greatest) = (least.iter().chain(rest).min()?, greatest.iter().chain(rest).max()?);
    Some((*least, *greatest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_digits() {
        assert_eq!(Decimal::parse("299.999"), Some(Decimal { digits: 299_999, scale: 3 }));
        assert_eq!(Decimal::parse("-0.50"), Some(Decimal { digits: -5, scale: 1 }));
        assert_eq!(Decimal::parse("1e3"), Some(Decimal { digits: 1000, scale: 0 }));
        assert_eq!(Decimal::parse("1.5e-3"), Some(Decimal { digits: 15, scale: 4 }));
        assert_eq!(Decimal::from_float(0.1), Decimal::parse("0.1"));
        assert_eq!(Decimal::parse("1,5"), None);
        assert_eq!(Decimal::parse(""), None);
    }

    #[test]
    fn ratios_round_and_compare() {
        assert_eq!(Ratio::new(-7, 2).ceil(), -3);
        assert_eq!(Ratio::new(-7, 2).floor(), -4);
        assert_eq!(Ratio::new(6, 4).to_string(), "3/2");
        assert!(Ratio::new(1, 3) < Ratio::new(34, 100));
        assert_eq!(Ratio::parse("10/4"), Some(Ratio::new(5, 2)));
        assert_eq!(Ratio::new(643, 5).printed(2), 1.286);
        assert_eq!(Ratio::new(1, 6).plus(Ratio::new(1, 3)).map(Ratio::parts), Some((1, 2)));
        assert_eq!(Ratio::new(999, 1000).decimal().as_deref(), Some("0.999"));
        assert_eq!((Ratio::new(-5, 1).decimal().as_deref(), Ratio::new(1, 3).decimal()), (Some("-5"), None));
        assert_eq!(Ratio::new(i128::MAX, 1).plus(Ratio::new(1, 1)), None);
    }

    #[test]
    fn halves_go_to_even() {
        let cases = [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (1, 3, 0), (2, 3, 1), (-1, 3, 0), (-2, 3, -1)];
        for (a, b, want) in cases {
            assert_eq!(divide_half_even(a, b), want, "{a}/{b}");
        }
    }

    #[test]
    fn money_prints_with_its_scale() {
        assert_eq!(format_money(-5, 2), "-0.05");
        assert_eq!(format_money(123_456, 3), "123.456");
        assert_eq!(format_money(12, 0), "12");
    }
}
