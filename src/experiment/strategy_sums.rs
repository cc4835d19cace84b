//! The exact sums of a strategy, to which batches of members are added.

use serde::{Deserialize, Serialize};

use super::layout::{KeyLayout, SumLayout};
use super::outcomes::MemberBatch;
use crate::stats::GridSecond;
use crate::sums::{Arity, Column, GroupPartition, GroupedSums, JoinedRow, PATTERNS, sort_code, zero_pattern};

/// The sums of a strategy.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct StrategySums {
    /// By period of the strategy.
    pub periods: Vec<GroupedSums>,
    /// The sums of customers who are in two periods; none where clusters were drawn, which follow from the periods' sums.
    pub pairs: GroupedSums,
}

/// Keys below this have sort codes.
const MAX_SORTED: u128 = u64::MAX as u128 / PATTERNS as u128;

/// Scratch memory of a batch.
#[derive(Default)]
pub struct SumScratch {
    /// By period and member: what they add to the sort code of a pair whose first period it is, and whose second.
    firsts: Vec<Vec<u64>>,
    seconds: Vec<Vec<u64>>,
    /// The members of both periods of a pair who are the same customer.
    joined: Vec<(u32, u32)>,
    codes: Vec<u64>,
    members: GroupPartition<u32>,
    pairs: GroupPartition<(u32, u32)>,
}

impl StrategySums {
    /// Empty sums of all columns.
    pub fn of(layout: &SumLayout) -> StrategySums {
        StrategySums::new(&layout.keys, &layout.arities, layout.outcomes, &layout.grids)
    }

    /// Empty sums of columns, of which the first `pair_columns` are summed for pairs of periods, too, and some have `grids`.
    pub fn new(keys: &KeyLayout, arities: &[Arity], pair_columns: usize, grids: &[(usize, GridSecond)]) -> StrategySums {
        // The column after the outcomes is the days since the last order, which are null without orders.
        let period = GroupedSums::of_rows(arities.iter().copied(), Some(pair_columns)).with_grids(grids.to_vec());
        StrategySums {
            periods: vec![period; keys.periods],
            pairs: GroupedSums::of_joined_rows(arities.iter().copied().take(pair_columns)),
        }
    }

    /// Adds the members of every period, and to `squares`, by period, the squares of all their numbers.
    pub fn add(&mut self, keys: &KeyLayout, batches: &[MemberBatch], scratch: &mut SumScratch, squares: &mut [u128]) {
        let (pair_columns, mut most_of_pairs) = (self.pairs.columns(), 0);
        for ((batch, sums), all) in batches.iter().zip(&mut self.periods).zip(squares) {
            let squares: Vec<u128> = batch.columns.iter().map(Column::squares).collect();
            *all = squares.iter().fold(*all, |all, squares| all.saturating_add(*squares));
            most_of_pairs = squares.iter().take(pair_columns).copied().fold(most_of_pairs, u128::max);
            let fits_partial = sums.fits_partial(squares.into_iter().max().unwrap_or_default());
            scratch.add_members(keys, batch, sums, fits_partial);
        }
        if keys.clusters.is_some() {
            return;
        }
        scratch.prepare_pairs(keys, batches);
        let fits_partial = self.pairs.fits_partial(most_of_pairs);
        for second in 0..batches.len() {
            for first in 0..second {
                scratch.add_pair(keys, batches, (first, second), &mut self.pairs, fits_partial);
            }
        }
    }

    /// Adds the sums of other customers.
    pub fn merge(&mut self, other: &StrategySums) {
        self.periods.iter_mut().zip(&other.periods).for_each(|(sums, other)| sums.merge(other));
        self.pairs.merge(&other.pairs);
    }
}

impl SumScratch {
    /// Adds members once for every scheme of `by`.
    fn add_members(&mut self, keys: &KeyLayout, batch: &MemberBatch, sums: &mut GroupedSums, fits_partial: bool) {
        for groups in &batch.groups {
            let members = batch.cell_arms.iter().zip(groups).zip(&batch.nonzero);
            let code = |((cell_arm, group), nonzero): ((&u64, &u32), &bool)| {
                let key = cell_arm.wrapping_mul(keys.groups).wrapping_add(u64::from(*group));
                sort_code(key, zero_pattern::of(*nonzero, *nonzero))
            };
            self.codes.clear();
            self.codes.extend(members.map(code));
            self.members.sort(0, keys.bound(), &self.codes, 0..self.codes.len() as u32);
            sums.add_rows(&self.members, &batch.columns, fits_partial);
            sums.add_nulls(batch.unknown.iter().map(|member| u128::from(self.codes[*member as usize] / PATTERNS as u64)));
        }
    }

    fn prepare_pairs(&mut self, keys: &KeyLayout, batches: &[MemberBatch]) {
        self.firsts.resize_with(batches.len(), Vec::new);
        self.seconds.resize_with(batches.len(), Vec::new);
        for (batch, (firsts, seconds)) in batches.iter().zip(self.firsts.iter_mut().zip(&mut self.seconds)) {
            let in_second = || batch.cell_arms.iter().map(|cell_arm| cell_arm.wrapping_mul(keys.groups + 1)).zip(&batch.nonzero);
            let in_first = in_second().map(|(key, nonzero)| (key.wrapping_mul(keys.cell_arms()), nonzero));
            firsts.clear();
            firsts.extend(in_first.map(|(key, nonzero)| sort_code(key, zero_pattern::of(*nonzero, true))));
            seconds.clear();
            seconds.extend(in_second().map(|(key, nonzero)| sort_code(key, zero_pattern::of(true, *nonzero))));
        }
    }

    /// Adds the customers who are in both periods: once by their groups in the first scheme of `by`, and once for each further
    /// scheme in which their groups agree.
    fn add_pair(
        &mut self,
        keys: &KeyLayout,
        batches: &[MemberBatch],
        (first, second): (usize, usize),
        sums: &mut GroupedSums,
        fits_partial: bool,
    ) {
        let (a, b) = (&batches[first], &batches[second]);
        let (firsts, seconds) = (&self.firsts[first], &self.seconds[second]);
        let (start, bound) = (keys.pair_start(first, second), keys.pair_bound());
        let are_same = a.customers == b.customers;
        let columns = [&*a.columns, &*b.columns];
        for (scheme, (of_a, of_b)) in a.groups.iter().zip(&b.groups).enumerate() {
            self.codes.clear();
            if are_same && scheme == 0 && bound <= MAX_SORTED {
                let members = firsts.iter().zip(seconds).zip(of_a.iter().zip(of_b));
                self.codes.extend(members.map(|((first, second), (of_a, of_b))| pair_code(*first, *second, *of_a, *of_b)));
                self.members.sort(start, bound as u64, &self.codes, 0..self.codes.len() as u32);
                sums.add_joined_rows(&self.members, columns, fits_partial);
                continue;
            }
            self.joined.clear();
            join(&a.customers, &b.customers, &mut self.joined);
            self.joined.retain(|(x, y)| scheme == 0 || of_a[*x as usize] == of_b[*y as usize]);
            let joined = self.joined.iter().map(|row| row.indices());
            if bound <= MAX_SORTED {
                self.codes.extend(joined.map(|(x, y)| pair_code(firsts[x], seconds[y], of_a[x], of_b[y])));
                self.pairs.sort(start, bound as u64, &self.codes, self.joined.iter().copied());
            } else {
                let key = |(x, y): (usize, usize)| {
                    let key = keys.pair_key(a.cell_arms[x], b.cell_arms[y], pair_group(of_a[x], of_b[y]));
                    (start + key, zero_pattern::of(a.nonzero[x], b.nonzero[y]))
                };
                self.pairs.separate(joined.map(key), self.joined.iter().copied());
            }
            sums.add_joined_rows(&self.pairs, columns, fits_partial);
        }
    }
}

/// The group of a customer in two periods: 0 if they differ.
#[inline]
fn pair_group(first: u32, second: u32) -> u64 {
    if first == second { u64::from(first) + 1 } else { 0 }
}

/// The sort code of a customer in two periods, from what they add in each and their groups in both.
#[inline]
fn pair_code(first: u64, second: u64, of_first: u32, of_second: u32) -> u64 {
    first.wrapping_add(second).wrapping_add(sort_code(pair_group(of_first, of_second), 0))
}

/// Appends the indices of the numbers that are in both of two ascending lists.
fn join(a: &[u32], b: &[u32], joined: &mut Vec<(u32, u32)>) {
    let (mut i, mut j) = (0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        if x == y {
            joined.push((i as u32, j as u32));
        }
        (i, j) = (i + usize::from(x <= y), j + usize::from(y <= x));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::layout::GroupKey;
    use super::*;
    use crate::error::Result;
    use crate::stats::{JointGrid, PairSums, Sums};
    use crate::sums::mark_nonzero;

    /// A member as plain numbers: customer, cell and arm, groups in two schemes, and an outcome.
    type Member = (u32, u64, [u32; 2], [i64; 4]);

    /// Sums by two periods, cell and arm in each, and group.
    type Pairs = HashMap<([usize; 2], [u64; 2], Option<u32>), PairSums>;

    fn batch(members: &[Member]) -> MemberBatch {
        let mut columns = [Arity::Two, Arity::One].map(Column::new).to_vec();
        columns.iter_mut().for_each(|column| column.extend(members.iter().map(|member| member.3)));
        let mut nonzero = Vec::new();
        mark_nonzero(&columns, members.len(), &mut nonzero);
        MemberBatch {
            customers: members.iter().map(|member| member.0).collect(),
            cell_arms: members.iter().map(|member| member.1).collect(),
            groups: (0..2).map(|scheme| members.iter().map(|member| member.2[scheme]).collect()).collect(),
            columns,
            nonzero,
            unknown: members.iter().zip(0..).filter(|(member, _)| member.0 % 5 == 0).map(|(_, at)| at).collect(),
        }
    }

    /// The sums under every key are those of a plain loop over members and pairs of members.
    #[test]
    fn batches_have_the_sums_of_a_plain_loop() -> Result<()> {
        let mut state = 7u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        // Cells whose pairs have more keys than customers, and than 64 bits.
        for cells in [2, 1 << 20, 1 << 40] {
            let keys = KeyLayout { arms: 2, groups: 5, cells, clusters: None, periods: 3 };
            let mut sums = StrategySums::new(&keys, &[Arity::Two, Arity::One], 1, &[(0, GridSecond::Baseline)]);
            let mut scratch = SumScratch::default();
            let mut singles: HashMap<(usize, u64, u32), (i64, Sums)> = HashMap::new();
            let mut pairs = Pairs::new();
            for number in 0..30 {
                let mut periods: Vec<Vec<Member>> = vec![Vec::new(); 3];
                for customer in 0..30 {
                    // In every third batch, all customers are in all periods.
                    for period in &mut periods {
                        if next(4) == 0 && number % 3 > 0 {
                            continue;
                        }
                        let cell_arm = next(2) * (cells - 1) * 2 + next(2);
                        let outcome = [next(3) as i64 * i64::from(customer % 3), next(2) as i64, 0, 0];
                        period.push((customer, cell_arm, [next(3) as u32, 3 + next(2) as u32], outcome));
                    }
                }
                for (first, members) in periods.iter().enumerate() {
                    for (customer, cell_arm, groups, outcome) in members {
                        for group in groups {
                            let (known, sums) = singles.entry((first, *cell_arm, *group)).or_default();
                            *known += i64::from(customer % 5 != 0);
                            sums.observe(*outcome)?;
                        }
                        for (second, others) in periods.iter().enumerate().skip(first + 1) {
                            for other in others.iter().filter(|other| other.0 == *customer) {
                                let same = groups.iter().zip(other.2).map(|(a, b)| (*a == b).then_some(*a));
                                for (_, group) in same.enumerate().filter(|(scheme, group)| *scheme == 0 || group.is_some()) {
                                    let key = ([first, second], [*cell_arm, other.1], group);
                                    pairs.entry(key).or_default().observe(*outcome, other.3)?;
                                }
                            }
                        }
                    }
                }
                let batches: Vec<MemberBatch> = periods.iter().map(|members| batch(members)).collect();
                sums.add(&keys, &batches, &mut scratch, &mut [0; 3]);
            }
            for (period, sums) in sums.periods.iter().enumerate() {
                let grids = sums.grids();
                for key in sums.keys() {
                    let GroupKey { cell, arm, group } = keys.decode(key);
                    let want = singles.remove(&(period, cell * 2 + arm as u64, group as u32));
                    assert_eq!(want, Some((sums.sums(key, 1).n, sums.sums(key, 0))));
                    let cells = || grids.get(&(key, 0)).into_iter().flat_map(JointGrid::cells);
                    let of_grid: [i128; 2] = [cells().map(|cell| cell.first).sum(), cells().map(|cell| cell.second).sum()];
                    assert_eq!(of_grid, sums.sums(key, 0).sum[..2]);
                }
            }
            for key in sums.pairs.keys() {
                let ((first, a), (second, b), group) = keys.decode_pair(key);
                let cell_arms = [a, b].map(|key| key.cell * 2 + key.arm as u64);
                let want = pairs.remove(&([first, second], cell_arms, group.map(|group| group as u32)));
                assert_eq!(want, Some(sums.pairs.pair_sums(key, 0)));
            }
            assert!(singles.is_empty() && pairs.is_empty());
        }
        Ok(())
    }
}
