//! From columns to roles: which column is the customer, which the date, and what a row is.

mod amounts;
mod candidates;
mod date;
mod grain;
mod seen;
mod status;

use super::ask::Choices;
use super::vocabulary::Role;
use crate::error::Result;
use candidates::chosen;

pub use amounts::{Amount, USUAL_DIGITS, Unit};
pub use date::{DateKind, SERIAL_1970, WrittenDate};
pub use grain::RowsAre;
pub use seen::Seen;
pub use status::{Returns, StatusRule, by_count};

/// What the columns are; columns by their number in the sample.
#[derive(Debug)]
pub struct Guess {
    /// Who ordered.
    pub customer: usize,
    /// Values of it that stand for nobody.
    pub guests: Vec<String>,
    /// When.
    pub date: WrittenDate,
    /// For how much.
    pub amount: Amount,
    /// Whether the money is in minor units.
    pub unit: Unit,
    /// Digits behind the point of the money.
    pub digits: usize,
    /// What tells orders apart; empty if rows are orders.
    pub order: Vec<usize>,
    /// What a row is.
    pub rows: RowsAre,
    /// Which orders count.
    pub status: Option<StatusRule>,
    /// A date that only cancelled orders have.
    pub cancelled_at: Option<usize>,
    /// Which rows are returns.
    pub returns: Option<Returns>,
    /// What was paid back of an order.
    pub refund: Option<usize>,
    /// The currency.
    pub currency: Option<usize>,
    /// What it cost.
    pub cost: Option<usize>,
    /// What was taken off.
    pub discount: Option<usize>,
    /// The category.
    pub category: Option<usize>,
}

/// Finds the roles of the columns, and asks where two would do.
///
/// # Errors
/// Exit 3: no column for the customer, the date or the money, or a date whose day and month cannot be told apart.
pub fn guess(seen: &Seen<'_>, choices: &mut Choices<'_>) -> Result<Guess> {
    let order = candidates::of(seen, Role::Order, &[]);
    let order = order.first().map(|candidate| candidate.column);
    let customers = candidates::customers(seen, order);
    let customer = match chosen(seen, choices, "customer_id", "the customer", &customers)? {
        Some(customer) => Some(customer),
        None => candidates::repeating_id(seen, choices)?,
    };
    let customer = customer
        .ok_or_else(|| seen.lacks("a customer", "one with a value per customer, such as a number or an e-mail address", None))?;
    let order = order.filter(|order| !candidates::are_one(seen, *order, customer));
    let guests = candidates::guests(seen, customer)?;
    let date = date::find(seen, choices)?;
    let order = grain::order(seen, order, customer)?;
    let taken = [&[customer, date.column][..], &order].concat();
    let (amount, rows) = amounts::find(seen, choices, &order, &taken)?;
    let taken = [&taken[..], amount.columns()].concat();
    let best = |role: Role| candidates::of(seen, role, &taken).first().map(|candidate| candidate.column);
    let refund = best(Role::Refund);
    let (cost, discount) = (best(Role::Cost), best(Role::Discount));
    let (category, currency) = (best(Role::Category), best(Role::Currency));
    let unit = amounts::unit(seen, choices, &amount, currency)?;
    let digits = amounts::digits(seen, &amount, cost)?;
    let status = status::find(seen, &taken)?;
    let returns = status::returns(seen, &amount, status.as_ref())?;
    let cancelled_at = status::cancelled_at(seen, &taken)?;
    let category = category.filter(|_| rows != RowsAre::Repeated);
    Ok(Guess {
        customer,
        guests,
        date,
        amount,
        unit,
        digits,
        order,
        rows,
        status,
        cancelled_at,
        returns,
        refund,
        currency,
        cost,
        discount,
        category,
    })
}
