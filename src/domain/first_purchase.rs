//! What is known of a customer's first purchase.

/// A property of the day of a customer's first purchase, by which cohorts are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FirstPurchase {
    /// The category with the most money of that day.
    Category,
    /// Whether a purchase of that day was discounted.
    Discounted,
}

impl FirstPurchase {
    /// All of them.
    pub const ALL: [FirstPurchase; 2] = [FirstPurchase::Category, FirstPurchase::Discounted];

    /// Its name in `output.cohorts_by` and in the tables.
    pub fn name(self) -> &'static str {
        match self {
            FirstPurchase::Category => "first_category",
            FirstPurchase::Discounted => "first_discounted",
        }
    }

    /// The property of a name.
    pub fn parse(name: &str) -> Option<FirstPurchase> {
        FirstPurchase::ALL.into_iter().find(|property| property.name() == name)
    }
}
