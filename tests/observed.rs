//! The library with all instrumentation (features `registry`, `metrics`, `tracing`, `chaos`), in separate packages: features apply
//! to all tests of a build, and the other tests use the library without them. The example `operator` is one of these packages.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::fs;
use std::path::Path;
use std::process::Command;

/// The names of a package's test targets.
fn tests(package: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(package).join("tests");
    let entries = fs::read_dir(folder).expect("a package with tests").map(|entry| entry.expect("the folder can be listed").path());
    let targets =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").exists());
    targets.map(|path| path.file_stem().expect("a file has a name").to_str().expect("an ASCII name").to_owned()).collect()
}

#[test]
fn with_all_that_watches() {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "--quiet"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    // The packages of a plain `cargo test`, too: with their features, what it has built is used again.
    for package in ["steadfast", "steadfast-macros", "steadfast-examples", "observed", "operator"] {
        cargo.args(["--package", package]);
    }
    for test in [tests("tests/observed"), tests("examples/operator")].concat() {
        cargo.args(["--test", &test]);
    }
    let status = cargo.status().expect("cargo runs, since it runs this");
    assert!(status.success(), "the tests of `tests/observed` or of `examples/operator` failed: see above");
}
