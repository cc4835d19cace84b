//! Models of what customers will do if their habits stay: how many purchases ([`pareto_nbd`]), and of how much money
//! ([`gamma_gamma`]).
//!
//! Both are fitted by maximum likelihood ([`maximise`]) to counts that merge in any order. Nothing here knows of jobs or tables.

pub mod gamma_gamma;
pub mod maximise;
pub mod pareto_nbd;
mod quadrature;
