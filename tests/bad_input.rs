//! Wrong columns, files, values, job files, periods, schemes, strategies and outputs, and runs that are killed.
//!
//! Every refusal is compared with its whole message: it is what the person who must act has.

mod columns;
mod files;
mod job_file;
mod killed;
mod output;
mod periods;
mod schemes;
mod strategies;
mod values;
