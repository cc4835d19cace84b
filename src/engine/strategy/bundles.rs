//! Customers whose sums stand at the same place, one after the other: what they add up to is worked out in registers, and the
//! place is written once for all of them. One by one, each would wait for the sums that the one before has just written.

use crate::domain::ends;

/// Customers may be of so many kinds.
pub const KINDS: usize = 4;

/// Some customers by the place of their sums and by kind, which is a number below [`KINDS`].
#[derive(Debug, Default)]
pub struct Bundles<M> {
    members: Vec<M>,
    /// Place, and where the members of every kind end; they begin where those before end.
    bundles: Vec<(u32, [u32; KINDS])>,
    /// By customer: which of `ends` is theirs.
    slots: Vec<u32>,
    ends: Vec<u32>,
}

/// Customers with the same sums.
pub struct Bundle<'a, M> {
    /// Where these are.
    pub place: u32,
    members: &'a [M],
    ends: [usize; KINDS],
}

impl<'a, M> Bundle<'a, M> {
    /// All of them, kind by kind.
    pub fn members(&self) -> &'a [M] {
        self.members
    }

    /// Those of a kind.
    #[inline]
    pub fn of(&self, kind: usize) -> &'a [M] {
        let start = kind.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.members[start..self.ends[kind]]
    }
}

impl<M: Copy + Default> Bundles<M> {
    /// Bundles customers, each with a place of its own in `places`, and given by kind.
    pub fn fill(&mut self, places: &[u32], customers: impl Iterator<Item = (usize, M)> + Clone) {
        self.bundles.clear();
        self.members.clear();
        let (least, greatest) = ends(places).unwrap_or_default();
        let span = (greatest - least) as usize + 1;
        if span > places.len() {
            return self.one_by_one(places, customers);
        }
        // A counting sort. Neighbours count apart, as one would wait for the other.
        self.ends.clear();
        self.ends.resize(2 * KINDS * span, 0);
        self.slots.clear();
        self.slots.extend(places.iter().zip(customers.clone()).enumerate().map(|(at, (place, (kind, _)))| {
            let slot = ((place - least) as usize * KINDS + kind) << 1 | at & 1;
            self.ends[slot] = self.ends[slot].wrapping_add(1);
            slot as u32
        }));
        let mut end = 0;
        for own in &mut self.ends {
            (*own, end) = (end, *own + end);
        }
        self.members.resize(places.len(), M::default());
        for (slot, (_, member)) in self.slots.iter().zip(customers) {
            let at = &mut self.ends[*slot as usize];
            self.members[*at as usize] = member;
            *at = at.wrapping_add(1);
        }
        let (of_places, _) = self.ends.as_chunks::<{ 2 * KINDS }>();
        let mut start = 0;
        for (place, ends) in (least..).zip(of_places) {
            let ends = [ends[1], ends[3], ends[5], ends[7]];
            if ends[KINDS - 1] > start {
                self.bundles.push((place, ends));
                start = ends[KINDS - 1];
            }
        }
    }

    /// Where places are many and customers few, hardly two are at the same.
    fn one_by_one(&mut self, places: &[u32], customers: impl Iterator<Item = (usize, M)>) {
        for (place, (kind, member)) in places.iter().zip(customers) {
            let at = self.members.len() as u32;
            self.members.push(member);
            self.bundles.push((*place, [0, 1, 2, 3].map(|own| at + u32::from(own >= kind))));
        }
    }

    /// All bundles.
    pub fn iter(&self) -> impl Iterator<Item = Bundle<'_, M>> {
        let mut start = 0;
        self.bundles.iter().map(move |(place, ends)| {
            let ends = ends.map(|end| end as usize);
            let members = &self.members[start..ends[KINDS - 1]];
            let bundle = Bundle { place: *place, members, ends: ends.map(|end| end - start) };
            start = ends[KINDS - 1];
            bundle
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everybody is in the bundle of their place, among those of their kind.
    #[test]
    fn all_are_in_their_bundles() {
        for (count, places) in [(500u32, 7u32), (500, 500), (20, 3), (20, 1 << 20), (0, 1)] {
            let place = |at: u32| 5 + at.wrapping_mul(2_654_435_761) % places;
            let kind = |at: u32| (at / 3 % 4) as usize;
            let all: Vec<u32> = (0..count).map(place).collect();
            let mut bundles = Bundles::default();
            for _ in 0..2 {
                bundles.fill(&all, (0..count).map(|at| (kind(at), at)));
                let mut found = vec![0; count as usize];
                for bundle in bundles.iter() {
                    assert!(!bundle.members().is_empty());
                    assert_eq!((0..KINDS).map(|kind| bundle.of(kind).len()).sum::<usize>(), bundle.members().len());
                    for (own, member) in (0..KINDS).flat_map(|own| bundle.of(own).iter().map(move |member| (own, *member))) {
                        assert_eq!((bundle.place, own), (place(member), kind(member)));
                        found[member as usize] += 1;
                    }
                }
                assert!(found.iter().all(|times| *times == 1));
            }
        }
    }
}
