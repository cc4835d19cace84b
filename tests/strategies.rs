//! Strategies from orders to tables: exact sums against a plain loop over customers, and whole runs.

mod case;
mod oracle;
mod runs;
