//! Money outcomes with their largest values cut off. Where to cut is known only when all parts are done, so the numbers of
//! these outcomes are kept until then.

use rayon::prelude::*;

use super::store::{Numbers, PairStore, Shapes, Store};
use super::study::{List, Study};
use super::tally::{Member, Sizes, add};
use crate::domain::{Decimal, pow10};
use crate::evaluate::{Phase, Quantity};
use crate::stats::{X, Y};

/// A part's customers of a strategy who have a money outcome that is not zero in any of its lists.
pub struct Kept {
    study: usize,
    /// Lists per customer.
    customers: Vec<u32>,
    members: Vec<Member>,
    groups: Vec<u32>,
    /// Outcomes that are winsorised, per member.
    numbers: Vec<Numbers>,
}

/// The sums of a strategy's winsorised outcomes.
pub struct Winsorised {
    /// By list of the job; those of other strategies are empty.
    pub lists: Vec<Store>,
    pub pairs: PairStore,
    pub shapes: Shapes,
}

impl Kept {
    pub fn new(study: usize) -> Kept {
        Kept { study, customers: Vec::new(), members: Vec::new(), groups: Vec::new(), numbers: Vec::new() }
    }

    /// Keeps a customer's outcomes, unless all are zero: then their sums add nothing.
    pub fn keep(&mut self, study: &Study<'_>, members: &[Member], numbers: &[Numbers], groups: &[u32]) {
        let own = |member: &Member| study.winsorised.iter().map(|slot| numbers[member.numbers.start + slot]).collect::<Vec<_>>();
        let all: Vec<Vec<Numbers>> = members.iter().map(own).collect();
        if all.iter().flatten().all(|numbers| *numbers == [0; 4]) {
            return;
        }
        self.customers.push(members.len() as u32);
        for (member, own) in members.iter().zip(all) {
            let (first_group, first) = (self.groups.len(), self.numbers.len());
            self.groups.extend_from_slice(&groups[member.groups.clone()]);
            self.numbers.extend(own);
            self.members.push(Member {
                groups: first_group..self.groups.len(),
                numbers: first..self.numbers.len(),
                skip: None,
                ..member.clone()
            });
        }
    }

    fn merge(&mut self, other: &mut Kept) {
        let (groups, numbers) = (self.groups.len(), self.numbers.len());
        self.customers.append(&mut other.customers);
        self.groups.append(&mut other.groups);
        self.numbers.append(&mut other.numbers);
        self.members.extend(other.members.drain(..).map(|member| Member {
            groups: member.groups.start + groups..member.groups.end + groups,
            numbers: member.numbers.start + numbers..member.numbers.end + numbers,
            ..member
        }));
    }
}

/// Winsorises the outcomes of a strategy over the customers of all parts.
pub fn sums(number: usize, study: &Study<'_>, lists: &[List], sizes: &Sizes, kept: &mut [Kept]) -> Option<Winsorised> {
    let percentile = study.strategy.winsorise?;
    let mut all = Kept::new(number);
    kept.iter_mut().filter(|own| own.study == number).for_each(|own| all.merge(own));
    let mut values: Vec<Vec<Vec<i64>>> = vec![vec![Vec::new(); study.winsorised.len()]; lists.len()];
    for member in &all.members {
        for (own, numbers) in values[member.list].iter_mut().zip(&all.numbers[member.numbers.clone()]) {
            own.extend(Some(numbers[Y]).filter(|y| *y != 0));
        }
    }
    let mut cuts: Vec<Vec<i64>> =
        values.into_par_iter().map(|of_list| of_list.into_iter().map(|values| cut(values, percentile)).collect()).collect();
    // The placebo is held against the period, so it is cut where the period is.
    let slot = |at: usize| &study.slots[study.winsorised[at]];
    for at in (0..study.winsorised.len()).filter(|at| slot(*at).phase == Phase::Placebo) {
        let of_period = |other: &usize| slot(*other).phase == Phase::During && slot(*other).quantity == slot(at).quantity;
        if let Some(during) = (0..study.winsorised.len()).find(of_period) {
            cuts.iter_mut().for_each(|of_list| of_list[at] = of_list[during]);
        }
    }
    for member in &all.members {
        for (numbers, cut) in all.numbers[member.numbers.clone()].iter_mut().zip(&cuts[member.list]) {
            numbers[Y] = numbers[Y].min(*cut);
            numbers[X] = numbers[X].min(*cut);
        }
    }
    let shapes = Shapes::new(study.winsorised.iter().map(|_| false));
    let mut out = Winsorised { lists: lists.iter().map(|_| sizes.store()).collect(), pairs: sizes.pair_store(), shapes };
    let mut start = 0;
    for count in &all.customers {
        let members = &all.members[start..start + *count as usize];
        start += *count as usize;
        let stores = (out.lists.as_mut_slice(), &out.shapes);
        add(study, &sizes.keys, members, &all.groups, |m| m.numbers.clone(), &all.numbers, stores, (&mut out.pairs, &out.shapes));
    }
    Some(out)
}

/// The percentile of values: the smallest that at least this share of them does not exceed; the largest number without any.
/// Never below 0, so that who spent nothing keeps nothing.
fn cut(mut values: Vec<i64>, percentile: Decimal) -> i64 {
    let unit = pow10(percentile.scale).unwrap_or(1);
    let rank = (values.len() as i128 * percentile.digits + unit - 1) / unit;
    match usize::try_from(rank - 1).ok().filter(|at| *at < values.len()) {
        Some(at) => (*values.select_nth_unstable(at).1).max(0),
        None => i64::MAX,
    }
}

/// The quantity of a winsorised outcome.
pub fn quantity(plain: &Quantity) -> Option<Quantity> {
    match plain {
        Quantity::Outcome(outcome) => Some(Quantity::Outcome(crate::domain::Outcome::Winsorised(Box::new(outcome.clone())))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cut_is_a_value_that_is_there() {
        let percentile = |text: &str| Decimal::parse(text).unwrap_or(Decimal { digits: 1, scale: 0 });
        let values: Vec<i64> = (1..=1000).rev().collect();
        assert_eq!(cut(values.clone(), percentile("0.99")), 990);
        assert_eq!(cut(values.clone(), percentile("0.9991")), 1000);
        assert_eq!(cut(values, percentile("0.5")), 500);
        assert_eq!(cut(vec![-9, -3, -8], percentile("0.5")), 0);
        assert_eq!(cut(vec![7], percentile("0.999")), 7);
        assert_eq!(cut(Vec::new(), percentile("0.999")), i64::MAX);
    }
}
