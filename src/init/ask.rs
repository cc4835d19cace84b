//! Questions: what is asked where two answers would do, and what was answered or guessed.

use crate::error::Result;

/// A question with the answers that it may have, the guess first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The key of the job file that the answer decides.
    pub key: &'static str,
    /// The question.
    pub text: String,
    /// The answers.
    pub options: Vec<String>,
}

/// Whether the day or the month stands first in dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// 31/12/2024.
    DayFirst,
    /// 12/31/2024.
    MonthFirst,
}

/// Who answers questions.
pub trait Answers {
    /// The number of the option that is chosen; none if nobody is there to ask.
    ///
    /// # Errors
    /// The answer cannot be read.
    fn answer(&mut self, question: &Question) -> Result<Option<usize>>;
}

/// The questions that came up.
pub struct Choices<'a> {
    answers: &'a mut dyn Answers,
    date_order: Option<DateOrder>,
    open: Vec<Question>,
}

impl<'a> Choices<'a> {
    /// Questions that go to `answers`; the order of day and month may be known.
    pub fn new(answers: &'a mut dyn Answers, date_order: Option<DateOrder>) -> Choices<'a> {
        Choices { answers, date_order, open: Vec::new() }
    }

    /// The order of day and month, if it was said.
    pub fn date_order(&self) -> Option<DateOrder> {
        self.date_order
    }

    /// Asks; none if nobody answers.
    pub fn ask(&mut self, question: &Question) -> Result<Option<usize>> {
        self.answers.answer(question)
    }

    /// Asks, and takes the first option where nobody answers; the question stays open then.
    pub fn choose(&mut self, question: Question) -> Result<usize> {
        match self.answers.answer(&question)? {
            Some(answer) => Ok(answer),
            None => {
                self.open.push(question);
                Ok(0)
            }
        }
    }

    /// The questions that nobody answered.
    pub fn open(&self) -> &[Question] {
        &self.open
    }
}
