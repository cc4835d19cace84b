//! Grouping of a bucket's records by (slice, customer), and the orders of each customer.

use crate::activity::Order;
use crate::bucket::{Field, RecordLayout, Records};
use crate::domain::{CustomerIds, counting_sort};
use crate::error::Result;

use super::codes::SourceCodes;
use super::interner::CustomerInterner;
use super::join_lines::{LinesFound, OrderJoin};
use super::order_reader::{OrderLine, OrderReader};
use super::spec::FoldSpec;

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

    /// Replaces `out` by the orders of a customer, and `order_lines`, where there are some, by their lines that count by category.
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
        found: &mut LinesFound,
    ) -> Result<()> {
        out.clear();
        if let Some(order_lines) = &mut order_lines {
            order_lines.clear();
        }
        let records = &self.records[self.starts[customer] as usize..self.starts[customer + 1] as usize];
        let reader = OrderReader::new(from, codes, spec);
        if spec.lines {
            return OrderJoin { reader, out, order_lines, found }.join(records);
        }
        out.extend(records.iter().map(|&record| reader.order(record)));
        if let Some(order_lines) = order_lines {
            let counted = records.iter().filter_map(|&record| reader.line_of_order(record));
            order_lines.extend(counted);
        }
        Ok(())
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
