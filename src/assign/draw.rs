//! Draws arms: a customer's draw value is compared with exact bounds of the arms.

use rayon::prelude::*;

use crate::domain::{CustomerIds, IdType, Ratio};
use crate::error::{Error, Result};
use crate::hash::HashDraw;

/// Cumulative shares of the range of draw values.
///
/// With the shares p1, p2 … in order, a value h belongs to the first k for which h / 2^64 < p1 + … + pk. So the first
/// share, when it grows, keeps all customers it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareBounds {
    /// The smallest value beyond each share but the last, which takes the rest.
    ends: Vec<u128>,
}

impl ShareBounds {
    /// The bounds of shares that add to 1; the last share takes what the others leave.
    ///
    /// # Errors
    /// Exit 2 if a share has more digits than can be compared exactly.
    pub fn new(shares: &[Ratio]) -> Result<ShareBounds> {
        let mut sum = Ratio::new(0, 1);
        let mut ends = Vec::with_capacity(shares.len());
        for share in shares.split_last().map_or(shares, |(_, rest)| rest) {
            let (numerator, denominator) = share.parts();
            let end = sum.plus(*share).map(Ratio::parts).filter(|(p, q)| *p >= 0 && *q < 1 << 62 && p <= q);
            let Some((p, q)) = end else {
                return Err(Error::usage(format!(
                    "the share {numerator}/{denominator} has more digits than can be compared exactly; use at most 18"
                )));
            };
            // h / 2^64 < p / q for exactly the whole numbers h below ceil(p · 2^64 / q).
            ends.push(((p as u128) << 64).div_ceil(q as u128));
            sum = Ratio::new(p, q);
        }
        Ok(ShareBounds { ends })
    }

    /// The index of the share that the value belongs to.
    pub fn of(&self, value: u64) -> usize {
        self.ends.iter().take_while(|end| u128::from(value) >= **end).count()
    }
}

/// The customers of a draw.
#[derive(Debug, Clone, Copy)]
pub struct Candidates<'a> {
    /// The customers.
    pub ids: &'a CustomerIds,
    /// The type of their ids.
    pub kind: IdType,
    /// Number of every customer's state.
    pub state: &'a [u32],
    /// Indices of the customers who are drawn.
    pub rows: &'a [usize],
    /// What an earlier assignment says of each of `rows`; empty without one.
    pub earlier: &'a [PriorAssignment],
}

/// What an earlier assignment says of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriorAssignment {
    /// Nothing: the draw value decides.
    None,
    /// To be excluded.
    Exclude,
    /// To stay in the arm with this number.
    Arm(u16),
}

/// How arms are drawn.
#[derive(Debug, Clone)]
pub struct DrawRules {
    /// The draw values of the strategy.
    pub draw: HashDraw,
    /// The arms' bounds by number of the state; the control is arm 0.
    pub bounds: Vec<ShareBounds>,
    /// The draw values and the bounds of the global hold-out, which is share 0 of them.
    pub global: Option<(HashDraw, ShareBounds)>,
}

/// Where a customer is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocation {
    /// In the global hold-out, so in no strategy.
    GlobalHoldout,
    /// Excluded because of an earlier assignment.
    Excluded,
    /// In the arm with this number.
    Arm(u16),
}

impl DrawRules {
    /// Allocates a customer; the global hold-out is taken out first.
    fn allocate(&self, id: &[u8], state: u32, earlier: PriorAssignment) -> Allocation {
        if self.global.as_ref().is_some_and(|(draw, bounds)| bounds.of(draw.value(id)) == 0) {
            return Allocation::GlobalHoldout;
        }
        match earlier {
            PriorAssignment::Exclude => Allocation::Excluded,
            PriorAssignment::Arm(arm) => Allocation::Arm(arm),
            PriorAssignment::None => {
                let bounds = self.bounds.get(state as usize);
                Allocation::Arm(bounds.map_or(0, |bounds| bounds.of(self.draw.value(id)) as u16))
            }
        }
    }
}

/// Draws for every row. What becomes of a customer depends on the rules, its id, its state and its earlier assignment:
/// never on other customers or their order.
pub fn draw(rules: &DrawRules, from: &Candidates) -> Vec<Allocation> {
    let one = |text: &mut Vec<u8>, at: usize, row: usize| {
        from.ids.write_text(from.kind, row, text);
        let state = from.state.get(row).copied().unwrap_or_default();
        rules.allocate(text, state, from.earlier.get(at).copied().unwrap_or(PriorAssignment::None))
    };
    from.rows.par_iter().enumerate().map_init(Vec::new, |text, (at, row)| one(text, at, *row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::StringIds;

    fn shares(parts: &[(i128, i128)]) -> Vec<Ratio> {
        parts.iter().map(|(p, q)| Ratio::new(*p, *q)).collect()
    }

    fn ints(ids: impl IntoIterator<Item = i64>) -> CustomerIds {
        CustomerIds::Int(ids.into_iter().collect())
    }

    fn roles(rules: &DrawRules, ids: &CustomerIds) -> Vec<Allocation> {
        let rows: Vec<usize> = (0..ids.len()).collect();
        draw(rules, &Candidates { ids, kind: IdType::Signed(64), state: &vec![0; ids.len()], rows: &rows, earlier: &[] })
    }

    fn rules(salt: &str, parts: &[(i128, i128)]) -> DrawRules {
        DrawRules { draw: HashDraw::new(salt), bounds: vec![ShareBounds::new(&shares(parts)).unwrap()], global: None }
    }

    #[test]
    fn bounds_are_exact() {
        let half = ShareBounds::new(&shares(&[(1, 2), (1, 2)])).unwrap();
        assert_eq!([0, (1 << 63) - 1, 1 << 63, u64::MAX].map(|value| half.of(value)), [0, 0, 1, 1]);
        // 2^64 / 3 = 6148914691236517205.33…
        let thirds = ShareBounds::new(&shares(&[(1, 3), (1, 3), (1, 3)])).unwrap();
        let values =
            [6_148_914_691_236_517_205, 6_148_914_691_236_517_206, 12_297_829_382_473_034_410, 12_297_829_382_473_034_411];
        assert_eq!(values.map(|value| thirds.of(value)), [0, 1, 1, 2]);
        assert!(ShareBounds::new(&[Ratio::new(1, 1 << 62), Ratio::new((1 << 62) - 1, 1 << 62)]).is_err());
    }

    /// Chi-square over 1,000 cells of sequential ids: draw values are as even as chance makes them.
    #[test]
    fn draw_values_are_uniform() {
        for salt in ["a", "2024-q2", ""] {
            let draw = HashDraw::new(salt);
            let mut cells = vec![0f64; 1_000];
            for id in 0..1_000_000u32 {
                let value = draw.value(id.to_string().as_bytes());
                cells[((u128::from(value) * 1_000) >> 64) as usize] += 1.0;
            }
            let chi: f64 = cells.iter().map(|n| (n - 1_000.0) * (n - 1_000.0) / 1_000.0).sum();
            // 999 degrees of freedom: mean 999, standard deviation 44.7; five of them on either side.
            assert!((775.0..1_223.0).contains(&chi), "{salt:?}: {chi}");
        }
    }

    #[test]
    fn shares_are_met() {
        let got = roles(&rules("s", &[(1, 10), (3, 10), (6, 10)]), &ints(1..=200_000));
        for (arm, share) in [(0, 0.1), (1, 0.3), (2, 0.6)] {
            let count = got.iter().filter(|r| **r == Allocation::Arm(arm)).count() as f64;
            let sd = f64::sqrt(200_000.0 * share * (1.0 - share));
            assert!((count - 200_000.0 * share).abs() < 4.0 * sd, "arm {arm}: {count}");
        }
    }

    #[test]
    fn a_draw_depends_on_salt_and_id_alone() {
        let half = rules("s", &[(1, 2), (1, 2)]);
        let all = roles(&half, &ints(0..10_000));
        assert_eq!(all, roles(&half, &ints(0..10_000)));
        let turned: Vec<Allocation> = roles(&half, &ints((0..10_000).rev())).into_iter().rev().collect();
        assert_eq!(all, turned);
        let some = roles(&half, &ints((0..10_000).step_by(7)));
        assert!(some.iter().eq(all.iter().step_by(7)));
        // The same ids as text are the same customers.
        let mut texts = StringIds::default();
        (0..10_000).for_each(|id: i64| texts.push(id.to_string().as_bytes()));
        assert_eq!(all, roles(&half, &CustomerIds::Text(texts)));
        // Another salt draws anew: half of them change sides.
        let other = roles(&rules("t", &[(1, 2), (1, 2)]), &ints(0..10_000));
        let same = all.iter().zip(&other).filter(|(a, b)| a == b).count();
        assert!((4_700..5_300).contains(&same), "{same}");
    }

    #[test]
    fn a_growing_hold_out_keeps_its_customers() {
        let small = roles(&rules("s", &[(1, 10), (9, 10)]), &ints(0..10_000));
        let large = roles(&rules("s", &[(2, 10), (8, 10)]), &ints(0..10_000));
        assert!(small.iter().zip(&large).all(|(s, l)| *s != Allocation::Arm(0) || *l == Allocation::Arm(0)));
    }

    #[test]
    fn the_global_hold_out_comes_first_and_is_independent() {
        let global = ShareBounds::new(&shares(&[(1, 20), (19, 20)])).unwrap();
        let with = DrawRules { global: Some((HashDraw::new("permanent"), global)), ..rules("s", &[(1, 2), (1, 2)]) };
        let (before, after) = (roles(&rules("s", &[(1, 2), (1, 2)]), &ints(0..100_000)), roles(&with, &ints(0..100_000)));
        let out: Vec<usize> = (0..100_000).filter(|at| after[*at] == Allocation::GlobalHoldout).collect();
        assert!((4_700..5_300).contains(&out.len()), "{}", out.len());
        assert!((0..100_000).all(|at| after[at] == Allocation::GlobalHoldout || after[at] == before[at]));
        let control = out.iter().filter(|at| before[**at] == Allocation::Arm(0)).count() as f64 / out.len() as f64;
        assert!((0.46..0.54).contains(&control), "{control}");
    }

    #[test]
    fn states_have_shares_and_earlier_assignments_win() {
        let bounds = [[(1, 1_000), (999, 1_000)], [(999, 1_000), (1, 1_000)]];
        let bounds = bounds.iter().map(|b| ShareBounds::new(&shares(b)).unwrap()).collect();
        let rules = DrawRules { draw: HashDraw::new("s"), bounds, global: None };
        let ids = ints(0..4);
        let earlier = [PriorAssignment::Arm(7), PriorAssignment::Exclude, PriorAssignment::None, PriorAssignment::None];
        let from =
            Candidates { ids: &ids, kind: IdType::Signed(64), state: &[0, 1, 0, 1], rows: &[3, 2, 1, 0], earlier: &earlier };
        assert_eq!(draw(&rules, &from), [Allocation::Arm(7), Allocation::Excluded, Allocation::Arm(0), Allocation::Arm(1)]);
    }
}
