//! The compiler's messages for mistakes: one folder per attribute, one file per mistake.
//!
//! After a change of wording: `TRYBUILD=overwrite cargo test --test ui`, and then review what changed.

use std::fs;

/// One attempt at compiling each case.
#[test]
fn compile_errors() {
    let cases = trybuild::TestCases::new();
    for folder in fs::read_dir("tests/ui").expect("tests run in the package's folder") {
        let folder = folder.expect("the folder can be listed").path();
        // `without_rayon` has what is said where that feature is off.
        if folder.ends_with("without_rayon") && cfg!(feature = "rayon") {
            continue;
        }
        cases.compile_fail(folder.join("*.rs"));
    }
}
