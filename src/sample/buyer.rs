//! What a customer is like: how often and how long one buys (Gamma–Poisson with dropout), where one
//! lives and what one likes.
//!
//! Everything here is found from the seed and the customer's number alone, and is found anew
//! whenever it is needed: no table of customers is kept, however many there are.

use std::ops::Range;

use rand_distr::{Distribution, Gamma, LogNormal, Pareto};

use super::calendar::Calendar;
use super::category::Category;
use super::error;
use super::rng::{Purpose, Streams};
use crate::error::Result;

/// Names of the regions, in the order of their numbers.
pub(super) const REGIONS: [&str; 5] = ["north", "south", "east", "west", "central"];

/// Region numbers, as often as customers live there.
const REGION_SHARES: [u8; 20] = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4];

/// Shape of the Gamma distribution of purchase rates: below 1, most customers buy far less often
/// than the average one.
const RATE_SHAPE: f64 = 0.75;

/// Share of customers who never come back after their first order, whatever their rate.
const ONE_AND_DONE: f64 = 0.22;

/// Lifetimes are exponential with a Gamma-distributed dropout rate, that is Pareto (Lomax)
/// distributed: half of the customers are lost within about 270 days, some never.
const LIFETIME_SCALE: f64 = 420.0;
const LIFETIME_SHAPE: f64 = 1.4;

/// Spread of customers' order values around that of their category.
const VALUE_SPREAD: f64 = 0.35;

/// How likely a customer's orders are discounted: most rarely take one, some always do.
const DISCOUNT_LEANINGS: [f64; 20] =
    [0.04, 0.04, 0.04, 0.04, 0.04, 0.04, 0.04, 0.04, 0.04, 0.04, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.5, 0.5, 0.5, 1.0];

/// The distributions of the customers of one seed.
#[derive(Debug)]
pub(super) struct Buyers {
    buying: Streams,
    traits: Streams,
    rate: Gamma<f64>,
    lifetime: Pareto<f64>,
    value: LogNormal<f64>,
}

/// When and how often a customer buys.
#[derive(Clone, Debug)]
pub(super) struct Buyer {
    /// Purchases per unit of demand, up to a factor that all customers share.
    rate: f64,
    /// Days on which this customer buys: from arrival to dropout.
    pub(super) active: Range<usize>,
}

/// What a customer is like, as far as it shows in the orders.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traits {
    /// Index into `REGIONS`.
    pub(super) region: u8,
    /// Factor on what the customer spends.
    pub(super) value: f64,
    pub(super) favourite: Category,
    /// How likely an order is discounted, out of season.
    pub(super) discount_leaning: f64,
}

impl Buyers {
    pub(super) fn new(seed: u64) -> Result<Self> {
        Ok(Self {
            buying: Streams::new(seed, Purpose::Buying),
            traits: Streams::new(seed, Purpose::Traits),
            rate: Gamma::new(RATE_SHAPE, 1.0 / RATE_SHAPE).map_err(|e| error::bug(format!("no purchase rates, {e}")))?,
            lifetime: Pareto::new(LIFETIME_SCALE, LIFETIME_SHAPE)
                .map_err(|e| error::bug(format!("no customer lifetimes, {e}")))?,
            value: LogNormal::new(0.0, VALUE_SPREAD).map_err(|e| error::bug(format!("no customer values, {e}")))?,
        })
    }

    /// The customer with this number, who arrives on day `start`.
    pub(super) fn buyer(&self, customer: u64, start: usize) -> Buyer {
        let mut stream = self.buying.at(customer, 0);
        // A rate of exactly zero would leave nobody to give repeat purchases to in tiny samples.
        let rate = self.rate.sample(&mut stream).max(1e-9);
        let days = match stream.chance(ONE_AND_DONE) {
            true => 0.0,
            false => self.lifetime.sample(&mut stream) - LIFETIME_SCALE,
        };
        Buyer { rate, active: start..start.saturating_add(days as usize).saturating_add(1) }
    }

    pub(super) fn traits(&self, customer: u64) -> Traits {
        let mut stream = self.traits.at(customer, 0);
        Traits {
            region: stream.pick(&REGION_SHARES, 0),
            value: self.value.sample(&mut stream),
            favourite: Category::any(&mut stream),
            discount_leaning: stream.pick(&DISCOUNT_LEANINGS, 0.0),
        }
    }
}

impl Buyer {
    /// The days of `range` on which the customer buys; may be empty.
    pub(super) fn active_in(&self, range: &Range<usize>) -> Range<usize> {
        self.active.start.max(range.start)..self.active.end.min(range.end)
    }

    /// How many repeat purchases to expect from the customer on these days, relative to others.
    pub(super) fn demand(&self, calendar: &Calendar, days: &Range<usize>) -> f64 {
        self.rate * calendar.demand_in(days)
    }
}
