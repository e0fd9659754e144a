//! Compiles and runs generated programs.
//!
//! They are not packages: `rustc` compiles each against the library that Cargo built for this test, so that no dependency is built twice.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// The libraries that generated programs use.
const LIBRARIES: [&str; 4] = ["steadfast", "tokio", "futures", "fastrand"];

/// The errors of the pieces that do not compile, by their numbers.
pub(crate) type Errors = BTreeMap<usize, Vec<Error>>;

/// An error from rustc has a code; one from an attribute does not.
pub(crate) struct Error {
    pub(crate) code: Option<String>,
    pub(crate) message: String,
    pub(crate) rendered: String,
}

/// The paths of the libraries, by name.
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

/// A program made of numbered pieces.
pub(crate) struct Program<'a> {
    pub(crate) name: &'a str,
    pub(crate) head: &'a str,
    pub(crate) pieces: BTreeMap<usize, String>,
    /// Makes the end of the program from the numbers of the pieces in it.
    pub(crate) tail: &'a dyn Fn(&BTreeSet<usize>) -> String,
}

impl Program<'_> {
    /// Compiles the program without the pieces that do not compile.
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
        // Cargo may report a library one directory above its dependencies.
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

/// The line in `file` of a span, or of the macro call that it comes from.
fn line_in(span: &Value, file: &Path) -> Option<usize> {
    if span["file_name"].as_str().is_some_and(|name| Path::new(name) == file) {
        return usize::try_from(span["line_start"].as_u64()?).ok();
    }
    line_in(span.pointer("/expansion/span")?, file)
}
