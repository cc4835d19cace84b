//! What tasks leave for later stages.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::Day;
use crate::error::Result;
use crate::experiment::PartialSums;
use crate::forecast::CustomerSample;
use crate::input::orders::findings::ScanFindings;
use crate::input::orders::ledger::RowCounts;
use crate::input::query::QueryResult;
use crate::measure::{Findings, LineCounts, OrderKey};
use crate::part::PartOutput;
use crate::pipeline::first_pass::FirstPass;
use crate::pipeline::scanned::ScanSummary;
use crate::pipeline::scored::Scored;
use crate::score::{RunBytes, SliceDistributions, StoredSlice};
use crate::wire::Travels;

/// A query that has run.
#[derive(Serialize, Deserialize)]
pub struct PreparedQuery {
    /// What came of it.
    pub result: QueryResult,
    /// The object with its rows. Tasks that run twice write one each, and the first of them counts.
    pub object: String,
}

impl Travels for PreparedQuery {
    const NAME: &'static str = "account of a query";
    const VERSION: u16 = 1;
}

/// What a scan leaves besides its records.
#[derive(Serialize, Deserialize)]
pub struct ScanResult {
    /// Slice values by code.
    pub slices: Vec<String>,
    /// Categories by code.
    pub categories: Vec<String>,
    /// What was found.
    pub findings: ScanFindings,
}

/// The code and the number of no slice or category.
const NO_NUMBER: i64 = -1;

/// What the codes of all scans stand for. A code of a scan becomes one of all scans by adding the offset of the scan.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodesOfScans {
    /// The number behind each code of all scans, [`NO_NUMBER`] where it stands for none.
    pub numbers: Vec<i64>,
    /// By scan, what is added to its codes.
    pub offsets: Vec<i64>,
}

impl CodesOfScans {
    /// Numbers the values of scans, by code, in the order of their names, which is returned.
    pub fn new(of_scans: Vec<Vec<String>>) -> (Vec<String>, CodesOfScans) {
        let mut names: Vec<String> = of_scans.iter().flatten().cloned().collect();
        names.sort_unstable();
        names.dedup();
        let mut codes = CodesOfScans::default();
        for values in of_scans {
            codes.numbers.push(NO_NUMBER);
            codes.offsets.push(codes.numbers.len() as i64);
            let number = |value: &String| names.binary_search(value).map_or(NO_NUMBER, |at| at as i64);
            codes.numbers.extend(values.iter().map(number));
        }
        (names, codes)
    }
}

/// What all inputs hold, apart from their records.
#[derive(Serialize, Deserialize)]
pub struct Names {
    /// What was found.
    pub summary: ScanSummary,
    /// The codes of slices.
    pub slices: CodesOfScans,
    /// The codes of categories.
    pub categories: CodesOfScans,
}

impl Travels for Names {
    const NAME: &'static str = "names";
    const VERSION: u16 = 1;
}

/// What the first pass has found in a range of buckets. Listed values lie in the bytes before it, sorted.
#[derive(Serialize, Deserialize)]
pub struct ShardFindings {
    /// By date and slice number.
    distributions: Vec<Vec<StoredSlice>>,
    customers: u64,
    lines: Vec<LineCounts>,
    findings: Findings,
    span: Option<(Day, Day)>,
    sample: CustomerSample,
    /// Orders with rows without a customer whose other rows have one.
    pub with_customer: Vec<OrderKey>,
}

impl ShardFindings {
    /// What a first pass has found, and the bytes of its listed values.
    ///
    /// # Errors
    /// Exit 7 if spilled values do not come back.
    pub fn new(found: FirstPass, with_customer: Vec<OrderKey>) -> Result<(Vec<u8>, ShardFindings)> {
        let FirstPass { distributions, customers, lines, findings, span, sample } = found;
        let mut bytes = Vec::new();
        let mut of_date =
            |slices: Vec<SliceDistributions>| slices.into_iter().map(|slice| slice.store(&mut bytes)).collect::<Result<_>>();
        let distributions = distributions.into_iter().map(&mut of_date).collect::<Result<_>>()?;
        Ok((bytes, ShardFindings { distributions, customers, lines, findings, span, sample, with_customer }))
    }

    /// The same as a first pass finds it; `bytes` has its listed values.
    pub fn into_first_pass(self, bytes: &Arc<dyn RunBytes>) -> FirstPass {
        let ShardFindings { distributions, customers, lines, findings, span, sample, .. } = self;
        let of_date =
            |slices: Vec<StoredSlice>| slices.into_iter().map(|slice| SliceDistributions::from_stored(slice, bytes)).collect();
        FirstPass { distributions: distributions.into_iter().map(of_date).collect(), customers, lines, findings, span, sample }
    }
}

impl Travels for ShardFindings {
    const NAME: &'static str = "distributions of a shard";
    const VERSION: u16 = 2;

    fn canonicalise(&mut self) {
        self.sample.settle();
        self.distributions.iter_mut().flatten().for_each(StoredSlice::canonicalise);
    }
}

/// What follows from the distributions of all shards.
#[derive(Serialize, Deserialize)]
pub struct Cuts {
    /// Cut points, and what else is known of all customers.
    pub scored: Scored,
    /// Outcomes of all rows of orders.
    pub ledger: RowCounts,
    /// Orders with rows without a customer whose other rows have one.
    pub with_customer: Vec<OrderKey>,
}

impl Travels for Cuts {
    const NAME: &'static str = "cut points of a run";
    const VERSION: u16 = 2;
}

/// What the parts of a shard give.
#[derive(Serialize, Deserialize)]
pub struct ShardSums {
    /// Files and sums by state.
    pub parts: PartOutput,
    /// Sums of what assigned customers did, if the job has strategies.
    pub strategies: Option<PartialSums>,
}

impl Travels for ShardSums {
    const NAME: &'static str = "sums of a shard";
    const VERSION: u16 = 1;

    fn canonicalise(&mut self) {
        self.parts.canonicalise();
        self.strategies.iter_mut().for_each(Travels::canonicalise);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_scans_stand_for_the_same_names() {
        let scans = [vec!["pear", "fig"], vec![], vec!["apple", "pear"]];
        let scans = scans.map(|values| values.into_iter().map(str::to_owned).collect::<Vec<_>>());
        let (names, codes) = CodesOfScans::new(scans.to_vec());
        assert_eq!(names, ["apple", "fig", "pear"]);
        for (values, offset) in scans.iter().zip(&codes.offsets) {
            let number = |code: i64| codes.numbers[usize::try_from(offset + code).expect("a code of all scans")];
            assert_eq!(number(NO_NUMBER), NO_NUMBER);
            for (code, value) in (0..).zip(values) {
                assert_eq!(&names[number(code) as usize], value);
            }
        }
    }
}
