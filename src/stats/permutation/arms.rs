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

/// What a customer counts with: a constant, and so much per unit of either number.
#[derive(Debug, Clone, Copy)]
pub struct Linear {
    pub constant: f64,
    pub y: f64,
    pub x: f64,
}

impl Linear {
    /// What customers count with.
    #[inline]
    pub fn of(&self, cell: &Alike) -> f64 {
        self.constant + self.y * cell.y + self.x * cell.x
    }

    /// The same times a factor.
    pub fn times(self, factor: f64) -> Linear {
        Linear { constant: self.constant * factor, y: self.y * factor, x: self.x * factor }
    }
}

/// What the mean and the variance of any [`Linear`] over the customers of an arm follow from.
#[derive(Debug, Clone, Copy)]
pub struct ArmMoments {
    /// How many they are.
    pub n: f64,
    /// The means of both numbers.
    pub y: f64,
    pub x: f64,
    /// Sums of squares and products of the distances from these.
    yy: f64,
    yx: f64,
    xx: f64,
}

impl ArmMoments {
    /// The moments of an arm's customers.
    pub fn new(cells: &[Alike]) -> ArmMoments {
        let sum = |of: &dyn Fn(&Alike) -> f64| cells.iter().map(|cell| cell.count * of(cell)).sum::<f64>();
        let n = sum(&|_| 1.0);
        let (y, x) = (sum(&|cell| cell.y) / n, sum(&|cell| cell.x) / n);
        ArmMoments {
            n,
            y,
            x,
            yy: sum(&|cell| (cell.y - y).powi(2)),
            yx: sum(&|cell| (cell.y - y) * (cell.x - x)),
            xx: sum(&|cell| (cell.x - x).powi(2)),
        }
    }

    /// The mean of what customers count with.
    pub fn mean(&self, of: Linear) -> f64 {
        of.constant + of.y * self.y + of.x * self.x
    }

    /// The sum of the squares of its distances from that mean.
    pub fn spread(&self, of: Linear) -> f64 {
        (of.y * of.y * self.yy + 2.0 * of.y * of.x * self.yx + of.x * of.x * self.xx).max(0.0)
    }
}

/// The arms of a stratum with their moments.
#[derive(Debug, Clone)]
pub struct MeasuredArms {
    pub arms: Arms,
    pub treated: ArmMoments,
    pub control: ArmMoments,
}

impl From<Arms> for MeasuredArms {
    fn from(arms: Arms) -> MeasuredArms {
        MeasuredArms { treated: ArmMoments::new(&arms.treated), control: ArmMoments::new(&arms.control), arms }
    }
}

impl MeasuredArms {
    /// (count, value) of the customers of both arms.
    pub fn cells(&self, [of_treated, of_control]: [Linear; 2]) -> impl Iterator<Item = (f64, f64)> {
        let treated = self.arms.treated.iter().map(move |cell| (cell.count, of_treated.of(cell)));
        treated.chain(self.arms.control.iter().map(move |cell| (cell.count, of_control.of(cell))))
    }

    /// The mean over the customers of both arms of what the treated and the control count with.
    pub fn mean(&self, [of_treated, of_control]: [Linear; 2]) -> f64 {
        (self.treated.n * self.treated.mean(of_treated) + self.control.n * self.control.mean(of_control)) / self.n()
    }

    /// The sum of the squares of its distances from that mean.
    pub fn spread(&self, of: [Linear; 2]) -> f64 {
        let mean = self.mean(of);
        let around = |arm: &ArmMoments, of: Linear| arm.spread(of) + arm.n * (arm.mean(of) - mean).powi(2);
        around(&self.treated, of[0]) + around(&self.control, of[1])
    }

    /// The variance of the control's sum over all draws.
    pub fn variance(&self, of: [Linear; 2]) -> f64 {
        self.spread(of) / (self.n() - 1.0) * self.control.n * (self.treated.n / self.n())
    }

    /// The customers of both arms.
    pub fn n(&self) -> f64 {
        self.treated.n + self.control.n
    }
}
