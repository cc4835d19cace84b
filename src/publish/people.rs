//! The customers that are to be forgotten, as ids of any type.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::tables::escape_formula;

/// What stands in a manifest for a customer whom nobody is to find there any more.
const FORGOTTEN: &str = "(forgotten)";

/// Keys of lists of values in a job that may be ids.
const LISTS: [&str; 3] = ["in", "not_in", "guests"];

/// What stands in the warnings that name customers.
const NAMING: [&str; 3] = ["ids have an order", "customer ids differ", "guests = ["];

/// Customers by their ids.
#[derive(Debug, Clone, Default)]
pub struct People {
    texts: Vec<String>,
    by_text: HashMap<String, usize>,
    by_number: HashMap<i128, usize>,
}

/// Which of the customers are found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Found(BTreeSet<usize>);

impl Found {
    pub fn add(&mut self, customer: usize) {
        self.0.insert(customer);
    }

    pub fn merge(&mut self, other: Found) {
        self.0.extend(other.0);
    }

    pub fn count(&self) -> u64 {
        self.0.len() as u64
    }
}

impl People {
    /// Reads a text file with an id per line. Empty lines are none, and neither is the first line if it is `customer_id`.
    ///
    /// # Errors
    /// Exit 4 if the file cannot be read or is no text in UTF-8; exit 2 if it has no id.
    pub fn read(path: &Path) -> Result<People> {
        let shown = path.display();
        let bytes = std::fs::read(path)
            .map_err(|e| Error::input(format!("cannot read {shown}, the file of --ids: {e}; check the path")).caused_by(e))?;
        let text = String::from_utf8(bytes).map_err(|e| {
            let line = 1 + e.as_bytes().iter().take(e.utf8_error().valid_up_to()).filter(|byte| **byte == b'\n').count();
            Error::input(format!("{shown}, line {line}: the bytes are no UTF-8; give a text file with an id per line"))
                .caused_by(e)
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let lines = text.lines().enumerate().filter(|(at, line)| !(line.trim().is_empty() || *at == 0 && *line == "customer_id"));
        let people = People::new(lines.map(|(_, line)| line.to_owned()));
        match people.len() {
            0 => Err(Error::usage(format!("{shown} has no id; give a text file with an id per line, as customer_id shows it"))),
            _ => Ok(people),
        }
    }

    /// Customers with these ids.
    pub fn new(ids: impl IntoIterator<Item = String>) -> People {
        let mut people = People::default();
        for id in ids {
            if people.by_text.contains_key(&id) {
                continue;
            }
            let at = people.texts.len();
            people.by_text.insert(id.clone(), at);
            // Ids of a whole number of digits are numbers, too, where the column has numbers.
            if let Ok(number) = id.trim().parse::<i128>() {
                people.by_number.entry(number).or_insert(at);
            }
            people.texts.push(id);
        }
        people
    }

    /// How many.
    pub fn len(&self) -> u64 {
        self.texts.len() as u64
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    pub(super) fn text(&self, id: &str) -> Option<usize> {
        self.by_text.get(id).copied()
    }

    pub(super) fn number(&self, id: i128) -> Option<usize> {
        self.by_number.get(&id).copied()
    }

    /// The customer of a cell in a CSV file, where texts that look like formulas have an apostrophe before them.
    pub(super) fn cell(&self, cell: &str) -> Option<usize> {
        let bare = cell.strip_prefix('\'').filter(|bare| escape_formula(bare) == cell).unwrap_or(cell);
        self.text(bare).or_else(|| cell.parse().ok().and_then(|number| self.number(number)))
    }

    /// Whom the warnings or the job of a manifest name.
    pub(super) fn named_in(&self, manifest: &Value) -> Found {
        let mut found = Found::default();
        for warning in warnings(manifest) {
            self.named_by(warning).into_iter().for_each(|customer| found.add(customer));
        }
        self.visit(&mut manifest["job"].clone(), false, &mut |customer| found.add(customer));
        found
    }

    /// Leaves them out of a manifest's warnings and job.
    pub(super) fn leave_out_of(&self, manifest: &mut Value) {
        if let Some(all) = manifest.get_mut("warnings").and_then(Value::as_array_mut) {
            all.retain(|warning| warning.as_str().is_none_or(|text| self.named_by(text).is_empty()));
        }
        if let Some(job) = manifest.get_mut("job") {
            self.visit(job, false, &mut |_| ());
        }
    }

    /// Whom a sentence names: by ids that stand there as words, plain or with escapes.
    fn named_by(&self, sentence: &str) -> Vec<usize> {
        if !NAMING.iter().any(|part| sentence.contains(part)) {
            return Vec::new();
        }
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let stands = |id: &str| {
            sentence.match_indices(id).any(|(at, _)| {
                let before = sentence.get(..at).and_then(|text| text.chars().next_back());
                let after = sentence.get(at + id.len()..).and_then(|text| text.chars().next());
                !before.is_some_and(is_part) && !after.is_some_and(is_part)
            })
        };
        let is_named = |id: &String| {
            let id = id.trim();
            stands(id) || stands(&id.escape_debug().to_string())
        };
        (0..self.texts.len()).filter(|at| self.texts.get(*at).is_some_and(is_named)).collect()
    }

    /// Replaces ids in a job by a word: texts anywhere, numbers in lists of values.
    fn visit(&self, value: &mut Value, in_list: bool, hit: &mut dyn FnMut(usize)) {
        let customer = match &*value {
            Value::String(text) => self.text(text),
            Value::Number(number) if in_list => number.to_string().parse().ok().and_then(|number| self.number(number)),
            _ => None,
        };
        if let Some(customer) = customer {
            hit(customer);
            *value = Value::from(FORGOTTEN);
            return;
        }
        match value {
            Value::Array(all) => all.iter_mut().for_each(|each| self.visit(each, in_list, hit)),
            Value::Object(all) => {
                all.iter_mut().for_each(|(key, each)| self.visit(each, in_list || LISTS.contains(&key.as_str()), hit));
            }
            _ => {}
        }
    }
}

fn warnings(manifest: &Value) -> impl Iterator<Item = &str> {
    manifest["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn people(ids: &[&str]) -> People {
        People::new(ids.iter().map(|id| (*id).to_owned()))
    }

    #[test]
    fn ids_are_found_as_texts_numbers_and_cells() {
        let people = people(&["0042", "=cmd", "ann@example.org", "-7", "0042"]);
        assert_eq!(people.len(), 4);
        assert_eq!([people.text("0042"), people.text("42"), people.text("ann@example.org")], [Some(0), None, Some(2)]);
        assert_eq!([people.number(42), people.number(-7), people.number(7)], [Some(0), Some(3), None]);
        assert_eq!(
            [people.cell("'=cmd"), people.cell("=cmd"), people.cell("-7"), people.cell("'-7")],
            [Some(1), Some(1), Some(3), Some(3)]
        );
        assert_eq!(people.cell("'ann@example.org"), None);
    }

    #[test]
    fn manifests_name_nobody() {
        let people = people(&["C-1", "17"]);
        let mut manifest = json!({
            "warnings": [
                "17 % of customers share one frequency",
                "2 customer ids differ from others, such as C-1 and c-1",
                "2 customer ids differ from others, such as C-12 and c-12",
                "customer C-1 has 9 orders; set guests = [C-1]",
            ],
            "job": { "orders": { "guests": [17, 18], "keep": [{ "column": "C-1x", "not_in": ["C-1", "D"] }] }, "score": { "bins": 17 } },
        });
        assert_eq!(people.named_in(&manifest).count(), 2);
        people.leave_out_of(&mut manifest);
        let kept = json!(["17 % of customers share one frequency", "2 customer ids differ from others, such as C-12 and c-12"]);
        assert_eq!(manifest["warnings"], kept);
        assert_eq!(
            manifest["job"],
            json!({ "orders": { "guests": [FORGOTTEN, 18], "keep": [{ "column": "C-1x", "not_in": [FORGOTTEN, "D"] }] }, "score": { "bins": 17 } })
        );
        assert_eq!(people.named_in(&manifest).count(), 0);
    }
}
