//! The documentation's search finds items by the names that other libraries use.

use std::collections::BTreeSet;

use crate::files::{below, read};

/// A word of the field, and the items it must find.
const ALIASES: [(&str, &[&str]); 14] = [
    ("bulkhead", &["concurrency_limit", "ConcurrencyLimiter"]),
    ("semaphore", &["concurrency_limit", "ConcurrencyLimiter"]),
    ("permit", &["concurrency_limit", "ConcurrencyLimiter", "rate_limit", "RateLimiter"]),
    ("token bucket", &["rate_limit", "RateLimiter", "RetryBudget"]),
    ("backoff", &["retry", "RetryBudget"]),
    ("memoize", &["async_cached", "Cache"]),
    ("SWR", &["async_cached"]),
    ("stampede", &["async_cached", "coalesce", "Cache"]),
    ("singleflight", &["async_cached", "coalesce", "Cache"]),
    ("DataLoader", &["batched"]),
    ("circuit breaker states", &["CircuitBreaker"]),
    ("closed", &["circuit_breaker", "CircuitState"]),
    ("open", &["circuit_breaker", "CircuitState"]),
    ("half-open", &["circuit_breaker", "CircuitState"]),
];

/// Each alias in the sources, with the item it is written on.
fn aliases() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for path in below("macros/src", &["rs"]).into_iter().chain(below("runtime/src", &["rs"])) {
        let source = read(&path);
        let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
        for (number, line) in lines.iter().enumerate() {
            let Some(list) = line.strip_prefix("#[doc(alias(") else { continue };
            let item = lines[number..].iter().find(|line| !line.starts_with("#[") && !line.starts_with("///")).expect("an item");
            let name = item.trim_end_matches(';').rsplit("::").next().expect("a name");
            // Rustdoc forgets the aliases of a definition that it shows where it is re-exported.
            let name =
                name.split(['<', '(']).next().expect("a name").trim_start_matches("pub async fn ").trim_start_matches("pub fn ");
            let defined_in_public = ["gather/mod.rs", "offload/mod.rs"].iter().any(|file| path.ends_with(file));
            assert!(item.starts_with("pub use ") || defined_in_public, "{}: an alias that is lost: {item}", path.display());
            found.extend(list.split('"').skip(1).step_by(2).map(|alias| (alias.to_owned(), name.to_owned())));
        }
    }
    found
}

#[test]
fn words_of_the_field_find_the_items() {
    let found = aliases();
    for (alias, items) in ALIASES {
        for item in items {
            assert!(
                found.contains(&(alias.to_owned(), (*item).to_owned())),
                "`{item}` has no `#[doc(alias(\"{alias}\"))]`: {found:?}"
            );
        }
    }
}
