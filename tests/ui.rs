//! What the compiler says about mistakes: one folder an attribute, one file a mistake.
//!
//! After a change of wording: `TRYBUILD=overwrite cargo test --test ui`, and then read what changed.

/// One attempt at compiling each case, by attribute.
#[test]
fn compile_errors() {
    let cases = trybuild::TestCases::new();
    for folder in ["timeout", "retry", "async_cached", "offload_blocking", "stack", "lints"] {
        cases.compile_fail(format!("tests/ui/{folder}/*.rs"));
    }
}
