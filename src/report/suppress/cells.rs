//! Counts as cells of sums, and which of them must be hidden.

use std::collections::BTreeMap;

/// A count that one or more tables show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell(usize);

/// Counts, and what adds up to what.
#[derive(Debug, Default)]
pub(super) struct CellTable {
    /// Smaller counts are hidden.
    pub min: i64,
    /// Smaller counts of values of dimensions are hidden.
    min_in_dimension: i64,
    counts: Vec<i64>,
    /// By cell the count below which it is hidden; 1 if it is shown whatever it is.
    least: Vec<i64>,
    hidden: Vec<bool>,
    names: BTreeMap<String, Cell>,
    sums: Vec<(Vec<Cell>, Cell)>,
}

impl CellTable {
    /// No cells yet; counts below `min` will be hidden, and those of values of dimensions below `min_in_dimension`.
    pub fn new(min: i64, min_in_dimension: i64) -> CellTable {
        CellTable { min, min_in_dimension, ..CellTable::default() }
    }

    /// The count below which cells are hidden, of a value of a dimension or of all customers.
    pub fn least(&self, is_in_dimension: bool) -> i64 {
        if is_in_dimension { self.min_in_dimension } else { self.min }
    }

    /// The cell of this name, or a new one without a name if that holds another count.
    pub fn cell(&mut self, name: String, count: i64) -> Cell {
        self.cell_from(self.min, name, count)
    }

    /// [`Self::cell`] that is hidden below `least`.
    pub fn cell_from(&mut self, least: i64, name: String, count: i64) -> Cell {
        if let Some(cell) = self.names.get(&name)
            && self.counts[cell.0] == count
        {
            return *cell;
        }
        let cell = Cell(self.counts.len());
        self.counts.push(count);
        self.least.push(least);
        self.hidden.push(0 < count && count < least);
        self.names.entry(name).or_insert(cell);
        cell
    }

    /// The cell of this name.
    pub fn find(&self, name: &str) -> Option<Cell> {
        self.names.get(name).copied()
    }

    /// Says that the parts add up to the cell of this name, if they do; else to a total that readers may know all the same.
    pub fn sum(&mut self, parts: Vec<Cell>, total: String) {
        self.sum_from(self.min, parts, total);
    }

    /// [`Self::sum`] whose total is hidden below `least`.
    pub fn sum_from(&mut self, least: i64, parts: Vec<Cell>, total: String) {
        let sum = parts.iter().map(|c| self.counts[c.0]).fold(0i64, i64::saturating_add);
        let total = self.cell_from(least, total, sum);
        self.sums.push((parts, total));
    }

    /// Says that the parts add up to the cell of this name, with values that no report shows, if any are left.
    pub fn sum_with_rest(&mut self, mut parts: Vec<Cell>, total: String) {
        let shown = parts.iter().map(|c| self.counts[c.0]).fold(0i64, i64::saturating_add);
        if let Some(rest) = self.find(&total).map(|total| self.count(total) - shown).filter(|rest| *rest > 0) {
            parts.push(self.cell_from(self.min_in_dimension, format!("rest{total}"), rest));
        }
        self.sum(parts, total);
    }

    /// Says that the parts add up to the total.
    pub fn add_sum(&mut self, parts: Vec<Cell>, total: Cell) {
        self.sums.push((parts, total));
    }

    /// The count of a cell.
    pub fn count(&self, cell: Cell) -> i64 {
        self.counts[cell.0]
    }

    /// Whether a cell is hidden.
    pub fn is_hidden(&self, cell: Option<Cell>) -> bool {
        cell.is_some_and(|c| self.hidden[c.0])
    }

    /// Hides more until no sum gives a hidden cell away.
    pub fn close(&mut self) {
        let mut changed = true;
        while changed {
            changed = false;
            for number in 0..self.sums.len() {
                while let Some(cell) = self.next_to_hide(number) {
                    self.hidden[cell.0] = true;
                    changed = true;
                }
            }
        }
    }

    /// What a sum asks to hide, if anything.
    fn next_to_hide(&self, number: usize) -> Option<Cell> {
        let (parts, total) = &self.sums[number];
        let hidden: Vec<i64> = parts.iter().filter(|c| self.hidden[c.0]).map(|c| self.counts[c.0]).collect();
        let least = parts.iter().map(|c| self.least[c.0]).max().unwrap_or(self.min);
        let safe = match (hidden.len(), self.hidden[total.0]) {
            (0, false) => true,
            (n, true) => n >= 1,
            (n, false) => n >= 2 && hidden.iter().fold(0i64, |a, b| a.saturating_add(*b)) >= least,
        };
        if safe {
            return None;
        }
        // What is shown whatever it counts is not hidden for the sake of others either.
        let may_hide = |c: &Cell| !self.hidden[c.0] && self.least[c.0] > 1;
        let visible = parts.iter().filter(|c| may_hide(c) && self.counts[c.0] > 0);
        let smallest = visible.min_by_key(|c| (self.counts[c.0], c.0)).copied();
        smallest.or(may_hide(total).then_some(*total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cells a, b, c … with these counts, of which some add up to others; the hidden ones.
    fn hidden(min: i64, counts: &[i64], sums: &[(&[usize], usize)]) -> Vec<usize> {
        let mut cells = CellTable::new(min, min);
        let all: Vec<Cell> = counts.iter().enumerate().map(|(i, n)| cells.cell(i.to_string(), *n)).collect();
        for (parts, total) in sums {
            cells.add_sum(parts.iter().map(|p| all[*p]).collect(), all[*total]);
        }
        cells.close();
        (0..counts.len()).filter(|i| cells.is_hidden(Some(all[*i]))).collect()
    }

    #[test]
    fn a_hidden_part_is_never_alone() {
        // 3 + 20 + 40 = 63: the 3 alone is 63 − 60.
        assert_eq!(hidden(5, &[3, 20, 40, 63], &[(&[0, 1, 2], 3)]), [0, 1]);
        // 1 + 1 are together still below 5.
        assert_eq!(hidden(5, &[1, 1, 20, 40, 62], &[(&[0, 1, 2, 3], 4)]), [0, 1, 2]);
        // 3 + 4 are enough.
        assert_eq!(hidden(5, &[3, 4, 20, 27], &[(&[0, 1, 2], 3)]), [0, 1]);
        // A part that is the whole takes the whole with it, and nobody's 0 protects anyone.
        assert_eq!(hidden(5, &[3, 0, 3], &[(&[0, 1], 2)]), [0, 2]);
        assert_eq!(hidden(5, &[10, 20, 30], &[(&[0, 1], 2)]), [] as [usize; 0]);
    }

    /// Everybody is shown, and values of a dimension from five on; what a known total gives away all the same takes others along.
    #[test]
    fn values_of_dimensions_have_a_bound_of_their_own() {
        let hidden = |values: &[i64], all: i64| {
            let mut cells = CellTable::new(1, 5);
            let parts: Vec<Cell> = values.iter().enumerate().map(|(i, n)| cells.cell_from(5, i.to_string(), *n)).collect();
            let total = cells.cell("all".into(), all);
            cells.add_sum(parts.clone(), total);
            cells.close();
            assert!(!cells.is_hidden(Some(total)));
            (0..values.len()).filter(|i| cells.is_hidden(Some(parts[*i]))).collect::<Vec<_>>()
        };
        assert_eq!(hidden(&[3, 20, 40], 63), [0, 1]);
        assert_eq!(hidden(&[6, 20, 40], 66), [] as [usize; 0]);
        assert_eq!(hidden(&[2, 1], 3), [0, 1]);
        assert_eq!(hidden(&[3], 3), [0]);
    }

    #[test]
    fn what_one_sum_hides_other_sums_protect() {
        // 0 1 | 2 is hidden in the row 0..3, then its column 2, 4 | 5 needs a second one.
        let rows: [(&[usize], usize); 2] = [(&[0, 1, 2], 3), (&[1, 4], 5)];
        assert_eq!(hidden(5, &[2, 10, 30, 42, 50, 60], &rows), [0, 1, 4]);
    }
}
