//! The categories that order lines are of.

use crate::domain::SplitMix;

/// What an order line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Category {
    Electronics,
    Fashion,
    Home,
    Beauty,
    Sports,
    Books,
}

/// Names of the categories, in the order of their numbers.
pub(super) const CATEGORIES: [&str; 6] = ["electronics", "fashion", "home", "beauty", "sports", "books"];

/// Categories, as often as they are bought.
const CATEGORY_SHARES: [Category; 16] = [
    Category::Electronics,
    Category::Electronics,
    Category::Electronics,
    Category::Fashion,
    Category::Fashion,
    Category::Fashion,
    Category::Fashion,
    Category::Home,
    Category::Home,
    Category::Home,
    Category::Beauty,
    Category::Beauty,
    Category::Sports,
    Category::Sports,
    Category::Books,
    Category::Books,
];

impl Category {
    /// All of them, in the order of their numbers.
    pub(super) const ALL: [Category; 6] =
        [Category::Electronics, Category::Fashion, Category::Home, Category::Beauty, Category::Sports, Category::Books];

    /// A category, the larger ones more often.
    pub(super) fn any(stream: &mut SplitMix) -> Self {
        stream.pick(&CATEGORY_SHARES, Category::Home)
    }

    /// The category `steps` further, so that the lines of one order differ.
    pub(super) fn next(self, steps: usize) -> Self {
        let index = (self as usize + steps) % Self::ALL.len();
        Self::ALL.get(index).copied().unwrap_or(self)
    }

    /// The middle list price in cents, and how far prices spread.
    pub(super) fn price(self) -> (f64, f64) {
        match self {
            Self::Electronics => (14_900.0, 0.75),
            Self::Fashion => (5_400.0, 0.55),
            Self::Home => (6_400.0, 0.65),
            Self::Beauty => (2_900.0, 0.45),
            Self::Sports => (5_900.0, 0.60),
            Self::Books => (1_900.0, 0.40),
        }
    }

    /// What goods cost, as a share of their list price.
    pub(super) fn cost_share(self) -> f64 {
        match self {
            Self::Electronics => 0.74,
            Self::Fashion => 0.42,
            Self::Home => 0.52,
            Self::Beauty => 0.36,
            Self::Sports => 0.54,
            Self::Books => 0.60,
        }
    }

    /// How likely goods come back, relative to the category with most returns.
    pub(super) fn return_weight(self) -> f64 {
        match self {
            Self::Fashion => 1.0,
            Self::Electronics => 0.5,
            Self::Home | Self::Sports => 0.4,
            Self::Beauty => 0.2,
            Self::Books => 0.1,
        }
    }
}
