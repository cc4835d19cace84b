//! What is odd about customers, by their ids, their number of orders and their first days.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::bucket::hash_text;
use crate::domain::{CustomerId, CustomerIds, StringIds, plain_spelling};

/// What is odd about the customers of some buckets.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CustomerFindings {
    /// Customers with a purchase.
    pub buyers: u64,
    /// Purchases of all of them.
    pub purchases: u64,
    /// Most purchases of a customer, and whose they are; of several the first by id.
    pub most: Option<(u64, CustomerId)>,
    /// Days of first purchases, in no particular order.
    pub first_days: Vec<i32>,
    /// Ids that differ from others only in case or outer blanks.
    pub similar_ids: SimilarIds,
}

/// Ids that differ from others only in case or outer blanks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimilarIds {
    /// How many ids.
    pub ids: u64,
    /// Two of them, the first by their bytes.
    pub example: Option<(CustomerId, CustomerId)>,
}

impl CustomerFindings {
    /// Of the customers of a bucket, with purchases and the day of the first for each who bought.
    pub(super) fn of(ids: &CustomerIds, buyers: impl Iterator<Item = (usize, u64, i32)>) -> CustomerFindings {
        let mut found = CustomerFindings::default();
        let mut most: Option<(u64, usize)> = None;
        for (customer, purchases, first) in buyers {
            found.buyers += 1;
            found.purchases += purchases;
            found.first_days.push(first);
            if most
                .is_none_or(|(count, at)| purchases > count || purchases == count && ids.compare(customer, at) == Ordering::Less)
            {
                most = Some((purchases, customer));
            }
        }
        found.most = most.map(|(purchases, customer)| (purchases, CustomerId::of(ids, customer)));
        if let CustomerIds::Text(texts) = ids {
            found.similar_ids = similar(ids, texts);
        }
        found
    }

    /// Adds those of other buckets.
    pub fn merge(&mut self, other: CustomerFindings) {
        self.buyers += other.buyers;
        self.purchases += other.purchases;
        self.first_days.extend(other.first_days);
        self.similar_ids.ids += other.similar_ids.ids;
        let examples = [self.similar_ids.example.take(), other.similar_ids.example];
        self.similar_ids.example = examples.into_iter().flatten().min();
        let more = |a: &(u64, CustomerId), b: &(u64, CustomerId)| a.0.cmp(&b.0).then_with(|| b.1.cmp(&a.1));
        self.most = [self.most.take(), other.most].into_iter().flatten().max_by(more);
    }
}

/// The ids of a bucket that differ only in case or outer blanks: they share a hash.
fn similar(ids: &CustomerIds, texts: &StringIds) -> SimilarIds {
    let mut found = SimilarIds::default();
    let mut hashed: Vec<(u64, usize)> = (0..texts.len()).map(|at| (hash_text(texts.get(at)), at)).collect();
    hashed.sort_unstable();
    for same in hashed.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
        let mut spellings: Vec<(Vec<u8>, &[u8], usize)> =
            same.iter().map(|(_, at)| (plain_spelling(texts.get(*at)).into_owned(), texts.get(*at), *at)).collect();
        spellings.sort_unstable();
        // A customer of several slices stands there once for each.
        spellings.dedup_by(|a, b| a.1 == b.1);
        for alike in spellings.chunk_by(|a, b| a.0 == b.0) {
            let [first, second, ..] = alike else { continue };
            found.ids += alike.len() as u64;
            let pair = (CustomerId::of(ids, first.2), CustomerId::of(ids, second.2));
            found.example = found.example.into_iter().chain([pair]).min();
        }
    }
    found
}
