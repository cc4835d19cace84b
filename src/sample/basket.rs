//! What is in an order: categories, prices, discounts, costs.
//!
//! Money is in cents (two decimal places).

use rand_distr::{Distribution, LogNormal};

use super::buyer::Traits;
use super::category::Category;
use super::error;
use crate::domain::SplitMix;
use crate::error::Result;

/// Lowest and highest list price, in cents.
const PRICES: (f64, f64) = (199.0, 999_999.0);

/// Cents that prices end in.
const PRICE_ENDINGS: [i64; 8] = [99, 99, 99, 99, 95, 90, 49, 0];

/// Discounts in percent, as often as they are given.
const DISCOUNT_PERCENT: [i64; 8] = [5, 10, 10, 15, 20, 20, 25, 30];

/// Steps from the category of one line to that of the next. Three lines of six categories never meet
/// the same one twice with any of these.
const LINE_STEPS: [usize; 4] = [1, 2, 4, 5];

/// How often customers buy in their favourite category.
const FAVOURITE: f64 = 0.55;

/// An order line: goods of one category.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// What was paid, in cents; negative for a return.
    pub(super) amount: i64,
    /// How much the list price was reduced by, in cents.
    pub(super) discount: i64,
    /// What the goods cost the shop, in cents; negative for a return.
    pub(super) cost: i64,
    pub(super) category: Category,
}

impl Line {
    /// The line of a return of these goods: money and goods go back, no discount is given.
    pub(super) fn reversed(self) -> Self {
        Self { amount: -self.amount, discount: 0, cost: -self.cost, category: self.category }
    }
}

/// The shop's prices.
#[derive(Debug)]
pub(super) struct Prices {
    /// List prices in cents, by category number.
    lists: Vec<LogNormal<f64>>,
}

impl Prices {
    pub(super) fn new() -> Result<Self> {
        let list = |category: &Category| {
            let (middle, spread) = category.price();
            LogNormal::new(middle.ln(), spread).map_err(|e| error::bug(format!("no prices, {e}")))
        };
        Ok(Self { lists: Category::ALL.iter().map(list).collect::<Result<_>>()? })
    }

    /// Fills `lines` with what a customer buys in one order; returns the number of lines.
    /// `discounts` is how much likelier discounts are than usual.
    pub(super) fn fill(&self, stream: &mut SplitMix, traits: &Traits, discounts: f64, lines: &mut Vec<Line>) -> u8 {
        let percent = match stream.chance(traits.discount_leaning * discounts) {
            true => stream.pick(&DISCOUNT_PERCENT, 0),
            false => 0,
        };
        let first = match stream.chance(FAVOURITE) {
            true => traits.favourite,
            false => Category::any(stream),
        };
        // One order in eight has a second line, and a quarter of those a third.
        let count = match stream.below(32) {
            0 => 3,
            1..4 => 2,
            _ => 1,
        };
        let step = stream.pick(&LINE_STEPS, 1);
        for line in 0..count {
            lines.push(self.line(stream, first.next(step * line), traits.value, percent));
        }
        count as u8
    }

    fn line(&self, stream: &mut SplitMix, category: Category, value: f64, percent: i64) -> Line {
        let drawn = match self.lists.get(category as usize) {
            Some(list) => list.sample(stream) * value,
            None => PRICES.0,
        };
        let euros = (drawn.clamp(PRICES.0, PRICES.1) / 100.0) as i64;
        let list = euros * 100 + stream.pick(&PRICE_ENDINGS, 0);
        let discount = (list * percent + 50) / 100;
        let cost_share = category.cost_share() * (0.9 + 0.2 * stream.unit());
        Line { amount: list - discount, discount, cost: (list as f64 * cost_share).round() as i64, category }
    }
}
