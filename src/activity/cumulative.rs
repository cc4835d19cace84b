//! Cumulative activity of a batch of customers at each boundary day. Activity in any window is the difference of two rows.

use std::ops::Range;

use super::{Activity, BoundaryDays, OrderHistory};

/// Per boundary day a row with the activity of every customer before that day, from the first boundary on.
#[derive(Default)]
pub struct CumulativeActivity {
    /// Cells of a row: a customer is a column.
    width: usize,
    purchases: Vec<u32>,
    money: Vec<i64>,
    cost: Vec<i64>,
    cost_missing: Vec<u32>,
    has_cost: bool,
}

impl CumulativeActivity {
    /// Computes the rows for a batch of customers. `histories` are the orders of some of them, by column.
    pub fn fill<'h>(
        &mut self,
        days: &BoundaryDays,
        customers: usize,
        histories: impl Iterator<Item = (usize, OrderHistory<'h>)>,
    ) {
        // An odd multiple of 8, so that the rows do not all map to the same set of a cache.
        self.width = (customers.div_ceil(8) | 1) * 8;
        let cells = days.len() * self.width;
        fn zeros<T: Copy + Default>(cells: &mut Vec<T>, count: usize) {
            cells.clear();
            cells.resize(count, T::default());
        }
        zeros(&mut self.purchases, cells);
        zeros(&mut self.money, cells);
        self.has_cost = false;
        for (column, history) in histories {
            if history.has_cost() && !self.has_cost {
                self.has_cost = true;
                zeros(&mut self.cost, cells);
                zeros(&mut self.cost_missing, cells);
            }
            for (date, activity) in history.orders() {
                let row = days.before(date + 1);
                // Orders before the first boundary or after the last one are in no window.
                if row == 0 || row == days.len() {
                    continue;
                }
                let cell = row * self.width + column;
                self.purchases[cell] = self.purchases[cell].wrapping_add(activity.purchases);
                self.money[cell] = self.money[cell].wrapping_add(activity.money);
                if self.has_cost {
                    self.cost[cell] = self.cost[cell].wrapping_add(activity.cost);
                    self.cost_missing[cell] = self.cost_missing[cell].wrapping_add(activity.cost_missing);
                }
            }
        }
        running_rows(&mut self.purchases, self.width, u32::wrapping_add);
        running_rows(&mut self.money, self.width, i64::wrapping_add);
        if self.has_cost {
            running_rows(&mut self.cost, self.width, i64::wrapping_add);
            running_rows(&mut self.cost_missing, self.width, u32::wrapping_add);
        }
    }

    /// The first cell of a row; the cell of a customer is at this offset plus the column.
    #[inline]
    pub fn start(&self, row: usize) -> u32 {
        (row * self.width) as u32
    }
}

/// Joins to each row of `width` cells the row before it, which is joined to those before it.
pub fn running_rows<T: Copy>(cells: &mut [T], width: usize, join: impl Fn(T, T) -> T) {
    for from in (0..cells.len().saturating_sub(width)).step_by(width.max(1)) {
        let (before, row) = cells[from..from + 2 * width].split_at_mut(width);
        row.iter_mut().zip(before).for_each(|(cell, before)| *cell = join(*cell, *before));
    }
}

/// Activity of customers in one window each.
#[derive(Default)]
pub struct WindowActivity {
    purchases: Vec<u32>,
    money: Vec<i64>,
    cost: Vec<i64>,
    cost_missing: Vec<u32>,
}

impl WindowActivity {
    /// Computes the activity of customers, each with a column and the first cells of the two rows that bound the window.
    #[inline]
    pub fn fill(&mut self, cumulative: &CumulativeActivity, customers: impl Iterator<Item = (u32, [u32; 2])> + Clone) {
        self.clear();
        let cells = customers.map(|(column, starts)| starts.map(|start| start.wrapping_add(column) as usize));
        let cells = || cells.clone();
        self.purchases.extend(cells().map(|[from, to]| cumulative.purchases[to].wrapping_sub(cumulative.purchases[from])));
        self.money.extend(cells().map(|[from, to]| cumulative.money[to].wrapping_sub(cumulative.money[from])));
        if cumulative.has_cost {
            let missing = &cumulative.cost_missing;
            self.cost.extend(cells().map(|[from, to]| cumulative.cost[to].wrapping_sub(cumulative.cost[from])));
            self.cost_missing.extend(cells().map(|[from, to]| missing[to].wrapping_sub(missing[from])));
        }
    }

    /// Computes the activity of customers, in ascending order, between the same two rows.
    pub fn between(&mut self, cumulative: &CumulativeActivity, starts: [u32; 2], customers: &[u32]) {
        let count = customers.len();
        if count == 0 || customers[0] != 0 || customers[count - 1] as usize != count - 1 {
            return self.fill(cumulative, customers.iter().map(|customer| (*customer, starts)));
        }
        // The whole batch is contiguous.
        fn differences<T: Copy>(out: &mut Vec<T>, all: &[T], rows: [Range<usize>; 2], subtract: impl Fn(T, T) -> T) {
            let [from, to] = rows.map(|row| &all[row]);
            out.extend(from.iter().zip(to).map(|(from, to)| subtract(*to, *from)));
        }
        self.clear();
        let rows = || starts.map(|start| start as usize..start as usize + count);
        differences(&mut self.purchases, &cumulative.purchases, rows(), u32::wrapping_sub);
        differences(&mut self.money, &cumulative.money, rows(), i64::wrapping_sub);
        if cumulative.has_cost {
            differences(&mut self.cost, &cumulative.cost, rows(), i64::wrapping_sub);
            differences(&mut self.cost_missing, &cumulative.cost_missing, rows(), u32::wrapping_sub);
        }
    }

    /// Removes all values.
    pub fn clear(&mut self) {
        self.purchases.clear();
        self.money.clear();
        self.cost.clear();
        self.cost_missing.clear();
    }

    /// Extends to at least this number of customers, with no activity for the new ones.
    pub fn cover(&mut self, customers: usize) {
        if self.purchases.len() < customers {
            self.purchases.resize(customers, 0);
            self.money.resize(customers, 0);
        }
    }

    /// The activity of the first customers.
    pub fn done(&self, customers: usize) -> ActivitySlices<'_> {
        let WindowActivity { purchases, money, cost, cost_missing } = self;
        ActivitySlices { purchases: &purchases[..customers], money: &money[..customers], cost, cost_missing }
    }

    /// Whether nothing was computed.
    pub fn is_empty(&self) -> bool {
        self.purchases.is_empty()
    }
}

/// Activity per customer.
#[derive(Clone, Copy)]
pub struct ActivitySlices<'s> {
    /// Purchases per customer.
    pub purchases: &'s [u32],
    /// Money per customer, minor units.
    pub money: &'s [i64],
    /// Empty if orders have no cost.
    cost: &'s [i64],
    cost_missing: &'s [u32],
}

impl ActivitySlices<'_> {
    /// The activity of one customer.
    #[inline]
    pub fn at(&self, at: usize) -> Activity {
        Activity {
            purchases: self.purchases[at],
            money: self.money[at],
            cost: self.cost.get(at).copied().unwrap_or_default(),
            cost_missing: self.cost_missing.get(at).copied().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::OrderHistories;
    use crate::error::Result;

    /// The activity in any window equals a sum over orders, also for boundaries far apart and for many customers.
    #[test]
    fn windows_equal_sums_over_orders() -> Result<()> {
        let mut state = 11u64;
        let mut next = |below: i32| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % below as u64) as i32
        };
        for (customers, has_cost, scale) in [(1, false, 1), (8, true, 1), (700, false, 3), (50, true, 100_000)] {
            let mut orders: Vec<Vec<(i32, Activity)>> = (0..customers).map(|_| Vec::new()).collect();
            let mut histories = OrderHistories::new(has_cost, 0);
            for own in &mut orders {
                for _ in 0..next(12) {
                    let money = i64::from(next(2_000)) - 500;
                    let (cost, cost_missing) = if has_cost { (money / 3, u32::from(next(2) == 0)) } else { (0, 0) };
                    own.push((next(40) * scale, Activity { purchases: next(2) as u32, money, cost, cost_missing }));
                }
                own.sort_by_key(|order| order.0);
                histories.push_activities(own)?;
            }
            let bounds: Vec<i32> = (0..9).map(|_| (next(44) - 2) * scale).chain([5, i32::MAX]).collect();
            let days = BoundaryDays::distinct(bounds.clone());
            let mut cumulative = CumulativeActivity::default();
            // Every third customer has no history.
            let known = |customer: &usize| customer % 3 != 2;
            cumulative.fill(&days, customers, (0..customers).filter(known).map(|customer| (customer, histories.of(customer))));
            for from in &bounds {
                for to in bounds.iter().filter(|to| *to >= from) {
                    let rows = [*from, *to].map(|day| days.before(day));
                    let mut window = WindowActivity::default();
                    window.fill(&cumulative, (0..customers as u32).map(|column| (column, rows.map(|row| cumulative.start(row)))));
                    // All of them, and without the first.
                    let all: Vec<u32> = (0..customers as u32).collect();
                    let starts = rows.map(|row| cumulative.start(row));
                    for from in [0, 1] {
                        let mut same = WindowActivity::default();
                        same.between(&cumulative, starts, &all[from..]);
                        assert!((from..customers).all(
                            |customer| same.done(customers - from).at(customer - from) == window.done(customers).at(customer)
                        ));
                    }
                    for (customer, own) in orders.iter().enumerate() {
                        let mut want = Activity::default();
                        for (_, activity) in own.iter().filter(|order| known(&customer) && (*from..*to).contains(&order.0)) {
                            want.purchases += activity.purchases;
                            want.money += activity.money;
                            want.cost += activity.cost;
                            want.cost_missing += activity.cost_missing;
                        }
                        assert_eq!(window.done(customers).at(customer), want);
                    }
                }
            }
        }
        Ok(())
    }
}
