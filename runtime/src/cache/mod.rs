#![doc = include_str!("caching.md")]
// The store (which entry to keep) is `quick_cache`'s. How long an entry is fresh and who computes it is decided here.

mod background;
mod builder;
mod by_hand;
mod call;
mod clock;
mod coalesce;
mod entry;
mod expiry;
mod flight;
mod ghosts;
mod key;
mod lead;
mod lifetime;
mod load;
mod removal;
mod scope;
mod shape;
mod shared;
mod slot;
mod stats;
mod store;
mod tags;
#[cfg(test)]
mod tests;
mod waiter;

pub use builder::CacheBuilder;
pub use by_hand::Cache;
pub use coalesce::coalesce;
pub use key::Key;
pub use load::Loaded;
pub use removal::RemovalCause;
pub(crate) use scope::{Awaiting, Marks, inherited};
pub use stats::Stats;

/// Keeps what an async function returned, keyed by its arguments, and lets one caller compute while the others wait.
///
/// ```
/// use steadfast::async_cached;
///
/// #[async_cached(ttl = 60s, handle = names)]
/// async fn name(id: u64, locale: &str) -> std::io::Result<String> {
///     Ok(format!("user {id} in {locale}"))
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// name(7, "eu").await?; // computes
/// name(7, "eu").await?; // a hit: the body does not run, nothing is allocated for the look-up
/// assert_eq!(names().stats().hits, 1);
/// names().invalidate(&(7, "eu")); // keyed as the function is called
/// assert!(!names().contains(&(7, "eu")));
/// # Ok(()) }
/// ```
///
/// # The key
///
/// All arguments, compared by `Eq`: each is `Hash + Eq + Clone + Send + Sync + 'static` in its owned form (`&str` is kept as `String`,
/// `&[T]` as `Vec<T>`, `&T` as `T`). A method says what `self` is: `skip(self)`, a `key`, or a `cache` that is a field of `self`.
///
/// # Options
///
/// | option | default | meaning |
/// | --- | --- | --- |
/// | `handle = name` | none | makes `fn name() -> &'static Cache<K, V>` beside the function (`handle = Self::name` inside an `impl`; `handle = name: Cache<K, V>` where the types cannot be read off the signature) |
/// | `capacity = n` | 10 000 | how many entries are kept at most, or their weight |
/// | `unbounded` | | entries are kept until they expire or are invalidated |
/// | `weight = \|key, value\| n` | 1 each | what an entry weighs, 1 at least; one that is heavier than the capacity is returned and not stored. A remembered failure weighs 1 |
/// | `ttl = duration` | for ever | how long a value is fresh, from the moment when it is there; an expression may name the arguments |
/// | `ttl = \|value\| duration` | | the same, from the value (a token that says when it expires) and the arguments |
/// | `ttl_jitter = duration` | none | adds a random time to each ttl, from nothing to this; not to `error_ttl` and `none_ttl` |
/// | `tti = duration` | for ever | how long a value stays that nobody asks for: each call asks, also one that computes and one that gets the value instead of an error |
/// | `on_evict = \|key, value, cause\| ..` | none | told of each value that leaves, with the [`RemovalCause`] |
/// | `key = expr` | all arguments | what the value depends on, as an owned value |
/// | `skip(arg, ..)` | none | arguments on which the value does not depend; they need no bound |
/// | `cache = expr` | its own | a [`Cache`] that may be shared: a `static`, or a field as in `cache = self.users`; see [below](#a-cache-that-is-named) |
/// | `error_ttl = duration` | not stored | how long an `Err` is remembered (`E: Clone + Send + Sync + 'static`), where no value is there that may still be served |
/// | `none_ttl = duration` | not stored | how long a `None` is remembered, also the `Ok(None)` of a `Result<Option<T>, E>`, which without this is a value like any other |
/// | `stale_while_revalidate = duration` | none | how long after its ttl a value is returned at once, while one refresh runs in the background; after one that failed the next call starts another |
/// | `stale_if_error = duration` | none | how long after its ttl a value is returned where computing it anew comes to an `Err`, whichever it is; it is not renewed |
/// | `refresh_ahead = share` | none | after this share of the ttl (`0.8`), a hit starts one refresh in the background; a share that is not above 0 and below 1 panics where a value is computed |
/// | `load_timeout = duration` | none | how long those who wait wait for one computation, before one of them begins another |
/// | `refresh_if = bool` | `false` | where true, computes anew and stores under the same key. An argument that is used only there is not part of the key: neither the body names it, nor another option, nor an attribute below |
/// | `tags = [text, ..]` | none | names for [`invalidate_tag`](Cache::invalidate_tag), from the arguments |
/// | `detached` | | computes on a task of its own: a caller that gives up does not throw the computation away |
/// | `single_flight = bool` | `true` | whether callers of one key wait for the one that computes |
/// | `crate = path` | `::steadfast` | where `steadfast` is found |
///
/// # Who computes
///
/// The first caller of a cold key; all who come meanwhile wait for it, per key and never across keys. Its error goes to all of them if
/// the error is `Clone + Send + Sync + 'static`; otherwise they try one after another. If the computing caller is dropped or panics, the
/// next waiter computes. `invalidate`, `clear` and `insert` win over a computation that began before them: its value goes to those who
/// already wait for it, and is not stored.
///
/// Of several computations of one key (`single_flight = false`, `refresh_if`, `load_timeout`) the one that began last is stored, in whatever
/// order they end. When the computing caller goes away, all who wait are woken, and the first that is polled goes on; where the computation
/// was invalidated meanwhile, with a new one, which is stored. A computing caller that is kept and not polled holds up those who wait until
/// `load_timeout`.
///
/// # The newest answer
///
/// A value that is computed anew takes the place of the one before, and so does a `None`: it is remembered for `none_ttl`, or the key has
/// nothing. So does a value that is not stored (a ttl of zero, or too heavy): the one before is removed. An `Err` takes the place of
/// nothing that may still be served: not after a refresh that failed, and not after a call that `refresh_if` forced, whose error is its own
/// (or the old value, where `stale_if_error` is given).
///
/// # A cache that is named
///
/// With `cache = C`, what the function does not say is as the builder of `C` says it, `load_timeout` included; only the `ttl_jitter` of
/// `C` belongs to the ttl of `C`, and a function with a ttl of its own says its own jitter. `stale_while_revalidate` and `refresh_ahead` of `C` hold
/// for functions that compute in the background: `detached`, or with one of the two of their own. Another cannot, since its arguments are
/// borrowed from its caller: it says so at its first miss, by [`on_report`](crate::on_report), as [`ReportKind::Inert`](crate::ReportKind::Inert).
///
/// What several functions share, they share whole: a remembered error answers all functions with that error type, also one without
/// `error_ttl`; a key has one entry, so that the remembered errors of two types take each other's place. Those who wait, and cannot read the
/// error of another's computation, wait for one of their own.
///
/// A generic function (also one in a generic `impl`) has a cache for each instantiation.
///
/// # When options are evaluated
///
/// | option | hit | miss | a call that waits | refresh behind a hit |
/// | --- | --- | --- | --- | --- |
/// | `key`, `refresh_if`, `stale_while_revalidate` | once | once | once | once |
/// | `tags` | | once | once | once, also by a hit while one is under way |
/// | `ttl`, `ttl_jitter`, `tti`, `error_ttl`, `none_ttl`, `stale_if_error`, `refresh_ahead` | | once, before the body | once, when it comes | once, before the body |
/// | `ttl = \|value\| ..`, the closure of `weight` | | once, when a value is there | | once, when a value is there |
/// | `load_timeout` | | | once | |
/// | `capacity`, `weight`, `on_evict` | at the first call of all | | | |
///
/// All times are counted from the end of the computation. One that ends at a point in time (`ttl = until_midnight()`) is evaluated before the
/// body, and too long by as much as that takes: write `ttl = |_| until_midnight()`. A value that comes by the handle
/// ([`insert`](Cache::insert), [`get_or_load`](Cache::get_or_load)) has the times of that moment too, but for those that name an argument: these are not
/// known there, and it has none of them.
///
/// # In the background
///
/// `detached`, `stale_while_revalidate` and `refresh_ahead` compute on a task of their own, which outlives its caller: the arguments
/// (also those that are skipped) and the result are `Send + 'static`. `&str` and `&[T]` are copied for it; another borrow is an error at that
/// argument. A panic that no caller is left to see goes to [`on_report`](crate::on_report); [`drain`](crate::drain) waits for what is
/// under way. A deadline above `async_cached` bounds the caller, and not that computation: one below it does.
///
/// # Errors
///
/// A function that calls itself with the key that it is computing would wait for itself: it gets an [`Error`](crate::Error) for which
/// [`is_recursion`](crate::Error::is_recursion) holds, if its return type can carry one, and panics otherwise. What goes through a
/// task of the user's own (`tokio::spawn`) or a [`WorkerPool`](crate::WorkerPool) is not seen, and waits: bound it with `load_timeout` or a `timeout`.
///
/// # Cancel safety
///
/// A caller that is dropped while it waits leaves the others alone; one that is dropped while it computes hands over to the next.
///
/// # Panics
///
/// A panic of the body is the computing caller's own.
///
/// # Bounds
///
/// The value (the `T` of a `Result<T, E>` or an `Option<T>`, else the whole return value) is `Clone + Send + Sync + 'static`: put
/// what is expensive to clone into an `Arc`.
///
/// Three things of yours run under a lock of the cache, and must not use it: `Eq` of the key, `Clone` of a value or of an error that is
/// remembered or shared, and the closure of [`invalidate_if`](Cache::invalidate_if). Everything else (`Hash` and `Clone` of the key, all
/// destructors, `ttl`, `weight`, `on_evict`) runs under none. A panic of any of them is that of the call in which it runs, and leaves the
/// cache usable.
pub use steadfast_macros::async_cached;

#[doc(hidden)]
pub mod private {
    pub use super::background::{Spawned, Stopped, ask_background};
    pub use super::call::{Begin, Mode, Next, Owned, Told, begin, begin_or_refresh, recursion};
    pub use super::flight::Turn;
    pub use super::key::{
        Referred, ask_anonymous, ask_argument, ask_argument_of, ask_borrowed, ask_borrowed_of, ask_key_in, ask_readable, ask_value,
        ask_value_in,
    };
    pub use super::lead::Lead;
    pub use super::lifetime::Lifetime;
    pub use super::shape::{Kind, Shape, ask_error_ttl, ask_none_ttl, ask_stale_if_error, ttl_of, ttl_of_some};
    pub use super::slot::{IsCache, Slot, Types};
    pub use super::tags::{Tags, tag};
    pub use super::waiter::{Waited, Waiter};
}
