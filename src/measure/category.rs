//! What is known by category: a customer's purchases of a lookback, line by line, and the money of later lines.
//!
//! As in [`super::windows`], a window moves from date to date, and the money by category is kept by adding the lines that
//! come in and taking away those that fall out.

use std::collections::BTreeMap;

use crate::domain::Basis;

use super::column::{Column, NULL_INT};
use super::formula::Value;
use super::order_reader::OrderLine;
use super::spec::FoldSpec;

/// Numbers of the as-of date among those of a fold, of the slice, and of two categories, of which the first is the lower. A category
/// paired with itself counts the customers who bought it; [`ALL_CATEGORIES`] paired with itself those who bought any.
pub type AffinityKey = [u32; 4];

/// The number that stands for any category.
pub const ALL_CATEGORIES: u32 = u32::MAX;

/// Measures over windows with the same first days.
struct Window {
    /// First day per as-of date; ascending.
    starts: Vec<i32>,
    /// Places among the measures, with their values: the top category, its share, or how many there are.
    columns: Vec<(usize, Column)>,
    /// Whether pairs of categories are counted over it.
    counts_pairs: bool,
}

/// A category with its bought lines and its money.
pub(super) type Held = (u32, i64, i128);

/// Folds customers one after the other.
pub(super) struct CategorySums<'a> {
    spec: &'a FoldSpec,
    customers: usize,
    windows: Vec<Window>,
    /// Those of the current window, ascending.
    held: Vec<Held>,
    /// Customers by the pairs of categories that they bought.
    pairs: BTreeMap<AffinityKey, i64>,
}

impl<'a> CategorySums<'a> {
    /// What folds the measures by category of a job; `None` if it has none.
    pub fn new(spec: &'a FoldSpec, customers: usize) -> Option<CategorySums<'a>> {
        let mut windows: Vec<Window> = Vec::new();
        for (at, measure) in spec.measures.iter().enumerate().filter(|(_, m)| m.kind.basis() == Basis::Categories) {
            let lookback = measure.lookback.unwrap_or(spec.lookback);
            let starts = spec.starts(lookback);
            let column = (at, Column::new(measure.kind.unit(), spec.dates.len() * customers));
            match windows.iter_mut().find(|w| w.starts == starts) {
                Some(window) => window.columns.push(column),
                None => windows.push(Window { starts, columns: vec![column], counts_pairs: false }),
            }
        }
        if spec.affinity {
            let starts = spec.starts(spec.lookback);
            match windows.iter_mut().find(|w| w.starts == starts) {
                Some(window) => window.counts_pairs = true,
                None => windows.push(Window { starts, columns: Vec::new(), counts_pairs: true }),
            }
        }
        let sums = |windows| CategorySums { spec, customers, windows, held: Vec::new(), pairs: BTreeMap::new() };
        (!windows.is_empty()).then(|| sums(windows))
    }

    /// Adds the customer of a slice with these lines, which it sorts.
    pub fn add(&mut self, customer: usize, slice: u32, order_lines: &mut [OrderLine]) {
        order_lines.sort_unstable_by_key(|order_line| order_line.date);
        let order_lines = &*order_lines;
        for window in &mut self.windows {
            self.held.clear();
            let (mut coming, mut going) = (order_lines.iter().peekable(), order_lines.iter().peekable());
            let mut money = 0i128;
            for (at, (date, start)) in self.spec.dates.iter().zip(&window.starts).enumerate() {
                while let Some(order_line) = coming.next_if(|i| i.date <= date.date.0) {
                    money += i128::from(order_line.amount);
                    hold(&mut self.held, order_line, 1);
                }
                while let Some(order_line) = going.next_if(|i| i.date < *start) {
                    money -= i128::from(order_line.amount);
                    hold(&mut self.held, order_line, -1);
                }
                if window.counts_pairs {
                    count_pairs(&self.held, [at as u32, slice], &mut self.pairs);
                }
                let top = top(&self.held);
                let cell = at * self.customers + customer;
                for (_, column) in &mut window.columns {
                    match column {
                        Column::Int(out) => out[cell] = top.map_or(NULL_INT, |t| t.0 as i32),
                        Column::Long(out) => out[cell] = bought(&self.held).count() as i64,
                        Column::Double(_) => {}
                        Column::Ratio(out) => {
                            // Later lines can make all money negative, of which nothing is a share.
                            let top = top.filter(|_| money > 0);
                            let share = top.map_or(Value::Null, |t| Value::money_ratio(t.2, money));
                            out[cell] = if let Value::Ratio(part, whole) = share { (part, whole) } else { (0, 0) };
                        }
                    }
                }
            }
        }
    }

    /// Puts the values into the columns of their measures; returns the customers by pairs of categories.
    pub fn finish(self, columns: &mut [Column]) -> Vec<(AffinityKey, i64)> {
        for (at, column) in self.windows.into_iter().flat_map(|w| w.columns) {
            columns[at] = column;
        }
        self.pairs.into_iter().collect()
    }
}

/// The categories with a bought line.
fn bought(held: &[Held]) -> impl DoubleEndedIterator<Item = &Held> + Clone {
    held.iter().filter(|(_, lines, _)| *lines > 0)
}

/// The category with the most money of those that are bought; of equal sums the first by name.
pub(super) fn top(held: &[Held]) -> Option<&Held> {
    bought(held).rev().max_by_key(|(_, _, money)| *money)
}

/// Counts a customer in every category that is bought, in every pair of them, and, with any, among all.
fn count_pairs(held: &[Held], [date, slice]: [u32; 2], pairs: &mut BTreeMap<AffinityKey, i64>) {
    let bought = || bought(held).map(|(category, ..)| *category);
    for (number, category) in bought().enumerate() {
        for other in bought().skip(number) {
            *pairs.entry([date, slice, category, other]).or_default() += 1;
        }
        if number == 0 {
            *pairs.entry([date, slice, ALL_CATEGORIES, ALL_CATEGORIES]).or_default() += 1;
        }
    }
}

/// Adds a line to its category (`by` 1) or takes it away (−1); a category without bought lines and money is not held.
pub(super) fn hold(held: &mut Vec<Held>, order_line: &OrderLine, by: i64) {
    let Some(category) = order_line.category else { return };
    let amount = i128::from(order_line.amount) * i128::from(by);
    let lines = if order_line.is_bought { by } else { 0 };
    match held.binary_search_by_key(&category, |h| h.0) {
        Ok(at) => {
            held[at].1 += lines;
            held[at].2 += amount;
            if held[at].1 == 0 && held[at].2 == 0 {
                held.remove(at);
            }
        }
        Err(at) => held.insert(at, (category, lines, amount)),
    }
}
