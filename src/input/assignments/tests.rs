//! Tests of the readers by their public functions.

mod parts;
mod reading;
mod refused;
mod support;
