//! The orders of a bucket's customers as running sums, so that any stretch of days is the difference of two places.

use std::ops::Range;

use super::group::Order;
use crate::error::{Error, Result};

/// Orders of all customers of a bucket, customer after customer, each in the order of the dates. Running sums go through
/// all of them and wrap around, which differences do not notice.
#[derive(Debug, Clone, Default)]
pub struct Histories {
    /// Where each customer's orders begin, and the end of the last one's.
    starts: Vec<u32>,
    dates: Vec<i32>,
    /// Before each order, and after the last.
    purchases: Vec<u32>,
    money: Vec<i64>,
    /// Empty if the orders have no costs.
    cost: Vec<i64>,
    cost_missing: Vec<u32>,
}

/// What a customer did in a stretch of days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deeds {
    /// Purchases.
    pub purchases: u32,
    /// Money of purchases and returns, minor units.
    pub money: i64,
    /// Their cost, minor units.
    pub cost: i64,
    /// Purchases and returns whose cost is not known.
    pub cost_missing: u32,
}

impl Histories {
    pub(super) fn new(has_cost: bool) -> Histories {
        let start = || vec![0];
        let costs = if has_cost { (vec![0], vec![0]) } else { (Vec::new(), Vec::new()) };
        Histories { starts: vec![0], dates: Vec::new(), purchases: vec![0], money: start(), cost: costs.0, cost_missing: costs.1 }
    }

    /// Bytes that they take.
    pub(super) fn bytes(&self) -> usize {
        4 * (self.starts.len() + self.dates.len() + self.purchases.len() + self.cost_missing.len())
            + 8 * (self.money.len() + self.cost.len())
    }

    /// Adds the next customer's orders, which are in the order of the dates.
    ///
    /// # Errors
    /// Exit 3 if a stretch of them could overflow 64 bits.
    pub(super) fn push(&mut self, orders: &[Order]) -> Result<()> {
        let most = |of: fn(&Order) -> i64| orders.iter().try_fold(0u64, |sum, o| sum.checked_add(of(o).unsigned_abs()));
        let fits = |most: Option<u64>| most.is_some_and(|most| most <= i64::MAX as u64);
        if !fits(most(|o| o.amount)) || !fits(most(|o| o.cost)) {
            return Err(Error::contract(
                "the orders of one customer add up to more money than 64 bits of minor units hold; lower orders.amount_scale or look for a wrong amount",
            ));
        }
        let last = |sums: &[i64]| sums.last().copied().unwrap_or(0);
        for order in orders {
            let purchases = self.purchases.last().copied().unwrap_or(0);
            self.dates.push(order.date);
            self.purchases.push(purchases.wrapping_add(u32::from(!order.is_return)));
            self.money.push(last(&self.money).wrapping_add(order.amount));
            if !self.cost.is_empty() {
                let missing = self.cost_missing.last().copied().unwrap_or(0);
                self.cost.push(last(&self.cost).wrapping_add(order.cost));
                self.cost_missing.push(missing.wrapping_add(u32::from(order.cost_missing)));
            }
        }
        self.starts.push(self.dates.len() as u32);
        Ok(())
    }

    /// The same for customers with others between them who have no order: one entry per customer, with the place among these
    /// histories of who has one. The places ascend.
    pub(super) fn spread(self, places: impl Iterator<Item = Option<usize>>) -> Histories {
        let mut starts = vec![0];
        let mut end = 0;
        for place in places {
            end = place.and_then(|p| self.starts.get(p + 1).copied()).unwrap_or(end);
            starts.push(end);
        }
        Histories { starts, ..self }
    }

    /// The first date of a customer's purchases; `None` without any.
    pub fn first_purchase(&self, customer: usize) -> Option<i32> {
        let (start, end) = (self.starts[customer] as usize, self.starts[customer + 1] as usize);
        (start..end).find(|at| self.purchases[*at] != self.purchases[at + 1]).map(|at| self.dates[at])
    }

    /// The orders of a customer.
    #[inline]
    pub fn of(&self, customer: usize) -> History<'_> {
        let (start, end) = (self.starts[customer] as usize, self.starts[customer + 1] as usize);
        History { all: self, start, count: end - start }
    }

    /// What happened from one place to another; nothing if that is not behind it.
    #[inline]
    fn between(&self, from: usize, to: usize) -> Deeds {
        // Most stretches are empty, but which ones no processor guesses: there is no branch here for it to try.
        let to = to.max(from);
        let (cost, cost_missing) = match self.cost.is_empty() {
            true => (0, 0),
            false => (self.cost[to].wrapping_sub(self.cost[from]), self.cost_missing[to].wrapping_sub(self.cost_missing[from])),
        };
        Deeds {
            purchases: self.purchases[to].wrapping_sub(self.purchases[from]),
            money: self.money[to].wrapping_sub(self.money[from]),
            cost,
            cost_missing,
        }
    }
}

/// The orders of a customer.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    all: &'a Histories,
    /// Where they begin, and how many there are.
    start: usize,
    count: usize,
}

impl History<'_> {
    /// What the customer did in two stretches of days, each from its first day to the one before its end.
    #[inline]
    pub fn deeds(&self, [one, other]: [Range<i32>; 2]) -> [Deeds; 2] {
        let places = before(&self.all.dates[self.start..], self.count, [one.start, one.end, other.start, other.end]);
        let between = |from: usize, to: usize| self.all.between(self.start + from, self.start + to);
        [between(places[0], places[1]), between(places[2], places[3])]
    }
}

/// How many of the first `count` dates, which ascend, lie before each of the days.
///
/// Of few dates all are looked at, and always as many: that takes the processor less than to guess its way through them.
#[inline]
fn before<const N: usize>(dates: &[i32], count: usize, days: [i32; N]) -> [usize; N] {
    #[inline]
    fn among<const N: usize, const FEW: usize>(dates: &[i32; FEW], count: usize, days: [i32; N]) -> [usize; N] {
        let own: [i32; FEW] = std::array::from_fn(|at| if at < count { dates[at] } else { i32::MAX });
        let mut found = [0; N];
        for (found, day) in found.iter_mut().zip(days) {
            *found = own.iter().map(|date| i32::from(*date < day)).sum::<i32>() as usize;
        }
        found
    }
    match (dates.first_chunk::<16>(), dates.first_chunk::<32>()) {
        (Some(dates), _) if count <= 16 => among(dates, count, days),
        (_, Some(dates)) if count <= 32 => among(dates, count, days),
        _ => days.map(|day| dates[..count].partition_point(|date| *date < day)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_dates_and_many_are_found_alike() {
        for count in [0, 1, 5, 16, 17, 32, 33, 200] {
            for behind in [0, 3, 40] {
                let dates: Vec<i32> = (0..count + behind).map(|n| if n < count { n / 3 * 2 } else { n - count }).collect();
                let own = &dates[..count as usize];
                for day in [-1, 0, 1, 2, 7, 40, 1_000] {
                    let want = own.iter().filter(|date| **date < day).count();
                    assert_eq!(before(&dates, own.len(), [day, 0]), [want, 0]);
                }
            }
        }
    }

    #[test]
    fn stretches_of_days_are_exact_also_where_sums_wrap() -> Result<()> {
        let order = |date, amount: i64, is_return| Order { date, amount, is_return, cost: amount / 2, ..Order::default() };
        let mut histories = Histories::new(true);
        histories.push(&[order(5, i64::MAX - 10, false)])?;
        histories.push(&[order(1, 100, false), order(3, -40, true), order(3, 60, false), order(9, 7, false)])?;
        histories.push(&[])?;
        histories.push(&[order(2, i64::MAX, false)])?;
        let deeds = |customer, days| {
            let [_, found] = histories.of(customer).deeds([0..1, days]);
            (found.purchases, found.money, found.cost)
        };
        assert_eq!(deeds(1, 1..4), (2, 120, 60));
        assert_eq!(deeds(1, 2..4), (1, 20, 10));
        assert_eq!(deeds(1, 4..9), (0, 0, 0));
        assert_eq!(deeds(1, 9..10), (1, 7, 3));
        assert_eq!(deeds(1, 9..9), (0, 0, 0));
        assert_eq!(deeds(2, 0..100), (0, 0, 0));
        assert_eq!(deeds(3, 0..100), (1, i64::MAX, i64::MAX / 2));
        assert_eq!([0, 1, 2].map(|c| histories.first_purchase(c)), [Some(5), Some(1), None]);
        assert!(histories.push(&[order(1, i64::MAX, false), order(1, 1, false)]).is_err());
        let spread = histories.spread([None, Some(0), Some(1), None, Some(2), Some(3)].into_iter());
        assert_eq!([0, 1, 2, 3, 4, 5].map(|c| spread.first_purchase(c)), [None, Some(5), Some(1), None, None, Some(2)]);
        assert_eq!(spread.of(2).deeds([1..4, 0..0])[0].money, 120);
        Ok(())
    }
}
