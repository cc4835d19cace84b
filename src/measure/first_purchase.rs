//! What customers bought first: properties of the day of their first purchase, which nothing later changes.

use crate::activity::Order;
use crate::domain::FirstPurchase;

use super::attributes::UNKNOWN;
use super::category::{Held, hold, top};
use super::order_reader::OrderLine;

/// Finds properties of first purchases, customer after customer.
pub(super) struct FirstPurchases {
    /// By property: the number of every customer's value.
    columns: Vec<(FirstPurchase, Vec<u32>)>,
    held: Vec<Held>,
}

impl FirstPurchases {
    /// What finds these properties of a number of customers.
    pub fn new(properties: &[FirstPurchase], customers: usize) -> FirstPurchases {
        let column = |property: &FirstPurchase| (*property, Vec::with_capacity(customers));
        FirstPurchases { columns: properties.iter().map(column).collect(), held: Vec::new() }
    }

    /// Whether it looks at lines by category.
    pub fn needs_lines(&self) -> bool {
        self.columns.iter().any(|(property, _)| *property == FirstPurchase::Category)
    }

    /// Adds the next customer, of whom these are the orders by date, and the lines that count by category.
    pub fn add(&mut self, orders: &[Order], lines: &[OrderLine]) {
        if self.columns.is_empty() {
            return;
        }
        let first = orders.iter().find(|order| order.is_purchase()).map(|order| order.date);
        for (property, values) in &mut self.columns {
            let value = |day: i32| match property {
                FirstPurchase::Category => {
                    self.held.clear();
                    lines.iter().filter(|line| line.date == day).for_each(|line| hold(&mut self.held, line, 1));
                    top(&self.held).map_or(UNKNOWN, |(category, ..)| *category)
                }
                FirstPurchase::Discounted => {
                    let mut of_day = orders.iter().filter(|order| order.date == day && order.is_purchase());
                    u32::from(of_day.any(|order| order.discounted))
                }
            };
            values.push(first.map_or(UNKNOWN, value));
        }
    }

    /// By property, the number of every customer's value; [`UNKNOWN`] without one.
    pub fn finish(self) -> Vec<Vec<u32>> {
        self.columns.into_iter().map(|(_, values)| values).collect()
    }
}
