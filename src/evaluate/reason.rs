//! Everything evaluation says in words: why a number is not there, why a verdict is what it is, and what a description of
//! before and after rests on. `docs/STRATEGIES.md` has the conditions.

mod description;
mod finding;
mod not_estimable;
mod remark;

use super::sentence::Remarked;
pub use description::{Caveat, Expectation};
pub use finding::{Change, Disagreement, Finding, NetMargin};
pub use not_estimable::NotEstimable;
pub use remark::Remark;

/// The reason of a verdict.
pub type VerdictReason = Remarked<Finding, Remark>;

/// What a row of `before_after` rests on.
pub type BeforeAfterNote = Remarked<Expectation, Caveat>;

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::super::sentence::{FieldType, Sentence, Statement};
    use super::*;

    fn come_back<T: Statement + Debug + PartialEq>(statements: Vec<T>) {
        for statement in statements {
            let text = statement.to_string();
            assert_eq!(T::parse(&text).as_ref(), Some(&statement), "{text}");
            assert_eq!(T::parse(&format!("{text}.")), None, "{text}.");
        }
    }

    fn with_remarks<S: FieldType + Clone, R: FieldType + Clone>() -> Vec<Remarked<S, R>> {
        let mut remarks: Vec<Vec<R>> = R::examples().into_iter().map(|remark| vec![remark]).collect();
        remarks.extend([Vec::new(), R::examples()]);
        let of =
            |sentence: S| remarks.iter().map(move |remarks| Remarked { sentence: sentence.clone(), remarks: remarks.clone() });
        S::examples().into_iter().flat_map(of).collect()
    }

    #[test]
    fn every_statement_is_read_as_it_was_printed() {
        come_back(NotEstimable::examples());
        come_back(with_remarks::<Finding, Remark>());
        come_back(with_remarks::<Expectation, Caveat>());
        assert_eq!(VerdictReason::parse("a sentence of nobody"), None);
    }

    #[test]
    fn examples_leave_no_sentence_out() {
        let keys = |of: Vec<&'static str>| of.into_iter().collect::<std::collections::BTreeSet<_>>().len();
        let used = |examples: Vec<Finding>| keys(examples.iter().map(Sentence::key).collect());
        assert_eq!(used(Finding::examples()), Finding::ALL.len());
        assert_eq!(keys(NotEstimable::examples().iter().map(Sentence::key).collect()), NotEstimable::ALL.len());
    }
}
