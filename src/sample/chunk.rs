//! A chunk of a file: its purchases get returns, a time order, order ids and bad rows, and become rows.

use super::basket::Line;
use super::calendar::DAY_SECONDS;
use super::columns::{Columns, Row};
use super::error;
use super::status::Status;
use crate::domain::SplitMix;
use crate::error::Result;

/// Longest time until goods come back, in days.
const RETURN_DAYS: u64 = 28;

/// How often to look for a purchase that is likely to come back before taking any.
const RETURN_TRIES: u32 = 32;

/// An order while it is in a chunk.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// Seconds since the first of the file's dates began.
    pub(super) seconds: u32,
    /// The customer's number; none for a guest.
    pub(super) customer: Option<u64>,
    pub(super) region: u8,
    pub(super) status: Status,
    /// Index into the chunk's lines.
    pub(super) first_line: u32,
    pub(super) line_count: u8,
}

/// Orders and their lines.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) orders: Vec<Order>,
    pub(super) lines: Vec<Line>,
}

/// How a bad row is bad. Bad rows take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// A copy without a date, as an order of its own.
    NoDate,
    /// A copy without an amount, as an order of its own.
    NoAmount,
    /// The same row once more.
    Duplicate,
}

impl Fault {
    fn of(bad_row: u64) -> Self {
        match bad_row % 3 {
            0 => Self::NoDate,
            1 => Self::NoAmount,
            _ => Self::Duplicate,
        }
    }
}

/// Where a chunk's rows stand in the whole sample.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Seconds from 1970-01-01 to the first of the file's dates.
    pub(super) file_start: i64,
    /// The lowest order id.
    pub(super) first_order_id: u64,
    /// The numbers of the bad rows.
    pub(super) bad_rows: std::ops::Range<u64>,
    /// The order id of bad row 0, above those of all good orders.
    pub(super) first_bad_id: u64,
}

impl Chunk {
    pub(super) fn clear(&mut self) {
        self.orders.clear();
        self.lines.clear();
    }

    /// Adds `returns` returns of goods bought in this chunk. They are later than the purchase, and
    /// never later than the file's dates.
    pub(super) fn add_returns(&mut self, returns: u64, file_seconds: u32, stream: &mut SplitMix) -> Result<()> {
        let purchases = self.orders.len();
        let mut returned = vec![false; purchases];
        for _ in 0..returns {
            let index =
                self.likely_return(&returned, file_seconds, stream).or_else(|| returned.iter().position(|returned| !returned));
            let found = index.and_then(|index| Some((returned.get_mut(index)?, self.orders.get_mut(index)?)));
            let Some((returned, purchase)) = found else {
                return Err(error::bug(format!("{returns} returns of {purchases} purchases are too many")));
            };
            *returned = true;
            // What comes back has been delivered.
            purchase.status = Status::Shipped;
            let order = Order {
                seconds: return_seconds(purchase.seconds, file_seconds, stream),
                status: Status::Returned,
                first_line: self.lines.len() as u32,
                line_count: 1,
                ..purchase.clone()
            };
            let line = self.lines.get(purchase.first_line as usize).copied();
            self.lines.extend(line.map(Line::reversed));
            self.orders.push(order);
        }
        Ok(())
    }

    /// A purchase that may well come back: of a category that often does, and not so late that the
    /// return would have to be in the next file.
    fn likely_return(&self, returned: &[bool], file_seconds: u32, stream: &mut SplitMix) -> Option<usize> {
        (0..RETURN_TRIES).find_map(|_| {
            let index = stream.below(returned.len() as u64) as usize;
            let purchase = self.orders.get(index)?;
            let line = self.lines.get(purchase.first_line as usize)?;
            let is_new = returned.get(index) == Some(&false);
            let has_time = u64::from(file_seconds - purchase.seconds) > DAY_SECONDS;
            let comes_back = stream.chance(line.category.return_weight());
            (is_new && has_time && comes_back).then_some(index)
        })
    }

    /// The chunk's rows, ordered by time. Order ids ascend with it; bad rows follow the rows they
    /// are copies of.
    pub(super) fn rows(&self, place: &Place, stream: &mut SplitMix, columns: &mut Columns) {
        // Time and index in one word: sorting words is fast and leaves no ties.
        let mut by_time: Vec<u64> =
            (0..).zip(&self.orders).map(|(index, order)| u64::from(order.seconds) << 32 | index).collect();
        by_time.sort_unstable();

        let mut bad_rows = self.place_bad_rows(place, stream);
        for (rank, key) in (0..).zip(by_time) {
            let Some(order) = self.orders.get((key & 0xFFFF_FFFF) as usize) else {
                continue;
            };
            let first = order.first_line as usize;
            let lines = self.lines.get(first..first + usize::from(order.line_count)).unwrap_or(&[]);
            let row = |line: &Line| Row {
                customer: order.customer,
                order_id: place.first_order_id + rank,
                seconds: Some(place.file_start + i64::from(order.seconds)),
                amount: Some(line.amount),
                discount: line.discount,
                cost: line.cost,
                category: line.category as u8,
                region: order.region,
                status: order.status as u8,
            };
            for line in lines {
                columns.push(&row(line));
            }
            while let Some((_, number)) = bad_rows.pop_if(|(at, _)| *at == rank) {
                if let Some(line) = lines.last() {
                    columns.push(&spoilt(row(line), number, place));
                }
            }
        }
    }

    /// Which order each bad row is a copy of, by rank in time; the last one first.
    fn place_bad_rows(&self, place: &Place, stream: &mut SplitMix) -> Vec<(u64, u64)> {
        let orders = self.orders.len() as u64;
        let mut placed: Vec<(u64, u64)> = place.bad_rows.clone().map(|number| (stream.below(orders), number)).collect();
        placed.sort_unstable_by(|left, right| right.cmp(left));
        placed
    }
}

fn spoilt(row: Row, number: u64, place: &Place) -> Row {
    let order_id = place.first_bad_id + number;
    match Fault::of(number) {
        Fault::NoDate => Row { order_id, seconds: None, ..row },
        Fault::NoAmount => Row { order_id, amount: None, ..row },
        Fault::Duplicate => row,
    }
}

/// When goods bought at `purchase` come back: after a day to four weeks, sooner if the file's dates
/// end before that.
fn return_seconds(purchase: u32, file_seconds: u32, stream: &mut SplitMix) -> u32 {
    let left = u64::from(file_seconds - purchase).saturating_sub(1);
    let days = (left / DAY_SECONDS).min(RETURN_DAYS);
    let later = match days {
        0 => stream.below(left + 1),
        // The smaller of two draws: most goods come back soon.
        _ => {
            let days = stream.below(days).min(stream.below(days));
            DAY_SECONDS * days + stream.below(DAY_SECONDS) + 1
        }
    };
    purchase.saturating_add(later as u32)
}
