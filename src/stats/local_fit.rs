//! Weighted fits of polynomials near a cut, of few coefficients.

/// Most coefficients of a fit.
pub(super) const COEFFICIENTS: usize = 5;

/// Coefficients by their power; those that a fit lacks are zero.
pub(super) type Coefficients = [f64; COEFFICIENTS];

/// A matrix with a row and a column per coefficient.
pub(super) type Square = [Coefficients; COEFFICIENTS];

/// The triangular weight of a distance from the cut.
pub(super) fn weight(running: f64, width: f64) -> f64 {
    (1.0 - (running / width).abs()).max(0.0) / width
}

/// The powers of a number from the 0th on.
pub(super) fn powers(of: f64) -> Coefficients {
    std::array::from_fn(|order| of.powi(order as i32))
}

/// A matrix times a vector.
pub(super) fn times(matrix: &Square, vector: &Coefficients) -> Coefficients {
    matrix.map(|row| row.iter().zip(vector).map(|(a, b)| a * b).sum())
}

/// The inverse of the first rows and columns of a symmetric positive matrix; none if it has none. The others are zero.
pub(super) fn inverse(mut matrix: Square, size: usize) -> Option<Square> {
    let mut inverse = [[0.0; COEFFICIENTS]; COEFFICIENTS];
    for (at, row) in inverse.iter_mut().enumerate().take(size) {
        row[at] = 1.0;
    }
    for column in 0..size {
        let pivot = matrix[column][column];
        if !(pivot > 1e-14 && pivot.is_finite()) {
            return None;
        }
        for at in 0..size {
            matrix[column][at] /= pivot;
            inverse[column][at] /= pivot;
        }
        for row in (0..size).filter(|row| *row != column) {
            let factor = matrix[row][column];
            for at in 0..size {
                matrix[row][at] -= factor * matrix[column][at];
                inverse[row][at] -= factor * inverse[column][at];
            }
        }
    }
    Some(inverse)
}
