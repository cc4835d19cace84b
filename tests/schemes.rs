//! What schemes say of customers, and what is said of schemes.

/// Annual values, and who is at risk.
mod risk;
