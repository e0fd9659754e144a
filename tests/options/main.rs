//! What options may say, and when they are read.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

mod names;
mod units;
