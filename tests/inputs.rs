//! Damaged and hostile inputs: what of them is found out, and how.

/// Names, folders, pipes and links in the place of files.
mod files;
/// Every byte flipped, every length cut.
mod flips;
/// Lists of hashes.
mod manifest;
/// Runs on one changed file after the other.
mod mill;
