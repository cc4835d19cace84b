//! Since when and until when customers were in their states.

use super::states::{ABSENT, sort_by_customer};
use crate::domain::Day;

/// An unbroken run of dates over which a customer was in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateSpell {
    /// Index of the customer in the part.
    pub customer: u32,
    /// State.
    pub state: u16,
    /// First of the job's dates in that state.
    pub from: Day,
    /// Day before the date at which another state was found; `None` while the state holds.
    pub to: Option<Day>,
}

/// The present states of the customers of a part in one scheme, and the spells that have ended.
#[derive(Debug, Clone)]
pub struct StateHistory {
    states: Vec<u16>,
    since: Vec<Day>,
    /// `None` if nothing asks for spells.
    ended: Option<Vec<StateSpell>>,
    /// The customers whose states change at a date: space that is used again.
    changed: Vec<u32>,
}

impl StateHistory {
    /// A history in which no customer is listed yet; `keeps_spells` asks for [`Self::finish`].
    pub fn new(customers: usize, keeps_spells: bool) -> StateHistory {
        StateHistory {
            states: vec![ABSENT; customers],
            since: vec![Day::MIN; customers],
            ended: keeps_spells.then(Vec::new),
            changed: vec![0; customers],
        }
    }

    /// Takes the states at the next date.
    pub fn advance(&mut self, date: Day, states: &[u16]) {
        // Who changes cannot be predicted: every customer is written, and the next one overwrites one who does not.
        let mut count = 0;
        for (customer, (held, state)) in (0..).zip(self.states.iter().zip(states)) {
            self.changed[count] = customer;
            count += usize::from(held != state);
        }
        for &customer in &self.changed[..count] {
            let at = customer as usize;
            let (held, from) = (self.states[at], self.since[at]);
            if let Some(ended) = self.ended.as_mut().filter(|_| held != ABSENT) {
                ended.push(StateSpell { customer, state: held, from, to: Some(date.previous()) });
            }
            (self.states[at], self.since[at]) = (states[at], date);
        }
    }

    /// The first date in the unbroken run of a customer's present state.
    pub fn since(&self, customer: usize) -> Day {
        self.since[customer]
    }

    /// All spells, by customer and date.
    pub fn finish(self) -> Vec<StateSpell> {
        // Spells that have ended are in the order of the dates, and the present one of each customer comes after them.
        let mut spells = self.ended.unwrap_or_default();
        for (customer, (&state, &from)) in self.states.iter().zip(&self.since).enumerate() {
            if state != ABSENT {
                spells.push(StateSpell { customer: customer as u32, state, from, to: None });
            }
        }
        sort_by_customer(&spells, self.states.len(), |spell| spell.customer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_end_where_the_next_begins() {
        let mut history = StateHistory::new(2, true);
        history.advance(Day(10), &[3, ABSENT]);
        history.advance(Day(20), &[3, 1]);
        history.advance(Day(30), &[ABSENT, 2]);
        assert_eq!(history.since(1), Day(30));
        let spell = |customer, state, from, to: Option<i32>| StateSpell { customer, state, from: Day(from), to: to.map(Day) };
        assert_eq!(history.finish(), [spell(0, 3, 10, Some(29)), spell(1, 1, 20, Some(29)), spell(1, 2, 30, None)]);
    }
}
