//! Bins of values between ascending thresholds.

/// Bin of a value: how many ascending thresholds it reaches.
#[inline]
pub fn bin<T: Copy + PartialOrd>(thresholds: &[T], value: T) -> usize {
    /// Up to this many comparisons are faster than a search.
    const FEW: usize = 9;
    match thresholds.len() {
        ..=FEW => thresholds.iter().map(|t| usize::from(value >= *t)).sum(),
        _ => thresholds.partition_point(|t| value >= *t),
    }
}

/// Appends what stands for the bin of every value; `of_bin` has an entry per bin.
pub fn extend_by_bin<T: Copy + PartialOrd, R: Copy>(out: &mut Vec<R>, values: &[T], thresholds: &[T], of_bin: &[R]) {
    /// The number of thresholds is known to the compiler, so that a bin is a few comparisons and no loop.
    fn fixed<T: Copy + PartialOrd, R: Copy, const N: usize>(out: &mut Vec<R>, values: &[T], thresholds: &[T; N], of_bin: &[R]) {
        out.extend(values.iter().map(|value| of_bin[bin(thresholds, *value)]));
    }
    macro_rules! by_length {
        ($($n:literal)*) => {
            $(if let Ok(thresholds) = <&[T; $n]>::try_from(thresholds) {
                return fixed(out, values, thresholds, of_bin);
            })*
        };
    }
    by_length!(0 1 2 3 4 5 6 7 8 9);
    out.extend(values.iter().map(|value| of_bin[bin(thresholds, *value)]));
}

/// The nearest number of 64 bits.
pub(super) fn clamp(x: i128) -> i64 {
    x.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}
