//! All draws of a few units, one by one, where the saddlepoint approximation is no better than the steps of the distribution.

use super::saddlepoint::{Stratum, ways};

/// The most draws that are looked at.
pub const MOST_DRAWS: f64 = 20_000.0;

/// Sums that differ by less than this part of their spread are equal.
const SAME: f64 = 1e-9;

/// How many draws of strata have a sum of at most `x` above its mean, and how many of at least that, over all; `None` where they are
/// too many. `sd` is the sum's standard deviation.
pub fn shares(strata: &[Stratum], x: f64, sd: f64) -> Option<(f64, f64)> {
    let draws: f64 =
        strata.iter().map(|stratum| ways(stratum.drawn(), stratum.all())).fold(1.0, |all, own| (all * own).min(1e100));
    if draws > MOST_DRAWS {
        return None;
    }
    let (mut sums, same) = (vec![0.0], SAME * sd);
    for own in strata.iter().map(sums_of) {
        sums = sums.iter().flat_map(|sum| own.iter().map(move |more| sum + more)).collect();
    }
    let share = |holds: &dyn Fn(f64) -> bool| sums.iter().filter(|sum| holds(**sum)).count() as f64 / sums.len() as f64;
    Some((share(&|sum| sum <= x + same), share(&|sum| sum >= x - same)))
}

/// The sums of all draws of a stratum. The values of its units add up to 0, so the drawn have what those lack who are not.
fn sums_of(stratum: &Stratum) -> Vec<f64> {
    let values: Vec<f64> = stratum.cells().flat_map(|(count, value)| std::iter::repeat_n(value, count as usize)).collect();
    let (drawn, others) = (stratum.drawn() as usize, (stratum.all() - stratum.drawn()) as usize);
    let (fewer, sign) = if drawn <= others { (drawn, 1.0) } else { (others, -1.0) };
    // By number of units drawn so far.
    let mut sums: Vec<Vec<f64>> = vec![Vec::new(); fewer + 1];
    sums[0].push(0.0);
    for (seen, value) in values.iter().enumerate() {
        let left = values.len() - seen - 1;
        for number in (0..fewer).rev() {
            // Draws that the units left cannot complete are not begun.
            if number + 1 + left >= fewer {
                let (with, without) = sums.split_at_mut(number + 1);
                without[0].extend(with[number].iter().map(|sum| sum + value));
            }
        }
    }
    sums.pop().unwrap_or_default().into_iter().map(|sum| sign * sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stratum(values: &[f64], drawn: f64) -> Stratum {
        Stratum::new(values.iter().map(|value| (1.0, *value)), drawn)
    }

    /// By hand: of 0, 1, 2, 3, 10 the ten pairs have sums 1, 2, 3, 3, 4, 5, 10, 11, 12, 13; the mean is 6.4.
    #[test]
    fn draws_are_counted_with_those_that_are_equal() {
        let five = [0.0, 1.0, 2.0, 3.0, 10.0];
        for (sum, at_most, at_least) in [(3.0, 0.4, 0.8), (13.0, 1.0, 0.1), (12.5, 0.9, 0.1), (1.0, 0.1, 1.0)] {
            assert_eq!(shares(&[stratum(&five, 2.0)], sum - 6.4, 4.0), Some((at_most, at_least)));
            // Three of five leave two, whose sum is that of all, 16, less theirs.
            assert_eq!(shares(&[stratum(&five, 3.0)], (16.0 - sum) - 9.6, 4.0), Some((at_least, at_most)));
        }
        // Two strata of two, one of each drawn: sums 0, 1, 10, 11.
        let two = [stratum(&[0.0, 1.0], 1.0), stratum(&[0.0, 10.0], 1.0)];
        assert_eq!(shares(&two, 10.0 - 5.5, 5.0), Some((0.75, 0.5)));
        // Units alike are units all the same.
        let alike = Stratum::new([(3.0, 0.0), (1.0, 4.0)].into_iter(), 2.0);
        assert_eq!(shares(&[alike], 4.0 - 2.0, 2.0), Some((1.0, 0.5)));
        assert_eq!(shares(&[stratum(&[0.0; 40], 20.0)], 0.0, 1.0), None);
    }
}
