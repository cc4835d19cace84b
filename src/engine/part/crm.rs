//! The CRM file: the states of every customer at the last as-of date, since when, why, and what to do, as CSV rows.

use arrow::array::Array;

use super::customers::PartCustomers;
use super::movement::MovementTracker;
use super::rows::CustomerRows;
use super::{PartContext, panel_of};
use crate::domain::{CustomerIds, Day, IdType, divide_half_even};
use crate::error::{Error, Result};
use crate::measure::BucketPanel;
use crate::movement::ABSENT;
use crate::tables::escape_formula;

/// CSV rows of a part.
#[derive(Debug, Clone, Default)]
pub struct CrmRows {
    bytes: Vec<u8>,
    /// Where each row ends.
    ends: Vec<usize>,
}

impl CrmRows {
    /// The rows, each with its line end.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).filter_map(|(start, end)| self.bytes.get(start..*end))
    }
}

/// One CSV row, quoted where it must be.
fn row(cells: &[String]) -> Result<Vec<u8>> {
    let wrong = |e: &dyn std::fmt::Display| Error::bug(format!("a row of the CRM file cannot be written: {e}"));
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(cells).map_err(|e| wrong(&e))?;
    writer.into_inner().map_err(|e| wrong(&e))
}

impl PartContext<'_> {
    /// The header row of the CRM file.
    ///
    /// # Errors
    /// Exit 1 if it cannot be written.
    pub fn crm_header(&self) -> Result<Vec<u8>> {
        let mut cells = vec!["customer_id".to_owned()];
        cells.extend(self.job.raw.orders.slice.is_some().then(|| "slice".to_owned()));
        for column in &self.plan.schemes {
            cells.extend(["", "_previous", "_since"].map(|end| format!("{}{end}", column.column)));
        }
        cells.extend(["next_due", "why", "action"].map(str::to_owned));
        row(&cells)
    }

    /// The rows of a part at a date.
    pub(super) fn crm(
        &self,
        date: usize,
        panels: &[BucketPanel],
        customers: &PartCustomers,
        rows: &CustomerRows,
        states: &[Vec<u16>],
        movement: &MovementTracker<'_>,
    ) -> Result<CrmRows> {
        let Some(measures) = self.plan.crm else { return Ok(CrmRows::default()) };
        let before: Vec<Vec<u16>> = (0..states.len()).map(|scheme| movement.previous(self.job, date, scheme, rows)).collect();
        let known = !self.job.origins[date].is_empty();
        let mut out = CrmRows::default();
        for (at, place) in rows.customers.iter().enumerate() {
            let (panel, customer) = panel_of(panels, customers.bucket_rows[*place as usize]);
            let mut cells = vec![self.id_text(panel, customer)];
            if self.job.raw.orders.slice.is_some() {
                let slice = panel.slice(customer) as usize;
                cells.push(if slice < self.slices.len() {
                    escape_formula(self.slices.value(slice)).into_owned()
                } else {
                    String::new()
                });
            }
            for (scheme, names) in self.states.iter().enumerate() {
                let name = |state: u16| match usize::from(state) {
                    state if state < names.len() => escape_formula(names.value(state)).into_owned(),
                    _ => String::new(),
                };
                cells.push(name(states[scheme][at]));
                let previous = before[scheme][at];
                cells.push(if previous == ABSENT { String::new() } else { name(previous) });
                cells.push(if known { movement.since(scheme, *place).to_string() } else { String::new() });
            }
            let due = rows.columns[measures.next_due].get(at).map(|days| Day(days as i32).to_string());
            cells.push(due.unwrap_or_default());
            cells.push(self.why(measures, rows, at));
            cells.push(self.action_of(states, at).map(|a| escape_formula(a).into_owned()).unwrap_or_default());
            out.bytes.extend(row(&cells)?);
            out.ends.push(out.bytes.len());
        }
        Ok(out)
    }

    fn id_text(&self, panel: &BucketPanel, customer: usize) -> String {
        match &panel.ids {
            CustomerIds::Text(ids) => escape_formula(&String::from_utf8_lossy(ids.get(customer))).into_owned(),
            CustomerIds::Int(ids) => {
                let key = ids.get(customer).copied().unwrap_or(0);
                match self.id {
                    IdType::Unsigned(64) => CustomerIds::unsigned_of_key(key).to_string(),
                    _ => key.to_string(),
                }
            }
        }
    }

    /// A customer's rhythm in a few words.
    fn why(&self, measures: super::CrmMeasures, rows: &CustomerRows, at: usize) -> String {
        let number = |column: usize| rows.columns[column].get(at);
        let plural = |n: i64, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
        let Some(silent) = number(measures.recency) else { return "no order yet".into() };
        if let Some((days, gaps)) = rows.columns[measures.mean_gap].get_ratio(at) {
            let usual = divide_half_even(i128::from(days), i128::from(gaps)).max(1) as i64;
            let every = if usual == 1 { "every day".into() } else { format!("every {usual} days") };
            return format!("usually {every}, silent for {silent}");
        }
        let orders = number(measures.orders).unwrap_or(0);
        format!("{}, {} ago", plural(orders, "order"), plural(silent, "day"))
    }
}
