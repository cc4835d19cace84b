//! What customers have bought up to some days.
//!
//! A purchase is a day with one, here as in the measures of gaps: two orders of a day are one visit to the shop, and the models
//! below know no two purchases at the same time.

use serde::{Deserialize, Serialize};

use crate::activity::Order;
use crate::domain::Day;

/// What a customer has bought up to a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Purchased {
    /// Days with a purchase.
    pub order_days: u32,
    /// The last of them.
    pub last: i32,
    /// Money of all orders, minor units.
    pub money: i64,
}

/// A customer at the day up to which purchases are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CustomerHistory {
    /// Days with a purchase; 0 of somebody who has not bought.
    pub order_days: u32,
    /// The first of them.
    pub first: i32,
    /// The last of them.
    pub last: i32,
    /// Money of all orders after the first day, minor units.
    pub repeat_money: i64,
}

/// The histories of a bucket's customers.
#[derive(Debug, Clone, Default)]
pub struct HistoryColumns {
    days: Vec<i32>,
    first: Vec<i32>,
    /// Money up to the first purchase; none once days were forgotten, and money is that after it.
    first_money: Vec<i64>,
    /// Customer after customer, by day.
    purchased: Vec<Purchased>,
}

impl HistoryColumns {
    /// No customers, seen on ascending days.
    pub fn new(days: &[Day], customers: usize) -> HistoryColumns {
        HistoryColumns {
            days: days.iter().map(|day| day.0).collect(),
            first: Vec::with_capacity(customers),
            first_money: Vec::with_capacity(customers),
            purchased: Vec::with_capacity(customers * days.len()),
        }
    }

    /// Adds the next customer, with orders in the order of their dates; `net` says whether returns lower the money.
    pub fn push(&mut self, orders: &[Order], net: bool) {
        let money = |order: &Order| order.money(net);
        let first = orders.iter().find(|order| order.is_purchase()).map(|order| order.date);
        let of_first = orders.iter().filter(|order| Some(order.date) <= first).map(money);
        self.first_money.push(of_first.fold(0, i64::saturating_add));
        self.first.push(first.unwrap_or(i32::MAX));
        let mut rest = orders.iter().peekable();
        let mut known = Purchased { last: i32::MIN, ..Purchased::default() };
        for day in &self.days {
            while let Some(order) = rest.next_if(|order| order.date <= *day) {
                known.money = known.money.saturating_add(money(order));
                if order.is_purchase() && order.date > known.last {
                    known.order_days += 1;
                    known.last = order.date;
                }
            }
            self.purchased.push(known);
        }
    }

    /// Customers.
    pub fn len(&self) -> usize {
        self.first.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// The day of a customer's first purchase, the money up to it, and what was bought up to each of the days.
    pub fn of(&self, customer: usize) -> (i32, i64, &[Purchased]) {
        let count = self.days.len();
        let first_money = self.first_money.get(customer).copied().unwrap_or(0);
        (self.first[customer], first_money, &self.purchased[customer * count..(customer + 1) * count])
    }

    /// Bytes that they take.
    pub fn bytes(&self) -> usize {
        size_of_val(self.first.as_slice()) + size_of_val(self.first_money.as_slice()) + size_of_val(self.purchased.as_slice())
    }

    /// Forgets all days but these.
    pub fn keep_days(&mut self, days: &[Day]) {
        let (count, customers) = (self.days.len(), self.len());
        let kept: Vec<usize> = (0..count).filter(|at| days.contains(&Day(self.days[*at]))).collect();
        if kept.len() < count {
            let mut purchased = Vec::with_capacity(customers * kept.len());
            for (customer, first_money) in self.first_money.iter().enumerate() {
                let known = kept.iter().map(|at| self.purchased[customer * count + at]);
                // So that it need not be kept by itself.
                purchased.extend(known.map(|known| Purchased { money: known.money.saturating_sub(*first_money), ..known }));
            }
            (self.purchased, self.first_money) = (purchased, Vec::new());
            self.days = kept.iter().map(|at| self.days[*at]).collect();
        }
    }

    /// The same customers at other places, where `rows` says which of them each is; `None` is somebody who has not bought.
    pub fn spread(self, rows: impl Iterator<Item = Option<usize>>) -> HistoryColumns {
        if self.days.is_empty() {
            return self;
        }
        let days: Vec<Day> = self.days.iter().map(|day| Day(*day)).collect();
        let mut all = HistoryColumns::new(&days, self.len());
        for row in rows {
            match row {
                Some(customer) => {
                    let (first, first_money, purchased) = self.of(customer);
                    all.first.push(first);
                    all.first_money.push(first_money);
                    all.purchased.extend_from_slice(purchased);
                }
                None => all.push(&[], true),
            }
        }
        all
    }

    /// The place of a day, if it is one of theirs.
    pub fn place(&self, day: Day) -> Option<usize> {
        self.days.iter().position(|known| *known == day.0)
    }

    /// The history of a customer up to the day at a place.
    pub fn at(&self, customer: usize, place: usize) -> CustomerHistory {
        let (first, money, days) = self.of(customer);
        history_at(first, money, days.get(place))
    }

    /// The histories of all customers up to one of the days; of nobody if it is none of them.
    pub fn all_at(&self, day: Day) -> Vec<CustomerHistory> {
        self.place(day).map_or_else(Vec::new, |place| (0..self.len()).map(|customer| self.at(customer, place)).collect())
    }
}

/// A history, of who bought first on `first`, and up to then for `first_money`.
pub(super) fn history_at(first: i32, first_money: i64, purchased: Option<&Purchased>) -> CustomerHistory {
    match purchased {
        Some(known) if known.order_days > 0 => CustomerHistory {
            order_days: known.order_days,
            first,
            last: known.last,
            repeat_money: known.money.saturating_sub(first_money),
        },
        _ => CustomerHistory::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::OrderKind;

    /// Against a count of the orders up to each day.
    #[test]
    fn histories_are_those_of_the_orders() {
        let order = |date, kind, amount| Order { date, kind, amount, ..Order::default() };
        let orders = [
            order(3, OrderKind::Return, -5),
            order(10, OrderKind::Purchase, 100),
            order(10, OrderKind::Purchase, 50),
            order(12, OrderKind::Return, -20),
            order(30, OrderKind::Purchase, 70),
            order(30, OrderKind::MoneyOnly, 1),
            order(44, OrderKind::Purchase, 7),
        ];
        for net in [true, false] {
            let mut columns = HistoryColumns::new(&[Day(2), Day(11), Day(30), Day(40)], 2);
            columns.push(&orders, net);
            columns.push(&orders[..1], net);
            let (first, first_money, purchased) = columns.of(0);
            let returned = |before: i64| if net { before } else { 0 };
            assert_eq!((first, first_money), (10, 150 + returned(-5)));
            let days: Vec<u32> = purchased.iter().map(|at| at.order_days).collect();
            assert_eq!(days, [0, 1, 2, 2]);
            assert_eq!(purchased[2].money, 221 + returned(-25));
            let history = CustomerHistory { order_days: 2, first: 10, last: 30, repeat_money: 71 + returned(-20) };
            assert_eq!(columns.all_at(Day(40)), [history, CustomerHistory::default()]);
            columns.keep_days(&[Day(30), Day(40)]);
            assert_eq!(columns.all_at(Day(30)), [history, CustomerHistory::default()]);
            assert!(columns.all_at(Day(11)).is_empty());
        }
    }
}
