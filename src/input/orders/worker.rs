//! One scan thread: row groups in, records and a counts out.

use std::collections::HashMap;
use std::fs::File;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use xxhash_rust::xxh3::xxh3_128;

use super::ledger::{
    AFTER_AS_OF, DATE_OUT_OF_RANGE, FILTERED, KEPT, NO_CUSTOMER, NON_FINITE_AMOUNT, NULL_AMOUNT, NULL_CURRENCY, NULL_DATE,
    NULL_ORDER_ID, NULL_SLICE, OUTCOMES, RowCounts, RowOutcome, ZERO,
};
use super::row_groups::RowGroupTask;
use super::shared::{Codes, Shared};
use crate::bucket::{BucketWriter, Field, PackedBucket, flag};
use crate::error::{Error, Result};
use crate::input::damage::corrupt;
use crate::input::decode::{self, Integers, Problem};
use crate::input::reader::FileReader;
use crate::job::raw::ZeroAmount;

/// Most currencies a thread counts; more make no better message.
const MOST_CURRENCIES: usize = 64;

/// What a thread found.
pub(super) struct ThreadResult {
    pub buckets: Vec<PackedBucket>,
    pub counts: RowCounts,
    pub currencies: HashMap<String, u64>,
    pub empty_ids: u64,
}

/// Where the job's columns stand among those read.
struct Positions {
    customer: usize,
    date: usize,
    amounts: Vec<usize>,
    order: Option<usize>,
    discount: Option<usize>,
    cost: Option<usize>,
    currency: Option<usize>,
    slice: Option<usize>,
    category: Option<usize>,
    keep: Vec<usize>,
    returns: Option<usize>,
}

/// Vectors that every batch uses anew.
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
    keep: Vec<bool>,
}

pub(super) struct Worker<'a> {
    shared: &'a Shared<'a>,
    positions: Positions,
    buckets: BucketWriter,
    counts: RowCounts,
    currencies: HashMap<String, u64>,
    slices: HashMap<String, u32>,
    categories: HashMap<String, u32>,
    empty_ids: u64,
    reader: Option<(usize, File)>,
    buffers: Vec<Vec<u8>>,
    scratch: Scratch,
}

impl<'a> Worker<'a> {
    pub fn new(shared: &'a Shared<'a>, buckets: BucketWriter) -> Worker<'a> {
        let orders = &shared.job.raw.orders;
        let names = &shared.columns.names;
        // OrderColumns that no measure looks at are not among those read.
        let find = |name: &str| names.binary_search_by(|n| n.as_str().cmp(name)).ok();
        let at = |name: &str| find(name).unwrap_or(usize::MAX);
        let positions = Positions {
            customer: at(&orders.customer_id),
            date: at(&orders.ordered_at),
            amounts: orders.amount.as_slice().iter().map(|c| at(c)).collect(),
            order: orders.order_id.as_deref().map(at),
            discount: orders.discount.as_deref().and_then(find).filter(|_| shared.uses.discount),
            cost: orders.cost.as_deref().and_then(find).filter(|_| shared.uses.cost),
            currency: orders.currency.as_deref().map(at),
            slice: orders.slice.as_deref().map(at),
            category: orders.category.as_deref().and_then(find).filter(|_| shared.uses.category),
            keep: shared.columns.keep.iter().map(|p| at(&p.column)).collect(),
            returns: shared.columns.returns.as_ref().map(|p| at(&p.column)),
        };
        Worker {
            shared,
            positions,
            buckets,
            counts: RowCounts::default(),
            currencies: HashMap::new(),
            slices: HashMap::new(),
            categories: HashMap::new(),
            empty_ids: 0,
            reader: None,
            buffers: Vec::new(),
            scratch: Scratch::default(),
        }
    }

    pub fn finish(self) -> ThreadResult {
        ThreadResult {
            buckets: self.buckets.finish(),
            counts: self.counts,
            currencies: self.currencies,
            empty_ids: self.empty_ids,
        }
    }

    /// Reads a row group; returns its rows.
    pub fn run(&mut self, task: RowGroupTask) -> Result<u64> {
        let source = self
            .shared
            .sources
            .get(task.file)
            .ok_or_else(|| Error::bug(format!("there is no input file number {}", task.file)))?;
        let file = match self.reader.take() {
            Some((number, file)) if number == task.file => file,
            _ => source.reopen()?,
        };
        let orders = &self.shared.job.raw.orders;
        let mut rows = 0;
        let mut buffers = std::mem::take(&mut self.buffers);
        if task.amounts_only {
            // The dates first, to hold them against the statistics that placed them.
            let mut names = vec![orders.ordered_at.clone()];
            names.extend_from_slice(orders.amount.as_slice());
            let reader = FileReader::new(source, &names, &orders.ordered_at)?;
            reader.read(&file, task.group, &mut buffers, |first, columns| {
                rows += columns.first().map_or(0, |c| c.len() as u64);
                self.amounts(task.file, first, columns)
            })?;
        } else {
            let reader = FileReader::new(source, &self.shared.columns.names, &orders.ordered_at)?;
            reader.read(&file, task.group, &mut buffers, |first, columns| {
                rows += columns.first().map_or(0, |c| c.len() as u64);
                self.batch(task.file, first, columns)
            })?;
        }
        self.reader = Some((task.file, file));
        self.buffers = buffers;
        Ok(rows)
    }

    /// Rows of a row group that lies after the last as-of date.
    fn amounts(&mut self, file: usize, first: u64, columns: &[ArrayRef]) -> Result<()> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let (date, amounts) = columns.split_first().ok_or_else(|| Error::bug("a row group without columns"))?;
        let known = &self.shared.columns;
        decode::dates(date, &known.zone, known.naive_zone.as_ref(), &mut scratch.dates)?;
        let last = i64::from(self.shared.job.last().0);
        let before = scratch.dates.values.iter().position(|day| *day <= last);
        if let Some(row) = before.or(scratch.dates.problems.first().map(|(row, _)| *row)) {
            let name = self.shared.sources.get(file).map_or_else(String::new, |s| s.name());
            let what = format!(
                "the statistics of column {:?} place row {} after {}, and its date is another one",
                self.shared.job.raw.orders.ordered_at,
                first + row as u64 + 1,
                self.shared.job.last()
            );
            return Err(corrupt(&name, what));
        }
        let amounts: Vec<&ArrayRef> = amounts.iter().collect();
        decode::money(&amounts, self.shared.job.scale(), &mut scratch.amounts)?;
        scratch.outcomes.clear();
        scratch.outcomes.resize(scratch.amounts.values.len(), KEPT);
        self.mark_amounts(file, first, &scratch.amounts, &mut scratch.outcomes)?;
        for outcome in scratch.outcomes.iter_mut().filter(|f| **f == KEPT) {
            *outcome = AFTER_AS_OF;
        }
        self.count(file, &scratch.outcomes, &scratch.amounts.values, true);
        self.scratch = scratch;
        Ok(())
    }

    fn batch(&mut self, file: usize, first: u64, columns: &[ArrayRef]) -> Result<()> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let done = self.records(file, first, columns, &mut scratch);
        self.scratch = scratch;
        done
    }

    fn records(&mut self, file: usize, first: u64, columns: &[ArrayRef], scratch: &mut Scratch) -> Result<()> {
        let shared = self.shared;
        let layout = shared.layout;
        let column = |at: usize| columns.get(at).ok_or_else(|| Error::bug("a column of the job was not read"));
        let customer = column(self.positions.customer)?;
        let rows = customer.len();
        let outcomes = &mut scratch.outcomes;
        outcomes.clear();
        outcomes.resize(rows, KEPT);

        // Rows that other rows exclude, then filters, then what is missing: the first match counts.
        if let Some(excluded) = shared.excluded.get(file) {
            excluded.apply(first, outcomes);
        }
        for (number, (predicate, at)) in shared.columns.keep.iter().zip(&self.positions.keep).enumerate() {
            let passes = predicate.test(column(*at)?, &shared.columns.zone)?;
            for (outcome, pass) in outcomes.iter_mut().zip(passes) {
                if !pass && *outcome == KEPT {
                    *outcome = FILTERED + number as RowOutcome;
                }
            }
        }
        mark_nulls(customer, NO_CUSTOMER, outcomes);
        if let Some(at) = self.positions.slice {
            mark_nulls(column(at)?, NULL_SLICE, outcomes);
        }
        decode::dates(
            column(self.positions.date)?,
            &shared.columns.zone,
            shared.columns.naive_zone.as_ref(),
            &mut scratch.dates,
        )?;
        for (row, problem) in &scratch.dates.problems {
            let outcome = if *problem == Problem::Null { NULL_DATE } else { DATE_OUT_OF_RANGE };
            mark(*row, outcome, outcomes);
        }
        if let Some(at) = self.positions.order {
            mark_nulls(column(at)?, NULL_ORDER_ID, outcomes);
        }
        let factors = self.positions.amounts.iter().map(|at| column(*at)).collect::<Result<Vec<_>>>()?;
        decode::money(&factors, shared.job.scale(), &mut scratch.amounts)?;
        self.mark_amounts(file, first, &scratch.amounts, outcomes)?;
        if let Some(at) = self.positions.currency {
            mark_nulls(column(at)?, NULL_CURRENCY, outcomes);
            self.currencies(column(at)?, outcomes)?;
        }

        let flags = &mut scratch.flags;
        if layout.has(Field::Flags) {
            flags.clear();
            flags.resize(rows, 0);
            if let (Some(predicate), Some(at)) = (&shared.columns.returns, self.positions.returns) {
                raise(flags, flag::RETURN, predicate.test(column(at)?, &shared.columns.zone)?);
            }
            if let Some(at) = self.positions.discount {
                raise(flags, flag::DISCOUNTED, decode::discounted(column(at)?)?);
            }
        }
        if let Some(at) = self.positions.cost {
            decode::money(&[column(at)?], shared.job.scale(), &mut scratch.costs)?;
            for (row, problem) in &scratch.costs.problems {
                match problem {
                    Problem::Null | Problem::NonFinite => flags[*row] |= flag::COST_MISSING,
                    _ if outcomes[*row] == KEPT => {
                        return Err(self.money_error(file, first, *row, *problem, "orders.cost"));
                    }
                    _ => {}
                }
            }
        }
        let lines = layout.has(Field::Order);
        if !lines {
            let last = i64::from(shared.job.last().0);
            let drop_zero = shared.job.raw.orders.zero_amount == ZeroAmount::Drop;
            let amounts = &scratch.amounts.values;
            if drop_zero {
                for (row, outcome) in outcomes.iter_mut().enumerate().filter(|(_, f)| **f == KEPT) {
                    if amounts[row] == 0 && flags.get(row).is_none_or(|f| f & flag::RETURN == 0) {
                        *outcome = ZERO;
                    }
                }
            }
            if scratch.dates.values.iter().any(|d| *d > last) {
                for (outcome, date) in outcomes.iter_mut().zip(&scratch.dates.values).filter(|(f, _)| **f == KEPT) {
                    if *date > last {
                        *outcome = AFTER_AS_OF;
                    }
                }
            }
        }
        self.count(file, &scratch.outcomes, &scratch.amounts.values, !lines);

        if let Some(at) = self.positions.slice {
            codes(column(at)?, &scratch.outcomes, &mut self.slices, &shared.slices, &mut scratch.slices)?;
        }
        if let Some(at) = self.positions.category {
            codes(column(at)?, &scratch.outcomes, &mut self.categories, &shared.categories, &mut scratch.categories)?;
        }
        if let Some(at) = self.positions.order {
            order_keys(column(at)?, &mut scratch.order, &mut scratch.order_high)?;
            scratch.file.clear();
            scratch.file.resize(rows, file as i64);
        }
        let all = scratch.outcomes.iter().all(|f| *f == KEPT);
        if !all {
            scratch.keep.clear();
            scratch.keep.extend(scratch.outcomes.iter().map(|f| *f == KEPT));
        }
        let keep = (!all).then_some(scratch.keep.as_slice());
        let (texts, keys) = if layout.text_ids {
            let texts = decode::texts(customer)?;
            scratch.keys.clear();
            for row in 0..rows {
                scratch.keys.push(id_bytes(texts, row).len() as i64);
            }
            self.empty_ids +=
                scratch.keys.iter().zip(&scratch.outcomes).filter(|(len, f)| **len == 0 && **f == KEPT).count() as u64;
            (Some(texts), scratch.keys.as_slice())
        } else {
            (None, decode::lent_keys(customer, &mut scratch.keys)?)
        };
        let lanes: [(Field, &[i64]); 10] = [
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
        let lanes: Vec<&[i64]> = lanes.iter().filter(|(lane, _)| layout.has(*lane)).map(|(_, values)| *values).collect();
        match texts {
            Some(texts) => self.buckets.append_text(|row| id_bytes(texts, row), &lanes, keep),
            None => self.buckets.append(&lanes, keep),
        }
        self.buckets.spill_if_over_budget()
    }

    /// Marks rows without an amount. An amount that the money scale cannot hold is an error in any row, since the ledger
    /// accounts for every unit of money.
    fn mark_amounts(&self, file: usize, first: u64, amounts: &Integers, outcomes: &mut [RowOutcome]) -> Result<()> {
        for (row, problem) in &amounts.problems {
            match problem {
                Problem::Null => mark(*row, NULL_AMOUNT, outcomes),
                Problem::NonFinite => mark(*row, NON_FINITE_AMOUNT, outcomes),
                _ => return Err(self.money_error(file, first, *row, *problem, "orders.amount")),
            }
        }
        Ok(())
    }

    #[cold]
    fn money_error(&self, file: usize, first: u64, row: usize, problem: Problem, key: &str) -> Error {
        let orders = &self.shared.job.raw.orders;
        let column = match key {
            "orders.cost" => orders.cost.clone().unwrap_or_default(),
            _ => orders.amount.as_slice().join(" × "),
        };
        let name = self.shared.sources.get(file).map_or_else(String::new, |s| s.name());
        let row = first + row as u64 + 1;
        let scale = self.shared.job.scale();
        match problem {
            Problem::Finer => Error::contract(format!(
                "{name}, row {row}: column {column:?} ({key}) has more than {scale} digits behind the point; set orders.amount_scale to the digits that the money has"
            )),
            _ => Error::contract(format!(
                "{name}, row {row}: column {column:?} ({key}) overflows 64 bits of minor units at orders.amount_scale = {scale}; lower the scale or correct the amount"
            )),
        }
    }

    /// Adds the rows of a batch to the counts; kept rows only if nothing later decides over them.
    fn count(&mut self, file: usize, outcomes: &[RowOutcome], amounts: &[i64], kept: bool) {
        let total = exact_sum(amounts);
        self.counts.add_read(file, total);
        if outcomes.iter().all(|f| *f == KEPT) {
            if kept {
                self.counts.add(file, KEPT, outcomes.len() as u64, total);
            }
            return;
        }
        let mut rows = [0u64; OUTCOMES];
        let mut money = [0i128; OUTCOMES];
        for (outcome, amount) in outcomes.iter().zip(amounts) {
            rows[usize::from(*outcome)] += 1;
            money[usize::from(*outcome)] += i128::from(*amount);
        }
        for (outcome, (rows, money)) in rows.iter().zip(money).enumerate() {
            if outcome != usize::from(KEPT) || kept {
                self.counts.add(file, outcome as RowOutcome, *rows, money);
            }
        }
    }

    fn currencies(&mut self, column: &ArrayRef, outcomes: &[RowOutcome]) -> Result<()> {
        let mut row = 0;
        while row < outcomes.len() {
            if outcomes[row] != KEPT {
                row += 1;
                continue;
            }
            let Some(currency) = decode::text_of(column, row)? else { break };
            let mut rows = 0;
            // Runs of one currency are the rule; each is looked up once.
            while row < outcomes.len() && (outcomes[row] != KEPT || decode::text_of(column, row)?.as_ref() == Some(&currency)) {
                rows += u64::from(outcomes[row] == KEPT);
                row += 1;
            }
            if self.currencies.len() < MOST_CURRENCIES || self.currencies.contains_key(&currency) {
                *self.currencies.entry(currency).or_default() += rows;
            }
        }
        Ok(())
    }
}

/// The codes of a column's values; -1 for null and for rows that are not kept. `own` holds what this thread has met.
fn codes(
    column: &ArrayRef,
    outcomes: &[RowOutcome],
    own: &mut HashMap<String, u32>,
    all: &Codes,
    out: &mut Vec<i64>,
) -> Result<()> {
    out.clear();
    let texts = column.as_any().downcast_ref::<StringViewArray>();
    for (row, outcome) in outcomes.iter().enumerate() {
        if *outcome != KEPT || column.is_null(row) {
            out.push(-1);
            continue;
        }
        let known = texts.and_then(|t| own.get(t.value(row)).copied());
        let code = match known {
            Some(code) => code,
            None => {
                let value = decode::text_of(column, row)?.unwrap_or_default();
                match own.get(&value) {
                    Some(code) => *code,
                    None => {
                        let code = intern(all, &value)?;
                        own.insert(value, code);
                        code
                    }
                }
            }
        };
        out.push(i64::from(code));
    }
    Ok(())
}

/// The sum of a batch. Amounts whose bits leave room for as many are added as they are; else the halves of the integers are
/// added apart, which 64 bits hold for a batch of any content.
fn exact_sum(amounts: &[i64]) -> i128 {
    let mut sum = 0i128;
    for chunk in amounts.chunks(1 << 20) {
        let bits = chunk.iter().fold(0, |bits, amount| bits | amount);
        if (0..1 << 43).contains(&bits) {
            sum += i128::from(chunk.iter().fold(0i64, |sum, amount| sum.wrapping_add(*amount)));
        } else {
            let high: i64 = chunk.iter().map(|a| a >> 32).sum();
            let low: i64 = chunk.iter().map(|a| a & 0xFFFF_FFFF).sum();
            sum += (i128::from(high) << 32) + i128::from(low);
        }
    }
    sum
}

/// Most values of a column of slices or categories.
const MOST_VALUES: usize = 60_000;

fn intern(codes: &Codes, value: &str) -> Result<u32> {
    let mut known = codes.known.lock().map_err(|_| Error::bug("a scan thread stopped while it held the codes"))?;
    let next = known.len();
    if next >= MOST_VALUES && !known.contains_key(value) {
        return Err(Error::contract(format!(
            "column {} has more than {MOST_VALUES} values; name one that is a category or a region, not an id",
            codes.key
        )));
    }
    Ok(*known.entry(value.to_owned()).or_insert(next as u32))
}

fn mark(row: usize, outcome: RowOutcome, outcomes: &mut [RowOutcome]) {
    if let Some(own) = outcomes.get_mut(row)
        && *own == KEPT
    {
        *own = outcome;
    }
}

fn mark_nulls(column: &ArrayRef, outcome: RowOutcome, outcomes: &mut [RowOutcome]) {
    if let Some(nulls) = column.logical_nulls().filter(|n| n.null_count() > 0) {
        for (own, valid) in outcomes.iter_mut().zip(nulls.iter()) {
            if !valid && *own == KEPT {
                *own = outcome;
            }
        }
    }
}

fn raise(flags: &mut [i64], bit: i64, rows: Vec<bool>) {
    for (flags, set) in flags.iter_mut().zip(rows) {
        *flags |= if set { bit } else { 0 };
    }
}

fn id_bytes(texts: &StringViewArray, row: usize) -> &[u8] {
    if texts.is_null(row) { &[] } else { texts.value(row).as_bytes() }
}

/// Order ids as two integers: an integer id in the first, the two halves of a string's 128-bit hash.
fn order_keys(column: &ArrayRef, low: &mut Vec<i64>, high: &mut Vec<i64>) -> Result<()> {
    high.clear();
    if let Some(texts) = column.as_string_view_opt() {
        low.clear();
        for row in 0..texts.len() {
            let hash = xxh3_128(id_bytes(texts, row));
            low.push(hash as i64);
            high.push((hash >> 64) as i64);
        }
    } else {
        decode::keys(column, low)?;
        high.resize(low.len(), 0);
    }
    Ok(())
}
