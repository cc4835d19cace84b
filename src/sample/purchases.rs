//! The purchases of one file, customer by customer, handed over in chunks of bounded size.

use std::ops::Range;

use rand_distr::{Distribution, Exp1};

use super::buyer::Traits;
use super::calendar::{DAY_SECONDS, time_of_day};
use super::chunk::{Chunk, Order};
use super::error;
use super::plan::{Block, FilePlan, Plan};
use super::rng::{Purpose, Streams};
use super::status::Status;
use crate::domain::SplitMix;
use crate::error::Result;

/// The most purchases held at a time. A chunk becomes a row group; making and encoding one takes
/// about 60 MB, and each thread has one.
const CHUNK_PURCHASES: u64 = 1 << 18;

/// Generates the purchases of the file with this index, and gives each full chunk to `write`, which
/// empties it.
///
/// Purchases come customer by customer, so a chunk holds some customers' purchases from all of the
/// file's dates. The chunks depend on the plan alone.
pub(super) fn generate(
    plan: &Plan,
    (index, file): (u64, &FilePlan),
    write: &mut dyn FnMut(&mut Chunk) -> Result<()>,
) -> Result<()> {
    let chunks = file.purchases.div_ceil(CHUNK_PURCHASES).max(1);
    let mut maker = Maker {
        plan,
        days: file.range.days.clone(),
        index,
        baskets: Streams::new(plan.seed, Purpose::Basket),
        chunk: Chunk::default(),
        chunk_size: file.purchases.div_ceil(chunks) as usize,
        write,
    };
    let timing = Streams::new(plan.seed, Purpose::Timing);
    for (number, block) in (0..).zip(plan.blocks(file)) {
        maker.block(&block, timing.at(index, number))?;
    }
    maker.finish()
}

/// Makes the purchases of one file.
struct Maker<'a> {
    plan: &'a Plan,
    days: Range<usize>,
    index: u64,
    baskets: Streams,
    chunk: Chunk,
    chunk_size: usize,
    write: &'a mut dyn FnMut(&mut Chunk) -> Result<()>,
}

impl Maker<'_> {
    /// Lays all customers' demand in these days end to end and lets repeat purchases fall on that
    /// line at random: where one falls says whose it is, and on which day.
    fn block(&mut self, block: &Block, timing: SplitMix) -> Result<()> {
        let mut points = Points::new(block.repeats, block.demand, timing);
        let mut next = points.next();
        let mut end = 0.0;
        let plan = self.plan;
        for (start, customers) in plan.calendar.arrivals_in(block.customers.clone()) {
            if start >= self.days.end {
                break;
            }
            let arrives = self.days.contains(&start);
            for customer in customers {
                let buyer = plan.buyers.buyer(customer, start);
                let active = buyer.active_in(&self.days);
                if active.is_empty() {
                    continue;
                }
                let demand = plan.demand((customer, &buyer, start), active);
                let begin = end;
                end += demand.total;
                if !arrives && next.is_none_or(|point| point >= end) {
                    continue;
                }
                let mut customer = self.customer(customer);
                if arrives {
                    self.purchase(&mut customer, start, false)?;
                }
                while let Some(point) = next.filter(|point| *point < end) {
                    let day = demand.day_at(&plan.calendar, point - begin);
                    let guest = customer.stream.chance(plan.guest_chance);
                    self.purchase(&mut customer, day, guest)?;
                    next = points.next();
                }
            }
        }
        match next {
            None => Ok(()),
            Some(_) => Err(error::bug("a repeat purchase has no customer")),
        }
    }

    fn customer(&self, customer: u64) -> Customer {
        Customer {
            number: customer,
            traits: self.plan.buyers.traits(customer),
            // By customer and file, so that one customer's purchases never change another's.
            stream: self.baskets.at(customer, self.index),
        }
    }

    fn purchase(&mut self, customer: &mut Customer, day: usize, guest: bool) -> Result<()> {
        let stream = &mut customer.stream;
        let in_file = (day - self.days.start) as u64;
        let seconds = in_file * DAY_SECONDS + time_of_day(stream);
        let status = Status::of_purchase(stream);
        let first_line = self.chunk.lines.len();
        let line_count =
            self.plan.prices.fill(stream, &customer.traits, self.plan.calendar.discount_factor(day), &mut self.chunk.lines);
        self.chunk.orders.push(Order {
            seconds: seconds as u32,
            customer: Some(customer.number).filter(|_| !guest),
            region: customer.traits.region,
            status,
            first_line: first_line as u32,
            line_count,
        });
        match self.chunk.orders.len() < self.chunk_size {
            true => Ok(()),
            false => (self.write)(&mut self.chunk),
        }
    }

    fn finish(mut self) -> Result<()> {
        match self.chunk.orders.is_empty() {
            true => Ok(()),
            false => (self.write)(&mut self.chunk),
        }
    }
}

/// A customer while purchases are made.
struct Customer {
    number: u64,
    traits: Traits,
    stream: SplitMix,
}

/// Points that fall independently and evenly on a line, in ascending order, without holding them:
/// sums of exponential gaps, scaled so that the last gap ends where the line does.
struct Points {
    gaps: SplitMix,
    left: u64,
    at: f64,
    scale: f64,
}

impl Points {
    fn new(number: u64, length: f64, gaps: SplitMix) -> Self {
        // The gaps are drawn twice from the same stream: here for their sum, then one by one.
        let mut ahead = gaps.clone();
        let sum: f64 = (0..=number).map(|_| gap(&mut ahead)).sum();
        Self {
            gaps,
            left: number,
            at: 0.0,
            // Just short of the end, so that rounding never puts a point behind it.
            scale: length * (1.0 - 1e-12) / sum,
        }
    }
}

impl Iterator for Points {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        self.left = self.left.checked_sub(1)?;
        self.at += gap(&mut self.gaps);
        Some(self.at * self.scale)
    }
}

fn gap(stream: &mut SplitMix) -> f64 {
    Exp1.sample(stream)
}
