//! By what cohorts are told apart besides their period: `output.cohorts_by`.

use super::parse::Source;
use super::raw::RawJob;
use crate::domain::FirstPurchase;
use crate::error::{Error, Result, suggestion};

/// By what `cohorts` has rows besides those of everybody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CohortsBy {
    /// Dimensions of `[customers]`, by their numbers from 0, ascending.
    pub dimensions: Vec<usize>,
    /// Properties of the first purchase, ascending.
    pub first_purchase: Vec<FirstPurchase>,
}

impl CohortsBy {
    /// # Errors
    /// Exit 2 if a name is neither, or both, or if the orders lack the column that a property needs.
    pub(super) fn new(raw: &RawJob, source: &Source) -> Result<CohortsBy> {
        let dimensions: &[String] = raw.customers.as_ref().map_or(&[], |customers| &customers.dimensions);
        let mut by = CohortsBy::default();
        for name in &raw.output.cohorts_by {
            let wrong = |what: String| {
                Err(Error::usage(format!(
                    "{}: output.cohorts_by names {name:?}, {what}",
                    source.locate("output.cohorts_by", name)
                )))
            };
            match (dimensions.iter().position(|dimension| dimension == name), FirstPurchase::parse(name)) {
                (Some(_), Some(_)) => {
                    return wrong("which is a dimension of [customers] and a property of the first purchase; rename the column where the file is written".into());
                }
                (Some(dimension), None) => by.dimensions.push(dimension),
                (None, Some(property)) => match missing_column(raw, property) {
                    None => by.first_purchase.push(property),
                    Some((what, key)) => {
                        return wrong(format!("but the job does not say which column holds the {what}; set {key}"));
                    }
                },
                (None, None) => {
                    let known = dimensions.iter().map(String::as_str).chain(FirstPurchase::ALL.map(FirstPurchase::name));
                    return wrong(format!(
                        "which is no dimension of [customers]{}; name it in customers.dimensions, or remove it here",
                        suggestion(name, known)
                    ));
                }
            }
        }
        by.dimensions.sort_unstable();
        by.dimensions.dedup();
        by.first_purchase.sort_unstable();
        by.first_purchase.dedup();
        Ok(by)
    }

    /// Whether there is nothing but the rows of everybody.
    pub fn is_empty(&self) -> bool {
        self.dimensions.is_empty() && self.first_purchase.is_empty()
    }
}

/// What a property is found in, and the key of its column, if the job lacks it.
fn missing_column(raw: &RawJob, property: FirstPurchase) -> Option<(&'static str, &'static str)> {
    let (column, what, key) = match property {
        FirstPurchase::Category => (&raw.orders.category, "category", "orders.category"),
        FirstPurchase::Discounted => (&raw.orders.discount, "discount", "orders.discount"),
    };
    column.is_none().then_some((what, key))
}
