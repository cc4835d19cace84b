//! Everything that the text of the job file says.

use crate::error::Result;
use crate::init::ask::Question;
use crate::init::guess::{Amount, Guess, Seen};
use crate::init::history::History;
use crate::init::proposals::AsOfGuess;
use crate::init::rows::Content;
use crate::init::zones::ZoneGuess;

/// Everything that the text says.
pub struct Draft<'a> {
    /// The rows that were looked at.
    pub seen: &'a Seen<'a>,
    /// What the columns are.
    pub guess: &'a Guess,
    /// What the rows say that were looked at.
    pub history: &'a History,
    /// The zone.
    pub zone: &'a ZoneGuess,
    /// The as-of date.
    pub as_of: &'a AsOfGuess,
    /// Questions that nobody answered.
    pub open: &'a [Question],
    /// Whether what was paid back is taken off the money.
    pub subtracts_refund: bool,
    /// The discount, as far as the job can use it.
    pub discount: Option<usize>,
    /// Whether its values are below zero.
    pub discount_is_negative: bool,
}

impl Draft<'_> {
    /// The name of a column in the job: that of a field of a struct has no points.
    pub fn named(&self, at: usize) -> Result<String> {
        let name = &self.seen.column(at)?.name;
        Ok(match self.seen.table.content {
            Content::Ndjson(_) => name.replace('.', "_"),
            _ => name.clone(),
        })
    }

    pub fn names(&self, columns: &[usize]) -> Result<Vec<String>> {
        columns.iter().map(|at| self.named(*at)).collect()
    }

    /// The name of the money, which is another than that of its column if something was taken off.
    pub fn amount_name(&self) -> Result<String> {
        let Amount::Column([at]) = &self.guess.amount else { return Ok(String::new()) };
        if !self.subtracts_refund {
            return self.named(*at);
        }
        let taken = |name: &str| self.seen.sample.columns.iter().any(|column| column.name == name);
        Ok(["net_amount", "amount_less_refunds"]
            .into_iter()
            .find(|name| !taken(name))
            .unwrap_or("net_amount_of_order")
            .to_owned())
    }
}
