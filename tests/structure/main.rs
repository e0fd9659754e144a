//! The rules for imports in both crates:
//!
//! 1. An import is an edge from the file that contains it to the file that defines the item; re-exports are resolved. A `use`, a
//!    `pub use` and a path in an expression (`crate::clock::now()`) are all imports. **The graph has no cycles.**
//! 2. A module may use and re-export what its children define. They use nothing that it defines, which would be a cycle; what the
//!    files of a folder share is a file in it.
//! 3. A module imports from where an item is defined, and **never through one of its own ancestors**, the topmost of which is the
//!    crate root: `use crate::error::Error`, not `use crate::Error`; in a folder, `use super::limiter::Limiter`, not `use
//!    super::Limiter`. The re-exports of a folder's `mod.rs` are only for use from outside of it.
//!
//! Tests within the crates (`#[cfg(test)]`) are exempt.

mod graph;
mod source;

use std::fs;
use std::path::Path;

use graph::Graph;
use source::Crate;

/// The sources of a crate, by their paths below `src`.
fn read(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, root: &Path, files: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).expect("tests run in the package's folder") {
            let path = entry.expect("the folder can be listed").path();
            if path.is_dir() {
                walk(&path, root, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).expect("it is below the root").display().to_string();
                files.push((name, fs::read_to_string(&path).expect("sources are text")));
            }
        }
    }
    let mut files = Vec::new();
    walk(Path::new(folder), Path::new(folder), &mut files);
    files
}

/// What is wrong with the imports of a crate.
fn faults(files: &[(String, String)]) -> (Graph, Vec<String>) {
    let sources = Crate::parse(files);
    let graph = Graph::of(&sources);
    let mut faults = graph.faults.clone();
    faults.extend(graph.circles().iter().map(|circle| format!("imports in a circle: {circle}")));
    (graph, faults)
}

fn keeps_the_rules(folder: &str) {
    let (graph, faults) = faults(&read(folder));
    println!("{folder}: {} modules, {} arrows, {} circles", graph.modules(), graph.arrows(), graph.circles().len());
    assert!(graph.modules() > 20 && graph.arrows() > graph.modules(), "the sources of {folder} were not found");
    assert!(faults.is_empty(), "{folder}:\n{}", faults.join("\n"));
}

#[test]
fn the_runtime() {
    keeps_the_rules("runtime/src");
}

#[test]
fn the_macros() {
    keeps_the_rules("macros/src");
}

fn planted(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<_> = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    faults(&files).1
}

#[test]
fn what_keeps_the_rules_passes() {
    let found = planted(&[
        ("lib.rs", "mod a; mod folder; pub use a::A; pub use folder::Limit;"),
        ("a.rs", "use std::fmt; use crate::folder::{self, Limit}; pub struct A(Limit); fn f() { folder::limit(); }"),
        ("folder/mod.rs", "mod limit; mod permit; pub use limit::{Limit, limit}; pub(crate) use permit::Permit;"),
        ("folder/limit.rs", "pub struct Limit; pub fn limit() { let text = \"use crate::a::A;\"; } // crate::a::A"),
        ("folder/permit.rs", "use super::limit::Limit; pub struct Permit(Limit); #[cfg(test)] mod tests { use crate::A; }"),
    ]);
    assert_eq!(found, <[String; 0]>::default());
}

#[test]
fn a_planted_circle_is_found() {
    for imports_b in
        ["use crate::b::B;", "use crate::{b::{B as Other}};", "fn f() { crate::b::B; }", "use crate::b::*;", "pub use super::b::B;"]
    {
        let found = planted(&[
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", &format!("{imports_b} pub struct A;")),
            ("b.rs", "use crate::c::C; pub struct B;"),
            ("c.rs", "use super::a::A; pub struct C;"),
        ]);
        let [found] = &found[..] else { panic!("{imports_b}: {found:?}") };
        assert_eq!(found, "imports in a circle: a.rs:1 -> b.rs:1 -> c.rs:1 -> a.rs");
    }
}

#[test]
fn a_circle_behind_a_re_export_is_found() {
    let found = planted(&[
        ("lib.rs", "mod a; mod folder;"),
        ("a.rs", "use crate::folder::Inner; pub struct A;"),
        ("folder/mod.rs", "mod inner; pub use inner::Inner;"),
        ("folder/inner.rs", "\n\nuse crate::a::A; pub struct Inner;"),
    ]);
    assert_eq!(found, ["imports in a circle: a.rs:1 -> folder/inner.rs:3 -> a.rs"]);
}

#[test]
fn a_child_that_uses_its_parent_is_found() {
    let found = planted(&[
        ("lib.rs", "mod folder;"),
        ("folder/mod.rs", "mod child; use child::Child; struct Parent;"),
        ("folder/child.rs", "use super::Parent; pub struct Child;"),
    ]);
    assert_eq!(found, ["imports in a circle: folder/child.rs:1 -> folder/mod.rs:1 -> folder/child.rs"]);
}

#[test]
fn an_import_through_a_module_above_is_found() {
    let files = |import: &str| {
        planted(&[
            ("lib.rs", "mod error; mod folder; pub use error::Error;"),
            ("error.rs", "pub struct Error;"),
            ("folder/mod.rs", "mod limit; mod permit; pub use limit::Limit;"),
            ("folder/limit.rs", "pub struct Limit;"),
            ("folder/permit.rs", import),
        ])
    };
    assert_eq!(files("use crate::Error;"), ["folder/permit.rs:1 imports `crate::Error` through lib.rs: it is defined in error.rs"]);
    assert_eq!(
        files("use super::Limit;"),
        ["folder/permit.rs:1 imports `super::Limit` through folder/mod.rs: it is defined in folder/limit.rs"]
    );
    assert_eq!(files("use crate::error::Error; use super::limit::Limit;"), <[String; 0]>::default());
    assert_eq!(files("use crate::error::Eror;"), ["folder/permit.rs:1 imports `crate::error::Eror`, which was not found"]);
}
