//! The CRM file: the states of every customer at the last as-of date, since when, why, and what to do, as CSV rows.

use arrow::array::Array;
use serde::{Deserialize, Serialize};

use super::context::{DateRows, PartContext, PartView};
use super::forecast::{Histories, next_purchase};
use super::rows::CustomerRows;
use crate::domain::{CustomerIds, Day, IdType, divide_half_even};
use crate::error::{Error, Result};
use crate::memory::{SpillFile, SpilledRange};
use crate::movement::ABSENT;
use crate::plan::{CrmMeasures, NEXT_PURCHASE};
use crate::tables::escape_formula;

/// CSV rows of a part.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CrmRows {
    bytes: Vec<u8>,
    /// Where each row ends.
    ends: Vec<usize>,
    /// Where the bytes lie on disk, if they do.
    #[serde(skip)]
    on_disk: Option<SpilledRange>,
}

impl CrmRows {
    /// Some rows, each with its line end: as many as there are from `first` on, but at most `most`, and how many they are.
    pub fn rows(&self, first: usize, most: usize) -> (&[u8], usize) {
        let end = first.saturating_add(most).min(self.ends.len());
        let at = |row: usize| row.checked_sub(1).and_then(|row| self.ends.get(row)).copied().unwrap_or(0);
        (self.bytes.get(at(first)..at(end)).unwrap_or_default(), end.saturating_sub(first))
    }

    /// How many rows.
    pub fn row_count(&self) -> usize {
        self.ends.len()
    }

    /// Moves the bytes to disk.
    ///
    /// # Errors
    /// Exit 7 if they cannot be written.
    pub fn spill(&mut self, spill: &SpillFile) -> Result<()> {
        self.on_disk = Some(spill.write(&std::mem::take(&mut self.bytes))?);
        Ok(())
    }

    /// Brings the bytes back from disk, if they lie there.
    ///
    /// # Errors
    /// Exit 7 if they do not come back.
    pub fn load(&mut self, spill: Option<&SpillFile>) -> Result<()> {
        if let Some((range, spill)) = self.on_disk.take().zip(spill) {
            spill.read(&range, &mut self.bytes)?;
        }
        Ok(())
    }
}

/// One CSV row, quoted where it must be.
fn csv_row(cells: &[String]) -> Result<Vec<u8>> {
    let wrong = |e: &dyn std::fmt::Display| Error::bug(format!("a row of the CRM file cannot be written: {e}"));
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(cells).map_err(|e| wrong(&e).caused_by(e))?;
    writer.into_inner().map_err(|e| wrong(&e).caused_by(e))
}

/// The header row of the CRM file.
///
/// # Errors
/// Exit 1 if it cannot be written.
pub fn crm_header(context: &PartContext<'_>) -> Result<Vec<u8>> {
    let mut cells = vec!["customer_id".to_owned()];
    cells.extend(context.labels.has_slices.then(|| "slice".to_owned()));
    for column in &context.plan.schemes {
        cells.extend(["", "_previous", "_since"].map(|end| format!("{}{end}", column.column)));
    }
    cells.push("next_due".to_owned());
    if context.job.forecast.is_some() {
        cells.extend(NEXT_PURCHASE.map(|kind| kind.name().to_owned()));
    }
    cells.extend(["why", "action"].map(str::to_owned));
    csv_row(&cells)
}

/// The rows of a part at a date; none if the job asks for no CRM file.
pub(super) fn rows(part: PartView<'_>, histories: &Histories<'_>, date: &DateRows) -> Result<CrmRows> {
    let context = part.context;
    let labels = &context.labels;
    let Some(measures) = context.plan.crm else { return Ok(CrmRows::default()) };
    let has_earlier_date = !context.job.origins[date.date].is_empty();
    let mut out = CrmRows::default();
    for (row, &customer) in date.rows.customers.iter().enumerate() {
        let mut cells = vec![id_text(&part.customers.ids, context.id, customer as usize)];
        if labels.has_slices {
            let slice = labels.slice(part.customers.groups.slice_number(customer));
            cells.push(slice.map(|name| escape_formula(name).into_owned()).unwrap_or_default());
        }
        for (scheme, names) in labels.states.iter().enumerate() {
            let name = |state: u16| match usize::from(state) {
                state if state < names.len() => escape_formula(names.value(state)).into_owned(),
                _ => String::new(),
            };
            let previous = part.tracker.previous_states(date.date, scheme).map_or(ABSENT, |states| states[customer as usize]);
            let since = has_earlier_date.then(|| part.tracker.since(scheme, customer).to_string());
            cells.extend([name(date.states[scheme][row]), name(previous), since.unwrap_or_default()]);
        }
        let due = date.rows.columns[measures.next_due].get(row).map(|days| Day(days as i32).to_string());
        cells.push(due.unwrap_or_default());
        if context.job.forecast.is_some() {
            let slice = part.customers.groups.slice_number(customer);
            let days = next_purchase(context, histories, slice, customer as usize);
            cells.extend(days.map(|day| day.map(|day| day.to_string()).unwrap_or_default()));
        }
        cells.push(why(measures, &date.rows, row));
        let action = labels.action(&date.states, row).map(|action| labels.actions.value(action.into()));
        cells.push(action.map(|action| escape_formula(action).into_owned()).unwrap_or_default());
        out.bytes.extend(csv_row(&cells)?);
        out.ends.push(out.bytes.len());
    }
    Ok(out)
}

fn id_text(ids: &CustomerIds, id: IdType, customer: usize) -> String {
    match ids {
        CustomerIds::Text(ids) => escape_formula(&String::from_utf8_lossy(ids.get(customer))).into_owned(),
        CustomerIds::Int(keys) => {
            let key = keys.get(customer).copied().unwrap_or(0);
            match id {
                IdType::Unsigned(64) => CustomerIds::unsigned_of_key(key).to_string(),
                _ => key.to_string(),
            }
        }
    }
}

/// A customer's rhythm in a few words.
fn why(measures: CrmMeasures, rows: &CustomerRows, row: usize) -> String {
    let number = |column: usize| rows.columns[column].get(row);
    let plural = |n: i64, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
    let Some(silent) = number(measures.recency) else { return "no order yet".into() };
    if let Some((days, gaps)) = rows.columns[measures.mean_gap].get_ratio(row) {
        let usual = divide_half_even(i128::from(days), i128::from(gaps)).max(1) as i64;
        let every = if usual == 1 { "every day".into() } else { format!("every {usual} days") };
        return format!("usually {every}, silent for {silent}");
    }
    let orders = number(measures.orders).unwrap_or(0);
    format!("{}, {} ago", plural(orders, "order"), plural(silent, "day"))
}
