//! The documented options are those that exist: on the page of each attribute, and in the README.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// Each attribute, and where its options are listed.
const ATTRIBUTES: [(&str, &str); 16] = [
    ("warn_slow_poll", "warn_slow_poll.rs"),
    ("fallback", "fallback.rs"),
    ("async_cached", "async_cached/options.rs"),
    ("coalesce", "coalesce.rs"),
    ("invalidates", "invalidates.rs"),
    ("rate_limit", "rate_limit.rs"),
    ("concurrency_limit", "concurrency_limit.rs"),
    ("circuit_breaker", "circuit_breaker.rs"),
    ("finally", "finally.rs"),
    ("cancellable", "cancellable.rs"),
    ("timeout", "timeout.rs"),
    ("retry", "retry.rs"),
    ("shield", "shield.rs"),
    ("hedge", "hedge.rs"),
    ("batched", "batched.rs"),
    ("offload_blocking", "offload_blocking.rs"),
];

type Names = BTreeSet<String>;

/// The options that the attribute has, by the list from which its errors are made.
fn options(source: &str) -> Names {
    let source = fs::read_to_string(format!("macros/src/attributes/{source}")).expect("the attribute has a file");
    let (_, list) = source.split_once("const OPTIONS: &[&str] = &[").expect("the attribute has a list of options");
    let (list, _) = list.split_once("];").expect("the list has an end");
    list.split('"').skip(1).step_by(2).filter(|name| *name != "crate").map(str::to_owned).collect()
}

/// The documentation of an attribute: what stands in comments above its name.
pub(crate) fn page(attribute: &str) -> String {
    let source = fs::read_to_string("macros/src/lib.rs").expect("the attributes are there");
    let (before, _) = source.split_once(&format!("\n    {attribute}\n")).expect("the attribute is in the list");
    let lines: Vec<&str> = before.lines().map(str::trim_start).rev().take_while(|line| line.starts_with("///")).collect();
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
    for (attribute, source) in ATTRIBUTES {
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
    assert_eq!(listed.iter().collect::<BTreeSet<_>>(), ATTRIBUTES.iter().map(|(name, _)| name).collect());
    for (attribute, source) in ATTRIBUTES {
        let row = rows.iter().find(|row| code(&row[0]).next() == Some(attribute)).expect("listed");
        let cell = without_defaults(&row[1]);
        let documented: Names = code(&cell).filter_map(name).map(str::to_owned).collect();
        assert_eq!(documented, options(source), "`{attribute}` in the README, and its list of options");
    }
}

#[test]
fn what_is_evaluated_when_is_about_options_that_there_are() {
    // What is no expression is evaluated never.
    let words = [
        "crate",
        "handle",
        "adaptive",
        "jitter",
        "clone",
        "panic",
        "skip",
        "share",
        "unbounded",
        "detached",
        "single_flight",
        "all",
        "always",
    ];
    for (attribute, source) in ATTRIBUTES {
        let page = page(attribute);
        let rows = table(&page, "When options are evaluated");
        // What `async_cached` evaluates depends on what it finds: its table has the options in front.
        let by_what_is_found = attribute == "async_cached";
        let said: Names =
            rows.iter().flat_map(|row| code(&row[usize::from(!by_what_is_found)])).filter_map(name).map(str::to_owned).collect();
        let words: Names = words.iter().map(|word| (*word).to_owned()).collect();
        let unsaid: Vec<String> =
            options(source).into_iter().filter(|name| !said.contains(name) && !words.contains(name)).collect();
        assert!(unsaid.is_empty(), "the page of `{attribute}` does not say when it evaluates {unsaid:?}");
        let unknown: Vec<&String> = said.iter().filter(|name| !options(source).contains(*name)).collect();
        assert!(unknown.is_empty(), "the page of `{attribute}` says when it evaluates {unknown:?}, which it does not have");
    }
}

/// All of the library's source, file by file.
fn library() -> Vec<String> {
    let (mut folders, mut sources) = (vec![PathBuf::from("runtime/src")], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(fs::read_to_string(path).expect("a source"));
            }
        }
    }
    sources
}

/// Rustdoc does not look at them: the crate of the attributes knows nothing of the library.
#[test]
fn links_to_the_library_lead_to_what_is_there() {
    let sources = library();
    let anywhere = |text: &str| sources.iter().any(|source| source.contains(text));
    let mut links = 0;
    for (attribute, _) in ATTRIBUTES {
        for address in page(attribute).lines().filter_map(|line| line.split_once("]: https://docs.rs/steadfast/latest/steadfast/"))
        {
            let (file, part) = address.1.split_once('#').unwrap_or((address.1, ""));
            if let Some(page) = file.strip_prefix("guide/").and_then(|file| file.strip_suffix("/index.html")) {
                let text = fs::read_to_string(format!("runtime/src/guide/{page}.md")).expect("a page of the guide");
                let heading = |line: &str| line.to_lowercase().replace(' ', "-") == format!("#-{part}");
                assert!(part.is_empty() || text.lines().any(heading), "`{attribute}` links to {part} of the page {page}");
                links += 1;
                continue;
            }
            let (kind, name) =
                file.rsplit('/').next().and_then(|file| file.strip_suffix(".html")?.split_once('.')).expect("a page");
            let found = match kind {
                "attr" => ATTRIBUTES.iter().any(|(known, _)| *known == name),
                "fn" => anywhere(&format!("pub fn {name}")) || anywhere(&format!("pub async fn {name}")),
                kind => anywhere(&format!("pub {kind} {name}")) || anywhere(&format!("::{name};")),
            };
            assert!(found, "`{attribute}` links to {file}, which is not there");
            let found = match part.split_once('.') {
                Some(("method", method)) => anywhere(&format!("fn {method}")),
                Some(("variant", variant)) => anywhere(&format!("    {variant}")),
                _ => part.is_empty() || page(name).lines().any(|line| line.to_lowercase().replace(' ', "-") == format!("#-{part}")),
            };
            assert!(found, "`{attribute}` links to {part} of {name}, which is not there");
            links += 1;
        }
    }
    assert!(links > 50, "{links}");
}

/// The documentation of a re-export would stand in front of that of the attribute.
#[test]
fn re_exports_say_nothing_of_their_own() {
    for (attribute, _) in ATTRIBUTES {
        let is_re_export = |line: &str| {
            let names = line.trim_end_matches(';').strip_prefix("pub use steadfast_macros::").unwrap_or_default();
            names.trim_matches(['{', '}']).split(", ").any(|name| name == attribute)
        };
        let sources = library();
        let lines = sources.iter().find_map(|source| {
            let (at, _) = source.lines().enumerate().find(|(_, line)| is_re_export(line))?;
            source.lines().take(at).last()
        });
        let before = lines.expect("re-exported, and not in the first line");
        assert!(!before.starts_with("///"), "{attribute}: {before}");
    }
}
