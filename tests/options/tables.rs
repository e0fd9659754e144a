//! The options that are documented are those that there are: on the page of each attribute, in the README.

use std::collections::BTreeSet;
use std::fs;

/// Each attribute, where its options are listed, and where its page is.
const ATTRIBUTES: [(&str, &str, &str); 15] = [
    ("warn_slow_poll", "warn_slow_poll.rs", "warn_slow_poll.rs"),
    ("fallback", "fallback.rs", "fallback.rs"),
    ("async_cached", "async_cached/options.rs", "cache/mod.rs"),
    ("coalesce", "coalesce.rs", "cache/coalesce.rs"),
    ("rate_limit", "rate_limit.rs", "rate_limit/mod.rs"),
    ("concurrency_limit", "concurrency_limit.rs", "concurrency_limit/mod.rs"),
    ("circuit_breaker", "circuit_breaker.rs", "circuit_breaker/mod.rs"),
    ("finally", "finally.rs", "finally.rs"),
    ("cancellable", "cancellable.rs", "cancellable.rs"),
    ("timeout", "timeout.rs", "timeout/mod.rs"),
    ("retry", "retry.rs", "retry/mod.rs"),
    ("shield", "shield.rs", "shield.rs"),
    ("hedge", "hedge.rs", "hedge/mod.rs"),
    ("batched", "batched.rs", "batched.rs"),
    ("offload_blocking", "offload_blocking.rs", "offload/mod.rs"),
];

type Names = BTreeSet<String>;

/// The options that the attribute has, by the list from which its errors are made.
fn options(source: &str) -> Names {
    let source = fs::read_to_string(format!("macros/src/{source}")).expect("the attribute has a file");
    let (_, list) = source.split_once("const OPTIONS: &[&str] = &[").expect("the attribute has a list of options");
    let (list, _) = list.split_once("];").expect("the list has an end");
    list.split('"').skip(1).step_by(2).filter(|name| *name != "crate").map(str::to_owned).collect()
}

/// The documentation of an attribute.
pub(crate) fn page(attribute: &str) -> String {
    let (.., page) = ATTRIBUTES.into_iter().find(|(name, ..)| *name == attribute).expect("an attribute");
    let source = fs::read_to_string(format!("runtime/src/{page}")).expect("the page is there");
    let (before, _) =
        source.split_once(&format!("pub use steadfast_macros::{attribute};")).expect("the page ends in the attribute");
    let lines: Vec<&str> = before.lines().rev().take_while(|line| line.starts_with("///")).collect();
    lines.iter().rev().flat_map(|line| [line.trim_start_matches("///").trim_start(), "\n"]).collect()
}

/// The cells of the table below a heading, without its head.
pub(crate) fn table(page: &str, heading: &str) -> Vec<Vec<String>> {
    let section = page.split_once(&format!("# {heading}\n")).map(|(_, section)| section).unwrap_or_default();
    let rows = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    rows.skip(2).map(cells).collect()
}

fn cells(row: &str) -> Vec<String> {
    let row = row.replace("\\|", "\u{1}");
    row.trim().trim_matches('|').split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect()
}

/// What stands between backticks.
pub(crate) fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The name with which an example of an option begins: `attempts`, `attempts = 3`, `skip(arg, ..)`.
fn name(example: &str) -> Option<&str> {
    let end = example.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(example.len());
    (end > 0).then(|| &example[..end])
}

/// Without what stands in brackets: a default.
fn without_defaults(cell: &str) -> String {
    let mut depth = 0;
    let mut kept = String::new();
    for c in cell.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

#[test]
fn the_page_of_each_attribute_has_its_options() {
    for (attribute, source, _) in ATTRIBUTES {
        let rows = table(&page(attribute), "Options");
        let named = rows.iter().filter(|row| !row[0].contains("without a name"));
        let mut documented: Names = named.filter_map(|row| code(&row[0]).next().and_then(name)).map(str::to_owned).collect();
        assert!(documented.remove("crate"), "the page of `{attribute}` says nothing of `crate = path`");
        assert_eq!(documented, options(source), "the page of `{attribute}`, and its list of options");
        assert!(rows.iter().all(|row| row.len() == 3), "the table of `{attribute}`: {rows:?}");
    }
}

#[test]
fn the_readme_has_the_options_of_each_attribute() {
    let readme = fs::read_to_string("README.md").expect("the README is there");
    let rows = table(&readme, "Attributes");
    let listed: Vec<&str> = rows.iter().filter_map(|row| code(&row[0]).next()).collect();
    assert_eq!(listed.iter().collect::<BTreeSet<_>>(), ATTRIBUTES.iter().map(|(name, ..)| name).collect());
    for (attribute, source, _) in ATTRIBUTES {
        let row = rows.iter().find(|row| code(&row[0]).next() == Some(attribute)).expect("listed");
        let cell = without_defaults(&row[1]);
        let documented: Names = code(&cell).filter_map(name).map(str::to_owned).collect();
        assert_eq!(documented, options(source), "`{attribute}` in the README, and its list of options");
    }
}

#[test]
fn what_is_evaluated_when_is_about_options_that_there_are() {
    // What is no expression is evaluated never.
    let words = ["crate", "handle", "adaptive", "jitter", "clone", "panic", "skip", "unbounded", "detached", "single_flight"];
    // What `async_cached` evaluates depends on what it finds: its page has a table by that.
    for (attribute, source, _) in ATTRIBUTES.into_iter().filter(|(attribute, ..)| *attribute != "async_cached") {
        let page = page(attribute);
        let rows = table(&page, "When options are evaluated");
        let said: Names = rows.iter().flat_map(|row| code(&row[1])).map(str::to_owned).collect();
        let words: Names = words.iter().map(|word| (*word).to_owned()).collect();
        let unsaid: Vec<String> =
            options(source).into_iter().filter(|name| !said.contains(name) && !words.contains(name)).collect();
        assert!(unsaid.is_empty(), "the page of `{attribute}` does not say when it evaluates {unsaid:?}");
        let unknown: Vec<&String> = said.iter().filter(|name| !options(source).contains(*name)).collect();
        assert!(unknown.is_empty(), "the page of `{attribute}` says when it evaluates {unknown:?}, which it does not have");
    }
}
