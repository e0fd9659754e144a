//! What the compiler says about mistakes: one folder an attribute, one file a mistake.
//!
//! After a change of wording: `TRYBUILD=overwrite cargo test --test ui`, and then read what changed.

/// One attempt at compiling each case.
#[test]
fn compile_errors() {
    trybuild::TestCases::new().compile_fail("tests/ui/*/*.rs");
}
