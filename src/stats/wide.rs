//! `a·b − c·d` of 128-bit integers without overflow and without cancellation.

/// `a·b − c·d`, computed in 256 bits and rounded to a double once.
///
/// This is n·Σxy − Σx·Σy for variances and covariances: the two products agree in most of their digits, and doubles, or
/// an i128 that overflows at 10³⁸, would lose them. Every i128 above `i128::MIN` is fine as input.
pub fn difference_of_products(a: i128, b: i128, c: i128, d: i128) -> f64 {
    let (left, right) = (Wide::product(a, b), Wide::product(c, d));
    left.minus(right).to_f64()
}

/// A 256-bit integer in two's complement.
#[derive(Clone, Copy)]
struct Wide {
    high: u128,
    low: u128,
}

impl Wide {
    fn product(a: i128, b: i128) -> Wide {
        let magnitude = Wide::unsigned_product(a.unsigned_abs(), b.unsigned_abs());
        if (a < 0) == (b < 0) { magnitude } else { magnitude.negated() }
    }

    /// Schoolbook multiplication of 64-bit halves.
    fn unsigned_product(a: u128, b: u128) -> Wide {
        const HALF: u128 = u64::MAX as u128;
        let (a1, a0, b1, b0) = (a >> 64, a & HALF, b >> 64, b & HALF);
        let (low, middle_1, middle_2, high) = (a0 * b0, a0 * b1, a1 * b0, a1 * b1);
        let carry = (low >> 64) + (middle_1 & HALF) + (middle_2 & HALF);
        Wide { high: high + (middle_1 >> 64) + (middle_2 >> 64) + (carry >> 64), low: (low & HALF) | (carry << 64) }
    }

    fn negated(self) -> Wide {
        let (low, carry) = (!self.low).overflowing_add(1);
        Wide { high: (!self.high).wrapping_add(u128::from(carry)), low }
    }

    fn minus(self, other: Wide) -> Wide {
        let (low, borrow) = self.low.overflowing_sub(other.low);
        Wide { high: self.high.wrapping_sub(other.high).wrapping_sub(u128::from(borrow)), low }
    }

    fn to_f64(self) -> f64 {
        let negative = self.high >> 127 == 1;
        let Wide { high, low } = if negative { self.negated() } else { self };
        let shift = 128 - high.leading_zeros();
        let magnitude = if shift == 0 {
            low as f64
        } else {
            // The top 128 bits, the last of them set if anything below was, so that the conversion rounds the true value.
            let top = if shift == 128 { high } else { (high << (128 - shift)) | (low >> shift) };
            let below = if shift == 128 { low } else { low << (128 - shift) };
            (top | u128::from(below != 0)) as f64 * 2f64.powi(shift as i32)
        };
        if negative { -magnitude } else { magnitude }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_products_are_plain_arithmetic() {
        for (a, b, c, d) in [(3, 4, 5, 6), (-3, 4, 5, 6), (7, -8, -9, 10), (0, 1, 0, 1), (i64::MAX as i128, 1, 1, 1)] {
            assert_eq!(difference_of_products(a, b, c, d), (a * b - c * d) as f64);
        }
    }

    #[test]
    fn nothing_is_lost_where_i128_overflows() {
        let big = i128::MAX / 3;
        // (big + 1)·(big − 1) − big·big = −1
        assert_eq!(difference_of_products(big + 1, big - 1, big, big), -1.0);
        assert_eq!(difference_of_products(big, big, big + 1, big - 1), 1.0);
        assert_eq!(difference_of_products(big, 8, big, 6), 2.0 * big as f64);
        let square = difference_of_products(i128::MAX, i128::MAX, 0, 0);
        assert!((square / (i128::MAX as f64).powi(2) - 1.0).abs() < 1e-15);
        assert_eq!(difference_of_products(i128::MAX, -i128::MAX, 0, 0), -square);
    }
}
