//! Since when and until when customers were in their states.

use super::{ABSENT, sort_by_customer};
use crate::domain::Day;

/// A stretch of dates over which a customer was in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateSpell {
    /// Place of the customer.
    pub place: u32,
    /// State.
    pub state: u16,
    /// First of the job's dates in that state.
    pub from: Day,
    /// Day before the date at which another state was found; `None` while the state holds.
    pub to: Option<Day>,
}

/// The present states of the customers of a part in one scheme, and the stays that are over.
#[derive(Debug, Clone)]
pub struct StateHistory {
    states: Vec<u16>,
    since: Vec<Day>,
    over: Option<Vec<StateSpell>>,
}

impl StateHistory {
    /// So many customers, none listed yet; `keep` asks for the stays.
    pub fn new(customers: usize, keep: bool) -> StateHistory {
        StateHistory { states: vec![ABSENT; customers], since: vec![Day::MIN; customers], over: keep.then(Vec::new) }
    }

    /// Takes the states at the next date.
    pub fn advance(&mut self, date: Day, states: &[u16]) {
        for (place, ((held, since), &state)) in self.states.iter_mut().zip(&mut self.since).zip(states).enumerate() {
            if *held != state {
                if let Some(over) = &mut self.over
                    && *held != ABSENT
                {
                    over.push(StateSpell { place: place as u32, state: *held, from: *since, to: Some(date.previous()) });
                }
                *held = state;
                *since = date;
            }
        }
    }

    /// The first date in the unbroken run of a customer's present state.
    pub fn since(&self, place: usize) -> Day {
        self.since[place]
    }

    /// All stays, by customer and date.
    pub fn finish(self) -> Vec<StateSpell> {
        // Those that are over were met in the order of the dates, and the last of each customer comes after them.
        let mut stays = self.over.unwrap_or_default();
        for (place, (&state, &from)) in self.states.iter().zip(&self.since).enumerate() {
            if state != ABSENT {
                stays.push(StateSpell { place: place as u32, state, from, to: None });
            }
        }
        sort_by_customer(&stays, self.states.len(), |stay| stay.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_end_where_the_next_begins() {
        let mut history = StateHistory::new(2, true);
        history.advance(Day(10), &[3, ABSENT]);
        history.advance(Day(20), &[3, 1]);
        history.advance(Day(30), &[ABSENT, 2]);
        assert_eq!(history.since(1), Day(30));
        let stay = |place, state, from, to: Option<i32>| StateSpell { place, state, from: Day(from), to: to.map(Day) };
        assert_eq!(history.finish(), [stay(0, 3, 10, Some(29)), stay(1, 1, 20, Some(29)), stay(1, 2, 30, None)]);
    }
}
