//! The three axes of RFM.

/// The three axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(usize)]
pub enum Axis {
    /// Days since the last purchase; fewer are better.
    Recency = 0,
    /// Purchases; more are better.
    Frequency = 1,
    /// Money; more is better.
    Monetary = 2,
}

impl Axis {
    /// All three in the order r, f, m.
    pub const ALL: [Axis; 3] = [Axis::Recency, Axis::Frequency, Axis::Monetary];

    /// The name of the measure, as `cutpoints` shows it.
    pub fn name(self) -> &'static str {
        match self {
            Axis::Recency => "recency_days",
            Axis::Frequency => "frequency",
            Axis::Monetary => "monetary",
        }
    }

    /// The name of the level, as `cutpoints` and schemes show it.
    pub fn level_name(self) -> &'static str {
        match self {
            Axis::Recency => "r_level",
            Axis::Frequency => "f_level",
            Axis::Monetary => "m_level",
        }
    }

    /// The name of the score column.
    pub fn score_name(self) -> &'static str {
        match self {
            Axis::Recency => "r_score",
            Axis::Frequency => "f_score",
            Axis::Monetary => "m_score",
        }
    }

    /// The bit that stands for the high level of this axis.
    pub fn level_bit(self) -> u8 {
        4 >> self as usize
    }

    /// Whether a small value is the better one.
    pub fn is_reversed(self) -> bool {
        self == Axis::Recency
    }
}
