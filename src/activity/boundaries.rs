//! Days on which windows begin and end, and how to find a day among them.

/// The widest range of days, some 180 years, for which positions are looked up in a table.
const TABLE_DAYS: i64 = 1 << 16;

/// Ascending days that separate windows of time.
pub struct BoundaryDays {
    days: Vec<i32>,
    /// For every day from the first boundary to the last: how many boundaries lie before it. Empty if the range is too wide.
    before: Vec<u32>,
}

impl BoundaryDays {
    /// Boundaries in ascending order; a day may occur more than once.
    pub fn new(days: Vec<i32>) -> BoundaryDays {
        let mut before = Vec::new();
        if let (Some(first), Some(last)) = (days.first(), days.last())
            && i64::from(*last) - i64::from(*first) < TABLE_DAYS
        {
            for (day, position) in days.iter().zip(0..) {
                before.resize((day - first) as usize + 1, position);
            }
        }
        BoundaryDays { days, before }
    }

    /// The distinct days of a list in any order.
    pub fn distinct(mut days: Vec<i32>) -> BoundaryDays {
        days.sort_unstable();
        days.dedup();
        BoundaryDays::new(days)
    }

    /// Number of boundaries.
    pub fn len(&self) -> usize {
        self.days.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }

    /// How many boundaries lie before a day. This is the index of the first boundary that is not before it.
    #[inline]
    pub fn before(&self, day: i32) -> usize {
        let first = self.days.first().copied().unwrap_or(0);
        match usize::try_from(i64::from(day) - i64::from(first)) {
            Err(_) => 0,
            Ok(at) => match self.before.get(at) {
                Some(count) => *count as usize,
                None if self.before.is_empty() => self.days.partition_point(|boundary| *boundary < day),
                None => self.days.len(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table, the search and the two ends agree with a count over all boundaries.
    #[test]
    fn before_counts_the_boundaries_before_a_day() {
        for days in
            [vec![], vec![5], vec![3, 3, 7, 12], vec![-9, 0, 1 << 16], vec![i32::MIN, i32::MIN], vec![i32::MIN, 4, i32::MAX]]
        {
            let boundaries = BoundaryDays::new(days.clone());
            for day in days.iter().flat_map(|day| [day.saturating_sub(1), *day, day.saturating_add(1)]).chain([0, i32::MAX]) {
                assert_eq!(boundaries.before(day), days.iter().filter(|boundary| **boundary < day).count(), "{day} in {days:?}");
            }
        }
        assert_eq!(BoundaryDays::distinct(vec![7, 3, 7]).len(), 2);
    }
}
