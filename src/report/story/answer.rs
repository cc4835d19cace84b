//! The parts of a story: answers, tiles, and the numbers behind them.

use serde::Serialize;

use super::tasks::Task;
use crate::report::language::Sentence;
use crate::tables::Value;

/// A question with its answer.
#[derive(Debug)]
pub(in crate::report) struct Answer {
    pub key: &'static str,
    pub question: String,
    /// The section with the details.
    pub section: &'static str,
    /// Paragraphs of sentences.
    pub paragraphs: Vec<Vec<Sentence>>,
}

/// A number at the top.
#[derive(Debug)]
pub(in crate::report) struct Tile {
    pub label: String,
    pub value: String,
    pub note: String,
    pub section: &'static str,
}

/// A number behind an answer, for programs.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Fact {
    pub name: &'static str,
    pub value: Value,
}

/// The answers.
#[derive(Debug, Default)]
pub(in crate::report) struct Story {
    pub tiles: Vec<Tile>,
    pub answers: Vec<Answer>,
    pub facts: Vec<Fact>,
    /// What to do now, the most worthwhile first.
    pub tasks: Vec<Task>,
}

impl Story {
    /// Adds an answer, unless it has nothing to say.
    pub fn answer(&mut self, key: &'static str, section: &'static str, question: String, paragraphs: Vec<Vec<Sentence>>) {
        let paragraphs: Vec<Vec<Sentence>> = paragraphs.into_iter().filter(|p| !p.is_empty()).collect();
        if !paragraphs.is_empty() {
            self.answers.push(Answer { key, question, section, paragraphs });
        }
    }

    /// Adds a number.
    pub fn fact(&mut self, name: &'static str, value: Value) {
        self.facts.push(Fact { name, value });
    }
}
