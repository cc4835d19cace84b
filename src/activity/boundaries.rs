//! Days on which windows begin and end, and how to find a day among them.

/// The days that matter, ascending: those on which some stretch begins or ends.
pub struct BoundaryDays {
    days: Vec<i32>,
    /// By day from the first to the last: how many of the days are not after it. Empty if they lie too far apart.
    ranks: Vec<u32>,
}

/// Days that lie no further apart than this, some 180 years, are looked up.
const MOST_APART: i64 = 1 << 16;

impl BoundaryDays {
    /// The boundary days among these, which may come in any order and more than once.
    pub fn new(mut days: Vec<i32>) -> BoundaryDays {
        days.sort_unstable();
        days.dedup();
        let (first, last) = (days.first().copied().unwrap_or(0), days.last().copied().unwrap_or(0));
        let apart = i64::from(last) - i64::from(first);
        let mut ranks = Vec::new();
        if apart < MOST_APART {
            ranks.resize(apart as usize + 1, 0);
            let mut known = 0;
            for (day, rank) in (i64::from(first)..).zip(&mut ranks) {
                known += usize::from(days.get(known).is_some_and(|own| i64::from(*own) == day));
                *rank = known as u32;
            }
        }
        BoundaryDays { days, ranks }
    }

    /// How many days there are.
    pub fn len(&self) -> usize {
        self.days.len()
    }

    /// How many of the days are not after this one.
    #[inline]
    pub fn rank(&self, day: i32) -> usize {
        let Some(first) = self.days.first().filter(|first| day >= **first) else { return 0 };
        if self.ranks.is_empty() {
            return self.days.partition_point(|own| *own <= day);
        }
        self.ranks.get((i64::from(day) - i64::from(*first)) as usize).map_or(self.days.len(), |rank| *rank as usize)
    }

    /// The row of one of the days.
    #[inline]
    pub fn row(&self, day: i32) -> usize {
        self.rank(day).saturating_sub(1)
    }
}
