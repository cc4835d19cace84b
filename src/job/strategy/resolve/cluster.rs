//! The unit of the draw.

use super::super::{Design, EffectMethod};
use super::One;
use crate::error::Result;

/// Columns of the assignments that mean something else. A stratum may be what was drawn.
pub(super) const OTHERS: [&str; 7] = ["customer_id", "arm", "assigned_on", "strategy", "cost", "contacts", "ended_on"];

impl One<'_> {
    /// The column of clusters.
    pub(super) fn cluster(&self) -> Result<Option<String>> {
        let Some(column) = &self.raw.cluster else { return Ok(None) };
        let at = |what: String| Err(self.wrong("cluster", what));
        if self.raw.design != Design::Randomised {
            return at(format!("cluster goes with design randomised, not with {}; remove it", self.raw.design));
        }
        if column.trim().is_empty() {
            return at("cluster is empty; name the column of the assignments whose values were drawn, such as \"store\"".into());
        }
        if OTHERS.contains(&column.as_str()) {
            return at(format!(
                "cluster is {column:?}, a column of the assignments that means something else; name the one whose values were drawn, such as \"store\""
            ));
        }
        Ok(Some(column.clone()))
    }

    /// The methods of the strategy's design, or those that go by clusters.
    pub(super) fn methods(&self) -> &'static [EffectMethod] {
        if self.raw.cluster.is_some() { &[EffectMethod::Permutation] } else { self.raw.design.methods() }
    }

    /// The method that decides where the job names none.
    pub(super) fn usual_method(&self) -> Option<EffectMethod> {
        match self.raw.cluster {
            Some(_) => Some(EffectMethod::Permutation),
            None => self.raw.design.usual_method(),
        }
    }
}
