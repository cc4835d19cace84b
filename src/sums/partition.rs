//! A counting sort of rows by group key, so that each group is summed in registers and its sums are looked up and written once.
//! Adding row by row would stall on the sums that the row before has just written.

/// The number of zero patterns.
pub const PATTERNS: usize = 4;

/// Which values of a row are zero. A row has a value in each of two columns; a row of one column has it as both.
pub mod zero_pattern {
    /// Neither value is zero.
    pub const NONE: usize = 0;
    /// The second value is zero.
    pub const SECOND: usize = 1;
    /// The first value is zero.
    pub const FIRST: usize = 2;

    /// The pattern of two values. It is the sum of `of(first, true)` and `of(true, second)`.
    #[inline]
    pub fn of(first_is_nonzero: bool, second_is_nonzero: bool) -> usize {
        2 * usize::from(!first_is_nonzero) + usize::from(!second_is_nonzero)
    }
}

/// Group key and zero pattern of a row in one number.
#[inline]
pub fn sort_code(key: u64, pattern: usize) -> u64 {
    key.wrapping_mul(PATTERNS as u64).wrapping_add(pattern as u64)
}

/// Rows sorted by group key and zero pattern.
#[derive(Debug, Default)]
pub struct GroupPartition<R> {
    rows: Vec<R>,
    /// Key, and where the rows of every pattern end; they begin where those before end.
    groups: Vec<(u128, [u32; PATTERNS])>,
    /// By sort code: where its rows end.
    ends: Vec<u32>,
}

/// Rows with the same key.
pub struct Group<'a, R> {
    pub key: u128,
    /// All rows, pattern by pattern.
    pub rows: &'a [R],
    /// Where the rows of every pattern end.
    ends: [usize; PATTERNS],
}

impl<'a, R> Group<'a, R> {
    /// The rows of a zero pattern.
    #[inline]
    pub fn of(&self, pattern: usize) -> &'a [R] {
        let start = pattern.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.rows[start..self.ends[pattern]]
    }
}

impl<R: Copy + Default> GroupPartition<R> {
    /// Sorts rows by their sort codes, in which keys are below `bound`; the keys of the groups begin at `start`. A key has
    /// several groups if there are many more keys than rows.
    pub fn sort(&mut self, start: u128, bound: u64, codes: &[u64], rows: impl Iterator<Item = R>) {
        if bound > 4 * codes.len() as u64 {
            let split = |code: &u64| (start + u128::from(code / PATTERNS as u64), *code as usize % PATTERNS);
            return self.separate(codes.iter().map(split), rows);
        }
        self.ends.clear();
        self.ends.resize(PATTERNS * bound as usize, 0);
        for code in codes {
            let count = &mut self.ends[*code as usize];
            *count = count.wrapping_add(1);
        }
        let mut end = 0;
        for count in &mut self.ends {
            (*count, end) = (end, end + *count);
        }
        self.rows.resize(codes.len(), R::default());
        for (code, row) in codes.iter().zip(rows) {
            let end = &mut self.ends[*code as usize];
            self.rows[*end as usize] = row;
            *end = end.wrapping_add(1);
        }
        self.groups.clear();
        let mut before = 0;
        for (key, ends) in (start..).zip(self.ends.as_chunks().0) {
            if ends[PATTERNS - 1] > before {
                self.groups.push((key, *ends));
                before = ends[PATTERNS - 1];
            }
        }
    }

    /// Makes a group of every row, of which key and zero pattern are given.
    pub fn separate(&mut self, keys: impl Iterator<Item = (u128, usize)>, rows: impl Iterator<Item = R>) {
        self.rows.clear();
        self.rows.extend(rows);
        self.groups.clear();
        for (row, (key, pattern)) in (0..).zip(keys) {
            self.groups.push((key, [0, 1, 2, 3].map(|other| row + u32::from(other >= pattern))));
        }
    }

    /// The number of groups.
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// All groups.
    pub fn groups(&self) -> impl Iterator<Item = Group<'_, R>> {
        let mut start = 0;
        self.groups.iter().map(move |(key, ends)| {
            let ends = ends.map(|end| end as usize);
            let rows = &self.rows[start..ends[PATTERNS - 1]];
            let group = Group { key: *key, rows, ends: ends.map(|end| end - start) };
            start = ends[PATTERNS - 1];
            group
        })
    }
}
