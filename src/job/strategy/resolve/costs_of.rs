//! The strategies whose costs a strategy has too.

use super::One;
use crate::domain::Design;
use crate::error::{Result, suggestion};

impl One<'_> {
    /// Their names, each a strategy of the job with costs of its own.
    pub(super) fn costs_of(&self) -> Result<Vec<String>> {
        for (place, name) in self.raw.costs_of.iter().enumerate() {
            if let Some(what) = self.what_is_wrong(place, name) {
                return Err(self.wrong("costs_of", format!("costs_of names {name:?}, {what}")));
            }
        }
        Ok(self.raw.costs_of.clone())
    }

    /// Why a strategy has no costs that could be another one's.
    fn what_is_wrong(&self, place: usize, name: &str) -> Option<String> {
        if name == self.raw.name {
            return Some("the strategy itself, which has its own costs anyhow; take it out".into());
        }
        if self.raw.costs_of.iter().take(place).any(|before| before == name) {
            return Some("and it names it twice; take one of them out".into());
        }
        let Some(named) = self.all.iter().find(|strategy| strategy.name == name) else {
            let others: Vec<&str> =
                self.all.iter().map(|strategy| strategy.name.as_str()).filter(|other| *other != self.raw.name).collect();
            return Some(match others.is_empty() {
                true => "but the job has no other strategy; take it out".into(),
                false => {
                    let near = suggestion(name, others.iter().copied());
                    format!("which is none of the job's other strategies ({}){near}", others.join(", "))
                }
            });
        };
        match named.design {
            Design::Threshold => Some("of which only the cost of customers at its cut is known; take it out".into()),
            _ if !named.costs_of.is_empty() => {
                Some("which has costs of others itself; name the strategies whose costs these are".into())
            }
            _ => None,
        }
    }
}
