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

/// What stands first in dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstPart {
    /// 31/12/2024.
    Day,
    /// 12/31/2024.
    Month,
    /// 24/12/31.
    Year,
}

impl FirstPart {
    /// The flag of the command line that says so.
    pub fn flag(self) -> &'static str {
        match self {
            FirstPart::Day => "--day-first",
            FirstPart::Month => "--month-first",
            FirstPart::Year => "--year-first",
        }
    }
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
    first_part: Option<FirstPart>,
    open: Vec<Question>,
}

impl<'a> Choices<'a> {
    /// Questions that go to `answers`; the order of dates may be known.
    pub fn new(answers: &'a mut dyn Answers, first_part: Option<FirstPart>) -> Choices<'a> {
        Choices { answers, first_part, open: Vec::new() }
    }

    /// What stands first in dates, if it was said.
    pub fn first_part(&self) -> Option<FirstPart> {
        self.first_part
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
