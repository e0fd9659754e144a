//! What users read is plain technical English: the README, the guide, the comments that become documentation, messages, output.

use std::path::{Path, PathBuf};

use crate::files::{below, read};

/// Phrases that read as a translation, or as riddles, and what to write instead.
const PHRASES: [(&str, &str); 43] = [
    ("nobody", "no caller, no task, nothing"),
    ("no one", "no caller, no task, nothing"),
    ("somebody", "a caller, a task"),
    ("whoever", "the caller"),
    ("those who", "callers, waiters"),
    ("he who", "the caller"),
    ("one who", "a caller"),
    ("for ever", "forever"),
    ("by and by", "incrementally"),
    ("as good as", "equal to, at full allowance"),
    ("is told", "receives, is notified, is reported"),
    ("are told", "receive, are notified, are reported"),
    ("told of", "notified of"),
    ("be told", "be notified"),
    ("stands above", "is above"),
    ("stand above", "are above"),
    ("stands below", "is below"),
    ("stand below", "are below"),
    ("stands beside", "is next to"),
    ("stand beside", "are next to"),
    ("stands on", "is applied to"),
    ("stand on", "are applied to"),
    ("stands here", "is here"),
    ("stands last", "is last"),
    ("stands behind", "is behind"),
    ("stands in for", "replaces"),
    ("so many", "n, this many"),
    ("for so long", "for this long"),
    ("so long as", "as long as"),
    ("as they are", "unchanged, without further code"),
    ("as it stands", "unchanged"),
    ("as it is", "unchanged"),
    ("anew", "again"),
    ("look-up", "lookup"),
    ("look-ups", "lookups"),
    ("nothing is said", "by default"),
    ("it is not said", "by default"),
    ("says otherwise", "specifies otherwise"),
    ("comes to an", "returns, results in"),
    ("came to an", "returned, resulted in"),
    ("comes to nothing", "fails"),
    ("in a time", "per period"),
    ("annotated function", "attributed function"),
];

/// English that contains one of them.
const IDIOMS: [&str; 4] = ["as long as it is", "as long as they are", "as soon as it is", "as soon as they are"];

#[test]
fn users_read_plain_english() {
    let mut found = Vec::new();
    for path in files() {
        for text in texts(&path) {
            let text = IDIOMS.iter().fold(text, |text, idiom| text.replace(idiom, "(idiom)"));
            for (phrase, instead) in PHRASES {
                found.extend(
                    occurrences(&text, phrase).map(|context| format!("{}: `{phrase}` ({instead}): ..{context}..", path.display())),
                );
            }
        }
    }
    assert!(found.is_empty(), "{} places:\n{}", found.len(), found.join("\n"));
}

/// A search that finds nothing must be able to.
#[test]
fn the_search_finds_phrases() {
    let source = "/// Nothing is said\n/// for\n/// ever.\n// nobody\nfn f() { let _ = (\"who\\\n    ever {x}\", 'n', '\"', r#\"as \"it\" is\"#); }";
    assert_eq!(of_rust(source), ["Nothing is said for ever.", "whoever {x}", "as \"it\" is"]);
    assert_eq!(occurrences("Nothing is said for ever.", "for ever").collect::<Vec<_>>(), ["ing is said for ever."]);
    assert_eq!(occurrences("before every call", "for ever").count(), 0);
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "benches/README.md"].map(PathBuf::from).into();
    files.extend(below("runtime/src", &["rs", "md"]));
    files.extend(below("macros/src", &["rs"]));
    files.extend(below("examples", &["rs", "md", "html"]));
    files
}

/// What users read of a file.
fn texts(path: &Path) -> Vec<String> {
    let text = read(path);
    if path.extension().is_some_and(|extension| extension == "rs") { of_rust(&text) } else { vec![words(&text)] }
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where a phrase occurs as whole words, with what is around it.
fn occurrences<'a>(text: &'a str, phrase: &'a str) -> impl Iterator<Item = &'a str> {
    let lowercase = text.to_ascii_lowercase();
    let starts: Vec<usize> = lowercase.match_indices(phrase).map(|(start, _)| start).collect();
    starts.into_iter().filter_map(move |start| {
        let end = start + phrase.len();
        let inside = |c: char| c.is_alphanumeric() || c == '_';
        if text[..start].ends_with(inside) || text[end..].starts_with(inside) {
            return None;
        }
        let from = text[..start].char_indices().rev().nth(11).map_or(0, |(at, _)| at);
        let to = text[end..].char_indices().nth(30).map_or(text.len(), |(at, _)| end + at);
        Some(&text[from..to])
    })
}

/// The documentation and the string literals of a source; the lines of one comment are one text.
fn of_rust(source: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut comment = String::new();
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let documentation = rest.starts_with("///") || rest.starts_with("//!");
        if rest.starts_with("//") {
            let line = rest.split('\n').next().unwrap_or_default();
            if documentation {
                comment.push_str(&line[3..]);
                comment.push('\n');
            }
            rest = &rest[line.len()..];
            continue;
        }
        if !c.is_whitespace() && !comment.is_empty() {
            texts.push(words(&std::mem::take(&mut comment)));
        }
        let (length, literal) = literal(rest);
        texts.extend(literal);
        rest = &rest[length..];
    }
    texts
}

/// How long the next token is, as far as strings are concerned, and what it says if it is one.
fn literal(rest: &str) -> (usize, Option<String>) {
    let hashes = rest[1..].chars().take_while(|c| *c == '#').count();
    if rest.starts_with('r') && rest[1 + hashes..].starts_with('"') {
        let close = format!("\"{}", "#".repeat(hashes));
        let text = &rest[2 + hashes..];
        let end = text.find(&close).expect("the end of a raw string");
        return (2 + hashes + end + close.len(), Some(words(&text[..end])));
    }
    if rest.starts_with('"') {
        let mut text = String::new();
        let mut characters = rest.char_indices().skip(1);
        while let Some((at, c)) = characters.next() {
            match c {
                '"' => return (at + 1, Some(words(&text))),
                '\\' => match characters.next() {
                    // A line that goes on in the next.
                    Some((_, '\n')) => {
                        let next = rest[at + 2..].trim_start();
                        let skipped = rest[at + 2..].len() - next.len();
                        characters = rest.char_indices().skip(rest[..at + 2 + skipped].chars().count());
                    }
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, c)) => text.push(c),
                    None => break,
                },
                c => text.push(c),
            }
        }
        panic!("a string without an end");
    }
    // A character, which may be a quotation mark; not a lifetime.
    let mut characters = rest.chars();
    if characters.next() == Some('\'') {
        let (first, second) = (characters.next(), characters.next());
        if first == Some('\\') {
            let end = rest[3..].find('\'').expect("the end of a character");
            return (3 + end + 1, None);
        }
        if let (Some(c), Some('\'')) = (first, second) {
            return (2 + c.len_utf8(), None);
        }
    }
    // A name that ends with `r` is not the beginning of a raw string.
    let name = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').map(char::len_utf8).sum::<usize>();
    let first = rest.chars().next().map_or(0, char::len_utf8);
    (name.max(first), None)
}
