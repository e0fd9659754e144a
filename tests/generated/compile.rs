//! Compiles and runs generated programs.
//!
//! They are no packages: `rustc` is called for each, with the library as `cargo` has built it for this very test, so that no dependency is
//! built twice.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// Libraries that generated programs name.
const LIBRARIES: [&str; 4] = ["steadfast", "tokio", "futures", "fastrand"];

/// Pieces of a program that do not compile: the errors of each, by its number.
pub(crate) type Errors = BTreeMap<usize, Vec<Error>>;

/// An error of rustc's own has a code, one of an attribute has none.
pub(crate) struct Error {
    pub(crate) code: Option<String>,
    pub(crate) message: String,
    pub(crate) rendered: String,
}

/// Where the libraries are, by name.
fn libraries() -> &'static BTreeMap<String, PathBuf> {
    static LIBRARIES_BUILT: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    LIBRARIES_BUILT.get_or_init(|| {
        let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["test", "--no-run", "--offline", "--test", "generated", "--message-format", "json", "--quiet"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo runs, since it runs this");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        String::from_utf8(output.stdout).expect("text").lines().filter_map(library).collect()
    })
}

fn library(message: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(message).ok()?;
    let name = message.pointer("/target/name")?.as_str()?;
    let files = message["filenames"].as_array()?.iter().filter_map(Value::as_str);
    let file = files.map(PathBuf::from).find(|file| file.extension().is_some_and(|extension| extension == "rlib"))?;
    LIBRARIES.contains(&name).then(|| (name.to_owned(), file))
}

/// A program in pieces: what stands before them all, and each of them by its number.
pub(crate) struct Program<'a> {
    pub(crate) name: &'a str,
    pub(crate) head: &'a str,
    pub(crate) pieces: BTreeMap<usize, String>,
    /// What stands behind the pieces, given the numbers of those that compile.
    pub(crate) tail: &'a dyn Fn(&BTreeSet<usize>) -> String,
}

impl Program<'_> {
    /// Compiles it, without those pieces that do not compile.
    pub(crate) fn compile(&self, check_only: bool) -> (PathBuf, Errors) {
        let mut errors = Errors::new();
        loop {
            let (file, found) = self.attempt(&errors, check_only);
            if found.is_empty() {
                return (file, errors);
            }
            errors.extend(found);
        }
    }

    fn attempt(&self, without: &Errors, check_only: bool) -> (PathBuf, Errors) {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("generated");
        fs::create_dir_all(&directory).expect("a directory");
        let mut text = self.head.to_owned();
        let mut lines = Vec::new();
        let pieces = self.pieces.iter().filter(|(number, _)| !without.contains_key(number));
        let numbers: BTreeSet<usize> = pieces.clone().map(|(number, _)| *number).collect();
        for (number, piece) in pieces {
            lines.push((text.lines().count() + 1, *number));
            text += piece;
        }
        text += &(self.tail)(&numbers);
        let source = directory.join(format!("{}.rs", self.name));
        fs::write(&source, text).expect("a file");

        let file = directory.join(self.name).with_extension(if check_only { "rmeta" } else { "" });
        let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc.args(["--edition", "2024", "--error-format", "json", "-C", "debuginfo=0", "--crate-name", "generated"]);
        rustc.arg(if check_only { "--emit=metadata" } else { "--emit=link" }).arg("-o").arg(&file).arg(&source);
        for (name, file) in libraries() {
            let directory = file.parent().expect("a file in a directory");
            rustc.arg("--extern").arg(format!("{name}={}", file.display()));
            rustc.arg("-L").arg(format!("dependency={}", directory.display()));
        }
        // A library is beside the build's dependencies, or one directory above them.
        let steadfast = libraries()["steadfast"].parent().expect("a file in a directory");
        rustc.arg("-L").arg(format!("dependency={}", steadfast.join("deps").display()));
        let output = rustc.output().expect("rustc runs");
        let said = String::from_utf8_lossy(&output.stderr);
        let mut errors = Errors::new();
        for message in
            said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).filter(|said| said["level"] == "error")
        {
            if let Some(line) = message["spans"].as_array().and_then(|spans| spans.iter().find_map(|span| line_in(span, &source))) {
                let number = lines.iter().rev().find(|(first, _)| *first <= line).map(|(_, number)| *number);
                let number = number.unwrap_or_else(|| panic!("{}", message["rendered"]));
                let text = |part: &Value| part.as_str().map(str::to_owned);
                errors.entry(number).or_default().push(Error {
                    code: text(&message["code"]["code"]),
                    message: text(&message["message"]).unwrap_or_default(),
                    rendered: text(&message["rendered"]).unwrap_or_default(),
                });
            }
        }
        let rendered =
            || said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()?["rendered"].as_str().map(str::to_owned));
        assert!(output.status.success() || !errors.is_empty(), "{}", rendered().collect::<String>());
        (file, errors)
    }
}

/// The line of a span, or of the macro call from which it comes, in this file.
fn line_in(span: &Value, file: &Path) -> Option<usize> {
    if span["file_name"].as_str().is_some_and(|name| Path::new(name) == file) {
        return usize::try_from(span["line_start"].as_u64()?).ok();
    }
    line_in(span.pointer("/expansion/span")?, file)
}
