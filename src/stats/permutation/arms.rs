//! The customers of a draw.

/// Customers with the same values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alike {
    /// How many they are.
    pub count: f64,
    /// Their outcome; of a ratio its numerator.
    pub y: f64,
    /// The same in the baseline, 0 if it is not used; of a ratio its denominator.
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
    /// What is taken off outcomes per unit of the baseline; of no meaning in a ratio.
    pub theta: f64,
}

/// Customers of cells.
pub fn size(cells: &[Alike]) -> f64 {
    cells.iter().map(|cell| cell.count).sum()
}

/// The mean over customers of cells.
pub fn mean(cells: &[Alike], value: impl Fn(&Alike) -> f64) -> f64 {
    cells.iter().map(|cell| cell.count * value(cell)).sum::<f64>() / size(cells)
}
