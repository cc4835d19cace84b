//! What the integration tests share.
#![allow(dead_code)]

pub mod arms;
pub mod calendar;
pub mod cases;
pub mod files;
pub mod oracle;
pub mod run;
pub mod temp;
