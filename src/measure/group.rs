//! Grouping of a bucket's records by (slice, customer), and of lines into orders.

use crate::activity::Order;
use crate::bucket::{Field, RecordLayout, Records, flag, hash_key, hash_text};
use crate::domain::{CustomerIds, StringIds, counting_sort};
use crate::error::{Error, Result};

use super::codes::SourceCodes;
use super::line_counts::LineCounts;
use super::spec::FoldSpec;

/// A line of a purchase, for what is known by category.
#[derive(Debug, Clone, Copy)]
pub(super) struct OrderLine {
    /// Business date of its order.
    pub date: i32,
    /// Number of its category in the order of their names; `None` without one.
    pub category: Option<u32>,
    /// Its amount in minor units.
    pub amount: i64,
}

/// The records of a bucket, grouped.
pub(super) struct CustomerGroups {
    pub ids: CustomerIds,
    pub slices: Vec<u32>,
    /// Records in groups: those of customer `c` stand at `starts[c]..starts[c + 1]`, nearly always in the order of their dates.
    records: Vec<u32>,
    starts: Vec<u32>,
}

impl CustomerGroups {
    pub fn new(layout: RecordLayout, orders: &Records, codes: &SourceCodes) -> CustomerGroups {
        let mut met = CustomerInterner::new(layout, orders, codes);
        let order = met.order();
        let of_record = met.renumber(&order);
        let (ids, slices) = met.in_order(&order);
        let customers = of_record.iter().map(|customer| *customer as usize);
        let by_date = by_date(orders.column(Field::Date)).into_iter();
        let by_date = by_date.map(|record| (of_record[record as usize] as usize, record));
        let (records, starts) = counting_sort(ids.len(), customers, by_date);
        CustomerGroups { ids, slices, records, starts }
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Replaces `out` by the orders of a customer up to the last as-of date, and `order_lines`, where there are some, by the
    /// lines of the purchases among them.
    ///
    /// # Errors
    /// Exit 3 if the lines of an order overflow 64 bits.
    pub fn orders(
        &self,
        customer: usize,
        from: &Records,
        (codes, spec): (&SourceCodes, &FoldSpec),
        out: &mut Vec<Order>,
        mut order_lines: Option<&mut Vec<OrderLine>>,
        counts: &mut [LineCounts],
    ) -> Result<()> {
        out.clear();
        if let Some(order_lines) = &mut order_lines {
            order_lines.clear();
        }
        let records = &self.records[self.starts[customer] as usize..self.starts[customer + 1] as usize];
        let reader = RecordReader::new(from, codes, spec);
        if spec.lines {
            return reader.join_lines(records, out, order_lines, counts);
        }
        out.extend(records.iter().map(|&record| {
            let order = reader.order(record);
            Order { is_return: order.is_return || order.amount < 0, ..order }
        }));
        if let Some(order_lines) = order_lines {
            let purchases = records.iter().zip(out.iter()).filter(|(_, order)| !order.is_return);
            order_lines.extend(purchases.map(|(&record, order)| reader.line(record, order.date)));
        }
        Ok(())
    }
}

/// Reads records as orders, or as lines of orders.
struct RecordReader<'a> {
    codes: &'a SourceCodes,
    spec: &'a FoldSpec,
    records: &'a Records,
    dates: &'a [i64],
    amounts: &'a [i64],
    /// Empty if the job has none, as the costs.
    flags: &'a [i64],
    costs: &'a [i64],
}

impl<'a> RecordReader<'a> {
    #[inline]
    fn new(records: &'a Records, codes: &'a SourceCodes, spec: &'a FoldSpec) -> RecordReader<'a> {
        let column = |field: Field| records.column(field);
        let (dates, amounts) = (column(Field::Date), column(Field::Amount));
        RecordReader { codes, spec, records, dates, amounts, flags: column(Field::Flags), costs: column(Field::Cost) }
    }

    /// A record as an order.
    #[inline]
    fn order(&self, record: u32) -> Order {
        let record = record as usize;
        let flags = self.flags.get(record).copied().unwrap_or(0);
        Order {
            date: self.dates[record] as i32,
            is_return: flags & flag::RETURN != 0,
            discounted: flags & flag::DISCOUNTED != 0,
            cost_missing: flags & flag::COST_MISSING != 0,
            amount: self.amounts[record],
            cost: self.costs.get(record).copied().unwrap_or(0),
        }
    }

    /// A record as a line of an order of a date.
    fn line(&self, record: u32, date: i32) -> OrderLine {
        let code = self.records.column(Field::Category).get(record as usize).and_then(|code| usize::try_from(*code).ok());
        let category = code.and_then(|code| self.codes.categories.get(code).copied());
        OrderLine { date, category, amount: self.amounts[record as usize] }
    }

    /// Joins the lines of a customer to orders, and counts them by outcome.
    fn join_lines(
        &self,
        lines: &[u32],
        out: &mut Vec<Order>,
        mut order_lines: Option<&mut Vec<OrderLine>>,
        counts: &mut [LineCounts],
    ) -> Result<()> {
        let column = |field: Field| self.records.column(field);
        let (low, high, files) = (column(Field::Order), column(Field::OrderHigh), column(Field::File));
        let key = |record: u32| (high.get(record as usize).copied().unwrap_or(0), low[record as usize]);
        let mut lines = lines.to_vec();
        lines.sort_unstable_by_key(|&record| key(record));
        for lines in lines.chunk_by(|&a, &b| key(a) == key(b)) {
            let order = self.sum_lines(lines)?;
            let dropped = self.spec.drop_zero && order.amount == 0 && !order.is_return;
            let after = order.date > self.spec.last().0;
            for &record in lines {
                let counts = &mut counts[files.get(record as usize).map_or(0, |f| *f as usize)];
                let (rows, money) = match (dropped, after) {
                    (true, _) => &mut counts.zero,
                    (false, true) => &mut counts.after,
                    (false, false) => &mut counts.included,
                };
                *rows += 1;
                *money += i128::from(self.amounts[record as usize]);
            }
            if dropped || after {
                continue;
            }
            out.push(order);
            if let Some(order_lines) = order_lines.as_mut().filter(|_| !order.is_return) {
                order_lines.extend(lines.iter().map(|&record| self.line(record, order.date)));
            }
        }
        Ok(())
    }

    /// The order that some lines make.
    fn sum_lines(&self, lines: &[u32]) -> Result<Order> {
        let (mut amount, mut cost) = (0i128, 0i128);
        let mut order = Order { date: i32::MAX, ..Order::default() };
        for &record in lines {
            let line = self.order(record);
            amount += i128::from(line.amount);
            cost += i128::from(line.cost);
            order.date = order.date.min(line.date);
            order.is_return |= line.is_return;
            order.discounted |= line.discounted;
            order.cost_missing |= line.cost_missing;
        }
        let overflow = |_| {
            Error::contract(
                "the lines of one order add up to more money than 64 bits of minor units hold; lower orders.amount_scale or look for a wrong amount",
            )
        };
        order.amount = i64::try_from(amount).map_err(overflow)?;
        order.cost = i64::try_from(cost).map_err(overflow)?;
        order.is_return |= order.amount < 0;
        Ok(order)
    }
}

/// The widest range of days for a counting sort.
const COUNTED_DAYS: i64 = 1 << 16;

/// The records in the order of their dates, by a counting sort; in their order if the dates lie far apart.
///
/// The records of each customer, taken in this order, need no sort.
fn by_date(dates: &[i64]) -> Vec<u32> {
    let all = || (0..dates.len() as u32).collect();
    let (first, last) = (dates.iter().copied().min().unwrap_or(0), dates.iter().copied().max().unwrap_or(0));
    if dates.is_sorted() || last - first >= COUNTED_DAYS {
        return all();
    }
    let days = || dates.iter().map(|date| (date - first) as usize);
    counting_sort((last - first) as usize + 1, days(), days().zip(0..)).0
}

/// The customers of a bucket, numbered as their records were met.
pub(super) struct CustomerInterner {
    ids: CustomerIds,
    /// Slice number per customer; empty without slices.
    slices: Vec<u32>,
    /// The number of each record's customer.
    pub of_record: Vec<u32>,
}

impl CustomerInterner {
    pub fn new(layout: RecordLayout, orders: &Records, source: &SourceCodes) -> CustomerInterner {
        let codes = layout.has(Field::Slice).then(|| orders.column(Field::Slice));
        let (ids, codes, of_record) = if layout.text_ids {
            let (ids, codes, of_record) = intern_text(orders, codes);
            (CustomerIds::Text(ids), codes, of_record)
        } else {
            let (ids, codes, of_record) = intern_int(orders.column(Field::Customer), codes);
            (CustomerIds::Int(ids), codes, of_record)
        };
        // A code is of the order in which threads met the values; a number is of the order of the values.
        let number = |code: u32| source.slices.get(code as usize).copied().unwrap_or(code);
        CustomerInterner { ids, slices: codes.into_iter().map(number).collect(), of_record }
    }

    /// How many customers.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// The customers ascending by slice and id.
    pub fn order(&self) -> Vec<u32> {
        let slice = |c: u32| self.slices.get(c as usize).copied().unwrap_or(0);
        match &self.ids {
            CustomerIds::Int(ids) if self.slices.is_empty() => CustomerIds::ascending(ids),
            CustomerIds::Int(ids) => {
                let mut keyed: Vec<(u32, i64, u32)> = ids.iter().zip(0..).map(|(&id, c)| (slice(c), id, c)).collect();
                keyed.sort_unstable();
                keyed.into_iter().map(|k| k.2).collect()
            }
            CustomerIds::Text(ids) => {
                let mut order: Vec<u32> = (0..ids.len() as u32).collect();
                let id = |c: u32| ids.get(c as usize);
                order.sort_unstable_by(|&a, &b| slice(a).cmp(&slice(b)).then_with(|| id(a).cmp(id(b))));
                order
            }
        }
    }

    /// Ids and slices in this order.
    pub fn in_order(self, order: &[u32]) -> (CustomerIds, Vec<u32>) {
        let ids = match self.ids {
            CustomerIds::Int(ids) => CustomerIds::Int(order.iter().map(|&c| ids[c as usize]).collect()),
            CustomerIds::Text(ids) => {
                let mut sorted = StringIds::default();
                order.iter().for_each(|&c| sorted.push(ids.get(c as usize)));
                CustomerIds::Text(sorted)
            }
        };
        let slices = if self.slices.is_empty() { Vec::new() } else { order.iter().map(|&c| self.slices[c as usize]).collect() };
        (ids, slices)
    }

    /// The customer of every record, as an index in this order.
    fn renumber(&mut self, order: &[u32]) -> Vec<u32> {
        let mut index = vec![0u32; order.len()];
        for (new, &old) in order.iter().enumerate() {
            index[old as usize] = new as u32;
        }
        let mut of_record = std::mem::take(&mut self.of_record);
        for number in &mut of_record {
            *number = index[*number as usize];
        }
        of_record
    }
}

/// An open-addressing table from key to the number of its first appearance. The keys live outside; the table holds
/// numbers only.
struct Interner {
    slots: Vec<u32>,
    len: usize,
}

const EMPTY: u32 = u32::MAX;

impl Interner {
    fn new() -> Interner {
        Interner { slots: vec![EMPTY; 1 << 12], len: 0 }
    }

    /// The number of the key with this hash, which is `self.len` before the call if the key is new.
    fn number(&mut self, hash: u64, same: impl Fn(u32) -> bool, hash_of: impl Fn(u32) -> u64) -> u32 {
        if (self.len + 1) * 2 > self.slots.len() {
            self.grow(hash_of);
        }
        let mask = self.slots.len() - 1;
        let mut slot = position(hash) & mask;
        loop {
            match self.slots[slot] {
                EMPTY => {
                    let number = self.len as u32;
                    self.slots[slot] = number;
                    self.len += 1;
                    return number;
                }
                number if same(number) => return number,
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    #[cold]
    fn grow(&mut self, hash_of: impl Fn(u32) -> u64) {
        let mut slots = vec![EMPTY; self.slots.len() * 2];
        let mask = slots.len() - 1;
        for number in 0..self.len as u32 {
            let mut slot = position(hash_of(number)) & mask;
            while slots[slot] != EMPTY {
                slot = (slot + 1) & mask;
            }
            slots[slot] = number;
        }
        self.slots = slots;
    }
}

/// Where a hash starts in the table: not its top bits, which all keys of a bucket share, nor its weak lowest.
fn position(hash: u64) -> usize {
    (hash >> 20) as usize
}

fn with_slice(hash: u64, slice: i64) -> u64 {
    hash ^ (slice as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F)
}

fn intern_int(keys: &[i64], slices: Option<&[i64]>) -> (Vec<i64>, Vec<u32>, Vec<u32>) {
    let mut table = Interner::new();
    let mut ids: Vec<i64> = Vec::new();
    let mut of_record = Vec::with_capacity(keys.len());
    match slices {
        None => {
            for &key in keys {
                let number = table.number(hash_key(key), |n| ids[n as usize] == key, |n| hash_key(ids[n as usize]));
                if number as usize == ids.len() {
                    ids.push(key);
                }
                of_record.push(number);
            }
            (ids, Vec::new(), of_record)
        }
        Some(slices) => {
            let mut slice_of: Vec<u32> = Vec::new();
            for (&key, &slice) in keys.iter().zip(slices) {
                let number = table.number(
                    with_slice(hash_key(key), slice),
                    |n| ids[n as usize] == key && i64::from(slice_of[n as usize]) == slice,
                    |n| with_slice(hash_key(ids[n as usize]), i64::from(slice_of[n as usize])),
                );
                if number as usize == ids.len() {
                    ids.push(key);
                    slice_of.push(slice as u32);
                }
                of_record.push(number);
            }
            (ids, slice_of, of_record)
        }
    }
}

fn intern_text(orders: &Records, slices: Option<&[i64]>) -> (StringIds, Vec<u32>, Vec<u32>) {
    let mut table = Interner::new();
    let mut ids = StringIds::default();
    let mut hashes: Vec<u64> = Vec::new();
    let mut slice_of: Vec<u32> = Vec::new();
    let mut of_record = Vec::with_capacity(orders.len());
    let mut rest = orders.text();
    for (record, &length) in orders.column(Field::Customer).iter().enumerate() {
        let (id, after) = rest.split_at(length as usize);
        rest = after;
        let slice = slices.map_or(0, |s| s[record]);
        let hash = with_slice(hash_text(id), slice);
        let number = table.number(
            hash,
            |n| {
                hashes[n as usize] == hash
                    && ids.get(n as usize) == id
                    && slice_of.get(n as usize).is_none_or(|s| i64::from(*s) == slice)
            },
            |n| hashes[n as usize],
        );
        if number as usize == ids.len() {
            ids.push(id);
            hashes.push(hash);
            if slices.is_some() {
                slice_of.push(slice as u32);
            }
        }
        of_record.push(number);
    }
    (ids, slice_of, of_record)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records of a day stay in their order; dates that lie far apart, and those that are sorted, as they come.
    #[test]
    fn records_come_in_the_order_of_their_dates() {
        let dates: Vec<i64> = (0..2_000).map(|n| 20_000 - n * 7_919 % 365).collect();
        let mut want: Vec<u32> = (0..2_000).collect();
        want.sort_by_key(|record| dates[*record as usize]);
        assert_eq!(by_date(&dates), want);
        assert_eq!(by_date(&[5, 5, 7]), [0, 1, 2]);
        assert_eq!(by_date(&[5 + COUNTED_DAYS, 5, 7]), [0, 1, 2]);
        assert_eq!(by_date(&[4 + COUNTED_DAYS, 5, 7]), [1, 2, 0]);
        assert!(by_date(&[]).is_empty());
    }
}
