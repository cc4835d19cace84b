//! Assignments by parts, each with its own columns, so that a part's rows lie together in memory.

use super::{Assignments, Rejected};
use crate::domain::{CustomerIds, StringIds};

impl Assignments {
    /// The rows of every part, in their order; `part_of(row)` is the part of a row, below `parts`. The counts of rows that
    /// are no assignments stay with the first part.
    pub fn split(self, parts: usize, part_of: impl Fn(&CustomerIds, usize) -> usize) -> Vec<Assignments> {
        let parts = parts.max(1);
        if parts == 1 {
            return vec![self];
        }
        let of_row: Vec<u16> = (0..self.len()).map(|row| part_of(&self.ids, row).min(parts - 1) as u16).collect();
        let mut sizes = vec![0usize; parts];
        of_row.iter().for_each(|part| sizes[usize::from(*part)] += 1);
        let scatter = Scatter { of_row: &of_row, sizes: &sizes };
        let ids: Vec<CustomerIds> = match self.ids {
            CustomerIds::Int(keys) => scatter.column(keys).into_iter().map(CustomerIds::Int).collect(),
            CustomerIds::Text(texts) => {
                let mut out = vec![StringIds::default(); parts];
                for (row, part) in of_row.iter().enumerate() {
                    out[usize::from(*part)].push(texts.get(row));
                }
                out.into_iter().map(CustomerIds::Text).collect()
            }
        };
        let mut arm = scatter.column(self.arm).into_iter();
        let mut assigned_on = scatter.column(self.assigned_on).into_iter();
        let mut stratum = self.stratum.map(|column| scatter.column(column).into_iter());
        let mut cost = self.cost.map(|column| scatter.column(column).into_iter());
        let mut contacts = self.contacts.map(|column| scatter.column(column).into_iter());
        let mut ended_on = self.ended_on.map(|column| scatter.column(column).into_iter());
        let mut counts = Some((self.rows_read, self.other_strategies, self.null_costs, self.rejected));
        let mut piece = |ids: CustomerIds| {
            let (rows_read, other_strategies, null_costs, rejected) = counts.take().unwrap_or((0, 0, 0, Rejected::default()));
            Assignments {
                ids,
                arm: arm.next().unwrap_or_default(),
                assigned_on: assigned_on.next().unwrap_or_default(),
                stratum: stratum.as_mut().and_then(Iterator::next),
                cost: cost.as_mut().and_then(Iterator::next),
                contacts: contacts.as_mut().and_then(Iterator::next),
                ended_on: ended_on.as_mut().and_then(Iterator::next),
                arms: self.arms.clone(),
                strata: self.strata.clone(),
                rows_read,
                other_strategies,
                null_costs,
                rejected,
            }
        };
        ids.into_iter().map(&mut piece).collect()
    }
}

/// Where every row goes.
struct Scatter<'a> {
    of_row: &'a [u16],
    sizes: &'a [usize],
}

impl Scatter<'_> {
    fn column<T>(&self, values: Vec<T>) -> Vec<Vec<T>> {
        let mut out: Vec<Vec<T>> = self.sizes.iter().map(|size| Vec::with_capacity(*size)).collect();
        for (value, part) in values.into_iter().zip(self.of_row) {
            out[usize::from(*part)].push(value);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Day;

    #[test]
    fn every_row_goes_to_its_part_whole() {
        for text in [false, true] {
            let numbers = 0..100i64;
            let mut texts = StringIds::default();
            numbers.clone().for_each(|n| texts.push(n.to_string().as_bytes()));
            let whole = Assignments {
                ids: if text { CustomerIds::Text(texts) } else { CustomerIds::Int(numbers.clone().collect()) },
                arm: numbers.clone().map(|n| n as u16 % 3).collect(),
                assigned_on: numbers.clone().map(|n| Day(n as i32)).collect(),
                stratum: None,
                cost: Some(numbers.clone().map(|n| n * 7).collect()),
                contacts: None,
                ended_on: Some(numbers.clone().map(|n| (n % 2 == 0).then_some(Day(n as i32))).collect()),
                arms: vec!["a".into(), "b".into(), "c".into()],
                strata: Vec::new().into(),
                rows_read: 107,
                other_strategies: 7,
                null_costs: 0,
                rejected: Rejected::default(),
            };
            let pieces = whole.split(4, |_, row| row * 7 % 4);
            assert_eq!(pieces.iter().map(|p| p.rows_read).sum::<u64>(), 107);
            let mut all = 0;
            for (part, piece) in pieces.iter().enumerate() {
                for row in 0..piece.len() {
                    let n = piece.assigned_on[row].0;
                    let mut id = Vec::new();
                    piece.ids.write_text(crate::domain::IdType::Signed(64), row, &mut id);
                    assert_eq!(String::from_utf8_lossy(&id), n.to_string());
                    assert_eq!((n * 7 % 4) as usize, part);
                    assert_eq!(i32::from(piece.arm[row]), n % 3);
                    assert_eq!(piece.cost.as_ref().map(|c| c[row]), Some(i64::from(n) * 7));
                    assert_eq!(piece.ended_on.as_ref().map(|e| e[row].is_some()), Some(n % 2 == 0));
                    all += 1;
                }
            }
            assert_eq!(all, 100);
        }
    }
}
