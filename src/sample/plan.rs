//! Who buys how much in which file: everything that must be known before files can be written
//! independently of one another.
//!
//! Purchases of many Gamma–Poisson buyers, given their total, are multinomial: each falls to a
//! customer and a date with a chance in proportion to the demand there. So the total is exact, and
//! is handed down: to files, to blocks of customers within a file, and (in `purchases`) to customers
//! and days within a block. Only the numbers per file and block are kept.

use std::ops::Range;

use rand_distr::{Binomial, Distribution};
use rayon::prelude::*;

use super::basket::Prices;
use super::buyer::{Buyer, Buyers};
use super::calendar::{Calendar, DateRange, date_ranges};
use super::columns::Ids;
use super::error;
use super::rng::{Purpose, Streams};
use super::spec::SampleSpec;
use super::treatment::{Demand, Treatment};
use crate::domain::SplitMix;
use crate::error::{Error, Result};

/// The largest sample.
const MOST_ORDERS: u64 = 1_000_000_000_000;

/// The most files of a sample.
const MOST_FILES: usize = 4_000;

/// Customers per block, unless that makes too many blocks.
const BLOCK_CUSTOMERS: u64 = 4_096;

/// The most blocks. With the most files this bounds the plan's memory to about 100 MB; a usual
/// plan has a few hundred kilobytes.
const MOST_BLOCKS: u64 = 1_024;

/// Returns among orders.
const RETURN_SHARE: (u64, u64) = (4, 100);

/// Guest orders (without a customer id) among orders.
const GUEST_SHARE: f64 = 0.03;

/// Everything about a sample that its files share.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) orders: u64,
    pub(super) customers: u64,
    pub(super) ids: Ids,
    pub(super) calendar: Calendar,
    pub(super) buyers: Buyers,
    pub(super) prices: Prices,
    /// How likely a repeat purchase is made as a guest.
    pub(super) guest_chance: f64,
    /// The strategy with an effect.
    pub(super) treatment: Option<Treatment>,
    pub(super) files: Vec<FilePlan>,
    block_customers: u64,
}

/// What one file holds.
#[derive(Debug)]
pub(super) struct FilePlan {
    pub(super) range: DateRange,
    /// Purchases, first and repeat.
    pub(super) purchases: u64,
    pub(super) returns: u64,
    /// The bad rows, numbered over the whole sample.
    pub(super) bad_rows: Range<u64>,
    /// The lowest order id; ids follow one another without gaps.
    pub(super) first_order_id: u64,
    /// Repeat purchases by block.
    repeats: Vec<u64>,
    /// Demand by block, added up in the order of customers.
    demand: Vec<f64>,
}

/// A block of customers within a file.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// The customers' numbers.
    pub(super) customers: Range<u64>,
    pub(super) repeats: u64,
    pub(super) demand: f64,
}

impl Plan {
    pub(super) fn new(spec: &SampleSpec) -> Result<Self> {
        let returns = share_of(spec.orders.min(MOST_ORDERS), RETURN_SHARE);
        let purchases = spec.orders.min(MOST_ORDERS) - returns;
        let customers = spec.customers.unwrap_or(spec.orders / 8).max(
            // Only a number that was asked for can be wrong.
            u64::from(spec.customers.is_none()),
        );
        check(spec, purchases, customers)?;
        let repeats = purchases - customers;

        let ranges = date_ranges(spec.from, spec.to, spec.files)?;
        let ids = Ids::new(spec.string_ids, customers);
        let dates = (spec.from, spec.to);
        let treatment = spec.strategy.as_ref().map(|strategy| Treatment::new(strategy, dates, ids)).transpose()?;
        let mut plan = Self {
            seed: spec.seed,
            orders: spec.orders,
            customers,
            ids,
            calendar: Calendar::new(spec.seed, spec.from, spec.to, customers)?,
            buyers: Buyers::new(spec.seed)?,
            prices: Prices::new()?,
            guest_chance: match repeats {
                0 => 0.0,
                _ => (GUEST_SHARE * purchases as f64 / repeats as f64).min(0.5),
            },
            treatment,
            files: Vec::new(),
            block_customers: BLOCK_CUSTOMERS.max(customers.div_ceil(MOST_BLOCKS)),
        };

        if let Some(treatment) = plan.treatment.as_ref().filter(|t| plan.calendar.arrived_before(t.days.start) == 0) {
            return Err(Error::usage(format!(
                "The strategy begins on {}, when no customer of the sample has bought yet; let it begin later, or ask for more customers.",
                treatment.from
            )));
        }
        let demands = plan.demands(&ranges);
        let totals: Vec<f64> = demands.iter().map(|blocks| blocks.iter().sum()).collect();
        let streams = Streams::new(spec.seed, Purpose::Allocation);
        let repeats_by_file = spread(repeats, &totals, &mut streams.at(0, 0))?;

        let parts = Parts { purchases, returns, bad_rows: spec.bad_rows };
        let mut bought = 0;
        for (((file, range), demand), repeats) in (1..).zip(ranges).zip(demands).zip(repeats_by_file) {
            let first_purchases = plan.calendar.arrived_before(range.days.end) - plan.calendar.arrived_before(range.days.start);
            let repeats = spread(repeats, &demand, &mut streams.at(file, 0))?;
            let purchases = first_purchases + repeats.iter().sum::<u64>();
            let (returns, bad_rows) = parts.between(bought, bought + purchases);
            plan.files.push(FilePlan {
                first_order_id: 1 + bought + returns.start,
                purchases,
                returns: returns.end - returns.start,
                bad_rows,
                repeats,
                demand,
                range,
            });
            bought += purchases;
        }
        Ok(plan)
    }

    /// The blocks of a file.
    pub(super) fn blocks(&self, file: &FilePlan) -> impl Iterator<Item = Block> {
        self.block_ranges().zip(file.repeats.iter().zip(&file.demand)).map(|(customers, (repeats, demand))| Block {
            customers,
            repeats: *repeats,
            demand: *demand,
        })
    }

    fn block_ranges(&self) -> impl Iterator<Item = Range<u64>> + use<> {
        let (customers, size) = (self.customers, self.block_customers);
        (0..customers.div_ceil(size)).map(move |block| block * size..((block + 1) * size).min(customers))
    }

    /// Demand by file and block.
    fn demands(&self, ranges: &[DateRange]) -> Vec<Vec<f64>> {
        let blocks: Vec<Range<u64>> = self.block_ranges().collect();
        let by_block: Vec<Vec<f64>> = blocks.into_par_iter().map(|block| self.demand_of(block, ranges)).collect();
        (0..ranges.len())
            .map(|file| by_block.iter().map(|files| files.get(file).copied().unwrap_or_default()).collect())
            .collect()
    }

    /// Demand of a customer, who arrived on the day with that number, on the days of `active`.
    pub(super) fn demand(&self, customer: (u64, &Buyer, usize), active: Range<usize>) -> Demand {
        Demand::of(customer, &self.calendar, active, self.treatment.as_ref())
    }

    /// Demand of one block by file. The sums must add the same numbers in the same order as
    /// `purchases` does, so that both come to the same last digit.
    fn demand_of(&self, block: Range<u64>, ranges: &[DateRange]) -> Vec<f64> {
        let mut sums = vec![0.0; ranges.len()];
        for (start, customers) in self.calendar.arrivals_in(block) {
            let first = ranges.partition_point(|range| range.days.end <= start);
            for customer in customers {
                let buyer = self.buyers.buyer(customer, start);
                for (sum, range) in sums.iter_mut().zip(ranges).skip(first) {
                    if range.days.start >= buyer.active.end {
                        break;
                    }
                    *sum += self.demand((customer, &buyer, start), buyer.active_in(&range.days)).total;
                }
            }
        }
        sums
    }
}

/// Things that are spread evenly over purchases.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    pub(super) purchases: u64,
    pub(super) returns: u64,
    pub(super) bad_rows: u64,
}

impl Parts {
    /// Those that go with the purchases `from..to`. Adjacent ranges leave nothing out.
    pub(super) fn between(self, from: u64, to: u64) -> (Range<u64>, Range<u64>) {
        let up_to = |parts: u64, purchases: u64| {
            let share = u128::from(parts) * u128::from(purchases);
            (share / u128::from(self.purchases.max(1))) as u64
        };
        (up_to(self.returns, from)..up_to(self.returns, to), up_to(self.bad_rows, from)..up_to(self.bad_rows, to))
    }
}

fn share_of(number: u64, (part, whole): (u64, u64)) -> u64 {
    (number * part + whole / 2) / whole
}

fn check(spec: &SampleSpec, purchases: u64, customers: u64) -> Result<()> {
    if spec.orders == 0 || spec.orders > MOST_ORDERS {
        return Err(Error::usage(format!(
            "A sample of {} orders was asked for, but it must have between 1 and {MOST_ORDERS}; ask for a number in that range.",
            spec.orders
        )));
    }
    if customers == 0 || customers > purchases {
        return Err(Error::usage(format!(
            "A sample of {} orders has {purchases} purchases and so room for 1 to {purchases} customers, but {customers} were asked for; ask for a number in that range or for more orders.",
            spec.orders
        )));
    }
    if spec.bad_rows > spec.orders {
        return Err(Error::usage(format!(
            "A sample of {} orders can have at most as many bad rows, but {} were asked for; ask for fewer.",
            spec.orders, spec.bad_rows
        )));
    }
    if spec.files > MOST_FILES {
        return Err(error::files(spec.files, (spec.from, spec.to), MOST_FILES));
    }
    Ok(())
}

/// Spreads `total` things over places with chances in proportion to their weights (one multinomial
/// draw, as a chain of binomial ones).
fn spread(total: u64, weights: &[f64], stream: &mut SplitMix) -> Result<Vec<u64>> {
    // Sums from each place to the end, so that the last place with a weight has a chance of
    // exactly 1 and takes all that is left.
    let mut sum = 0.0;
    let mut tails: Vec<f64> = weights
        .iter()
        .rev()
        .map(|weight| {
            sum += weight;
            sum
        })
        .collect();
    tails.reverse();

    let mut left = total;
    let mut counts = Vec::with_capacity(weights.len());
    for (weight, tail) in weights.iter().zip(tails) {
        let count = if left == 0 || *weight <= 0.0 {
            0
        } else if *weight >= tail {
            left
        } else {
            Binomial::new(left, weight / tail)
                .map_err(|e| error::bug(format!("no purchases to spread, {e}")))?
                .sample(stream)
                .min(left)
        };
        left -= count;
        counts.push(count);
    }
    match left {
        0 => Ok(counts),
        _ => Err(error::bug(format!("{left} of {total} repeat purchases have no customer"))),
    }
}
