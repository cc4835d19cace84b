//! Checks that the arms of a period are alike but for the treatment.

mod before;
mod contacts;
mod drawn;
mod elsewhere;
mod split;

pub(super) use before::unlike_before;
pub(super) use contacts::stray_contacts;
pub use drawn::lie_whole;
pub(super) use drawn::{are_strata_whole, whole_states};
pub(super) use elsewhere::{treated_after, treated_before};
pub(super) use split::{contaminated_p, everybody_excluded, some_recur, split_p};

/// Below this p-value a check of the design has failed.
pub const FAILED: f64 = 0.001;
