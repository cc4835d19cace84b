//! What schemes say of customers, and what is said of schemes.

/// Down a ladder that speaks of activity, fewer and fewer buy.
mod activity;
/// Warnings about schemes, and words for customers who may not be new.
mod findings;
/// Annual values, and who is at risk.
mod risk;
/// Definitions and docs are true of every customer.
mod sentences;
/// Made-up shops and public data.
mod shops;
/// Words of the console and of the page.
mod words;
