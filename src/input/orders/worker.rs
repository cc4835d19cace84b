//! One scan thread: row groups in, records and row counts out.

use arrow::array::{Array, ArrayRef, StringViewArray};

use super::batch::{Batch, ColumnPositions, mark, mark_all, mark_nulls};
use super::columns::{OrderColumns, UsedColumns};
use super::dictionary::{DictionaryCache, SharedDictionary};
use super::filler_dates;
use super::findings::ScanFindings;
use super::ledger::{
    AFTER_AS_OF, DATE_OUT_OF_RANGE, FILTERED, KEPT, NO_CUSTOMER, NON_FINITE_AMOUNT, NULL_AMOUNT, NULL_CURRENCY, NULL_DATE,
    NULL_ORDER_ID, NULL_SLICE, RowOutcome, ZERO,
};
use super::order_keys;
use super::related::RelatedRows;
use super::row_groups::RowGroupTask;
use crate::bucket::{BucketWriter, Field, PackedBucket, RecordLayout, flag};
use crate::error::{Error, Result};
use crate::input::damage::corrupt;
use crate::input::decode::{self, Integers, Problem};
use crate::input::reader::FileReader;
use crate::input::rounding::Rounding;
use crate::input::source::Source;
use crate::job::Job;
use crate::job::raw::ZeroAmount;
use crate::storage::OpenFile;

/// What all threads of a scan share.
pub struct ScanContext<'a> {
    pub job: &'a Job,
    pub sources: &'a [Source],
    pub columns: &'a OrderColumns,
    pub layout: RecordLayout,
    pub uses: UsedColumns,
    pub related: &'a RelatedRows,
    pub slices: SharedDictionary,
    pub categories: SharedDictionary,
}

/// Vectors that are reused from batch to batch.
#[derive(Default)]
struct Scratch {
    outcomes: Vec<RowOutcome>,
    keys: Vec<i64>,
    dates: Integers,
    amounts: Integers,
    costs: Integers,
    flags: Vec<i64>,
    slices: Vec<i64>,
    categories: Vec<i64>,
    order: Vec<i64>,
    order_high: Vec<i64>,
    file: Vec<i64>,
    kept: Vec<bool>,
}

/// A scan thread.
pub struct Worker<'a> {
    context: &'a ScanContext<'a>,
    positions: ColumnPositions,
    buckets: BucketWriter,
    findings: ScanFindings,
    slices: DictionaryCache,
    categories: DictionaryCache,
    /// The file of the last task, which the next one mostly reads too.
    file: Option<(usize, OpenFile)>,
    buffers: Vec<Vec<u8>>,
    scratch: Scratch,
}

impl<'a> Worker<'a> {
    pub fn new(context: &'a ScanContext<'a>, buckets: BucketWriter) -> Worker<'a> {
        Worker {
            context,
            positions: ColumnPositions::find(context.job, context.columns, context.uses),
            buckets,
            findings: ScanFindings::default(),
            slices: DictionaryCache::default(),
            categories: DictionaryCache::default(),
            file: None,
            buffers: Vec::new(),
            scratch: Scratch::default(),
        }
    }

    /// The buckets, and what was found.
    pub fn finish(self) -> (Vec<PackedBucket>, ScanFindings) {
        (self.buckets.finish(), self.findings)
    }

    /// Reads a row group; returns its rows.
    pub fn run(&mut self, task: RowGroupTask) -> Result<u64> {
        let context = self.context;
        let no_file = || Error::bug(format!("there is no input file number {}", task.file));
        let source = context.sources.get(task.file).ok_or_else(no_file)?;
        let file = match self.file.take() {
            Some((number, file)) if number == task.file => file,
            _ => source.reopen()?,
        };
        let orders = &context.job.raw.orders;
        // The dates first, to check them against the statistics that placed them.
        let dates_and_amounts: Vec<String> =
            std::iter::once(&orders.ordered_at).chain(orders.amount.as_slice()).cloned().collect();
        let names = if task.amounts_only { &dates_and_amounts } else { &context.columns.names };
        let reader = FileReader::new(source, names, &orders.ordered_at)?;
        let mut buffers = std::mem::take(&mut self.buffers);
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut rows = 0;
        reader.read(&file, task.group, &mut buffers, |first, columns| {
            rows += columns.first().map_or(0, |c| c.len() as u64);
            let patched = match context.related.inherited.get(task.file) {
                Some(inherited) if !task.amounts_only => inherited.apply(first, names, columns)?,
                _ => None,
            };
            let batch = Batch { file: task.file, first, columns: patched.as_deref().unwrap_or(columns) };
            if task.amounts_only { self.count_later_batch(&batch, &mut scratch) } else { self.add_batch(&batch, &mut scratch) }
        })?;
        self.file = Some((task.file, file));
        self.buffers = buffers;
        self.scratch = scratch;
        Ok(rows)
    }

    /// Counts a batch of a row group whose statistics place it after the last as-of date. It has the dates and the amounts.
    fn count_later_batch(&mut self, batch: &Batch<'_>, scratch: &mut Scratch) -> Result<()> {
        let (date, amounts) = batch.columns.split_first().ok_or_else(|| Error::bug("a row group without columns"))?;
        let Scratch { outcomes, dates, amounts: decoded, .. } = scratch;
        let ScanContext { job, columns, .. } = self.context;
        decode::dates(date, &columns.zone, columns.naive_zone.as_ref(), dates)?;
        let last = i64::from(job.last().0);
        let before = dates.values.iter().position(|day| *day <= last);
        if let Some(row) = before.or(dates.problems.first().map(|(row, _)| *row)) {
            let what = format!(
                "the statistics of column {:?} place row {} after {}, and its date is another one",
                job.raw.orders.ordered_at,
                self.row_number(batch, row),
                job.last()
            );
            return Err(corrupt(&self.file_name(batch), what));
        }
        let amounts: Vec<&ArrayRef> = amounts.iter().collect();
        decode::money(&amounts, job.raised_digits(), decoded)?;
        outcomes.clear();
        outcomes.resize(decoded.values.len(), KEPT);
        self.mark_amounts(batch, decoded, outcomes)?;
        filler_dates::count(&dates.values, outcomes, &mut self.findings.fillers);
        self.note_rounding(batch.file, &amounts, decoded, |_| false);
        for outcome in outcomes.iter_mut().filter(|outcome| **outcome == KEPT) {
            *outcome = AFTER_AS_OF;
        }
        self.findings.row_counts.add_batch(batch.file, outcomes, &decoded.values, true);
        Ok(())
    }

    /// Decides about the rows of a batch, counts them, and appends those that are kept to their buckets.
    fn add_batch(&mut self, batch: &Batch<'_>, scratch: &mut Scratch) -> Result<()> {
        self.find_outcomes(batch, scratch)?;
        self.decode_flags(batch, scratch)?;
        let (factors, flags) = (self.factors(batch)?, &scratch.flags);
        let negate = self.negates();
        self.note_rounding(batch.file, &factors, &scratch.amounts, |row| negate && flags[row] & flag::RETURN != 0);
        filler_dates::count(&scratch.dates.values, &scratch.outcomes, &mut self.findings.fillers);
        self.mark_later(scratch);
        // With order ids, the rows are lines: the fold sums them and sees which orders are zero.
        let has_lines = self.context.layout.has(Field::Order);
        if !has_lines && self.context.job.raw.orders.zero_amount == ZeroAmount::Drop {
            mark_zero(scratch);
        }
        if !has_lines && self.positions.returns.is_some() {
            self.count_positive_returns(scratch);
        }
        self.findings.row_counts.add_batch(batch.file, &scratch.outcomes, &scratch.amounts.values, !has_lines);
        self.decode_codes(batch, scratch)?;
        self.append(batch, scratch)
    }

    /// Finds the outcome of every row as far as the row says it: exclusion by other rows, then filters, then missing values. The
    /// first one counts.
    fn find_outcomes(&mut self, batch: &Batch<'_>, scratch: &mut Scratch) -> Result<()> {
        let ScanContext { job, columns, .. } = self.context;
        let positions = &self.positions;
        let Scratch { outcomes, dates, amounts, .. } = scratch;
        let customer = batch.column(positions.customer)?;
        outcomes.clear();
        outcomes.resize(customer.len(), KEPT);
        if let Some(excluded) = self.context.related.excluded.get(batch.file) {
            excluded.apply(batch.first, outcomes);
        }
        for (number, (predicate, position)) in columns.keep.iter().zip(&positions.keep).enumerate() {
            let passes = predicate.test(batch.column(*position)?, &columns.zone)?;
            for (outcome, pass) in outcomes.iter_mut().zip(passes) {
                if !pass && *outcome == KEPT {
                    *outcome = FILTERED + number as RowOutcome;
                }
            }
        }
        mark_nulls(customer, NO_CUSTOMER, outcomes);
        if let Some(guests) = &columns.guests {
            mark_all(&guests.test(customer, &columns.zone)?, NO_CUSTOMER, outcomes);
        }
        if let Some(position) = positions.slice {
            mark_nulls(batch.column(position)?, NULL_SLICE, outcomes);
        }
        decode::dates(batch.column(positions.date)?, &columns.zone, columns.naive_zone.as_ref(), dates)?;
        for (row, problem) in &dates.problems {
            let outcome = if *problem == Problem::Null { NULL_DATE } else { DATE_OUT_OF_RANGE };
            mark(*row, outcome, outcomes);
        }
        for position in &positions.order {
            mark_nulls(batch.column(*position)?, NULL_ORDER_ID, outcomes);
        }
        let factors = self.factors(batch)?;
        decode::money(&factors, job.raised_digits(), amounts)?;
        self.mark_amounts(batch, amounts, outcomes)?;
        if let Some(position) = self.positions.currency {
            mark_nulls(batch.column(position)?, NULL_CURRENCY, outcomes);
            self.findings.currencies.add_batch(batch.column(position)?, outcomes)?;
        }
        Ok(())
    }

    /// Decodes the flags and the cost of every row, and turns the signs of returns where the job says so.
    fn decode_flags(&self, batch: &Batch<'_>, scratch: &mut Scratch) -> Result<()> {
        let ScanContext { job, columns, layout, .. } = self.context;
        let Scratch { outcomes, amounts, costs, flags, .. } = scratch;
        if layout.has(Field::Flags) {
            flags.clear();
            flags.resize(outcomes.len(), 0);
            let zone = &columns.zone;
            if let (Some(predicate), Some(position)) = (&columns.returns, self.positions.returns) {
                set_flag(flags, flag::RETURN, predicate.test(batch.column(position)?, zone)?);
            }
            if let (Some(predicate), Some(position)) = (&columns.money_only, self.positions.money_only) {
                set_flag(flags, flag::MONEY_ONLY, predicate.test(batch.column(position)?, zone)?);
            }
            if let Some(position) = self.positions.discount {
                set_flag(flags, flag::DISCOUNTED, decode::discounted(batch.column(position)?)?);
            }
        }
        let negate = self.negates();
        if negate {
            negate_returns(flags, &mut amounts.values);
        }
        let Some(position) = self.positions.cost else { return Ok(()) };
        decode::money(&[batch.column(position)?], job.raised_digits(), costs)?;
        for (row, problem) in &costs.problems {
            match problem {
                Problem::Null | Problem::NonFinite => flags[*row] |= flag::COST_MISSING,
                _ if outcomes[*row] == KEPT => return Err(self.money_error(batch, *row, *problem, "orders.cost")),
                _ => {}
            }
        }
        if negate {
            negate_returns(flags, &mut costs.values);
        }
        Ok(())
    }

    /// The columns whose product is the amount.
    fn factors<'b>(&self, batch: &Batch<'b>) -> Result<Vec<&'b ArrayRef>> {
        self.positions.amounts.iter().map(|position| batch.column(*position)).collect()
    }

    /// Whether the signs of returns are turned.
    fn negates(&self) -> bool {
        self.context.job.raw.orders.returns.as_ref().is_some_and(|returns| returns.negate)
    }

    /// Notes what rounding did to the money of a batch.
    fn note_rounding(&mut self, file: usize, factors: &[&ArrayRef], money: &Integers, is_turned: impl Fn(usize) -> bool) {
        let mut rounding = Rounding::default();
        rounding.add(factors, self.context.job.raised_digits(), money, is_turned);
        if !rounding.is_zero() {
            self.findings.rounding.entry(file).or_default().merge(&rounding);
        }
    }

    /// Marks rows after the last as-of date.
    fn mark_later(&self, scratch: &mut Scratch) {
        let Scratch { outcomes, dates, .. } = scratch;
        let last = i64::from(self.context.job.last().0);
        if dates.values.iter().any(|day| *day > last) {
            for (outcome, day) in outcomes.iter_mut().zip(&dates.values).filter(|(outcome, _)| **outcome == KEPT) {
                if *day > last {
                    *outcome = AFTER_AS_OF;
                }
            }
        }
    }

    fn count_positive_returns(&mut self, scratch: &Scratch) {
        for ((outcome, flags), amount) in scratch.outcomes.iter().zip(&scratch.flags).zip(&scratch.amounts.values) {
            if *outcome == KEPT && flags & flag::RETURN != 0 && *amount > 0 {
                self.findings.positive_returns.0 += 1;
                self.findings.positive_returns.1 += i128::from(*amount);
            }
        }
    }

    /// Finds the codes of slices and categories and the keys of orders.
    fn decode_codes(&mut self, batch: &Batch<'_>, scratch: &mut Scratch) -> Result<()> {
        let context = self.context;
        let Scratch { outcomes, amounts, slices, categories, order, order_high, file, .. } = scratch;
        if let Some(position) = self.positions.slice {
            self.slices.encode(batch.column(position)?, outcomes, &context.slices, slices)?;
        }
        if let Some(position) = self.positions.category {
            self.categories.encode(batch.column(position)?, outcomes, &context.categories, categories)?;
        }
        if !self.positions.order.is_empty() {
            let columns = self.positions.order.iter().map(|position| batch.column(*position)).collect::<Result<Vec<_>>>()?;
            order_keys::of(&columns, order, order_high, |number, row, id| {
                let column = context.job.order_id().get(number).map_or("", |column| column.as_ref());
                self.too_wide(batch, row, column, "orders.order_id", id)
            })?;
            file.clear();
            file.resize(outcomes.len(), batch.file as i64);
            self.findings.customerless.add_batch(
                outcomes.iter().map(|outcome| *outcome == NO_CUSTOMER),
                (order, order_high),
                &amounts.values,
            );
        }
        Ok(())
    }

    /// Appends the kept rows to their buckets.
    fn append(&mut self, batch: &Batch<'_>, scratch: &mut Scratch) -> Result<()> {
        let (layout, orders) = (self.context.layout, &self.context.job.raw.orders);
        let customer = batch.column(self.positions.customer)?;
        let all_kept = scratch.outcomes.iter().all(|outcome| *outcome == KEPT);
        if !all_kept {
            scratch.kept.clear();
            scratch.kept.extend(scratch.outcomes.iter().map(|outcome| *outcome == KEPT));
        }
        let selected = (!all_kept).then_some(scratch.kept.as_slice());
        let (texts, keys) = if layout.text_ids {
            let texts = decode::texts(customer)?;
            scratch.keys.clear();
            scratch.keys.extend((0..texts.len()).map(|row| id_bytes(texts, row).len() as i64));
            let kept_lengths = scratch.keys.iter().zip(&scratch.outcomes).filter(|(_, outcome)| **outcome == KEPT);
            self.findings.empty_ids += kept_lengths.filter(|(length, _)| **length == 0).count() as u64;
            (Some(texts), scratch.keys.as_slice())
        } else {
            let too_wide = |row, id| self.too_wide(batch, row, &orders.customer_id, "orders.customer_id", id);
            (None, decode::lent_keys(customer, &mut scratch.keys, too_wide)?)
        };
        let fields: [(Field, &[i64]); 10] = [
            (Field::Customer, keys),
            (Field::Date, &scratch.dates.values),
            (Field::Amount, &scratch.amounts.values),
            (Field::Flags, &scratch.flags),
            (Field::Slice, &scratch.slices),
            (Field::Cost, &scratch.costs.values),
            (Field::Order, &scratch.order),
            (Field::OrderHigh, &scratch.order_high),
            (Field::File, &scratch.file),
            (Field::Category, &scratch.categories),
        ];
        let columns: Vec<&[i64]> = fields.iter().filter(|(field, _)| layout.has(*field)).map(|(_, values)| *values).collect();
        match texts {
            Some(texts) => self.buckets.append_text(|row| id_bytes(texts, row), &columns, selected),
            None => self.buckets.append(&columns, selected),
        }
        self.buckets.spill_if_over_budget()
    }

    /// Marks rows without an amount. An amount beyond the money scale is an error in any row, because the ledger accounts for
    /// every unit of money.
    fn mark_amounts(&self, batch: &Batch<'_>, amounts: &Integers, outcomes: &mut [RowOutcome]) -> Result<()> {
        for (row, problem) in &amounts.problems {
            match problem {
                Problem::Null => mark(*row, NULL_AMOUNT, outcomes),
                Problem::NonFinite => mark(*row, NON_FINITE_AMOUNT, outcomes),
                _ => return Err(self.money_error(batch, *row, *problem, "orders.amount")),
            }
        }
        Ok(())
    }

    /// The number of a row of a batch in its file, from 1.
    fn row_number(&self, batch: &Batch<'_>, row: usize) -> u64 {
        let index = batch.first + row as u64;
        self.context.sources.get(batch.file).map_or(index + 1, |source| source.row_number(index))
    }

    fn file_name(&self, batch: &Batch<'_>) -> String {
        self.context.sources.get(batch.file).map_or_else(String::new, Source::name)
    }

    #[cold]
    fn too_wide(&self, batch: &Batch<'_>, row: usize, column: &str, key: &str, id: i128) -> Error {
        match self.context.sources.get(batch.file) {
            Some(source) => source.id_too_wide(batch.first + row as u64, column, key, id),
            None => Error::bug(format!("there is no input file number {}", batch.file)),
        }
    }

    #[cold]
    fn money_error(&self, batch: &Batch<'_>, row: usize, problem: Problem, key: &str) -> Error {
        let orders = &self.context.job.raw.orders;
        let column = match key {
            "orders.cost" => orders.cost.clone().unwrap_or_default(),
            _ => orders.amount.as_slice().join(" × "),
        };
        let name = self.file_name(batch);
        let row = self.row_number(batch, row);
        let scale = self.context.job.scale();
        match problem {
            Problem::Finer => Error::contract(format!(
                "{name}, row {row}: column {column:?} ({key}) has more than {scale} digits behind the point; set orders.amount_scale to the digits that the money has"
            )),
            _ => Error::contract(format!(
                "{name}, row {row}: column {column:?} ({key}) overflows 64 bits of minor units at orders.amount_scale = {scale}; lower the scale or correct the amount"
            )),
        }
    }
}

/// Marks purchases of zero, in a job whose rows are orders.
fn mark_zero(scratch: &mut Scratch) {
    let Scratch { outcomes, amounts, flags, .. } = scratch;
    for (row, outcome) in outcomes.iter_mut().enumerate().filter(|(_, outcome)| **outcome == KEPT) {
        if amounts.values[row] == 0 && flags.get(row).is_none_or(|flags| flags & (flag::RETURN | flag::MONEY_ONLY) == 0) {
            *outcome = ZERO;
        }
    }
}

/// Turns the signs of returns.
fn negate_returns(flags: &[i64], money: &mut [i64]) {
    for (money, flags) in money.iter_mut().zip(flags) {
        if flags & flag::RETURN != 0 {
            // The one integer without a negative is far beyond what tables hold; it stays, and they refuse it.
            *money = money.checked_neg().unwrap_or(*money);
        }
    }
}

fn set_flag(flags: &mut [i64], bit: i64, rows: Vec<bool>) {
    for (flags, set) in flags.iter_mut().zip(rows) {
        *flags |= if set { bit } else { 0 };
    }
}

fn id_bytes(texts: &StringViewArray, row: usize) -> &[u8] {
    if texts.is_null(row) { &[] } else { texts.value(row).as_bytes() }
}
