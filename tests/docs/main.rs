//! What users read before they write a line: the README, the documentation's front page, the terms of the field.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

mod aliases;
mod files;
mod prose;
mod readme;
