//! The library with all instrumentation (features `registry`, `metrics`, `tracing`, `chaos`), in separate packages: features apply
//! to all tests of a build, and the other tests use the library without them. The example `operator` is one of these packages.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::path::Path;
use std::process::Command;

#[test]
fn with_all_that_watches() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["test", "--quiet", "--package", "observed", "--package", "operator"])
        .current_dir(root)
        .status()
        .expect("cargo runs, since it runs this");
    assert!(status.success(), "the tests of `tests/observed` or of `examples/operator` failed: see above");
}
