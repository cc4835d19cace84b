//! The orders of a bucket's customers.

use crate::domain::CompactInts;
use crate::error::{Error, Result};

/// What an order counts as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OrderKind {
    /// A purchase.
    #[default]
    Purchase,
    /// A return, whose money counts only where returns lower it.
    Return,
    /// Money that is neither: later lines of an order, and rows that the job says are money alone.
    MoneyOnly,
}

/// An order of a customer, with its lines of one date summed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Order {
    /// Business date.
    pub date: i32,
    /// What it counts as.
    pub kind: OrderKind,
    /// Whether a line has a discount.
    pub discounted: bool,
    /// Whether a line lacks its cost.
    pub cost_missing: bool,
    /// Sum of its lines in minor units.
    pub amount: i64,
    /// Cost of its lines in minor units.
    pub cost: i64,
}

impl Order {
    /// Whether it is a purchase.
    #[inline]
    pub fn is_purchase(&self) -> bool {
        self.kind == OrderKind::Purchase
    }

    /// Whether its money and cost count, if returns do (`net`) or not.
    #[inline]
    pub fn counts_money(&self, net: bool) -> bool {
        net || self.kind != OrderKind::Return
    }

    /// The money that counts, if that of returns does (`net`) or not.
    #[inline]
    pub fn money(&self, net: bool) -> i64 {
        if self.counts_money(net) { self.amount } else { 0 }
    }
}

/// The orders of all customers of a bucket, by customer and date.
#[derive(Debug, Clone)]
pub struct OrderHistories {
    /// The orders of customer `c` are `starts[c]..starts[c + 1]`.
    starts: Vec<u32>,
    dates: CompactInts<u16>,
    is_purchase: Vec<bool>,
    money: CompactInts<u32>,
    /// Empty if the orders have no cost.
    cost: CompactInts<u32>,
    cost_missing: Vec<bool>,
    has_cost: bool,
}

/// What a customer did in an order, or in a window of days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Activity {
    /// Purchases.
    pub purchases: u32,
    /// Money of purchases and returns, minor units.
    pub money: i64,
    /// Their cost, minor units.
    pub cost: i64,
    /// Purchases and returns whose cost is not known.
    pub cost_missing: u32,
}

impl OrderHistories {
    /// Empty histories with room for a number of orders.
    pub fn new(has_cost: bool, orders: usize) -> OrderHistories {
        let costs = if has_cost { orders } else { 0 };
        OrderHistories {
            starts: vec![0],
            dates: CompactInts::with_capacity(orders),
            is_purchase: Vec::with_capacity(orders),
            money: CompactInts::with_capacity(orders),
            cost: CompactInts::with_capacity(costs),
            cost_missing: Vec::with_capacity(costs),
            has_cost,
        }
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        let flags = self.is_purchase.len() + self.cost_missing.len();
        4 * self.starts.len() + self.dates.bytes() + self.money.bytes() + self.cost.bytes() + flags
    }

    /// Appends the orders of the next customer, in the order of their dates.
    ///
    /// # Errors
    /// Exit 3 if the money or cost of a window could overflow 64 bits.
    pub fn push(&mut self, orders: &[Order]) -> Result<()> {
        let most = |of: fn(&Order) -> i64| orders.iter().try_fold(0u64, |sum, o| sum.checked_add(of(o).unsigned_abs()));
        let fits = |most: Option<u64>| most.is_some_and(|most| most <= i64::MAX as u64);
        if !fits(most(|o| o.amount)) || !fits(most(|o| o.cost)) {
            return Err(Error::contract(
                "the orders of one customer add up to more money than 64 bits of minor units hold; lower orders.amount_scale or look for a wrong amount",
            ));
        }
        self.dates.extend(orders.iter().map(|order| order.date));
        self.is_purchase.extend(orders.iter().map(Order::is_purchase));
        self.money.extend(orders.iter().map(|order| order.amount));
        if self.has_cost {
            self.cost.extend(orders.iter().map(|order| order.cost));
            self.cost_missing.extend(orders.iter().map(|order| order.cost_missing));
        }
        self.starts.push(self.dates.len() as u32);
        Ok(())
    }

    /// Appends the next customer's orders as activities by date, for tests.
    #[cfg(test)]
    pub(crate) fn push_activities(&mut self, orders: &[(i32, Activity)]) -> Result<()> {
        let order = |(date, activity): &(i32, Activity)| Order {
            date: *date,
            amount: activity.money,
            kind: if activity.purchases == 0 { OrderKind::Return } else { OrderKind::Purchase },
            cost: activity.cost,
            cost_missing: activity.cost_missing > 0,
            ..Order::default()
        };
        self.push(&orders.iter().map(order).collect::<Vec<_>>())
    }

    /// Inserts customers without orders: `positions` has per customer the index among these histories, ascending, or `None`.
    pub fn spread(self, positions: impl Iterator<Item = Option<usize>>) -> OrderHistories {
        let mut starts = vec![0];
        let mut end = 0;
        for position in positions {
            end = position.and_then(|p| self.starts.get(p + 1).copied()).unwrap_or(end);
            starts.push(end);
        }
        OrderHistories { starts, ..self }
    }

    /// The orders of a customer.
    #[inline]
    pub fn of(&self, customer: usize) -> OrderHistory<'_> {
        OrderHistory { all: self, start: self.starts[customer] as usize, end: self.starts[customer + 1] as usize }
    }
}

/// The orders of a customer.
#[derive(Debug, Clone, Copy)]
pub struct OrderHistory<'a> {
    all: &'a OrderHistories,
    /// The range of its orders in `all`.
    start: usize,
    end: usize,
}

impl<'a> OrderHistory<'a> {
    /// Date and activity of every order, ascending by date.
    #[inline]
    pub fn orders(&self) -> impl Iterator<Item = (i32, Activity)> + use<'a> {
        let OrderHistory { all, start, end } = *self;
        (start..end).map(move |at| {
            let (cost, cost_missing) = if all.has_cost { (all.cost.at(at), u32::from(all.cost_missing[at])) } else { (0, 0) };
            (
                all.dates.at(at),
                Activity { purchases: u32::from(all.is_purchase[at]), money: all.money.at(at), cost, cost_missing },
            )
        })
    }

    /// Whether orders have a cost.
    pub fn has_cost(&self) -> bool {
        self.all.has_cost
    }

    /// The first date of a purchase; `None` without any.
    pub fn first_purchase(&self) -> Option<i32> {
        (self.start..self.end).find(|at| self.all.is_purchase[*at]).map(|at| self.all.dates.at(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histories_are_the_orders_of_each_customer() -> Result<()> {
        let kind = |is_return| if is_return { OrderKind::Return } else { OrderKind::Purchase };
        let order =
            |date, amount: i64, is_return| Order { date, amount, kind: kind(is_return), cost: amount / 2, ..Order::default() };
        let mut histories = OrderHistories::new(true, 0);
        histories.push(&[order(5, i64::MAX - 10, false)])?;
        histories.push(&[order(1, -100, true), order(3, 40, false), order(9, 7, false)])?;
        histories.push(&[])?;
        histories.push(&[order(2, i64::MAX, false)])?;
        assert!(histories.push(&[order(1, i64::MAX, false), order(1, 1, false)]).is_err());
        let orders = |histories: &OrderHistories, customer| -> Vec<(i32, u32, i64, i64)> {
            let orders = histories.of(customer).orders();
            orders.map(|(date, activity)| (date, activity.purchases, activity.money, activity.cost)).collect()
        };
        assert_eq!(orders(&histories, 1), [(1, 0, -100, -50), (3, 1, 40, 20), (9, 1, 7, 3)]);
        assert_eq!(orders(&histories, 2), []);
        assert_eq!([0, 1, 2, 3].map(|c| histories.of(c).first_purchase()), [Some(5), Some(3), None, Some(2)]);
        let spread = histories.spread([None, Some(0), Some(1), None, Some(2), Some(3)].into_iter());
        assert_eq!([0, 1, 2, 3, 4, 5].map(|c| spread.of(c).first_purchase()), [None, Some(5), Some(3), None, None, Some(2)]);
        assert_eq!(orders(&spread, 2).len(), 3);
        Ok(())
    }
}
