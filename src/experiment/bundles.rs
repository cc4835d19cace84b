//! Customers with the same key, one after the other: what they add up to is worked out in registers, and the sums under the key
//! are looked up and written once for all of them. One by one, each would wait for the sums that the one before has just
//! written.

use crate::domain::ends;
use crate::engine::experiment::store::Key;

/// Customers may be of so many kinds.
pub const KINDS: usize = 4;

/// Some customers by key and by kind, which is a number below [`KINDS`].
#[derive(Debug, Default)]
pub struct Bundles<K, M> {
    members: Vec<M>,
    /// Key, and where the members of every kind end; they begin where those before end.
    bundles: Vec<(K, [u32; KINDS])>,
    /// By label, and within it for every other customer: where the members end.
    ends: Vec<u32>,
}

/// Customers with the same key.
pub struct Bundle<'a, M> {
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

/// The label of a customer: key and kind in one number.
#[inline]
pub fn label<K: Key>(key: K, kind: usize) -> K {
    key.times(K::of(KINDS as u64)).plus(K::of(kind as u64))
}

impl<K: Key, M: Copy + Default> Bundles<K, M> {
    /// Bundles customers by their labels, in which keys are below `bound`; those of the bundles begin at `start`. Of keys that lie
    /// far apart there may be several bundles.
    pub fn fill(&mut self, start: K, bound: u128, labels: &[K], customers: impl Iterator<Item = M> + Clone) {
        self.bundles.clear();
        self.members.clear();
        // Only if there may be more keys than customers is it worth looking which there are.
        let (least, keys) = if bound <= labels.len() as u128 {
            (K::default(), bound as usize)
        } else {
            let (least, greatest) = ends(labels).unwrap_or_default();
            let least = least.split(KINDS).0;
            (least, greatest.split(KINDS).0.minus(least).saturating_add(1))
        };
        if keys > labels.len() {
            return self.one_by_one(start, labels, customers);
        }
        // A counting sort. Neighbours count apart, as one would wait for the other.
        self.ends.clear();
        self.ends.resize(2 * KINDS * keys, 0);
        let first = label(least, 0);
        let slot = |label: &K, odd: usize| label.minus(first) << 1 | odd;
        let (neighbours, last) = labels.as_chunks::<2>();
        let mut count = |slot: usize| self.ends[slot] = self.ends[slot].wrapping_add(1);
        for [even, odd] in neighbours {
            count(slot(even, 0));
            count(slot(odd, 1));
        }
        last.iter().for_each(|label| count(slot(label, 0)));
        let mut end = 0;
        for own in &mut self.ends {
            (*own, end) = (end, *own + end);
        }
        self.members.resize(labels.len(), M::default());
        for (at, (label, member)) in labels.iter().zip(customers).enumerate() {
            let end = &mut self.ends[slot(label, at & 1)];
            self.members[*end as usize] = member;
            *end = end.wrapping_add(1);
        }
        let (of_keys, _) = self.ends.as_chunks::<{ 2 * KINDS }>();
        let (first, mut before) = (start.plus(least), 0);
        for (above, ends) in (0..).zip(of_keys) {
            let ends = [ends[1], ends[3], ends[5], ends[7]];
            if ends[KINDS - 1] > before {
                self.bundles.push((first.plus(K::of(above)), ends));
                before = ends[KINDS - 1];
            }
        }
    }

    /// Where keys are many and customers few, hardly two have the same.
    fn one_by_one(&mut self, start: K, labels: &[K], customers: impl Iterator<Item = M>) {
        for (label, member) in labels.iter().zip(customers) {
            let (at, (key, kind)) = (self.members.len() as u32, label.split(KINDS));
            self.members.push(member);
            self.bundles.push((start.plus(key), [0, 1, 2, 3].map(|own| at + u32::from(own >= kind))));
        }
    }

    /// All bundles.
    pub fn iter(&self) -> impl Iterator<Item = Bundle<'_, M>> {
        let mut start = 0;
        self.bundles.iter().map(move |(_, ends)| {
            let ends = ends.map(|end| end as usize);
            let members = &self.members[start..ends[KINDS - 1]];
            let bundle = Bundle { members, ends: ends.map(|end| end - start) };
            start = ends[KINDS - 1];
            bundle
        })
    }

    /// The key of every bundle.
    pub fn keys(&self) -> impl Iterator<Item = K> {
        self.bundles.iter().map(|(key, _)| *key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everybody is in a bundle of their key, among those of their kind.
    #[test]
    fn all_are_in_their_bundles() {
        for (count, keys) in [(500u32, 7u32), (500, 500), (20, 3), (20, 1 << 20), (0, 1)] {
            let key = |at: u32| 5 + at.wrapping_mul(2_654_435_761) % keys;
            let kind = |at: u32| (at / 3 % 4) as usize;
            let all: Vec<u32> = (0..count).map(|at| label(key(at), kind(at))).collect();
            let mut bundles = Bundles::default();
            for (start, bound) in [(0, keys + 5), (1000, keys + 5), (0, u32::MAX / 4)] {
                bundles.fill(start, u128::from(bound), &all, 0..count);
                let mut found = vec![0; count as usize];
                for (own_key, bundle) in bundles.keys().zip(bundles.iter()) {
                    assert!(!bundle.members().is_empty());
                    assert_eq!((0..KINDS).map(|kind| bundle.of(kind).len()).sum::<usize>(), bundle.members().len());
                    for (own, member) in (0..KINDS).flat_map(|own| bundle.of(own).iter().map(move |member| (own, *member))) {
                        assert_eq!((own_key, own), (start + key(member), kind(member)));
                        found[member as usize] += 1;
                    }
                }
                assert!(found.iter().all(|times| *times == 1));
                assert!(bundles.keys().count() <= count.min(keys) as usize);
            }
        }
    }
}
