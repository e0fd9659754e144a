//! An identifier of an expansion has a location within the options of an attribute only if it is the user's token there.
//!
//! Editors complete and explain what is written at a location by the expanded tokens that have it. An identifier of ours there would be
//! completed in place of the user's: `self.` would offer the methods of our types.

use std::collections::BTreeSet;
use std::ops::Range;

use proc_macro2::{Group, TokenStream, TokenTree};

use crate::item::tokens::is_punct;

/// Functions with all options of each attribute.
const FUNCTIONS: &[&str] = &[
    "#[warn_slow_poll(settings.poll, panic)] async fn f(settings: Settings, id: u64) -> Result<u32, Failure> { body(id).await }",
    "#[fallback(|error| degraded(id, error))] async fn f(id: u64) -> Result<u32, Failure> { body(id).await }",
    "#[fallback(other(id).await)] async fn f(id: u64) -> Result<u32, Failure> { body(id).await }",
    "#[async_cached(handle = users: Cache<u64, u32>, capacity = SIZE, weight = |key, value| size(key, value), ttl = life, \
     tti = idle.time, on_evict = |key, value, cause| gone(key, value, cause), ttl_jitter = spread.time, key = id.part, \
     error_ttl = errors.time, none_ttl = nones.time, stale_while_revalidate = stale.time, stale_if_error = broken.time, \
     refresh_ahead = share.part, load_timeout = load.time, refresh_if = id.fresh, tags = [tag(id), other.tag], detached, \
     single_flight = true)] async fn f(db: Arc<Db>, id: Id) -> Result<Option<u32>, Failure> { db.body(id).await }",
    "#[async_cached(unbounded, ttl = |value| life(value))] async fn f(id: u64) -> Result<u32, Failure> { body(id).await }",
    "#[async_cached(cache = self.users, key = id.part)] async fn f(&self, id: Id) -> Result<u32, Failure> { self.body(id).await }",
    "#[coalesce(key = id.part)] async fn f(db: Arc<Db>, id: Id) -> Result<u32, Failure> { db.body(id).await }",
    "#[invalidates(self.users, key = id.part, always)] async fn f(&self, id: Id) -> Result<u32, Failure> { self.body(id).await }",
    "#[invalidates(USERS, tag = |value| tag(value))] async fn f(id: Id) -> Result<u32, Failure> { body(id).await }",
    "#[rate_limit(calls.count / period.time, burst = most.count, max_wait = patience.time, key = id.part, max_keys = keys.count, \
     rate = plan.count / plan.time, or_else = |error| other(error), handle = limiter)] \
     async fn f(id: Id) -> Result<u32, Failure> { body(id).await }",
    "#[rate_limit(self.limiter)] async fn f(&self, id: Id) -> Result<u32, Failure> { self.body(id).await }",
    "#[concurrency_limit(limit::PLACES, max_wait = patience.time, queue = most.count, adaptive, or_else = |error| other(error), \
     handle = limiter)] async fn f(id: Id) -> Result<u32, Failure> { body(id).await }",
    "#[concurrency_limit(LIMITER)] async fn f(id: Id) -> Result<u32, Failure> { body(id).await }",
    "#[concurrency_limit(self.limiter)] async fn f(&self, id: Id) -> Result<u32, Failure> { self.body(id).await }",
    "#[circuit_breaker(window = size.window, failure_rate = share.part, min_calls = least.count, \
     open_for = open.time, open_for_max = longest.time, probes = few.count, probe_timeout = probe.time, \
     failure = |outcome| bad(outcome), slow_call = slow.time, slow_rate = slow.part, open_jitter = spread.part, \
     ignore = |error| harmless(error), or_else = |error| other(error), handle = breaker)] \
     async fn f(id: Id) -> Result<u32, Failure> { body(id).await }",
    "#[circuit_breaker(failures = most.count, window = size.window)] async fn f(id: Id) -> Result<u32, Failure> { body(id).await }",
    "#[circuit_breaker(when = |error| bad(error), key = id.part, max_keys = keys.count)] \
     async fn f(id: Id) -> Result<u32, Failure> { body(id).await }",
    "#[circuit_breaker(self.breaker)] async fn f(&self, id: Id) -> Result<u32, Failure> { self.body(id).await }",
    "#[finally(|exit| release(id, exit))] async fn f(id: Id) -> Result<u32, Failure> { body(id).await }",
    "#[finally(release(self.part, id))] async fn f(self: Arc<Self>, id: Id) -> Result<u32, Failure> { self.body(id).await }",
    "#[cancellable(token = self.token, cleanup = release(id), or_else = |error| other(error))] \
     async fn f(&self, id: Id) -> Result<u32, Failure> { self.body(id).await }",
    "#[timeout(patience.time, or_else = |error| other(error))] async fn f(patience: Patience, id: Id) -> u32 { body(id).await }",
    "#[retry(attempts = most.count, delay = first.time, factor = growth.part, max_delay = longest.time, jitter = equal, \
     max_elapsed = all.time, when = |error| transient(error), retry_after = |error| error.wait, on_retry = |event| noted(event), \
     budget = BUDGET, clone(id))] async fn f(id: Id) -> Result<u32, Failure> { body(id).await }",
    "#[retry(failure = |outcome| bad(outcome), delay = 0s)] async fn f(id: Id) -> u32 { body(&id).await }",
    "#[shield(tracker = self.tracker)] async fn f(self: Arc<Self>, id: Id) -> Result<u32, Failure> { self.body(id).await }",
    "#[hedge(after = patience.time, max = most.count)] async fn f(id: Id) -> Result<u32, Failure> { body(id).await }",
    "#[hedge(after = p95, key = id.part, max_keys = keys.count)] async fn f(id: Id) -> Result<u32, Failure> { body(id).await }",
    "#[batched(max_batch_size = most.count, delay = patience.time, share(db), or_else = |error| other(error))] \
     async fn f(db: Arc<Db>, ids: Vec<Id>) -> Result<Vec<u32>, Failure> { db.body(ids).await }",
    "#[offload_blocking(limit = most.count, pool = self.pool)] fn f(self: Arc<Self>, id: Id) -> Result<u32, Failure> { self.body(id) }",
    "#[fallback(7)] #[timeout(patience.time)] #[concurrency_limit(LIMITER, max_wait = patience.time)] #[retry(clone(id))] \
     #[hedge(after = patience.time)] #[shield] #[finally(release(id))] \
     async fn f(patience: Patience, id: Id) -> Result<u32, Failure> { body(id).await }",
];

/// The attribute's name, its arguments and where they are, and the rest of the item.
fn taken_apart(text: &str) -> (String, Group, TokenStream) {
    let mut trees = text.parse::<TokenStream>().expect("tokens").into_iter();
    let (Some(TokenTree::Punct(_)), Some(TokenTree::Group(attribute))) = (trees.next(), trees.next()) else {
        panic!("an attribute")
    };
    let mut attribute = attribute.stream().into_iter();
    let name = attribute.next().expect("a name").to_string();
    let Some(TokenTree::Group(arguments)) = attribute.next() else { panic!("arguments") };
    (name, arguments, trees.collect())
}

/// The exceptions, at which rustc must report an error: the conversion of a fallback's value, the clone of a part of a key, the await of a
/// cleanup, and a limiter that a call selects, where a count would be evaluated once.
const REPORTED: &[&str] = &["replace", "keep", "async", "await", "__cleanup", "cleaned", "of_call"];

/// Whether a path ends at a check of a bound, whose error is reported at the token that can satisfy it.
fn checks_a_bound(path: &[TokenTree]) -> bool {
    let end = path.iter().position(|tree| !matches!(tree, TokenTree::Ident(_)) && !is_punct(tree, ':')).unwrap_or(path.len());
    let name = path[..end].last().map(ToString::to_string).unwrap_or_default();
    name.starts_with("assert_") || end > 1 && REPORTED.contains(&name.as_str())
}

/// Finds the identifiers at locations within the arguments that are not those of the user.
fn misplaced(tokens: TokenStream, arguments: &Range<usize>, found: &mut BTreeSet<String>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(tree) = trees.get(at) {
        if checks_a_bound(&trees[at..]) {
            at += trees[at..].iter().position(|tree| matches!(tree, TokenTree::Group(_))).unwrap_or(0);
        } else if let TokenTree::Group(group) = tree {
            misplaced(group.stream(), arguments, found);
        } else if let TokenTree::Ident(ident) = tree {
            let (range, place) = (ident.span().byte_range(), ident.span().source_text().unwrap_or_default());
            // In a closure or a task, `self` is a copy of it.
            let renamed = place == "self" && ident == "__this";
            let expected = renamed || *ident == place || REPORTED.iter().any(|name| ident == name);
            if !range.is_empty() && range.start >= arguments.start && range.end <= arguments.end && !expected {
                found.insert(format!("`{ident}` at `{place}`"));
            }
        }
        at += 1;
    }
}

#[test]
fn identifiers_of_ours_are_not_at_tokens_of_the_user() {
    let mut wrong = Vec::new();
    for text in FUNCTIONS {
        let (name, arguments, item) = taken_apart(text);
        let expanded = crate::expand::attribute(crate::ATTRIBUTES, &name, arguments.stream(), &item);
        let mut found = BTreeSet::new();
        let said = expanded.to_string();
        if let Some((_, error)) = said.split_once("compile_error !") {
            found.insert(error.split('}').next().unwrap_or_default().to_owned());
        }
        misplaced(expanded, &arguments.span().byte_range(), &mut found);
        if !found.is_empty() {
            wrong.push(format!("{text}\n    {}", Vec::from_iter(found).join("\n    ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
