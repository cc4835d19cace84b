//! The built-in schemes: readable files that a user copies to change.

macro_rules! builtin {
    ($($name:literal),* $(,)?) => {
        /// Names of the built-in schemes.
        pub fn names() -> impl Iterator<Item = &'static str> + Clone {
            [$($name),*].into_iter()
        }

        /// The file of a built-in scheme.
        pub fn text(name: &str) -> Option<&'static str> {
            match name {
                $($name => Some(include_str!(concat!("builtin/", $name, ".toml"))),)*
                _ => None,
            }
        }
    };
}

builtin![
    "standard",
    "rf_grid",
    "r_rfm",
    "klaviyo",
    "eight_value",
    "four_value",
    "vip",
    "recency_windows",
    "journey",
    "simple_lifecycle",
    "purchase_stage",
    "activity",
    "value_tier",
    "three_grade",
    "frequency_tier",
    "high_value",
    "loyalty",
    "membership",
    "churn_warning",
    "low_value",
    "discount_only",
    "engagement",
];

/// States of the built-in schemes whose customers are about to be lost.
const AT_RISK: [&str; 15] = [
    "Need Attention",
    "Needs Attention",
    "About to Sleep",
    "About To Sleep",
    "Can't Lose",
    "Can't Lose Them",
    "At Risk",
    "silent",
    "sleeping",
    "lapsing",
    "late",
    "at_risk",
    "重要保持",
    "重要挽留",
    "重點挽留",
];

/// Whether customers in this state of a built-in scheme are about to be lost.
pub fn is_at_risk(state: &str) -> bool {
    AT_RISK.contains(&state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_at_risk_are_states_of_built_in_schemes() {
        for state in AT_RISK {
            let declared = format!("name = {state:?}\n");
            assert!(names().filter_map(text).any(|text| text.contains(&declared)), "{state} is no state");
        }
    }
}
