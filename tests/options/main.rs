//! What options may contain, and when they are evaluated.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

mod evaluated;
mod names;
mod tables;
mod units;
