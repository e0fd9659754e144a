//! What options may say, and when they are read.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

mod evaluated;
mod names;
mod tables;
mod units;
