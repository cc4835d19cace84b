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
    "cadence",
    "low_value",
    "discount_only",
    "engagement",
];
