//! What users read before they write a line: the README, the front page of the documentation, the words of the field.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

mod aliases;
mod files;
mod prose;
mod readme;
