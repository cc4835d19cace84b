//! Pairs of treated arms.

use super::super::{Arm, Design};
use super::One;
use crate::error::{Error, Result, suggestion};

impl One<'_> {
    /// The pairs, each of two treated arms, and none twice.
    pub(super) fn pairs(&self, arms: &[Arm]) -> Result<Vec<[String; 2]>> {
        let at = |what: String| self.wrong("pairs", what);
        if self.raw.design != Design::Randomised && !self.raw.pairs.is_empty() {
            return Err(at(format!("pairs go with design randomised, not with {}; remove them", self.raw.design)));
        }
        let mut pairs: Vec<[String; 2]> = Vec::with_capacity(self.raw.pairs.len());
        for names in &self.raw.pairs {
            let [first, second] = names.as_slice() else {
                return Err(at(format!("pairs has {names:?}; expected two arms, such as [\"letter\", \"mail\"]")));
            };
            for name in [first, second] {
                self.treated_arm(name, arms)?;
            }
            if first == second {
                return Err(at(format!("the pair {names:?} compares an arm with itself; name two arms")));
            }
            if pairs.iter().any(|pair| pair.contains(first) && pair.contains(second)) {
                return Err(at(format!("pairs compares {first:?} and {second:?} twice; list them once, in one order")));
            }
            pairs.push([first.clone(), second.clone()]);
        }
        Ok(pairs)
    }

    fn treated_arm(&self, name: &str, arms: &[Arm]) -> Result<()> {
        let at = |what: String| -> Result<()> { Err::<(), Error>(self.wrong("pairs", what)) };
        let names = || arms.iter().map(|arm| arm.name.as_str());
        if self.raw.control.as_deref() == Some(name) {
            return at(format!(
                "pairs names the control arm {name:?}, which every arm is compared with anyway; name two treated arms"
            ));
        }
        if !names().any(|arm| arm == name) {
            return at(format!(
                "pairs names {name:?}, which is no arm of the split{} (arms: {}); name one of them",
                suggestion(name, names()),
                names().collect::<Vec<_>>().join(", ")
            ));
        }
        Ok(())
    }
}
