//! What alike customers differed by when nobody was treated.
//!
//! A customer of a matched strategy has y in the outcome's days, x in the baseline and d in the period before it. The two ends of
//! the bracket are the level, ȳ, and the change, ȳ − x̄, treated less control within cells of the states of the day before the
//! period. Each end is held against two placebos, and the stricter one counts:
//!
//! - within the same cells, the level of d, and the change x − d;
//! - the same comparison made one step earlier: within cells of the states of the day before the baseline, the level of x, and the
//!   change x − d. States that remember x and d make customers alike in both, and a trait that states do not show then appears
//!   in y alone; one step earlier it appears in x alike.

use std::collections::BTreeMap;

use super::arm_sums::EarlierRow;
use crate::domain::EffectMethod as Method;
use crate::error::Result;
use crate::stats::{Cell, Influence, LinearEstimate, Scales, StudentEstimate, Sums, VALUES, pair_covariance};

/// More than this share of the treated must be compared in earlier cells.
const MIN_SHARE: f64 = 0.5;

/// In which cells a placebo compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlaceboCells {
    /// In those of the comparison itself.
    Same,
    /// In those of the day before the baseline.
    Earlier,
}

/// The placebo of one end of the bracket.
#[derive(Debug, Clone)]
pub(super) struct Placebo {
    /// In which cells it compares.
    pub cells: PlaceboCells,
    /// What the end says of the time before anybody was treated.
    pub before: StudentEstimate,
    /// The end less that.
    pub above: StudentEstimate,
}

/// One end of the bracket in its cells.
pub(super) struct End<'a, 'i> {
    pub method: Method,
    /// Names and moments of the cells.
    pub names: &'i [&'a str],
    pub cells: &'i [Cell],
    /// The arms: treated, control.
    pub arms: [&'a str; 2],
    pub scales: Scales,
}

/// A linear form of (y, x, d).
type Form = [f64; VALUES];

impl End<'_, '_> {
    /// The end, its placebo in the same cells, and the one in earlier cells.
    fn forms(&self) -> Option<[Form; 3]> {
        match self.method {
            Method::Matched => Some([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0]]),
            Method::Did => Some([[1.0, -1.0, 0.0, 0.0], [0.0, 1.0, -1.0, 0.0], [0.0, 1.0, -1.0, 0.0]]),
            _ => None,
        }
    }

    /// The stricter placebo, from the customers by cell and earlier cell; `None` if one of the two is not known.
    ///
    /// # Errors
    /// Exit 3 if sums of cells leave 128 bits.
    pub fn placebo(&self, rows: &[EarlierRow<'_>]) -> Result<Option<Placebo>> {
        let Some([form, same, earlier]) = self.forms() else { return Ok(None) };
        let Some(end) = LinearEstimate::new(self.cells, &form) else { return Ok(None) };
        let side = if end.estimate.value < 0.0 { -1.0 } else { 1.0 };
        let strength = |placebo: &Placebo| side * placebo.above.value / placebo.above.se;
        let both = self.in_same_cells(&form, &same).zip(self.in_earlier_cells(&end, &earlier, rows)?);
        Ok(both.map(|(same, earlier)| if strength(&earlier) < strength(&same) { earlier } else { same }))
    }

    fn in_same_cells(&self, form: &Form, placebo: &Form) -> Option<Placebo> {
        let less: Form = std::array::from_fn(|i| form[i] - placebo[i]);
        let (before, above) = (LinearEstimate::new(self.cells, placebo)?, LinearEstimate::new(self.cells, &less)?);
        Some(Placebo { cells: PlaceboCells::Same, before: before.estimate, above: above.estimate })
    }

    /// The side of an arm in influences: 0 for the treated, 1 for the control.
    fn side(&self, arm: &str) -> Option<usize> {
        self.arms.iter().position(|own| *own == arm)
    }

    fn in_earlier_cells(&self, end: &LinearEstimate, placebo: &Form, rows: &[EarlierRow<'_>]) -> Result<Option<Placebo>> {
        let mut by_cell: BTreeMap<&str, [Sums; 2]> = BTreeMap::new();
        for row in rows {
            if let Some(side) = self.side(row.arm) {
                by_cell.entry(row.earlier).or_default()[side].add(&row.sums.of_first())?;
            }
        }
        let all: i64 = by_cell.values().map(|[treated, _]| treated.n).sum();
        by_cell.retain(|_, [treated, control]| treated.n > 1 && control.n > 1);
        let compared: i64 = by_cell.values().map(|[treated, _]| treated.n).sum();
        if compared as f64 <= MIN_SHARE * all as f64 {
            return Ok(None);
        }
        let names: Vec<&str> = by_cell.keys().copied().collect();
        let mut cells = Vec::with_capacity(names.len());
        for [treated, control] in by_cell.values() {
            let mut both = *treated;
            both.add(control)?;
            let moments = (treated.moments(self.scales), control.moments(self.scales), both.moments(self.scales));
            if let (Some(treated), Some(control), Some(both)) = moments {
                cells.push(Cell { treated, control, both });
            }
        }
        let Some(before) = LinearEstimate::new(&cells, placebo) else { return Ok(None) };
        let influence = |all: &[[Influence; 2]], names: &[&str], cell: &str, arm: &str| -> Option<Influence> {
            Some(all.get(names.iter().position(|name| *name == cell)?)?[self.side(arm)?])
        };
        let covariance = |row: &EarlierRow<'_>| {
            let own = influence(&end.influence, self.names, row.cell, row.arm)?;
            let earlier = influence(&before.influence, &names, row.earlier, row.arm)?;
            Some(pair_covariance(row.sums, self.scales, &own, &earlier))
        };
        let shared: f64 = rows.iter().filter_map(covariance).sum();
        let above = end.estimate.less(&before.estimate, shared);
        Ok(above.map(|above| Placebo { cells: PlaceboCells::Earlier, before: before.estimate, above }))
    }
}

impl Placebo {
    /// The same of `scale` times the outcome less `cost` per treated customer.
    pub fn as_net(&self, scale: f64, cost: f64) -> Placebo {
        Placebo { cells: self.cells, before: self.before.mapped(scale, 0.0), above: self.above.mapped(scale, -cost) }
    }
}

impl PlaceboCells {
    /// Its name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            PlaceboCells::Same => "same",
            PlaceboCells::Earlier => "earlier",
        }
    }
}
