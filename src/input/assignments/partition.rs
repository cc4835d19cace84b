//! The rows of a batch, partitioned by the part of their customer.

/// A counting sort of row indices by part. It is reused from batch to batch.
#[derive(Debug, Default)]
pub(super) struct RowsByPart {
    /// The part of every row; the number of parts for rows that do not count.
    pub parts: Vec<u32>,
    /// The rows of each part in their order, after them those that do not count.
    rows: Vec<u32>,
    /// Where the rows of each part begin.
    starts: Vec<usize>,
}

impl RowsByPart {
    /// Sorts the rows by `self.parts`, which are below or equal to `count`.
    pub fn sort(&mut self, count: usize) {
        self.starts.clear();
        self.starts.resize(count + 2, 0);
        for part in &self.parts {
            let rows = &mut self.starts[*part as usize + 1];
            *rows = rows.wrapping_add(1);
        }
        let mut rows = 0;
        for start in &mut self.starts {
            rows += *start;
            *start = rows;
        }
        self.rows.clear();
        self.rows.resize(self.parts.len(), 0);
        for (row, part) in self.parts.iter().enumerate() {
            let start = &mut self.starts[*part as usize];
            self.rows[*start] = row as u32;
            *start = start.wrapping_add(1);
        }
        // Every start has moved on to the next part's.
        self.starts.rotate_right(1);
        self.starts[0] = 0;
    }

    /// The rows of a part.
    pub fn of_part(&self, part: usize) -> &[u32] {
        &self.rows[self.starts[part]..self.starts[part + 1]]
    }
}
